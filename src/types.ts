/**
 * The few shapes that cross several rooms. Everything else belongs to the room that makes it.
 */

/**
 * One ordered log of entries, usually one source table of one feeder.
 *
 * There is exactly one object per stream while the process lives, so rooms may key caches by identity.
 */
export interface Stream {
  /** Small number, unique in one data folder; what the journal's records carry. */
  readonly number: number;
  /** Database index that the feeder selected (`SELECT n`); part of the stream's identity. */
  readonly db: number;
  /** Name as the feeder sent it, for example `data:{rdi}:shop.orders`. */
  readonly name: string;
}

/**
 * One element of a stream, exactly as the feeder sent it.
 *
 * `bytes[start, end)` holds `fieldCount` RESP bulk strings (`$3\r\nkey\r\n$8\r\n{"id":7}\r\n…`), alternating
 * field name and value, so nothing is copied or re-encoded between socket, disk and decoder.
 */
export interface StreamEntry {
  readonly stream: Stream;
  /** First half of the entry id: milliseconds since the epoch. */
  readonly ms: number;
  /** Second half of the entry id. */
  readonly seq: number;
  /** Place in the log, growing in arrival order over all streams. Opaque outside `streams/`. */
  readonly position: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Number of bulk strings in `bytes`: names plus values. */
  readonly fieldCount: number;
}

/** The id in Redis' own form, `ms-seq`. */
export function formatEntryId(entry: { ms: number; seq: number }): string {
  return `${entry.ms}-${entry.seq}`;
}

/** What a change did to its row: insert, update, delete, read by a snapshot. The letters are Debezium's. */
export type Operation = 'c' | 'u' | 'd' | 'r';

/** Where a row lives in the source; taken from the event's `source` block, never from the stream's name. */
export interface TableIdentity {
  readonly connector: string;
  /** `source.name`, the feeder's topic prefix; what a job's `server_name` matches. */
  readonly serverName: string;
  readonly db: string;
  /** Empty where the database has no schemas (MySQL, MariaDB, MongoDB). */
  readonly schema: string;
  readonly table: string;
}

/**
 * A number whose written digits must survive: an integer beyond 2^53, `100.0`, `1.0E-300`, an exact decimal.
 * Numbers for which `String(Number(text)) === text` are plain JavaScript numbers instead.
 */
export class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A value that is itself JSON (array, object, `json` column): text for a hash, nested for a JSON target. */
export class JsonText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Stands for a column that the feeder did not deliver (unchanged TOAST or LOB). Must never reach the target. */
export const UNAVAILABLE: unique symbol = Symbol('unavailable');

export type Value = string | number | boolean | null | NumberText | JsonText | typeof UNAVAILABLE;

/**
 * Columns of a row in source order, as two parallel arrays.
 *
 * `names` is shared between rows of the same shape: the same array object for as long as the table's columns do
 * not change, so that encoders may cache by identity. It must not be modified.
 */
export interface Row {
  readonly names: readonly string[];
  readonly values: readonly Value[];
  /** True when some value is {@link UNAVAILABLE}. */
  readonly partial: boolean;
}

/** A decoded entry that changes one row. */
export interface ChangeEvent {
  readonly kind: 'change';
  readonly op: Operation;
  readonly table: TableIdentity;
  /** Key columns in key order; null when the record has none. */
  readonly key: Row | null;
  readonly before: Row | null;
  readonly after: Row | null;
  /** When the database made the change, ms since the epoch; 0 when the event does not say. */
  readonly sourceMs: number;
  /** True for rows read by a snapshot (`op` r), and for rows of an incremental snapshot. */
  readonly snapshot: boolean;
}

/** Why an entry was not applied, in the words of the user's guide; stored with the original in the DLQ. */
export interface Rejection {
  /** Public code from `errors.ts`. */
  readonly code: string;
  /** What, where, how to fix. */
  readonly reason: string;
  /** Where in a job it happened; absent when no job was involved. */
  readonly origin?: RejectionOrigin;
}

/** The place in a job at which a record failed. */
export interface RejectionOrigin {
  /** Name of the job. */
  readonly job: string;
  /** Block or output, for example `transform[2] add_field` or `output[0] redis.write`. */
  readonly step: string;
  /** The expression as the user wrote it, where one failed. */
  readonly expression?: string;
}
