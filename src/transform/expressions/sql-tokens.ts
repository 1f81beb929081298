import { ExpressionSyntaxError } from './types.ts';

/**
 * The tokens of SQLite's expression grammar (https://sqlite.org/lang_expr.html, https://sqlite.org/lang_keywords.html):
 *
 *   word      bare name or keyword: letters, digits, `_`, `$` and everything beyond ASCII
 *   name      "…"  `…`  […]; the first two hold their quote doubled
 *   string    '…' with '' for a quote
 *   blob      x'0a1B'
 *   number    12  1_000  0x1F  1.5  .5  1e-3
 *   operator  || -> ->> << >> <= >= <> != == and single characters
 */
export type TokenKind = 'word' | 'name' | 'string' | 'blob' | 'number' | 'operator' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As written, quotes included. */
  readonly text: string;
  /** A word in upper case, a name or string without its quotes, else as written. */
  readonly value: string;
  /** Place of its first character in the expression, from 0. */
  readonly offset: number;
}

const BLANKS = /(?:[ \t\n\f\r]+|--[^\n]*|\/\*(?:[^*]|\*(?!\/))*(?:\*\/|$))+/y;
const WORD = /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y;
const NUMBER =
  /0[xX][0-9a-fA-F](?:_?[0-9a-fA-F])*|(?:\d(?:_?\d)*(?:\.(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?/y;
const NAME = /"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]/y;
const STRING = /'(?:[^']|'')*'/y;
const BLOB = /[xX]'(?:[0-9a-fA-F]{2})*'/y;
const OPERATOR = /->>|\|\||->|<<|>>|<=|>=|<>|!=|==|[-+*/%&|~<>=(),.]/y;

/** The tokens of `text`, closed by one of kind `end`. Throws {@link ExpressionSyntaxError}. */
export function readTokens(text: string): Token[] {
  const tokens: Token[] = [];
  // SQLite takes it for the end of the text.
  const end = text.indexOf('\0');
  if (end >= 0) throw new ExpressionSyntaxError('The expression holds the character 0; char(0) stands for it.', end);
  for (let at = skipBlanks(text, 0); at < text.length; ) {
    const token = readToken(text, at);
    tokens.push(token);
    at = skipBlanks(text, at + token.text.length);
  }
  tokens.push({ kind: 'end', text: '', value: '', offset: text.length });
  return tokens;
}

function skipBlanks(text: string, at: number): number {
  return at + (match(BLANKS, text, at)?.length ?? 0);
}

function readToken(text: string, offset: number): Token {
  // Before words, because `x'0a'` begins like one.
  const blob = match(BLOB, text, offset);
  if (blob !== null) return { kind: 'blob', text: blob, value: blob, offset };
  const word = match(WORD, text, offset);
  if (word !== null) {
    if (/^x$/i.test(word) && text[offset + 1] === "'") {
      throw new ExpressionSyntaxError("A blob is an even number of hexadecimal digits, such as x'0a1b'.", offset);
    }
    return { kind: 'word', text: word, value: upperCase(word), offset };
  }
  const number = match(NUMBER, text, offset);
  if (number !== null) return readNumber(text, number, offset);
  const name = match(NAME, text, offset);
  if (name !== null) return { kind: 'name', text: name, value: unquote(name), offset };
  const string = match(STRING, text, offset);
  if (string !== null) return { kind: 'string', text: string, value: unquote(string), offset };
  const operator = match(OPERATOR, text, offset);
  if (operator !== null) return { kind: 'operator', text: operator, value: operator, offset };
  throw new ExpressionSyntaxError(strangeCharacter(text[offset] as string), offset);
}

function readNumber(text: string, number: string, offset: number): Token {
  const next = match(WORD, text, offset + number.length);
  if (next !== null) {
    throw new ExpressionSyntaxError(
      `"${number}${next}" is neither a number nor a name. A column whose name begins with a digit is written in back quotes.`,
      offset,
    );
  }
  if (/^0x/i.test(number) && number.replaceAll(/_|^0x0*/gi, '').length > 16) {
    throw new ExpressionSyntaxError(`The hexadecimal number "${number}" does not fit in 64 bits.`, offset);
  }
  return { kind: 'number', text: number, value: number, offset };
}

function strangeCharacter(character: string): string {
  if (character === "'") return "This text has no end: a ' is missing. A quote inside a text is doubled: 'it''s'.";
  if (character === '"' || character === '`') return `This name has no end: a ${character} is missing.`;
  if (character === '[') return 'This name has no end: a ] is missing.';
  if (character === ';') return 'An expression has no ";": it is not a statement.';
  if ('?:@#$'.includes(character)) {
    return `"${character}" begins a parameter, and an expression has none. Write the column's name, in back quotes if it is an odd one.`;
  }
  return `SQL has no "${character}" here. A name with odd characters is written in back quotes, a text in single quotes.`;
}

function match(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

function unquote(text: string): string {
  const inner = text.slice(1, -1);
  const quote = text[0] as string;
  return quote === '[' ? inner : inner.replaceAll(quote + quote, quote);
}

/** SQLite folds only ASCII letters, so that a Turkish or German name never turns into a keyword. */
function upperCase(word: string): string {
  return word.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase());
}
