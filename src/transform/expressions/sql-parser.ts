import { closestWord } from '../../lib/closest.ts';
import { type ColumnName, columnName } from './sql-columns.ts';
import {
  expectedArguments,
  NOW_WORDS,
  SQL_AGGREGATES,
  SQL_FUNCTIONS,
  SQL_WINDOWS,
  TIME_FUNCTIONS,
} from './sql-functions.ts';
import {
  CLOCKS,
  COLLATIONS,
  COMPARISON_POWER,
  CONSTANTS,
  NOT_POWER,
  POWERS,
  RESERVED,
  SIGN_POWER,
  STATEMENTS,
  SUBQUERIES,
  TESTS,
} from './sql-keywords.ts';
import { compilePattern } from './sql-regexp.ts';
import { readTokens, type Token } from './sql-tokens.ts';
import { ExpressionSyntaxError } from './types.ts';

/** An expression that SQLite may see: one value, of functions that are allowed, without any access to tables. */
export interface ParsedSql {
  /** The expression in order: SQL text, and columns, for which parameters are to be put. */
  readonly pieces: readonly (string | ColumnName)[];
  /** Functions it calls, in lower case; `->` for the operators that read JSON. */
  readonly functions: ReadonlySet<string>;
  readonly isVolatile: boolean;
}

/** Nested deeper, an expression would exhaust the stack; SQLite's own limit is near. */
const MAX_DEPTH = 200;

