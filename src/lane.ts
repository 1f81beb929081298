import type { Checkpoint, Progress } from './checkpoint/index.ts';
import type { RejectedEntry } from './dlq/index.ts';
import type { Clock } from './lib/clock.ts';
import type {
  EntryBatch,
  EntryReader,
  LostEntries,
  StoredDlqRecord,
  StoredStream,
  StreamStore,
} from './streams/index.ts';
import type { ChangeEvent, StreamEntry } from './types.ts';
import type { TargetWrite } from './write/index.ts';

export interface ReadLimits {
  readonly entries: number;
  readonly bytes: number;
  readonly batchesInFlight: number;
}

/** Records of the DLQ that go through the path again. */
export interface RetriedRecords {
  readonly entries: readonly StreamEntry[];
  /** One for each entry. */
  readonly records: readonly StoredDlqRecord[];
  /** Indexes of those that are not written, because something newer of their row is there. */
  readonly outdated: ReadonlySet<number>;
  /** Why some of the entries were not tried in the end, by index; filled in as the batch goes along. */
  readonly notTried: Map<number, string>;
  /** Why some of them failed again, by index. */
  readonly failed: Map<number, RejectedEntry>;
  /** Settles the batch, every entry of which has its outcome or a reason now. */
  readonly settle: (passage: Passage) => Promise<void>;
}

/** Somebody who wants records of one stream tried again. */
export interface Retrier {
  /**
   * Called when everything that the lane has read is settled, again after each batch, until there is none (null), or until
   * another lane has to do it (`moved`).
   */
  next(): Promise<RetriedRecords | 'moved' | null>;
}

/** A batch on its way: what each entry turned out to be, filled in as it goes along. */
export interface Passage {
  readonly entries: readonly StreamEntry[];
  readonly endPosition: number;
  readonly lost: readonly LostEntries[];
  readonly events: (ChangeEvent | null)[];
  readonly outcomes: Uint8Array;
  readonly operations: Uint8Array;
  /** One list per connection. */
  readonly writes: readonly TargetWrite[][];
  readonly rejected: RejectedEntry[];
  /** Streams that leave for another lane as soon as this batch is settled. */
  readonly leaving: { readonly stream: StoredStream; readonly lane: Lane }[];
  /** Set where the entries are records of the DLQ, which were settled there before. */
  readonly retried: RetriedRecords | null;
  lastEvent: ChangeEvent | null;
  readMs: number;
  decodeMs: number;
  transformMs: number;
}

export interface LaneOptions {
  readonly store: StreamStore;
  readonly checkpoint: Checkpoint;
  readonly progress: Progress;
  readonly clock: Clock;
  readonly limits: ReadLimits;
  /** Number of lists of writes that each batch gets. */
  readonly connections: number;
  /** Whether a stream stands ready in the main lane to be taken over. */
  readonly mayLeave: (stream: StoredStream) => boolean;
}

/**
 * One way through the pipeline: a reader of its own over the common store, batches in flight of its own, settled in the
 * order they were read. A lane that waits makes no other one wait.
 *
 * Records of the DLQ that are tried again are a batch like any other, between what was settled and what is read next: so they
 * stand in the right order to everything else of their rows.
 *
 * It goes back when a stream comes in, or is resumed, at a place that it has passed: once all its batches are settled it
 * reads that stream alone, up to where the others are.
 */
export class Lane {
  readonly progress: Progress;
  readonly #options: LaneOptions;
  readonly #reader: EntryReader;
  readonly #isMain: boolean;
  /** Entries of level streams before this position were handled before; only streams that catch up are read there. */
  #levelFrom: number;
  /** Settles the batches one after the other. */
  #settled: Promise<void> = Promise.resolve();
  /** Batches that are read and not settled, oldest first. */
  readonly #passages: Passage[] = [];
  /** The reader may have moved on, and what it read is in no passage yet. */
  #isReading = false;
  #isStopped = false;
  #wakeUp: (() => void) | null = null;
  #lastReadMs = 0;
  readonly #joining: StoredStream[] = [];
  readonly #retries: { retrier: Retrier; done: (end: 'done' | 'moved' | 'stopped') => void }[] = [];
  readonly #resumes: { stream: StoredStream; done: (resumed: boolean) => void }[] = [];

