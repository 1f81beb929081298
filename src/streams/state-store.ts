import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { StoreError } from '../errors.ts';
import { Reserve } from './reserve.ts';

const fdatasync = promisify(fs.fdatasync);

/**
 * The small state beside the journal: feeder metadata, checkpoint, accounting, DLQ; one SQLite file in WAL mode.
 *
 * Changes are visible at once and durable when {@link StateStore.sync} resolves. SQLite itself runs with
 * `synchronous=NORMAL`, so no commit blocks the event loop for a disk flush; instead the write-ahead log is flushed
 * here, off the event loop. A crash of the process loses nothing that was committed; a power loss loses at most what
 * was not yet synced, always a suffix.
 *
 * The exclusive lock that SQLite holds on the file is also the lock on the whole data folder: the kernel releases it
 * with the process, however it ends.
 */
export class StateStore {
  readonly database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #walPath: string;
  #wal = -1;
  #changed = 0;
  #synced = 0;
  #syncing: Promise<void> | null = null;
  /** A flush of the write-ahead log failed: it may hold pages that the kernel dropped and calls clean. */
  #isLogDoubtful = false;

  /**
   * Opens or creates `state.db`, on a full disk with the room of the reserve. Throws `STORE_LOCKED` when another process has
   * it, `STORE_DAMAGED` when it is torn.
   */
  constructor(folder: string) {
    const file = path.join(folder, 'state.db');
    this.#walPath = `${file}-wal`;
    // A full disk must not keep the engine from starting: only a running one makes room.
    this.database = new Reserve(folder).use(() => openExclusive(folder, file));
    this.#wal = fs.openSync(this.#walPath, 'r+');
  }

  /** Number of the newest change. */
  get changed(): number {
    return this.#changed;
  }

  /** Every change up to this number is durable. */
  get synced(): number {
    return this.#synced;
  }

  /** A prepared statement, kept for the next call with the same text. Integers come back as BigInt only on request. */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Runs `change` in one transaction: all of it or nothing. Throws `STORE_FULL` or `STORE_FAILED`; then nothing changed. */
  transaction<T>(change: () => T): T {
    try {
      this.database.exec('BEGIN IMMEDIATE');
      const result = change();
      this.database.exec('COMMIT');
      this.#changed++;
      return result;
    } catch (cause) {
      if (this.database.isTransaction) this.database.exec('ROLLBACK');
      throw asStoreError(cause, this.#walPath);
    }
  }

  /** Resolves when every change made before the call is durable. One flush at a time; calls meanwhile share the next. */
  async sync(): Promise<void> {
    const target = this.#changed;
    while (this.#synced < target) {
      this.#syncing ??= this.#flush().finally(() => {
        this.#syncing = null;
      });
      await this.#syncing;
    }
  }

  async #flush(): Promise<void> {
    const covered = this.#changed;
    try {
      if (this.#isLogDoubtful) this.#moveToDatabase();
      else await fdatasync(this.#wal);
    } catch (cause) {
      this.#isLogDoubtful = true;
      throw asStoreError(cause, this.#walPath);
    }
    this.#isLogDoubtful = false;
    this.#synced = covered;
  }

  /**
   * Writes all changes into the database file, flushes that, and empties the log: after a failed flush the next one may
   * report success for pages that never came to disk. Blocks meanwhile; disks that fail are rare.
   */
  #moveToDatabase(): void {
    const { busy } = this.database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
    if (busy !== 0) throw new StoreError('STORE_FAILED', `The log of ${this.#walPath} is in use`, { retryable: true });
  }

  close(): void {
    fs.closeSync(this.#wal);
    this.database.close();
  }
}

function openExclusive(folder: string, file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    // Deployed texts and rejected rows are in there, and the folder may be one that others can look into.
    if (!fs.existsSync(file)) fs.closeSync(fs.openSync(file, 'a', 0o600));
    database = new DatabaseSync(file, { timeout: 0 });
    database.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;');
    // A write takes the exclusive lock now, and leaves a write-ahead log to flush.
    database.exec('BEGIN IMMEDIATE; PRAGMA user_version=1; COMMIT;');
    database.exec(SCHEMA);
    addDlqColumns(database);
    if (hasTable(database, 'target_connection')) database.exec(FROM_SINGLE_TARGET);
    return database;
  } catch (cause) {
    // It would go on holding the lock.
    database?.close();
    if (isSqliteError(cause) && /locked|busy/i.test(cause.message)) {
      throw new StoreError('STORE_LOCKED', `Another process uses the data folder ${folder}`, {
        fix: 'Stop it first, or give this one a folder of its own with --data-dir',
        cause,
      });
    }
    throw asStoreError(cause, file);
  }
}

