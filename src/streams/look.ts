import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** What a data folder shows without being opened. */
export interface StoreView {
  /** Files with their size in bytes, by path in the folder. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  /** Null when the state cannot be read; then `failure` says why. */
  readonly state: StateView | null;
  readonly failure: string | null;
}

export interface StateView {
  /** The feeders' own hashes: offsets by key and field, as text. */
  readonly metadata: readonly { readonly key: string; readonly field: string; readonly value: string }[];
  /** The feeders' own streams (schema history) with their number of entries. */
  readonly histories: readonly { readonly key: string; readonly entries: number }[];
  readonly counters: readonly Readonly<Record<string, unknown>>[];
  readonly checkpoint: Readonly<Record<string, unknown>> | null;
  readonly dlqs: readonly { readonly stream: string; readonly count: number }[];
  readonly revisions: readonly Readonly<Record<string, unknown>>[];
  readonly pipeline: Readonly<Record<string, unknown>> | null;
  /** JSON text of the deployed files, secrets included; null when nothing is deployed. */
  readonly document: string | null;
  /** Names of the values that `set-secret` keeps. */
  readonly secretNames: readonly string[];
  /** The newest rejected records of each stream, where they were asked for. */
  readonly records: readonly Readonly<Record<string, unknown>>[];
}

/** More than this is not copied to look at it. */
const MAX_COPY_BYTES = 4 * 2 ** 30;
const ATTEMPTS = 3;

/**
 * Looks at a data folder from outside, whether or not a process uses it: the state is read from a copy, so that no lock is taken
 * and nothing is changed. A copy of a folder in use may be torn; then it is taken again.
 *
 * @param recordsPerStream how many rejected records are read
 * @returns null when there is no such folder
 */
export function lookAtStore(folder: string, recordsPerStream: number): StoreView | null {
  if (!fs.existsSync(folder)) return null;
  const files = listFiles(folder);
  let failure: string | null = null;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      return { files, state: readCopy(folder, recordsPerStream), failure: null };
    } catch (error) {
      failure = (error as Error).message;
    }
  }
  return { files, state: null, failure };
}

function listFiles(folder: string): { name: string; bytes: number }[] {
  return fs.readdirSync(folder, { withFileTypes: true, recursive: true }).flatMap((entry) => {
    const file = path.join(entry.parentPath, entry.name);
    const stats = fs.statSync(file, { throwIfNoEntry: false });
    return stats?.isFile() ? [{ name: path.relative(folder, file), bytes: stats.size }] : [];
  });
}

function readCopy(folder: string, recordsPerStream: number): StateView | null {
  const file = path.join(folder, 'state.db');
  if (!fs.existsSync(file)) return null;
  if (fs.statSync(file).size > MAX_COPY_BYTES) throw new Error('state.db is too large to be copied');
  const copies = fs.mkdtempSync(path.join(os.tmpdir(), 'rdi-look-'));
  try {
    for (const name of ['state.db', 'state.db-wal']) {
      const from = path.join(folder, name);
      if (fs.existsSync(from)) fs.copyFileSync(from, path.join(copies, name));
    }
    const database = new DatabaseSync(path.join(copies, 'state.db'));
    try {
      const [{ quick_check: verdict } = { quick_check: '' }] = database.prepare('PRAGMA quick_check(1)').all() as {
        quick_check: string;
      }[];
      if (verdict !== 'ok') throw new Error(`state.db is damaged: ${verdict}`);
      return readState(database, recordsPerStream);
    } finally {
      database.close();
    }
  } finally {
    fs.rmSync(copies, { recursive: true, force: true });
  }
}

function readState(database: DatabaseSync, recordsPerStream: number): StateView {
  const tables = database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
    .all()
    .map(({ name }) => name);
  /** Rows of a table that an older version may not have. */
  const rows = <T>(table: string, sql: string, ...values: number[]): T[] =>
    tables.includes(table) ? (database.prepare(sql).all(...values) as T[]) : [];
  const metadata = rows<{ key: string; field: string; value: Uint8Array }>(
    'metadata_hash',
    'SELECT key, field, value FROM metadata_hash',
  );
  const pipeline = rows<Record<string, unknown>>(
    'pipeline',
    'SELECT revision, is_active, awaits_feeder FROM pipeline',
  )[0];
  const [current] = rows<{ document: string }>(
    'revision',
    'SELECT document FROM revision WHERE number = (SELECT revision FROM pipeline)',
  );
  return {
    metadata: metadata.map(({ value, ...rest }) => ({ ...rest, value: Buffer.from(value).toString('utf8') })),
    histories: rows('metadata_stream', 'SELECT key, COUNT(*) AS entries FROM metadata_stream GROUP BY key'),
    counters: rows('stream_counters', 'SELECT * FROM stream_counters'),
    checkpoint: rows<Record<string, unknown>>('checkpoint', 'SELECT position, durable FROM checkpoint')[0] ?? null,
    dlqs: rows('dlq', 'SELECT stream, COUNT(*) AS count FROM dlq GROUP BY stream'),
    revisions: rows('revision', 'SELECT number, created_at, origin, note FROM revision ORDER BY number'),
    pipeline: pipeline ?? null,
    document: current?.document ?? null,
    secretNames: rows<{ name: string }>('secret', 'SELECT name FROM secret ORDER BY name').map(({ name }) => name),
    records: recordsPerStream === 0 ? [] : readRecords(rows, recordsPerStream),
  };
}

function readRecords(
  rows: <T>(table: string, sql: string, ...values: number[]) => T[],
  recordsPerStream: number,
): Record<string, unknown>[] {
  const sql = `SELECT id, stream, fields FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY stream ORDER BY id DESC) AS place FROM dlq) WHERE place <= ?`;
  const found = rows<{ id: number; stream: string; fields: string }>('dlq', sql, recordsPerStream);
  return found.map(({ id, stream, fields }) => ({ id, stream, ...(JSON.parse(fields) as Record<string, unknown>) }));
}
