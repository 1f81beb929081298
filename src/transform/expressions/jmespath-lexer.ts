import type { Span } from './jmespath-syntax.ts';
import { parseJson } from './json-values.ts';
import { ExpressionSyntaxError, type JobValue } from './types.ts';

/** Tokens that stand for themselves, longest first where one begins another. */
const SYMBOLS = [
  ...['[?', '[]', '&&', '||', '==', '!=', '<=', '>='],
  ...['.', '*', '|', '&', '!', '<', '>', '(', ')', '[', ']', '{', '}', ',', ':', '@'],
] as const;

export type SymbolToken = (typeof SYMBOLS)[number];

export type Token = Span &
  (
    | { readonly kind: SymbolToken | 'end' }
    /** `quoted` names stand in double quotes. */
    | { readonly kind: 'name'; readonly name: string; readonly quoted: boolean }
    | { readonly kind: 'number'; readonly number: number }
    | { readonly kind: 'literal'; readonly value: JobValue }
  );

const BLANKS = /[ \t\r\n]*/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /-?\d+/y;

/** Advice for characters that people type because other languages have them. */
const ADVICE: Readonly<Record<string, string>> = {
  '-': 'A name with a dash stands in double quotes ("my-col"); for arithmetic use `language: sql`',
  '+': 'JMESPath has no arithmetic: use `language: sql`, or `concat` to join text',
  '/': 'JMESPath has no arithmetic: use `language: sql`',
  '%': 'JMESPath has no arithmetic: use `language: sql`',
  '=': 'Two values are compared with `==`',
  $: 'The whole record is `@`, and a column is just its name',
  '#': 'A name with such a character stands in double quotes',
  ';': 'One expression is due, without a semicolon',
  '?': 'There is no `? :`; write `condition && yes || no`',
};

/**
 * The tokens of an expression, the last one of kind `end`.
 * @throws ExpressionSyntaxError
 */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = skip(BLANKS, text, 0);
  while (at < text.length) {
    const token = readToken(text, at);
    tokens.push(token);
    at = skip(BLANKS, text, token.end);
  }
  tokens.push({ kind: 'end', start: at, end: at });
  return tokens;
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function readToken(text: string, start: number): Token {
  const nameEnd = skip(NAME, text, start);
  if (nameEnd > start) return { kind: 'name', name: text.slice(start, nameEnd), quoted: false, start, end: nameEnd };
  const numberEnd = skip(NUMBER, text, start);
  if (numberEnd > start) return { kind: 'number', number: Number(text.slice(start, numberEnd)), start, end: numberEnd };
  switch (text[start]) {
    case '"':
      return readQuotedName(text, start);
    case "'":
      return readRawString(text, start);
    case '`':
      return readLiteral(text, start);
  }
  const symbol = SYMBOLS.find((candidate) => text.startsWith(candidate, start));
  if (symbol) return { kind: symbol, start, end: start + symbol.length };
  const found = String.fromCodePoint(text.codePointAt(start)!);
  const advice = ADVICE[found] ?? 'A name with anything but English letters, digits and _ stands in double quotes';
  throw new ExpressionSyntaxError(`unexpected ${JSON.stringify(found)}. ${advice}`, start);
}

/** Where the closing delimiter stands; a backslash hides the character behind it. */
function findClosing(text: string, start: number, what: string): number {
  const delimiter = text[start];
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === delimiter) return at;
    if (text[at] === '\\') at++;
  }
  throw new ExpressionSyntaxError(`the ${what} that begins here has no closing ${delimiter}`, start);
}

function readQuotedName(text: string, start: number): Token {
  const end = findClosing(text, start, 'name in double quotes') + 1;
  try {
    return { kind: 'name', name: JSON.parse(text.slice(start, end)) as string, quoted: true, start, end };
  } catch {
    const problem = 'the name in double quotes has an escape that JSON does not know. Write a backslash as \\\\';
    throw new ExpressionSyntaxError(problem, start);
  }
}

function readRawString(text: string, start: number): Token {
  const closing = findClosing(text, start, 'text in single quotes');
  const value = text.slice(start + 1, closing).replaceAll("\\'", "'");
  return { kind: 'literal', value, start, end: closing + 1 };
}

/** JSON, or else (deprecated in the language, but in users' jobs) the text between the back quotes. */
function readLiteral(text: string, start: number): Token {
  const closing = findClosing(text, start, 'literal in back quotes');
  const inside = text.slice(start + 1, closing).replaceAll('\\`', '`');
  return { kind: 'literal', value: literalOf(inside, start), start, end: closing + 1 };
}

function literalOf(inside: string, start: number): JobValue {
  try {
    return parseJson(inside);
  } catch {
    return looseText(inside, start);
  }
}

function looseText(inside: string, start: number): string {
  try {
    return JSON.parse(`"${inside.trimStart()}"`) as string;
  } catch {
    const problem = "the literal in back quotes is neither JSON nor plain text. Write text as 'text'";
    throw new ExpressionSyntaxError(problem, start);
  }
}