/** Checks one SQL expression against SQLite's grammar. Throws {@link ExpressionSyntaxError} with the place. */
export function parseSql(text: string): ParsedSql {
  return new Parser(text).parse();
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #pieces: (string | ColumnName)[] = [];
  readonly #functions = new Set<string>();
  #at = 0;
  #depth = 0;
  #isVolatile = false;
  #namesNow = false;

  constructor(text: string) {
    this.#tokens = readTokens(text);
  }

  parse(): ParsedSql {
    if (this.#peek().kind === 'end') this.#fail('The expression is empty.');
    this.#refuseStatement();
    this.#expression(0);
    if (this.#peek().kind !== 'end') this.#failAfterOperand();
    const readsClock = this.#namesNow && [...this.#functions].some((name) => TIME_FUNCTIONS.has(name));
    return { pieces: this.#pieces, functions: this.#functions, isVolatile: this.#isVolatile || readsClock };
  }

  #refuseStatement(): void {
    const first = this.#peek();
    const second = this.#tokens[1] as Token;
    const continues = second.kind === 'end' || second.kind === 'operator' || POWERS.has(second.value);
    if (first.kind !== 'word' || !STATEMENTS.has(first.value)) return;
    if (RESERVED.has(first.value) || !continues) {
      this.#fail(
        `"${first.text}" begins a statement, and an expression is none: it is what stands between SELECT and FROM.`,
      );
    }
  }

  /** Reads operands joined by operators of at least the strength `least`. */
  #expression(least: number): void {
    if (++this.#depth > MAX_DEPTH) this.#fail('The expression is nested too deeply.');
    this.#operand();
    for (let token = this.#peek(); isOperator(token); token = this.#peek()) {
      const power = POWERS.get(token.value);
      if (power === undefined || power < least) break;
      this.#take();
      this.#infix(token, power);
    }
    this.#depth--;
  }

  #infix(token: Token, power: number): void {
    const { value } = token;
    if (value === '->' || value === '->>') this.#functions.add('->');
    if (value === 'IS') this.#afterIs();
    else if (value === 'NOT') this.#afterNot();
    else if (value === 'COLLATE') this.#collation();
    else if (TESTS.has(value)) this.#test(token);
    else if (value !== 'ISNULL' && value !== 'NOTNULL') this.#expression(power + 1);
  }

  #afterIs(): void {
    this.#takeIf('NOT');
    if (this.#takeIf('DISTINCT')) this.#expect('FROM', '"IS DISTINCT" goes on with "FROM".');
    this.#expression(COMPARISON_POWER);
  }

  #afterNot(): void {
    if (this.#takeIf('NULL')) return;
    const token = this.#peek();
    if (token.kind !== 'word' || !TESTS.has(token.value)) {
      this.#fail('After a value, "NOT" goes on with NULL, IN, LIKE, GLOB, REGEXP or BETWEEN.');
    }
    this.#take();
    this.#test(token);
  }

  /** What follows IN, LIKE, GLOB, REGEXP and BETWEEN. */
  #test(token: Token): void {
    if (token.value === 'MATCH')
      this.#fail('MATCH searches full-text tables, and an expression has none. Use REGEXP.', token);
    if (token.value === 'IN') {
      this.#list();
      return;
    }
    const start = this.#at;
    this.#expression(COMPARISON_POWER);
    if (token.value === 'BETWEEN') {
      this.#expect('AND', 'BETWEEN needs two limits: "x BETWEEN 1 AND 3".');
      this.#expression(COMPARISON_POWER);
    } else if (token.value === 'LIKE' && this.#takeIf('ESCAPE')) this.#expression(COMPARISON_POWER);
    else if (token.value === 'REGEXP' && this.#at === start + 1) this.#checkPattern(this.#tokens[start] as Token);
  }

  #list(): void {
    if (this.#peek().text !== '(') {
      this.#fail("IN needs a list in brackets, such as x IN ('a', 'b'): an expression sees no tables.");
    }
    this.#take();
    if (!this.#takeIf(')')) this.#arguments();
  }

  #collation(): void {
    const token = this.#peek();
    if (!COLLATIONS.has(token.value.toUpperCase())) {
      this.#fail(`COLLATE knows BINARY, NOCASE and RTRIM, not ${shown(token)}.`);
    }
    this.#take();
  }

  #checkPattern(token: Token): void {
    if (token.kind !== 'string') return;
    try {
      compilePattern(token.value);
    } catch (error) {
      if (!(error instanceof ExpressionSyntaxError)) throw error;
      // A quote before the place counts twice in the expression; the message need not be that exact.
      throw new ExpressionSyntaxError(error.message, token.offset + 1 + error.offset);
    }
  }

  #operand(): void {
    const token = this.#peek();
    if (token.kind === 'end') this.#fail('The expression ends where a value is due.');
    if (token.kind === 'word') this.#word(token);
    else if (token.kind === 'name') this.#named();
    else if (token.kind === 'operator') this.#mark(token);
    else this.#take();
    if (token.kind === 'string' && NOW_WORDS.has(token.value.toLowerCase())) this.#namesNow = true;
  }

  /** `(`, or a sign. */
  #mark(token: Token): void {
    if (!['(', '-', '+', '~'].includes(token.text)) this.#fail(`${shown(token)} stands where a value is due.`);
    this.#take();
    if (token.text === '(') this.#arguments();
    else this.#expression(SIGN_POWER);
  }

  /** The rest of a list of one or more values, with its closing bracket. Returns how many there were. */
  #arguments(): number {
    for (let count = 1; ; count++) {
      this.#expression(0);
      if (this.#takeIf(')')) return count;
      if (!this.#takeIf(',')) {
        if (this.#peek().kind === 'end') this.#fail('A closing bracket is missing.');
        this.#failAfterOperand();
      }
    }
  }

  #word(token: Token): void {
    const isCall = this.#tokens[this.#at + 1]?.text === '(';
    if (token.value === 'CASE') this.#case();
    else if (token.value === 'CAST' && isCall) this.#cast();
    else if (token.value === 'NOT') {
      this.#take();
      this.#expression(NOT_POWER);
    } else if (CONSTANTS.has(token.value) || CLOCKS.has(token.value)) {
      if (CLOCKS.has(token.value)) this.#isVolatile = true;
      this.#take();
    } else {
      this.#refuseSubquery();
      if (RESERVED.has(token.value)) {
        this.#fail(`"${token.text}" is a word of SQL. If it is a column, write it in back quotes: \`${token.text}\`.`);
      }
      this.#named();
    }
  }

  #refuseSubquery(): void {
    const token = this.#peek();
    const isSubquery = token.kind === 'word' && (SUBQUERIES.has(token.value) || token.value === 'EXISTS');
    // WITH is also a name that a column may have; only a name after it makes it a query.
    if (!isSubquery || (token.value === 'WITH' && this.#tokens[this.#at + 1]?.kind !== 'word')) return;
    this.#fail(
      `${shown(token)} begins a subquery: an expression sees one record and no tables. Use redis.lookup to read other keys.`,
    );
  }

  #case(): void {
    this.#take();
    if (!this.#isWord('WHEN')) this.#expression(0);
    this.#expect('WHEN', "CASE goes on with WHEN: \"CASE WHEN age < 18 THEN 'minor' ELSE 'adult' END\".");
    do {
      this.#expression(0);
      this.#expect('THEN', 'After the condition of WHEN comes THEN.');
      this.#expression(0);
    } while (this.#takeIf('WHEN'));
    if (this.#takeIf('ELSE')) this.#expression(0);
    this.#expect('END', 'CASE is closed by END.');
  }

  #cast(): void {
    this.#take();
    this.#take();
    this.#expression(0);
    this.#expect('AS', 'CAST names its type after AS: "CAST(amount AS REAL)".');
    const type = this.#peek();
    if (type.kind !== 'word' || RESERVED.has(type.value)) {
      this.#fail(`${shown(type)} is no type. Common ones are INTEGER, REAL, NUMERIC, TEXT and BLOB.`);
    }
    while (this.#peek().kind === 'word' && !RESERVED.has(this.#peek().value)) this.#take();
    if (this.#takeIf('(')) {
      do this.#size();
      while (this.#takeIf(','));
      this.#expect(')', 'A closing bracket is missing after the size of the type.');
    }
    this.#expect(')', 'A closing bracket is missing after the type.');
  }

  #size(): void {
    if (this.#peek().kind !== 'number') this.#fail('The size of a type is a number, such as DECIMAL(10, 2).');
    this.#take();
  }

  /** A column or a call. A call's name may be quoted too. */
  #named(): void {
    const token = this.#peek();
    if (this.#tokens[this.#at + 1]?.text === '(') this.#call(token);
    else this.#column(token);
  }

  #column(token: Token): void {
    this.#at++;
    let name = nameOf(token);
    while (this.#peek().text === '.') {
      this.#at++;
      const next = this.#peek();
      if (next.kind !== 'word' && next.kind !== 'name') this.#fail('A name is due after the dot.');
      this.#at++;
      name += `.${nameOf(next)}`;
    }
    if (this.#peek().text === '(') this.#fail('A function has no dots in its name.', token);
    this.#pieces.push(columnName(name));
  }

  #call(token: Token): void {
    const name = nameOf(token).toLowerCase();
    this.#checkFunction(name, token);
    this.#at++;
    this.#pieces.push(name);
    this.#take();
    if (this.#peek().text === '*' || this.#isWord('DISTINCT') || this.#isWord('ALL')) {
      this.#fail(`${shown(this.#peek())} belongs to aggregates, which need many rows; an expression sees one record.`);
    }
    this.#countArguments(name, this.#takeIf(')') ? 0 : this.#arguments(), token);
    this.#functions.add(name);
    if (this.#isWord('OVER') || this.#isWord('FILTER')) {
      this.#fail(`${shown(this.#peek())} makes a window of many rows; an expression sees one record.`);
    }
    if (name === 'random' || name === 'randomblob') this.#isVolatile = true;
  }

  #checkFunction(name: string, token: Token): void {
    if (SQL_FUNCTIONS.has(name)) return;
    if (SQL_AGGREGATES.has(name) || SQL_WINDOWS.has(name)) {
      this.#fail(`${name}() needs many rows, and an expression sees one record.`, token);
    }
    if (RESERVED.has(token.value)) {
      this.#fail(`"${token.text}" is a word of SQL and stands where a value is due.`, token);
    }
    const close = closestWord(name, [...SQL_FUNCTIONS.keys()]);
    this.#fail(`There is no function ${name}().${close === undefined ? '' : ` Did you mean ${close}()?`}`, token);
  }

  #countArguments(name: string, count: number, token: Token): void {
    const known = SQL_FUNCTIONS.get(name);
    if (known === undefined || (count >= known.least && count <= known.most)) {
      if (count < (TIME_FUNCTIONS.get(name) ?? 0)) this.#isVolatile = true;
      return;
    }
    const isAggregate = (name === 'max' || name === 'min') && count === 1;
    const why = isAggregate ? ' With one it needs many rows, and an expression sees one record.' : '';
    this.#fail(`${name}() takes ${expectedArguments(known)}, and here are ${count}.${why}`, token);
  }

  #peek(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #isWord(value: string): boolean {
    const token = this.#peek();
    return token.kind === 'word' && token.value === value;
  }

  /** Passes the token on to SQLite. */
  #take(): void {
    this.#pieces.push(this.#peek().text);
    this.#at++;
  }

  #takeIf(value: string): boolean {
    const token = this.#peek();
    if (token.value !== value || (token.kind !== 'word' && token.kind !== 'operator')) return false;
    this.#take();
    return true;
  }

  #expect(value: string, message: string): void {
    if (!this.#takeIf(value)) this.#fail(message);
  }

  #failAfterOperand(): never {
    const token = this.#peek();
    if (token.text === ')') this.#fail('This bracket closes nothing.');
    if (token.text === ',')
      this.#fail('An expression gives one value; "," only stands in lists and between arguments.');
    const isWord = token.kind === 'word' && (RESERVED.has(token.value) || STATEMENTS.has(token.value));
    if (isWord)
      this.#fail(`"${token.text}" belongs to statements: an expression is what stands between SELECT and FROM.`);
    this.#fail(`An operator is due before ${shown(token)}.`);
  }

  #fail(message: string, token: Token = this.#peek()): never {
    throw new ExpressionSyntaxError(message, token.offset);
  }
}

function isOperator(token: Token): boolean {
  return token.kind === 'operator' || token.kind === 'word';
}

function nameOf(token: Token): string {
  return token.kind === 'word' ? token.text : token.value;
}

function shown(token: Token): string {
  return token.kind === 'end' ? 'the end' : `"${token.text}"`;
}