/** Folders of the time when records could not be tried again. What came after their records was not noted. */
function addDlqColumns(database: DatabaseSync): void {
  const known = new Set(
    database
      .prepare("SELECT name FROM pragma_table_info('dlq')")
      .all()
      .map(({ name }) => name),
  );
  const missing = DLQ_COLUMNS.filter((column) => !known.has(column.split(' ')[0] ?? ''));
  for (const column of missing) database.exec(`ALTER TABLE dlq ADD COLUMN ${column}`);
  database.exec(DLQ_INDEXES);
}

function hasTable(database: DatabaseSync, name: string): boolean {
  return database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(name) !== undefined;
}

function isSqliteError(error: unknown): error is Error & { errcode: number } {
  return error instanceof Error && 'errcode' in error;
}

const SQLITE_FULL = 13;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

function asStoreError(cause: unknown, file: string): unknown {
  if (!(cause instanceof Error)) return cause;
  if (cause instanceof StoreError) return cause;
  const code = isSqliteError(cause) ? cause.errcode & 0xff : undefined;
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) {
    return new StoreError('STORE_DAMAGED', `The state store ${file} is damaged: ${cause.message}`, {
      fix: 'Restore the data folder from a backup; its journal is untouched',
      cause,
    });
  }
  if (code === SQLITE_FULL || (cause as NodeJS.ErrnoException).code === 'ENOSPC') {
    return new StoreError('STORE_FULL', `The disk is full: ${file}`, {
      fix: 'Free some space',
      retryable: true,
      cause,
    });
  }
  if (code !== undefined || (cause as NodeJS.ErrnoException).code) {
    return new StoreError('STORE_FAILED', `The disk refused a change of ${file}: ${cause.message}`, {
      retryable: true,
      cause,
    });
  }
  return cause;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS metadata_hash (
  db INTEGER NOT NULL, key TEXT NOT NULL, field TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (db, key, field)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS metadata_stream (
  db INTEGER NOT NULL, key TEXT NOT NULL, ms INTEGER NOT NULL, seq INTEGER NOT NULL, fields BLOB NOT NULL,
  field_count INTEGER NOT NULL, PRIMARY KEY (db, key, ms, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checkpoint (
  id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL, durable INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS stream_behind (
  stream INTEGER PRIMARY KEY, position INTEGER NOT NULL, reason TEXT, entry_id TEXT, since INTEGER
);
CREATE TABLE IF NOT EXISTS stream_counters (
  stream INTEGER PRIMARY KEY, db INTEGER NOT NULL, name TEXT NOT NULL, deduplicated INTEGER NOT NULL,
  written INTEGER NOT NULL, filtered INTEGER NOT NULL, superseded INTEGER NOT NULL, rejected INTEGER NOT NULL,
  skipped INTEGER NOT NULL, inserted INTEGER NOT NULL, updated INTEGER NOT NULL, deleted INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS stream_memory (db INTEGER NOT NULL, name TEXT NOT NULL, memory TEXT NOT NULL, PRIMARY KEY (db, name));
CREATE TABLE IF NOT EXISTS dlq (
  id INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, fields TEXT NOT NULL, entry BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS dlq_by_stream ON dlq (stream, id);
CREATE TABLE IF NOT EXISTS target_connections (name TEXT PRIMARY KEY, run_id TEXT NOT NULL, client_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS dlq_evicted (stream TEXT PRIMARY KEY, evicted INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS revision (
  number INTEGER PRIMARY KEY AUTOINCREMENT, created_at INTEGER NOT NULL, origin TEXT NOT NULL, note TEXT NOT NULL,
  document TEXT NOT NULL, position INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS pipeline (
  id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER, is_active INTEGER NOT NULL, awaits_feeder INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS secret (name TEXT PRIMARY KEY, value BLOB NOT NULL);
`;

/**
 * What a record is retried by: where its entry lay, whose row it is, that row's place in the source's log, whether something
 * newer of the row has come (1; null: unknown), whether it waits behind another one.
 */
const DLQ_COLUMNS = [
  'db INTEGER NOT NULL DEFAULT 0',
  'position INTEGER NOT NULL DEFAULT -1',
  'row_key TEXT',
  'old_row_key TEXT',
  "row_table TEXT NOT NULL DEFAULT ''",
  'source TEXT',
  'superseded INTEGER',
  'parked INTEGER NOT NULL DEFAULT 0',
];

const DLQ_INDEXES = `
CREATE INDEX IF NOT EXISTS dlq_by_row ON dlq (stream, row_key, id) WHERE row_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS dlq_by_old_row ON dlq (stream, old_row_key, id) WHERE old_row_key IS NOT NULL;
`;

/**
 * Folders of the time when there was only the target named `target`. Where both are there, such a version ran last: then its
 * connection is the one that may still be open.
 */
const FROM_SINGLE_TARGET = `
BEGIN IMMEDIATE;
INSERT OR REPLACE INTO target_connections SELECT 'target', run_id, client_id FROM target_connection;
DROP TABLE target_connection;
COMMIT;
`;
