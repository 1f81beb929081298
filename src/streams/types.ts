import type { Stream, StreamEntry } from '../types.ts';

/** How hard feeders must be held back; each step includes the ones before it. */
export type Pressure = 'none' | 'full' | 'paced' | 'refusing';

/** A stream as the store keeps it. The hot path reads the last id right after an append. */
export interface StoredStream extends Stream {
  /** The name byte for byte, in Latin-1. */
  readonly rawName: string;
  lastMs: number;
  lastSeq: number;
  /** Entries ever appended and not taken back. */
  appended: number;
  /** Entries of sub-batches that were recognised as sent again; they are not appended. */
  deduplicated: number;
  /** Wall clock of the last append in this process or, after a start, the last id; 0 when there was none. */
  lastArrivalMs: number;
}

/** Whether the owner of a reader wants the entry of this stream at this position. */
export type Select = (stream: StoredStream, position: number) => boolean;

/** Entries in arrival order, of one or more streams. */
export interface EntryBatch {
  readonly entries: readonly StreamEntry[];
  /** Position right after the last entry that was looked at: everything before it is in this or an earlier batch. */
  readonly endPosition: number;
  /** Entries that a repair could not save, where there are any. */
  readonly lost?: readonly LostEntries[];
}

/** Entries of one stream that were damaged in the store; the journal has a gap where they stood. */
export interface LostEntries {
  readonly stream: StoredStream;
  readonly count: number;
  readonly position: number;
}

/** What became of entries, in numbers; see `accounting` in `checkpoint/`. */
export interface StreamCounters {
  written: number;
  filtered: number;
  superseded: number;
  rejected: number;
  skipped: number;
  inserted: number;
  updated: number;
  deleted: number;
}

/**
 * A stream whose settled position is not that of the others: stopped at a rejected record, catching up after that, or
 * going its own way in a lane beside the main one.
 */
export interface BehindStream {
  /** Position of its first entry that is not settled. */
  readonly position: number;
  /** Null while catching up, and in a side lane. */
  readonly stopped: { readonly reason: string; readonly entryId: string; readonly since: number } | null;
}

/** Where the engine goes on after a restart, and what became of everything before. */
export interface CheckpointState {
  /** Everything before is settled, but for the streams that are behind. */
  readonly position: number;
  readonly behind: ReadonlyMap<StoredStream, BehindStream>;
  readonly counters: ReadonlyMap<StoredStream, StreamCounters>;
}

/** One record of a dead letter queue: its id and its fields, which carry RDI's names (spec/streams.md §13). */
export interface DlqRecord {
  readonly id: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** Which row of the source a record is of, so that one can tell whether something newer of that row has come. */
export interface DlqRow {
  /** Key of the row, the same text for all entries of it; null when it cannot be told. */
  readonly key: string | null;
  /** Key that the row had before, where the entry changed it. */
  readonly oldKey?: string | null;
  /** Name of the table; empty where the entry does not say. */
  readonly table: string;
  /** Place in the source's own log, as the DLQ room writes it; null where the entry names none. */
  readonly source: string | null;
}

export interface NewDlqRecord {
  readonly stream: string;
  readonly fields: Readonly<Record<string, string>>;
  /** All fields of the rejected entry, headers included, byte for byte: RESP bulk strings. */
  readonly entry: Uint8Array;
  /** Database index of the stream. */
  readonly db?: number;
  /** Position of the entry in the journal. */
  readonly position?: number;
  readonly row?: DlqRow;
  /** A newer value of the row is there already; null when a part of one is. */
  readonly isSuperseded?: boolean | null;
  /** It was never tried: it waits behind an older record of its row. */
  readonly isParked?: boolean;
}

/** A record with everything that is kept of it. */
export interface StoredDlqRecord extends DlqRecord, DlqRow {
  readonly stream: string;
  readonly db: number;
  /** -1 for records of earlier versions, which are settled for sure. */
  readonly position: number;
  readonly entry: Buffer;
  /** Whether a newer value of the row has come since; null when nobody knows, or only a part of one has. */
  readonly isSuperseded: boolean | null;
  readonly isParked: boolean;
}

/** A record as far as one must know it to find out whether something is newer, or waits behind it. */
export interface DlqRowRecord extends DlqRow {
  readonly id: string;
  readonly entryId: string;
  readonly isSuperseded: boolean | null;
}

/** What a batch changes in the dead letter queues. */
export interface DlqChange {
  readonly add?: readonly NewDlqRecord[];
  /** Ids of records of whose rows something newer is there now. */
  readonly supersede?: readonly string[];
  /** Ids of records of whose rows a part is newer now, so that neither they nor what is there is the whole row. */
  readonly doubt?: readonly string[];
  /** Ids of records that are settled otherwise now. */
  readonly remove?: readonly string[];
  /** Records that failed again: their fields now. */
  readonly renew?: readonly DlqRecord[];
  /** Changes of the stored accounts, in the same transaction, by number of the stream. */
  readonly accounts?: ReadonlyMap<number, Readonly<Partial<StreamCounters>>>;
}

/** Which records are meant; several conditions must all hold, none means all. */
export interface DlqFilter {
  readonly stream?: string;
  readonly ids?: readonly string[];
  /** Part of the reason, or a code, letter case aside. */
  readonly reason?: string;
  readonly job?: string;
  /** Rejected at or after, ms since the epoch. */
  readonly since?: number;
}

/** Dead letter queues, one per stream. */
export interface DlqStore {
  /** Appends records and evicts the oldest beyond `cap` per stream; `Infinity` evicts none. Durable once `sync` resolves. */
  add(records: readonly NewDlqRecord[], cap: number): void;
  /** All of it or nothing; durable once `sync` resolves. `cap` as for {@link add}; ids that are gone are passed by. */
  change(change: DlqChange, cap: number): void;
  /** The rejected entry of a record as it came, or as it was edited; null when there is no such record. */
  original(stream: string, id: string): Buffer | null;
  queues(): { stream: string; count: number; evicted: number }[];
  records(stream: string, options: { limit: number; offset: number; order: 'asc' | 'desc' }): DlqRecord[];

