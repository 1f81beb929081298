import { compileJmespath } from '../../expressions/jmespath.ts';
import { compileSql } from '../../expressions/sql.ts';
import { type Expression, ExpressionSyntaxError } from '../../expressions/types.ts';
import type { CacheSettings, CompiledExpression } from '../definition.ts';
import { type Path, type Section, shown } from './section.ts';

export type Language = 'jmespath' | 'sql';
const LANGUAGES: readonly Language[] = ['jmespath', 'sql'];

/** The properties that say an expression, and those of a cache for its results. */
export const EXPRESSION_KEYS = ['expression', 'language'];
export const CACHED_EXPRESSION_KEYS = [...EXPRESSION_KEYS, 'cache'];
export const CACHE_KEYS = ['enabled', 'max_size', 'ttl_seconds'];

const DEFAULT_CACHE_SIZE = 1000;
const DEFAULT_CACHE_SECONDS = 60;

/** How an expression object is written, for messages. */
export const EXPRESSION_SHAPE = 'a map {expression: …, language: jmespath or sql}';

export interface ExpressionOptions {
  /** Null inside a text is an error of the record. */
  readonly strictText?: boolean;
}

/** Compiles `expression`, `language` and `cache` of a section; null after a problem. Other keys are not looked at. */
export function readExpression(section: Section, options: ExpressionOptions = {}): CompiledExpression | null {
  const cache = readCache(section, 'cache');
  const language = readLanguage(section);
  const text = expressionText(section, 'expression');
  if (text === null || language === null) return null;
  const expression = compile(section, section.at('expression'), text, language, options);
  return expression === null ? null : withText(section, expression, text, language, cache);
}

/** A map that is an expression and nothing else, such as `key` of an output; null after a problem. */
export function readExpressionAt(
  section: Section,
  key: string,
  known: readonly string[],
  options: ExpressionOptions = {},
): CompiledExpression | null {
  const inner = section.section(key, EXPRESSION_SHAPE);
  if (inner === null) return null;
  inner.allow(known);
  return readExpression(inner, options);
}

/** The language of all expressions of a section; null after a problem. */
export function readLanguage(section: Section): Language | null {
  return section.choice('language', LANGUAGES);
}

/** Settings where a cache is asked for, else null. */
export function readCache(section: Section, key: string): CacheSettings | null {
  if (!section.has(key)) return null;
  const cache = section.section(key, 'a map {enabled: true, max_size: …, ttl_seconds: …}');
  if (cache === null) return null;
  cache.allow(CACHE_KEYS);
  const maxSize = cache.positive('max_size', DEFAULT_CACHE_SIZE);
  const ttlMs = cache.positive('ttl_seconds', DEFAULT_CACHE_SECONDS) * 1000;
  return cache.flag('enabled', false) ? { maxSize, ttlMs } : null;
}

/** The text of an expression. YAML reads a bare number or boolean as such; written as an expression it is its text. */
function expressionText(section: Section, key: string): string | null {
  const value = section.value(key);
  const text = textOfExpression(value);
  return text ?? section.wrong(key, 'the text of an expression');
}

export function textOfExpression(value: unknown): string | null {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}

/** Compiles the text that stands at `path`; null after a problem. */
export function compile(
  section: Section,
  path: Path,
  text: string,
  language: Language,
  options: ExpressionOptions = {},
): Expression | null {
  return compiling(section, path, language, () =>
    language === 'sql'
      ? compileSql(text)
      : compileJmespath(text, undefined, { strictText: options.strictText ?? false }),
  );
}

/** What `make` compiles; null after it has thrown a syntax error, which becomes a problem. */
export function compiling<T>(section: Section, path: Path, language: Language, make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ExpressionSyntaxError)) throw error;
    const place = `(${language}, character ${error.offset + 1})`;
    section.findings.problem(path, section.told(`${error.message} ${place}`));
    return null;
  }
}

/** Adds what a job says about an expression. A result that may be another one next time is never cached. */
export function withText(
  section: Section,
  expression: Expression,
  text: string,
  language: Language,
  cache: CacheSettings | null,
): CompiledExpression {
  const { evaluate, reads, isVolatile } = expression;
  if (isVolatile && cache !== null) {
    section.warn('cache', `the results of ${shown(text)} are not cached: the same record gives another one each time`);
  }
  return { evaluate, reads, isVolatile, text, language, cache: isVolatile ? null : cache };
}
