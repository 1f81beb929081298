/**
 * What rdi must write for a row, computed from the database's own text of every column.
 *
 * In: a row as `fixtures/expected/*.ndjson` and the e2e suite's queries give it (every value as the database prints it,
 * MariaDB's binary columns as hex), the table's shape, and how the feeder was set up. Out: the target key and, per
 * column, the text of a hash field and of a JSON member. It knows nothing of rdi's code: it goes from the database's
 * text through Debezium's documented encoding to the documented result, so that both sides cannot share a mistake.
 */
import { readFileSync } from 'node:fs';
import { mariadbValue } from './mariadb-values.ts';
import { postgresqlValue } from './postgresql-values.ts';
import type { Rendered } from './rendered.ts';
import type { TableShape } from './table-shapes.ts';

/** How the feeder encodes; everything that changes what arrives. */
export interface FeederSettings {
  readonly database: 'postgresql' | 'mariadb';
  /** Events carry schemas, so logical types are converted; otherwise the wire's values pass as they are. */
  readonly schemas: boolean;
  /** `decimal.handling.mode`. */
  readonly decimals: 'precise' | 'string';
  /** `bigint.unsigned.handling.mode`. */
  readonly unsignedBigints?: 'long' | 'precise';
  /** Nulls that arrive as the column's default (`replace.null.with.default`): `table.column` to the text written. */
  readonly nullDefaults?: Readonly<Record<string, string>>;
  /** Columns that this feeder does not send, `table.column`. */
  readonly unsent?: readonly string[];
  /** Columns in which this feeder sends something else than the source holds, `table.column`; any value is accepted. */
  readonly unreliable?: readonly string[];
}

/** A row in the database's own text; null is SQL NULL. */
export interface SourceRow {
  readonly table: string;
  readonly row: Readonly<Record<string, string | null>>;
}

export interface ExpectedRow {
  readonly key: string;
  /** Columns that must be there, in no special order. */
  readonly columns: ReadonlyMap<string, Rendered>;
  /** Columns that are SQL NULL: absent from a hash, JSON null in a document. */
  readonly nulls: ReadonlySet<string>;
  /** Columns that the row of the source does not name: their value is not told, or they are not there at all. */
  readonly unknown: ReadonlySet<string>;
}

/** Rows of one `expected/*.ndjson` file. */
export function readSourceRows(file: string): SourceRow[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as SourceRow);
}

/** Expected keys with their values; rows of tables without a primary key are left out, they belong in the DLQ. */
export function expectedRows(
  rows: Iterable<SourceRow>,
  shapes: ReadonlyMap<string, TableShape>,
  settings: FeederSettings,
): Map<string, ExpectedRow> {
  const expected = new Map<string, ExpectedRow>();
  for (const row of rows) {
    const shape = shapes.get(row.table);
    if (!shape) throw new Error(`Table ${row.table} is not in the schema file.`);
    if (shape.key.length === 0) continue;
    const one = expectedRow(row, shape, settings);
    expected.set(one.key, one);
  }
  return expected;
}

function expectedRow({ table, row }: SourceRow, shape: TableShape, settings: FeederSettings): ExpectedRow {
  const columns = new Map<string, Rendered>();
  const nulls = new Set<string>();
  const unknown = new Set<string>();
  for (const [column, type] of shape.types) {
    if (settings.unsent?.includes(`${table}.${column}`)) continue;
    const value = row[column] === null ? (settings.nullDefaults?.[`${table}.${column}`] ?? null) : row[column];
    const isUnreliable = settings.unreliable?.includes(`${table}.${column}`) ?? false;
    if (value === undefined || isUnreliable) unknown.add(column);
    else if (value === null) nulls.add(column);
    else {
      const rendered = expectedValue(type, value, settings);
      if (rendered === 'null') nulls.add(column);
      else if (rendered !== 'dropped') columns.set(column, rendered);
    }
  }
  const parts = shape.key.map((column) => `${column}:${columns.get(column)?.hash}`);
  return { key: [table, ...parts].join(':'), columns, nulls, unknown };
}

/** `null`: the wire has null for this value; `dropped`: the column does not reach the target at all. */
function expectedValue(type: string, value: string, settings: FeederSettings): Rendered | 'null' | 'dropped' {
  return settings.database === 'postgresql'
    ? postgresqlValue(type, value, settings)
    : mariadbValue(type, value, settings);
}
