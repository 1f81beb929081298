import { parseJmespath } from '../../expressions/jmespath-parser.ts';
import type { Syntax } from '../../expressions/jmespath-syntax.ts';
import type { CompiledExpression } from '../definition.ts';

/** The text with which every result of an expression begins, as far as it can be read off; empty otherwise. */
export function literalPrefix({ text, language }: CompiledExpression): string {
  return language === 'sql' ? prefixOfSql(text) : prefixOfJmespath(parseJmespath(text));
}

/** `'tier:' || tier`, or the text alone. */
function prefixOfSql(text: string): string {
  const quoted = /^\s*'((?:[^']|'')*)'\s*(?:\|\||$)/.exec(text)?.[1];
  return quoted?.replaceAll("''", "'") ?? '';
}

/** `'tier:gold'`, `concat(['tier:', tier])`, `join(':', ['tier', tier])`. */
function prefixOfJmespath(syntax: Syntax): string {
  if (syntax.kind === 'literal') return typeof syntax.value === 'string' ? syntax.value : '';
  if (syntax.kind !== 'call') return '';
  const list = syntax.name === 'concat' ? syntax.items[0] : syntax.name === 'join' ? syntax.items[1] : undefined;
  if (list?.kind !== 'list' || list.items[0]?.kind !== 'literal') return '';
  const { value } = list.items[0];
  return typeof value === 'string' ? value : '';
}