  constructor(options: LaneOptions) {
    const { store, checkpoint, progress } = options;
    this.#options = options;
    this.progress = progress;
    this.#levelFrom = progress.position;
    this.#isMain = progress === checkpoint.main;
    const wants = (stream: StoredStream, position: number) => progress.wants(stream, position, this.#levelFrom);
    // Only one reader can be the one that the store's memory is kept for.
    this.#reader = this.#isMain
      ? store.reader(progress.readFrom, wants, true)
      : store.laneReader(progress.readFrom, wants);
  }

  /** Entries handed on and not settled. */
  get inFlightEntries(): number {
    return this.#passages.reduce((sum, { entries }) => sum + entries.length, 0);
  }

  /** True when everything durable has been read and settled. */
  get isDrained(): boolean {
    const isIdle = this.#passages.length === 0 && !this.#isReading && this.#joining.length === 0;
    return isIdle && this.#reader.position >= this.#options.store.durable;
  }

  /** Resolves when the batches in flight are settled, or cannot be any more. */
  get settled(): Promise<void> {
    return this.#settled.catch(() => {});
  }

  /** When the last entry that was read arrived, ms since the epoch; what is not read yet came later. 0: nothing was read. */
  get lastReadMs(): number {
    return this.#lastReadMs;
  }

  /** Adds, for each stream with entries in flight, when the oldest of them arrived. */
  addOldest(oldest: Map<StoredStream, number>): void {
    for (const { entries, retried } of this.#passages) {
      if (retried) continue;
      for (const { stream, ms } of entries) {
        if (!oldest.has(stream as StoredStream)) oldest.set(stream as StoredStream, ms);
      }
    }
  }

  /** Whether entries of the stream before `position` are on their way here. */
  holdsBefore(stream: StoredStream, position: number): boolean {
    const isBefore = (one: { stream: unknown; position: number }) => one.stream === stream && one.position < position;
    return this.#passages.some(({ entries, lost }) => entries.some(isBefore) || lost.some(isBefore));
  }

  /** Takes a stream over that is parked in the main lane, at the next opportunity. */
  join(stream: StoredStream, arrivedMs: number): void {
    this.#joining.push(stream);
    this.#lastReadMs ||= arrivedMs;
    this.#wakeUp?.();
  }

  /** Lets a stream that was stopped at a rejected entry go on. Resolves to false when it was not stopped, or all is. */
  resume(stream: StoredStream): Promise<boolean> {
    if (this.#isStopped) return Promise.resolve(false);
    return new Promise((done) => {
      this.#resumes.push({ stream, done });
      this.#wakeUp?.();
    });
  }

  /**
   * Sends records of the DLQ through the lane again, at the next moment at which everything it has read is settled. Resolves
   * when all are settled, or another lane has to do it, or the lane was stopped before. Never rejects.
   */
  retry(retrier: Retrier): Promise<'done' | 'moved' | 'stopped'> {
    if (this.#isStopped) return Promise.resolve('stopped');
    return new Promise((done) => {
      this.#retries.push({ retrier, done });
      this.#wakeUp?.();
    });
  }

  /** Ends {@link passages} after the batch that it is at. */
  stop(): void {
    this.#isStopped = true;
    for (const { done } of this.#resumes.splice(0)) done(false);
    for (const { done } of this.#retries.splice(0)) done('stopped');
    this.#wakeUp?.();
  }

  /** The batches of this lane, until it is stopped; waits while so many are in flight, and while there is nothing to read. */
  async *passages(): AsyncGenerator<Passage> {
    const { store, clock, limits } = this.#options;
    while (!this.#isStopped) {
      if (this.#mustGoBack) await this.#goBack();
      // One at a time, so that what is read does not wait for all of many.
      if (this.#retries.length > 0) yield* this.#again();
      if (this.#passages.length >= limits.batchesInFlight) {
        await this.#woken();
        continue;
      }
      const startedAt = clock.elapsed();
      this.#passBy();
      const isCatchingUp = this.#reader.position < this.#levelFrom;
      this.#isReading = true;
      const batch = await this.#reader.next(limits, isCatchingUp ? this.#levelFrom : undefined);
      if (batch) yield this.#begin(batch, clock.elapsed() - startedAt);
      this.#isReading = false;
      if (!batch && !this.#mustGoBack && this.#retries.length === 0 && !this.#isStopped) {
        await Promise.race([store.arrival(this.#reader.position), this.#woken()]);
      }
    }
    await this.#settled;
  }

  /** Runs `settle` once the writes of a batch are `done` and every batch before it is settled. */
  settleInOrder<T>(done: Promise<T>, settle: (outcome: T) => Promise<void>): void {
    const before = this.#settled;
    this.#settled = (async () => {
      const [outcome] = await Promise.all([done, before]);
      await settle(outcome);
    })();
    this.#settled.catch(() => this.stop());
  }

  /** Lets go of the oldest batch, which was one of records that were tried again. */
  finishRetried(): void {
    this.#passages.shift();
    this.#wakeUp?.();
  }

  /** Counts the oldest batch, every entry of which has its outcome now, and lets go of it. */
  finish(passage: Passage): void {
    const { entries, outcomes, operations, endPosition, lost, leaving } = passage;
    this.progress.settle({ entries, outcomes, operations, endPosition, lost });
    // Nothing points into what was read before any more, unless a stream that catches up does.
    if (this.#isMain && this.progress.hasSettledAll) this.#reader.release?.(this.progress.position);
    for (const { stream, lane } of leaving) lane.join(stream, this.#lastReadMs);
    this.#passages.shift();
    this.#wakeUp?.();
  }

  get #mustGoBack(): boolean {
    return this.#resumes.length > 0 || this.#joining.length > 0;
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeUp = resolve;
    });
  }

  /** Moves the reader back to where resumed and new streams stand, once nothing is in flight. */
  async #goBack(): Promise<void> {
    const { checkpoint } = this.#options;
    await this.#settled;
    this.#levelFrom = Math.max(this.#levelFrom, this.#reader.position);
    for (const stream of this.#joining.splice(0)) {
      if (this.#options.mayLeave(stream)) checkpoint.handOver(stream, this.progress);
    }
    for (const { stream, done } of this.#resumes.splice(0)) done(this.progress.resume(stream));
    this.#reader.seek(Math.min(this.#reader.position, this.progress.readFrom));
  }

  /**
   * Leaves out what no stream of the lane needs again: the one that was catching up has stopped or left. Its new lane may
   * settle what lies there, and then it is deleted.
   */
  #passBy(): void {
    const from = Math.min(this.progress.readFrom, this.#levelFrom);
    if (from > this.#reader.position) this.#reader.seek(from);
  }

  /** The batches of the next retry, each settled before the next one is made. */
  async *#again(): AsyncGenerator<Passage> {
    const next = this.#retries.shift();
    if (!next) return;
    let end: 'done' | 'moved' | 'stopped' = 'stopped';
    try {
      for (;;) {
        await this.#settled;
        if (this.#isStopped) return;
        const batch = await next.retrier.next();
        if (batch === null || batch === 'moved') {
          end = batch ?? 'done';
          return;
        }
        yield this.#begin({ entries: batch.entries, endPosition: this.progress.position }, 0, batch);
      }
    } finally {
      next.done(end);
    }
  }

  #begin({ entries, endPosition, lost = [] }: EntryBatch, readMs: number, retried?: RetriedRecords): Passage {
    if (!retried) this.#lastReadMs = entries[entries.length - 1]?.ms ?? this.#lastReadMs;
    const passage: Passage = {
      entries,
      endPosition,
      lost,
      events: new Array(entries.length).fill(null),
      outcomes: new Uint8Array(entries.length),
      operations: new Uint8Array(entries.length),
      writes: Array.from({ length: this.#options.connections }, () => []),
      rejected: [],
      leaving: [],
      retried: retried ?? null,
      lastEvent: null,
      readMs,
      decodeMs: 0,
      transformMs: 0,
    };
    this.#passages.push(passage);
    this.#isReading = false;
    return passage;
  }
}
