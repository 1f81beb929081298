import type { DlqRowRecord, DlqStore, NewDlqRecord, StoredDlqRecord, StreamCounters } from '../streams/types.ts';
import type { ChangeEvent, Stream, StreamEntry } from '../types.ts';
import { describe, describeAgain, type RejectedEntry } from './describe.ts';
import { type AppliedEntry, type FreshRecord, findSuperseded } from './newer.ts';
import { rowKeys, rowOf } from './row.ts';

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 5000;

export interface DlqOptions {
  readonly store: DlqStore;
  /** Records kept per queue; the oldest go first. */
  readonly maxRecords: number;
  /** Nothing is evicted: `on_reject: park_key`. The path asks {@link Dlq.isFull} and stops the stream instead. */
  readonly keepsAll?: boolean;
  readonly now: () => number;
  readonly onStoreFailed: (error: Error) => void;
}

/** What became of records that were tried again. */
export interface RetriedBatch {
  /** Ids of records that are settled otherwise now. */
  readonly removed: readonly string[];
  readonly renewed: readonly { readonly record: StoredDlqRecord; readonly rejected: RejectedEntry }[];
  readonly applied: readonly AppliedEntry[];
  /** How the account of the stream changes with it, by number of the stream. */
  readonly accounts: ReadonlyMap<number, Readonly<Partial<StreamCounters>>>;
}

/** Writes rejected entries into the store's dead letter queues, and keeps them true to what happens to their rows. */
export class Dlq {
  readonly #options: DlqOptions;

  constructor(options: DlqOptions) {
    this.#options = options;
  }

  /** Whether there is no record at all, so that nothing need be looked at. */
  get isEmpty(): boolean {
    return this.#options.store.size === 0;
  }

  /** Whether the stream has records. */
  has(stream: Stream): boolean {
    return this.#options.store.count(stream.name) > 0;
  }

  /** Whether the stream has as many records as may be kept, together with so many more. */
  isFull(stream: Stream, more: number): boolean {
    return this.#options.store.count(stream.name) + more >= this.#options.maxRecords;
  }

  get maxRecords(): number {
    return this.#options.maxRecords;
  }

  /** Keys of the rows that an entry concerns; see `row.ts`. */
  rowKeys(entry: StreamEntry, event: ChangeEvent | null): string[] {
    return rowKeys(entry, entry.stream.db, event);
  }

  /** The oldest record of a row; null when there is none. */
  oldestOfRow(stream: Stream, key: string): DlqRowRecord | null {
    const { store } = this.#options;
    if (store.rowCount(stream.name, key).all === 0) return null;
    return store.rowRecords(stream.name, key)[0] ?? null;
  }

  record(stream: Stream, id: string): StoredDlqRecord | null {
    return this.#options.store.record(stream.name, id);
  }

  /** Records of a row, oldest first. */
  recordsOfRow(stream: Stream, key: string): DlqRowRecord[] {
    return this.#options.store.rowRecords(stream.name, key);
  }

  /** Rows whose oldest record waits behind nothing any more. */
  freedRows(stream: Stream): string[] {
    const { store } = this.#options;
    return store.freedRows(stream.name, store.count(stream.name));
  }

  hasFreedRow(stream: Stream): boolean {
    return this.#options.store.freedRows(stream.name, 1).length > 0;
  }

  /** Deletes the records of entries that are not settled: those are read again, and rejected again or not. */
  forgetUnsettled(stream: Stream, position: number): void {
    if (this.has(stream)) this.#options.store.forgetFrom(stream.name, stream.db, position);
  }

  /**
   * Stores the records of a batch, and notes on older ones which of them are outdated by what was applied; in one transaction,
   * repeated until the store takes it or `signal` ends the wait. Then it rejects, and the entries stay unsettled.
   */
  async settle(
    rejected: readonly RejectedEntry[],
    applied: readonly AppliedEntry[],
    signal: AbortSignal,
  ): Promise<void> {
    const timestamp = this.#timestamp();
    // What the target refused is known after what a job failed on; ids grow as the entries came, and so are they retried.
    const inOrder = rejected.toSorted((one, other) => one.entry.position - other.entry.position);
    const fresh = inOrder.map(({ entry, event }): FreshRecord => {
      const row = rowOf(entry, entry.stream.db, event);
      return { stream: entry.stream.name, position: entry.position, row, isSuperseded: false };
    });
    const outdated = findSuperseded(this.#options.store, applied, fresh);
    if (rejected.length + outdated.supersede.length + outdated.doubt.length === 0) return;
    const add = inOrder.map((one, i): NewDlqRecord => {
      const { position, row, isSuperseded } = fresh[i] as FreshRecord;
      const { entry } = one;
      return {
        stream: entry.stream.name,
        db: entry.stream.db,
        fields: describe(one, timestamp),
        entry: entry.bytes.subarray(entry.start, entry.end),
        ...{ position, row, isSuperseded, isParked: one.rejection.code === 'PARKED_BEHIND' },
      };
    });
    await this.#change({ add, ...outdated }, signal);
  }

  /** The same for records that were tried again. Records and accounts change in one transaction. */
  async settleRetried({ removed, renewed, applied, accounts }: RetriedBatch, signal: AbortSignal): Promise<void> {
    const timestamp = this.#timestamp();
    const renew = renewed.map(({ record, rejected }) => ({
      id: record.id,
      fields: describeAgain(record.fields, rejected, timestamp),
    }));
    const outdated = findSuperseded(this.#options.store, applied, []);
    await this.#change({ remove: removed, renew, ...outdated, accounts }, signal);
  }

  async #change(change: Parameters<DlqStore['change']>[0], signal: AbortSignal): Promise<void> {
    const { store, maxRecords, keepsAll, onStoreFailed } = this.#options;
    for (let delay = FIRST_RETRY_MS; ; delay = Math.min(LAST_RETRY_MS, delay * 2)) {
      try {
        store.change(change, keepsAll ? Number.POSITIVE_INFINITY : maxRecords);
        return;
      } catch (error) {
        signal.throwIfAborted();
        onStoreFailed(error as Error);
        await new Promise((resolve) => setTimeout(resolve, delay));
      }
    }
  }

  #timestamp(): string {
    return new Date(this.#options.now()).toISOString();
  }
}
