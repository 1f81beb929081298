import { constants, DatabaseSync } from 'node:sqlite';
import { NumberText } from '../../types.ts';
import { BoundedCache } from './bounded-cache.ts';
import { numberOfBigInt, realOf } from './numbers.ts';
import type { SqlValue } from './sql-columns.ts';
import { SQL_FUNCTIONS } from './sql-functions.ts';
import { compilePattern } from './sql-regexp.ts';
import { ExpressionError, ExpressionSyntaxError, type JobValue } from './types.ts';

/**
 * One empty database in memory for all expressions of the process.
 *
 * What bounds the time of an expression: SQLite's expressions have no loops, so the work is that of its operators and functions
 * on values of bounded size. The limits below see to that: no value grows beyond {@link MAX_VALUE_BYTES} (also not inside
 * `replace`, `printf` or `zeroblob`; one that large takes a quarter of a second), patterns of LIKE and GLOB are short, and
 * REGEXP, which is ours, counts its steps. Not bounded are `instr`, `replace`, `trim` and `json_patch` with two huge texts, as
 * their work is the product of the two lengths: `node:sqlite` has no way to interrupt a statement.
 */
let opened: DatabaseSync | null = null;

/** The longest value; a record with a longer one is rejected by every expression that reads it. */
const MAX_VALUE_BYTES = 64 * 1024 * 1024;

const LIMITS = {
  length: MAX_VALUE_BYTES,
  sqlLength: 1_000_000,
  attach: 0,
  compoundSelect: 1,
  triggerDepth: 1,
  likePatternLength: 1_000,
};

/** A statement whose parameters are given in order and whose results come back in order. */
export interface Prepared {
  run(parameters: readonly SqlValue[]): readonly unknown[];
}

/**
 * Prepares `SELECT <columns>`, of texts that the parser accepted.
 * Throws SQLite's error, which {@link reasonOf} puts into words.
 */
export function prepareSelect(columns: readonly string[]): Prepared {
  opened ??= open();
  const statement = opened.prepare(
    `SELECT ${columns.map((column) => `(${column})`).join(', ')}`,
  ) as unknown as RowStatement;
  return { run: (parameters) => statement.get(...parameters) };
}

/** With `returnArrays`, which the type declarations do not know of, a row is an array. */
interface RowStatement {
  get(...parameters: SqlValue[]): readonly unknown[];
}

function open(): DatabaseSync {
  const database = new DatabaseSync(':memory:', {
    allowExtension: false,
    enableDoubleQuotedStringLiterals: false,
    limits: LIMITS,
    // As BigInt, or 3 and 3.0 would look the same, and integers beyond 2^53 would fail.
    readBigInts: true,
    returnArrays: true,
  });
  database.function('regexp', { deterministic: true, useBigIntArguments: true }, regexp);
  // The parser lets no access to tables or files through. Should it ever, SQLite refuses what is not a known function.
  database.setAuthorizer((action, _, name) =>
    action === constants.SQLITE_SELECT || (action === constants.SQLITE_FUNCTION && isKnown(name))
      ? constants.SQLITE_OK
      : constants.SQLITE_DENY,
  );
  return database;
}

/** What SQLite calls for operators and words. */
const BEHIND_SYNTAX: ReadonlySet<string> = new Set(['->', '->>', 'current_date', 'current_time', 'current_timestamp']);

function isKnown(name: string | null): boolean {
  return name !== null && (SQL_FUNCTIONS.has(name.toLowerCase()) || BEHIND_SYNTAX.has(name.toLowerCase()));
}

/** What a column of a result means: INTEGER and REAL stay apart, and blobs become base64 text. */
export function fromSqlValue(value: unknown): JobValue {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'bigint') return numberOfBigInt(value);
  // Infinity is no number in JSON and Redis has no other word for it.
  if (typeof value === 'number') return Number.isFinite(value) ? realOf(value) : String(value);
  return Buffer.from(value as Uint8Array).toString('base64');
}

/** `text REGEXP pattern`, which SQLite turns into `regexp(pattern, text)`. Null when one of them is. */
function regexp(pattern: unknown, text: unknown): bigint | null {
  if (pattern === null || text === null) return null;
  // A BigInt, because a plain number would come back as REAL.
  return tests.get(textOf(pattern))(textOf(text)) ? 1n : 0n;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (typeof value !== 'number') return String(value);
  const real = realOf(value);
  return real instanceof NumberText ? real.text : String(real);
}

const tests = new BoundedCache(compileAtRun);

function compileAtRun(pattern: string): (text: string) => boolean {
  try {
    return compilePattern(pattern);
  } catch (error) {
    if (!(error instanceof ExpressionSyntaxError)) throw error;
    throw new ExpressionError(`the pattern of REGEXP is wrong at its character ${error.offset + 1}: ${error.message}`);
  }
}

/** Why SQLite refused or failed, and what to do, as the end of a sentence that names the expression. */
export function reasonOf(error: unknown, functions: ReadonlySet<string>): string {
  if (error instanceof ExpressionError) return error.message;
  const message = error instanceof Error ? error.message : String(error);
  const remedy = REMEDIES.find(([pattern]) => pattern.test(message))?.[1](functions);
  return remedy ?? `SQLite says "${message}".`;
}

const REMEDIES: readonly (readonly [RegExp, (functions: ReadonlySet<string>) => string])[] = [
  [
    /^malformed JSON/,
    (functions) =>
      `${jsonFunctions(functions)} got a text that is no JSON. Ask first: CASE WHEN json_valid(x) THEN … END.`,
  ],
  [/^bad JSON path/, (functions) => `${jsonFunctions(functions)} got a bad path; paths look like '$.a.b' or '$[0]'.`],
  [/^integer overflow/, () => 'a number does not fit in 64 bits. Calculate with CAST(x AS REAL).'],
  [/too big/, () => `a value is longer than ${MAX_VALUE_BYTES / 1024 / 1024} MB. Shorten it with substr(x, 1, n).`],
  [/pattern too complex/, () => `a pattern of LIKE or GLOB is longer than ${LIMITS.likePatternLength} characters.`],
  [/^row value misused/, () => 'a list in brackets stands where one value is due.'],
  [/Expression tree is too large/, () => 'it has too many operators in one row. Split it over several fields.'],
];

function jsonFunctions(functions: ReadonlySet<string>): string {
  const names = [...functions].filter((name) => name.startsWith('json') || name === '->');
  return names.map((name) => (name === '->' ? '"->"' : `${name}()`)).join(' or ');
}
