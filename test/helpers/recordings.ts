/** The recorded sets under `fixtures/`: what each one is, what it must lead to, and where its files are. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  type ExpectedRow,
  expectedRows,
  type FeederSettings,
  readSourceRows,
  type SourceRow,
} from './expected-rows.ts';
import { readTableShapes, type TableShape } from './table-shapes.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures');

/** One entry of a stream as Redis kept it. */
export interface RecordedEntry {
  readonly stream: string;
  readonly fields: readonly (readonly [string, string])[];
}

export interface Recording {
  readonly name: string;
  readonly settings: FeederSettings;
  /** Tables without a primary key, by stream name: their records go to the DLQ, as many as the stream has. */
  readonly rejectedStreams: readonly string[];
  /** Files to replay, each on its own connection. */
  readonly files: readonly string[];
  /** Whose schema and rows. */
  readonly tables: 'postgresql' | 'mariadb';
  /** Turns a row of the source into the row that its last events describe, where the two differ. */
  readonly lastSent: (row: SourceRow, kind: 'hash' | 'json') => SourceRow;
}

const MANGLED_NAME = 'n\uffc3\uffa4me';
const NULL_DEFAULTS = { 'customers.note': 'none' };
const POSTGRESQL: FeederSettings = {
  database: 'postgresql',
  schemas: false,
  decimals: 'precise',
  nullDefaults: NULL_DEFAULTS,
  // The connector does not send geometric types other than point.
  unsent: ['all_types.c_box'],
};
const MARIADB: FeederSettings = { database: 'mariadb', schemas: false, decimals: 'precise', unsignedBigints: 'long' };

/** All sets that came over Redis' protocol; the `avro-*` sets hold Kafka records. */
export const RECORDINGS: readonly Recording[] = [
  postgresql('pg-3.6-extended', {}),
  postgresql('pg-3.6-extended-schemas', { schemas: true }),
  postgresql('pg-3.6-compact-schemas', { schemas: true }),
  postgresql('pg-3.6-rdi', {}, 'data:{rdi}:'),
  postgresql('pg-3.6-flat', {}),
  postgresql('pg-3.6-cloudevents', { schemas: true }),
  // Debezium 2.5 does not know tsvector.
  {
    ...postgresql('pg-2.5-extended', { unsent: ['all_types.c_box', 'all_types.c_tsv'] }),
    lastSent: withMangledName,
  },
  mariadb('my-3.6-extended', {}),
  mariadb('my-3.6-extended-schemas', { schemas: true }),
];

function postgresql(name: string, settings: Partial<FeederSettings>, prefix = ''): Recording {
  return {
    name,
    settings: { ...POSTGRESQL, ...settings },
    rejectedStreams: [`${prefix}shop.shop.audit_log`],
    files: clientFiles(name, ['sink', 'offsets']),
    tables: 'postgresql',
    lastSent: (row) => row,
  };
}

function mariadb(name: string, settings: Partial<FeederSettings>): Recording {
  return {
    name,
    settings: { ...MARIADB, ...settings },
    rejectedStreams: ['shop.shop.no_key'],
    files: clientFiles(name, ['sink', 'offsets', 'history']),
    tables: 'mariadb',
    lastSent: withoutAlteredColumn,
  };
}

function clientFiles(name: string, connections: readonly string[]): string[] {
  return connections.map((connection) => join(FIXTURES, name, `${connection}.client.resp.gz`));
}

/** Entries of all data streams in order of arrival; `metadata:*` is left out. */
export function recordedEntries(name: string): RecordedEntry[] {
  const lines = gunzipSync(readFileSync(join(FIXTURES, name, 'entries.ndjson.gz')))
    .toString('utf8')
    .trim()
    .split('\n');
  return lines
    .map((line) => JSON.parse(line) as Partial<RecordedEntry>)
    .filter((entry): entry is RecordedEntry => entry.stream !== undefined && !entry.stream.startsWith('metadata:'));
}

/** All columns that a row of a set's tables may have had in the course of the recording. */
export function tableShapes(tables: 'postgresql' | 'mariadb'): Map<string, TableShape> {
  const shapes = readTableShapes(readFileSync(join(FIXTURES, 'source', `${tables}.schema.sql`), 'utf8'));
  if (tables === 'mariadb') addColumn(shapes, 'customers', 'nick', 'varchar(20)');
  else addColumn(shapes, 'Odd Table-1', MANGLED_NAME, 'text');
  return shapes;
}

function addColumn(shapes: Map<string, TableShape>, table: string, column: string, type: string): void {
  const shape = shapes.get(table);
  if (shape) shapes.set(table, { ...shape, types: new Map([...shape.types, [column, type]]) });
}

/** The whole keyspace that a complete run of a recording must leave behind. */
export function expectedKeyspace(recording: Recording, kind: 'hash' | 'json'): Map<string, ExpectedRow> {
  const rows = readSourceRows(join(FIXTURES, 'expected', `${recording.tables}.rows.ndjson`));
  const sent = rows.map((row) => recording.lastSent(row, kind));
  return expectedRows(sent, tableShapes(recording.tables), recording.settings);
}

/**
 * What an `alter table` leaves in the target: it sends no rows, so a row that was written before and not since keeps the
 * dropped column `note` and lacks the new column `nick`. Row 1 changed afterwards: a hash then has both, because fields
 * that an event does not name stay; a document is replaced as a whole.
 */
function withoutAlteredColumn({ table, row }: SourceRow, kind: 'hash' | 'json'): SourceRow {
  if (table !== 'customers' || row['id'] === '301') return { table, row };
  const notes: Record<string, string> = { 1: 'none', 2: 'line one\nline two\ttabbed', 3: 'none', 4: '', 201: 'none' };
  const note = kind === 'json' && row['id'] === '1' ? null : (notes[row['id'] ?? ''] ?? null);
  return { table, row: { ...row, note, nick: row['id'] === '1' ? (row['nick'] ?? null) : null } };
}

/**
 * Debezium 2.5 damages column names beyond ASCII when it reads the log: `näme` arrives under another name, and the value
 * of the snapshot stays under the right one.
 */
function withMangledName({ table, row }: SourceRow): SourceRow {
  if (table !== 'Odd Table-1') return { table, row };
  return { table, row: { ...row, näme: row['the Id'] === '1' ? 'ä' : null, [MANGLED_NAME]: row['näme'] ?? null } };
}
