import { InternalError } from '../errors.ts';
import type { BehindStream, CheckpointState, LostEntries, StoredStream, StreamCounters } from '../streams/types.ts';
import { formatEntryId, type StreamEntry } from '../types.ts';

/** What became of an entry. */
export const OUTCOME = { none: 0, written: 1, filtered: 2, superseded: 3, rejected: 4, skipped: 5 } as const;
/** What an entry was: rows read by a snapshot count as inserted. */
export const OPERATION = { none: 0, inserted: 1, updated: 2, deleted: 3 } as const;

const OUTCOME_NAMES = [null, 'written', 'filtered', 'superseded', 'rejected', 'skipped'] as const;
const OPERATION_NAMES = [null, 'inserted', 'updated', 'deleted'] as const;

/** Longest time between a settled batch and its stored checkpoint. */
export const PERSIST_MS = 50;
const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 5000;

/** A batch with one {@link OUTCOME} and one {@link OPERATION} per entry. */
export interface BatchOutcomes {
  readonly entries: readonly StreamEntry[];
  readonly outcomes: Uint8Array;
  readonly operations: Uint8Array;
  readonly endPosition: number;
  /** Entries that a repair could not save; counted as skipped. */
  readonly lost?: readonly LostEntries[];
}

export interface CheckpointOptions {
  /** The checkpoint as the store has it. */
  readonly from: CheckpointState;
  readonly save: (checkpoint: CheckpointState) => Promise<void>;
  readonly now: () => number;
  readonly onSaveFailed: (error: Error) => void;
}

/** Position, streams that are behind, and accounts, in memory; stored a moment after they change. */
export class Checkpoint {
  readonly #options: CheckpointOptions;
  readonly #behind: Map<StoredStream, BehindStream>;
  /** Streams that stopped while they caught up: before the stop, entries from this position on are not settled yet. */
  readonly #unsettledFrom = new Map<StoredStream, number>();
  readonly #counters = new Map<StoredStream, StreamCounters>();
  readonly #changed = new Set<StoredStream>();
  #position: number;
  #isDirty = false;
  #saving: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  /** Why the checkpoint cannot be stored at the moment. */
  failure: string | null = null;

  constructor(options: CheckpointOptions) {
    this.#options = options;
    this.#position = options.from.position;
    this.#behind = new Map(options.from.behind);
    for (const [stream, counters] of options.from.counters) this.#counters.set(stream, { ...counters });
  }

  /** Everything before is settled, but for streams that are behind. */
  get position(): number {
    return this.#position;
  }

  get behind(): ReadonlyMap<StoredStream, BehindStream> {
    return this.#behind;
  }

