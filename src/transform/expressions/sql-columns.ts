import { NumberText } from '../../types.ts';
import { isIntegral } from './numbers.ts';
import type { JobValue } from './types.ts';
import { compactJson } from './values.ts';

/** A column as an expression names it: `email`, `after.email`. */
export interface ColumnName {
  /** Whole name, dots included. */
  readonly name: string;
  /** The parts between the dots. */
  readonly path: readonly string[];
}

/** What `node:sqlite` takes for a parameter. A plain number would arrive as REAL, so integers are BigInt. */
export type SqlValue = null | bigint | number | string;

const INTEGER_MAX = 2n ** 63n - 1n;
const INTEGER_MIN = -(2n ** 63n);

export function columnName(name: string): ColumnName {
  return { name, path: name.split('.') };
}

/**
 * The value of a column in a record; null when there is none. A name with dots is first a path, then one name that holds
 * dots. Names are compared exactly first, then ignoring case: of several that differ only in case the first one wins.
 */
export function readColumn(record: JobValue, column: ColumnName): JobValue {
  if (!(record instanceof Map)) return null;
  const { name, path } = column;
  const isPath = path.length > 1;
  // Null is a value, too: only what is not there at all is looked for elsewhere.
  let value = isPath ? memberAt(record, path, member) : undefined;
  if (value === undefined) value = record.get(name);
  if (value === undefined && isPath) value = memberAt(record, path, memberIgnoringCase);
  if (value === undefined) value = memberIgnoringCase(record, name);
  return value ?? null;
}

function memberAt(
  record: JobValue,
  path: readonly string[],
  find: (value: JobValue, name: string) => JobValue | undefined,
): JobValue | undefined {
  let value: JobValue | undefined = record;
  for (const name of path) {
    value = find(value, name);
    if (value === undefined) return undefined;
  }
  return value;
}

function member(value: JobValue, name: string): JobValue | undefined {
  return value instanceof Map ? value.get(name) : undefined;
}

function memberIgnoringCase(value: JobValue, name: string): JobValue | undefined {
  if (!(value instanceof Map)) return undefined;
  const exact = value.get(name);
  if (exact !== undefined) return exact;
  const folded = name.toLowerCase();
  // By name, because going over the values would parse JSON columns that nobody asked for.
  for (const candidate of value.keys()) {
    // The length first: it spares folding the names of all columns for each record where the column is missing.
    if (candidate.length === name.length && candidate.toLowerCase() === folded) return value.get(candidate);
  }
  return undefined;
}

/** A value as SQLite sees it: booleans are 1 and 0, arrays and objects JSON text, integers beyond 64 bits text. */
export function toSqlValue(value: JobValue): SqlValue {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'number') return isIntegral(value) && Math.abs(value) < 2 ** 63 ? BigInt(value) : value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (!(value instanceof NumberText)) return compactJson(value);
  if (!isIntegral(value)) return Number(value.text);
  const integer = BigInt(value.text);
  return integer >= INTEGER_MIN && integer <= INTEGER_MAX ? integer : value.text;
}

/** What SQLite would give back for a value, except that a number keeps the digits it was written with. */
export function asResult(value: JobValue): JobValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return Array.isArray(value) || value instanceof Map ? compactJson(value) : value;
}