  /** Number of records of a stream, and of all; known without a look at the disk. */
  count(stream: string): number;
  readonly size: number;
  /** Records of a row that are not superseded, and all of them; known without a look at the disk. */
  rowCount(stream: string, key: string): { readonly open: number; readonly all: number };
  /** The records of a row, its old key included, oldest first. */
  rowRecords(stream: string, key: string): DlqRowRecord[];
  /** Rows of the stream whose oldest record waits behind nothing any more. */
  freedRows(stream: string, limit: number): string[];
  record(stream: string, id: string): StoredDlqRecord | null;
  /** Ids of records that match, oldest first, after an id. */
  select(filter: DlqFilter, page: { readonly after: string; readonly limit: number }): { stream: string; id: string }[];
  countOf(filter: DlqFilter): number;
  /** Id of the newest record; '0' when there is none. */
  newestId(): string;
  /** Deletes records; returns how many of them there were. */
  drop(ids: readonly string[]): number;
  /** Replaces an entry in place. False when there is no such record. */
  edit(
    id: string,
    edited: Pick<StoredDlqRecord, 'fields' | 'entry' | 'isSuperseded'> & { readonly row: DlqRow },
  ): boolean;
  /** Deletes the records of entries of a stream that are not settled and so come again: those from `position` on. */
  forgetFrom(stream: string, db: number, position: number): void;
}

/** Reads entries in arrival order. One reader feeds the engine; others serve people who look. */
export interface EntryReader {
  readonly position: number;
  /** The next entries, or null when nothing durable is left before `until`. */
  next(limits: { entries: number; bytes: number }, until?: number): Promise<EntryBatch | null>;
  seek(position: number): void;
  /** Nothing that was handed out before `position` is needed any more: its memory may be used again. */
  release?(position: number): void;
}

/** The feeder's own state: offsets and schema history. Written through, read back from disk. */
export interface MetadataStore {
  /** Sets fields; returns how many were new. Durable once {@link sync} resolves. */
  setFields(db: number, key: string, fields: readonly [string, Buffer][]): number;
  fields(db: number, key: string): [string, Buffer][];
  field(db: number, key: string, field: string): Buffer | null;
  /** Appends an entry with a growing id; returns the id. `fields` are RESP bulk strings. */
  append(db: number, key: string, fields: Buffer, fieldCount: number): string;
  length(db: number, key: string): number;
  /** Number of entries with `from <= id <= to`, ids as `[ms, seq]`. */
  count(db: number, key: string, from: readonly [number, number], to: readonly [number, number]): number;
  /** Those entries, lazily read. */
  range(
    db: number,
    key: string,
    from: readonly [number, number],
    to: readonly [number, number],
    reverse: boolean,
  ): IterableIterator<{ id: string; fields: Buffer; fieldCount: number }>;
  keys(db: number): { key: string; type: 'hash' | 'stream' }[];
  type(db: number, key: string): 'hash' | 'stream' | null;
  delete(db: number, key: string): boolean;
  /** Number of the newest change; it is durable when {@link synced} has reached it. */
  readonly changed: number;
  readonly synced: number;
}

/**
 * Where entries wait between feeder and engine. One conformance suite (`test/integration/streams/conformance.ts`) runs
 * against every implementation.
 */
export interface StreamStore {
  /** The stream of that name in that database; made when it is new. `name` in Latin-1, byte for byte. */
  stream(db: number, name: string): StoredStream;
  streams(): readonly StoredStream[];

  /**
   * Appends an entry and returns its position, or -1 when the store refuses (then nothing is stored). It is durable
   * once `durable` is beyond that position. The id is in `stream.lastMs`, `stream.lastSeq`. The bytes are copied.
   */
  append(
    stream: StoredStream,
    origin: number,
    startsSubBatch: boolean,
    bytes: Buffer,
    start: number,
    end: number,
    fieldCount: number,
    explicitId?: readonly [number, number],
  ): number;
  /** Position after the last append. */
  readonly appended: number;
  /** Everything before this position is durable. */
  readonly durable: number;
  readonly pressure: Pressure;

  readonly metadata: MetadataStore;

  /**
   * A reader from `position` on. `select` names the entries that it hands out: all of a stream, or those from some
   * position. The engine's reader (`releases`) lets memory go behind it.
   */
  reader(position: number, select: Select, releases: boolean): EntryReader;
  /** A reader beside the engine's, for streams that go their own way: it reads from disk, into memory of its own. */
  laneReader(position: number, select: Select): EntryReader;
  /** Entries of one stream that are not settled, oldest first, for people who look. */
  pending(stream: StoredStream): AsyncIterable<StreamEntry>;
  /** How many entries of the stream are not settled, as of the last `settle`. */
  pendingCount(stream: StoredStream): number;
  /** Resolves when something became durable after `position`, or at once when it already is, or when the store closes. */
  arrival(position: number): Promise<void>;

  readonly deadLetters: DlqStore;
  /** The checkpoint as the last process left it. */
  readonly checkpoint: CheckpointState;
  /**
   * Stores the checkpoint in one transaction, and deletes what no reader needs any more; that only once it is durable.
   * Counters are needed only for the streams that changed.
   */
  settle(checkpoint: CheckpointState): Promise<void>;
  /** Everything handed to `settle`, `metadata` and `deadLetters` before this call is durable when it resolves. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