  /** Where a reader must begin so that nothing unsettled is missed: a stream that catches up may lie before the rest. */
  get readFrom(): number {
    let from = this.#position;
    for (const { position, stopped } of this.#behind.values()) if (!stopped) from = Math.min(from, position);
    return from;
  }

  /** Whether the engine must handle the entry of this stream at `position`, read again or for the first time. */
  wants(stream: StoredStream, position: number, levelFrom: number): boolean {
    const behind = this.#behind.get(stream);
    if (!behind) return position >= levelFrom;
    if (behind.stopped) return position >= levelFrom && position < behind.position;
    return position >= behind.position;
  }

  counters(stream: StoredStream): Readonly<StreamCounters> {
    return this.#account(stream);
  }

  /** Leaves the stream at this entry; those before it are settled as usual. The first stop of a stream counts. */
  stop(stream: StoredStream, entry: StreamEntry, reason: string): void {
    const known = this.#behind.get(stream);
    if (known?.stopped && known.position <= entry.position) return;
    if (known && !known.stopped) this.#unsettledFrom.set(stream, known.position);
    const stopped = { reason, entryId: formatEntryId(entry), since: this.#options.now() };
    this.#behind.set(stream, { position: entry.position, stopped });
    this.#touch();
  }

  /** Lets a stopped stream catch up. The caller moves its reader to {@link readFrom}. False when it was not stopped. */
  resume(stream: StoredStream): boolean {
    const known = this.#behind.get(stream);
    if (!known?.stopped) return false;
    this.#behind.set(stream, { position: known.position, stopped: null });
    this.#touch();
    return true;
  }

  /**
   * Counts a batch and moves the checkpoint behind it. Batches must come in the order they were read. Throws
   * {@link InternalError} when an entry has no outcome: then nothing moves, so nothing is lost.
   */
  settle(batch: BatchOutcomes): void {
    const { entries, outcomes, operations, endPosition } = batch;
    this.#checkOutcomes(batch);
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as StreamEntry;
      const stream = entry.stream as StoredStream;
      const behind = this.#behind.size > 0 ? this.#behind.get(stream) : undefined;
      // It stopped at or before this entry, which is read again later and counted then.
      if (behind?.stopped && entry.position >= behind.position) continue;
      const outcome = OUTCOME_NAMES[outcomes[i] as number] as keyof StreamCounters;
      const counters = this.#account(stream);
      counters[outcome]++;
      const operation = OPERATION_NAMES[operations[i] as number];
      if (operation) counters[operation]++;
      this.#changed.add(stream);
    }
    for (const { stream, count, position } of batch.lost ?? []) {
      const behind = this.#behind.get(stream);
      if (behind?.stopped && position >= behind.position) continue;
      this.#account(stream).skipped += count;
      this.#changed.add(stream);
    }
    if (endPosition > this.#position) this.#position = endPosition;
    if (this.#behind.size > 0) this.#catchUp(endPosition);
    this.#touch();
  }

  /**
   * Has the next save store the accounts of these streams as far as entries of them were recognised as sent again: the
   * endpoint counts those without anything being settled.
   */
  recount(streams: readonly StoredStream[]): void {
    for (const stream of streams) if (stream.deduplicated > 0) this.#changed.add(stream);
    if (this.#changed.size > 0) this.#touch();
  }

  /** Before anything is counted: a batch that is counted in part would spoil the account for good. */
  #checkOutcomes({ entries, outcomes }: BatchOutcomes): void {
    for (let i = outcomes.indexOf(OUTCOME.none); i >= 0; i = outcomes.indexOf(OUTCOME.none, i + 1)) {
      const entry = entries[i] as StreamEntry;
      const behind = this.#behind.get(entry.stream as StoredStream);
      if (behind?.stopped && entry.position >= behind.position) continue;
      throw new InternalError(`Entry ${formatEntryId(entry)} of ${entry.stream.name} has no outcome`);
    }
  }

  /** Stores what changed; resolves when the store has it. Repeated until it succeeds, unless closing. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#isDirty || this.#saving) {
      if (this.#saving) await this.#saving;
      else await this.#save();
      if (this.failure) return;
    }
  }

  #catchUp(endPosition: number): void {
    for (const [stream, { position, stopped }] of this.#behind) {
      if (stopped) {
        const from = this.#unsettledFrom.get(stream);
        if (from === undefined) continue;
        if (endPosition > position) this.#unsettledFrom.delete(stream);
        else if (endPosition > from) this.#unsettledFrom.set(stream, endPosition);
        continue;
      }
      if (endPosition >= this.#position) this.#behind.delete(stream);
      else if (endPosition > position) this.#behind.set(stream, { position: endPosition, stopped: null });
    }
  }

  /**
   * What a restart must know. The position of the others does not cover a stream that was catching up: until all before
   * its new stop is settled, it goes on as catching up, and stops again at the same entry.
   */
  #behindToStore(): ReadonlyMap<StoredStream, BehindStream> {
    if (this.#unsettledFrom.size === 0) return this.#behind;
    const behind = new Map(this.#behind);
    for (const [stream, position] of this.#unsettledFrom) behind.set(stream, { position, stopped: null });
    return behind;
  }

  #account(stream: StoredStream): StreamCounters {
    let counters = this.#counters.get(stream);
    if (!counters) {
      counters = {
        written: 0,
        filtered: 0,
        superseded: 0,
        rejected: 0,
        skipped: 0,
        inserted: 0,
        updated: 0,
        deleted: 0,
      };
      this.#counters.set(stream, counters);
    }
    return counters;
  }

  #touch(): void {
    this.#isDirty = true;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!this.#saving) void this.#save();
    }, this.#delay());
  }

  #delay(): number {
    return this.#failures === 0 ? PERSIST_MS : Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
  }

  async #save(): Promise<void> {
    this.#saving = this.#saveNow().finally(() => {
      this.#saving = null;
      if (this.#isDirty) this.#touch();
    });
    await this.#saving;
  }

  async #saveNow(): Promise<void> {
    const changed = [...this.#changed];
    this.#isDirty = false;
    this.#changed.clear();
    try {
      await this.#options.save({
        position: this.#position,
        behind: this.#behindToStore(),
        counters: new Map(changed.map((stream) => [stream, { ...this.#account(stream) }])),
      });
      this.#failures = 0;
      this.failure = null;
    } catch (error) {
      for (const stream of changed) this.#changed.add(stream);
      this.#isDirty = true;
      this.#failures++;
      this.failure = (error as Error).message;
      this.#options.onSaveFailed(error as Error);
    }
  }
}
