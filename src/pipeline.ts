/**
 * # The path: streams → decode → transform → write → DLQ → checkpoint
 *
 * One loop takes batches of durable entries in arrival order, decodes and transforms them, and hands their writes to the
 * writer, which takes the next batch while earlier ones are still in flight. Batches are settled strictly in the order they
 * were read: the checkpoint passes an entry only when the target or the DLQ has it.
 */
import { type Checkpoint, OPERATION, OUTCOME } from './checkpoint/index.ts';
import type { ErrorHandling } from './config/index.ts';
import type { Decoder } from './decode/index.ts';
import type { Dlq, RejectedEntry } from './dlq/index.ts';
import type { Clock } from './lib/clock.ts';
import type { EntryBatch, EntryReader, LostEntries, StoredStream, StreamStore } from './streams/index.ts';
import type { DefaultMapping } from './transform/index.ts';
import { type ChangeEvent, formatEntryId, type Rejection, type StreamEntry, type TableIdentity } from './types.ts';
import type { TargetWrite, WriteOutcome, Writer } from './write/index.ts';

export interface PipelineParts {
  readonly store: StreamStore;
  readonly checkpoint: Checkpoint;
  readonly decoder: Decoder;
  readonly mapping: DefaultMapping;
  readonly writer: Writer;
  readonly dlq: Dlq;
  readonly clock: Clock;
  readonly errorHandling: ErrorHandling;
  /** Streams whose entries are meant for this pipeline; the others are counted as skipped. */
  readonly selects: (stream: StoredStream) => boolean;
  readonly limits: { readonly entries: number; readonly bytes: number; readonly batchesInFlight: number };
  /** A settled batch, for metrics. */
  readonly onBatch: (report: BatchReport) => void;
  readonly onRejected: (rejected: RejectedEntry) => void;
  /** The table that a stream carries, told whenever it changes. */
  readonly onTable: (stream: StoredStream, table: TableIdentity) => void;
}

/** Durations in ms of the phases of one batch. */
export interface BatchReport {
  readonly entries: number;
  readonly readMs: number;
  readonly decodeMs: number;
  readonly transformMs: number;
  readonly writeMs: number;
  readonly settleMs: number;
  readonly totalMs: number;
  /** Last change event of the batch; null when it held none. */
  readonly lastEvent: ChangeEvent | null;
}

/** A batch on its way: what each entry turned out to be, filled in as it goes along. */
interface Passage {
  readonly entries: readonly StreamEntry[];
  readonly endPosition: number;
  readonly lost: readonly LostEntries[];
  readonly events: (ChangeEvent | null)[];
  readonly outcomes: Uint8Array;
  readonly operations: Uint8Array;
  readonly writes: TargetWrite[];
  readonly rejected: RejectedEntry[];
  lastEvent: ChangeEvent | null;
  readMs: number;
  decodeMs: number;
  transformMs: number;
}

const OPERATIONS = {
  c: OPERATION.inserted,
  r: OPERATION.inserted,
  u: OPERATION.updated,
  d: OPERATION.deleted,
} as const;

/** The running path from the store to the target. */
export class Pipeline {
  readonly #parts: PipelineParts;
  readonly #reader: EntryReader;
  readonly #stopping = new AbortController();
  /** Entries of level streams before this position were handled before; only streams that catch up are read there. */
  #levelFrom: number;
  /** Settles the batches one after the other. */
  #settled: Promise<void> = Promise.resolve();
  /** Batches that are read and not settled, oldest first. */
  readonly #passages: Passage[] = [];
  #lastReadMs = 0;
  #hasEnded = false;
  /** The reader may have moved on, and what it read is in no passage yet. */
  #isReading = false;
  #wakeLoop: (() => void) | null = null;
  readonly #tables = new Map<StoredStream, TableIdentity>();
  readonly #resumes: { stream: StoredStream; done: (resumed: boolean) => void }[] = [];

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    const { store, checkpoint } = parts;
    this.#levelFrom = checkpoint.position;
    this.#reader = store.reader(
      checkpoint.readFrom,
      (stream, position) => checkpoint.wants(stream, position, this.#levelFrom),
      true,
    );
  }

  /** Entries handed on and not settled. */
  get inFlightEntries(): number {
    return this.#passages.reduce((sum, { entries }) => sum + entries.length, 0);
  }

  /** True when everything durable has been read and settled. */
  get isDrained(): boolean {
    const isIdle = this.#passages.length === 0 && !this.#isReading;
    return isIdle && this.#reader.position >= this.#parts.store.durable;
  }

  /**
   * When the oldest entry that is not settled arrived, by stream, for the streams that have one in flight. Entries that
   * are not read yet came at or after `unread`; 0 when nothing was read.
   */
  oldestPending(): { inFlight: Map<StoredStream, number>; unread: number } {
    const inFlight = new Map<StoredStream, number>();
    for (const { entries } of this.#passages) {
      for (const { stream, ms } of entries) {
        if (!inFlight.has(stream as StoredStream)) inFlight.set(stream as StoredStream, ms);
      }
    }
    return { inFlight, unread: this.#lastReadMs };
  }

  /** Runs until {@link stop}. Rejects when the store is damaged or on a bug of ours; what is not settled stays. */
  async run(): Promise<void> {
    const { writer } = this.#parts;
    try {
      for await (const batch of this.#batches()) {
        const passage = this.#begin(batch);
        this.#decode(passage);
        this.#transform(passage);
        const written = await writer.write(passage.writes);
        this.#settleInOrder(passage, written.done);
      }
      await this.#settled;
    } finally {
      this.#hasEnded = true;
      for (const { done } of this.#resumes.splice(0)) done(false);
    }
  }

  /** Ends {@link run} after the batch it is at; what is in flight is settled if the writer still can. */
  stop(): void {
    this.#stopping.abort();
    this.#wakeLoop?.();
  }

  /** Lets a stream that was stopped at a rejected entry go on. Resolves to false when it was not stopped, or all is. */
  resume(stream: StoredStream): Promise<boolean> {
    if (this.#hasEnded) return Promise.resolve(false);
    return new Promise((done) => {
      this.#resumes.push({ stream, done });
      this.#wakeLoop?.();
    });
  }

  async *#batches(): AsyncGenerator<EntryBatch & { readMs: number }> {
    const { store, clock, limits } = this.#parts;
    while (!this.#stopping.signal.aborted) {
      if (this.#resumes.length > 0) await this.#goBack();
      if (this.#passages.length >= limits.batchesInFlight) {
        await this.#woken();
        continue;
      }
      const startedAt = clock.elapsed();
      const isCatchingUp = this.#reader.position < this.#levelFrom;
      this.#isReading = true;
      const batch = await this.#reader.next(limits, isCatchingUp ? this.#levelFrom : undefined);
      if (batch) yield { ...batch, readMs: clock.elapsed() - startedAt };
      this.#isReading = false;
      if (!batch && this.#resumes.length === 0 && !this.#stopping.signal.aborted) {
        await Promise.race([store.arrival(this.#reader.position), this.#woken()]);
      }
    }
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeLoop = resolve;
    });
  }

  /** Moves the reader back to where the resumed streams stand, once nothing is in flight. */
  async #goBack(): Promise<void> {
    const { checkpoint } = this.#parts;
    await this.#settled;
    this.#levelFrom = Math.max(this.#levelFrom, this.#reader.position);
    for (const { stream, done } of this.#resumes.splice(0)) done(checkpoint.resume(stream));
    this.#reader.seek(Math.min(this.#reader.position, checkpoint.readFrom));
  }

  #begin(batch: EntryBatch & { readMs: number }): Passage {
    const { entries, endPosition, readMs, lost = [] } = batch;
    this.#lastReadMs = entries[entries.length - 1]?.ms ?? this.#lastReadMs;
    const passage: Passage = {
      entries,
      endPosition,
      lost,
      events: new Array(entries.length).fill(null),
      outcomes: new Uint8Array(entries.length),
      operations: new Uint8Array(entries.length),
      writes: [],
      rejected: [],
      lastEvent: null,
      readMs,
      decodeMs: 0,
      transformMs: 0,
    };
    this.#passages.push(passage);
    this.#isReading = false;
    return passage;
  }

  #decode(passage: Passage): void {
    const { decoder, clock, selects } = this.#parts;
    const { entries, events, outcomes, operations } = passage;
    const startedAt = clock.elapsed();
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as StreamEntry;
      if (!selects(entry.stream as StoredStream)) {
        outcomes[i] = OUTCOME.skipped;
        continue;
      }
      const decoded = decoder.decode(entry);
      if (decoded.kind === 'change') {
        events[i] = decoded;
        operations[i] = OPERATIONS[decoded.op];
        passage.lastEvent = decoded;
        if (this.#tables.get(entry.stream as StoredStream) !== decoded.table) this.#learnTable(entry, decoded.table);
      } else if (decoded.kind === 'control') {
        outcomes[i] = decoded.control === 'tombstone' ? OUTCOME.filtered : OUTCOME.skipped;
      } else this.#reject(passage, i, decoded);
    }
    passage.decodeMs = clock.elapsed() - startedAt;
  }

  #learnTable(entry: StreamEntry, table: TableIdentity): void {
    this.#tables.set(entry.stream as StoredStream, table);
    this.#parts.onTable(entry.stream as StoredStream, table);
  }

  #transform(passage: Passage): void {
    const { mapping, clock, checkpoint } = this.#parts;
    const { entries, events, outcomes, writes } = passage;
    const startedAt = clock.elapsed();
    for (let i = 0; i < entries.length; i++) {
      const event = events[i];
      if (!event) continue;
      // Behind a record that stopped its stream nothing of the stream is written; it is read again on resume.
      if (checkpoint.behind.size > 0 && this.#isBehindStop(entries[i] as StreamEntry)) continue;
      const rejection = mapping.apply(event, i, writes);
      if (rejection) this.#reject(passage, i, rejection);
      else outcomes[i] = OUTCOME.written;
    }
    passage.transformMs = clock.elapsed() - startedAt;
  }

  #isBehindStop(entry: StreamEntry): boolean {
    const behind = this.#parts.checkpoint.behind.get(entry.stream as StoredStream);
    return behind?.stopped != null && entry.position >= behind.position;
  }

  /** Applies the error policy to one entry; the outcome holds once the batch is settled. */
  #reject(passage: Passage, index: number, rejection: Rejection, targetKey?: string): void {
    const { errorHandling, checkpoint, onRejected } = this.#parts;
    const entry = passage.entries[index] as StreamEntry;
    const event = passage.events[index] ?? null;
    const rejected: RejectedEntry = { entry, rejection, event, ...(targetKey === undefined ? {} : { targetKey }) };
    onRejected(rejected);
    if (errorHandling === 'abort') {
      checkpoint.stop(entry.stream as StoredStream, entry, `${rejection.code}: ${rejection.reason}`);
      return;
    }
    passage.outcomes[index] = OUTCOME.rejected;
    passage.operations[index] = OPERATION.none;
    if (errorHandling === 'dlq') passage.rejected.push(rejected);
  }

  #settleInOrder(passage: Passage, done: Promise<WriteOutcome>): void {
    const before = this.#settled;
    const handedOverAt = this.#parts.clock.elapsed();
    const settled = (async () => {
      const [outcome] = await Promise.all([done, before]);
      await this.#settle(passage, outcome, handedOverAt);
    })();
    this.#settled = settled;
    settled.catch(() => this.stop());
  }

  async #settle(passage: Passage, outcome: WriteOutcome, handedOverAt: number): Promise<void> {
    const { checkpoint, dlq, clock, onBatch } = this.#parts;
    const writtenAt = clock.elapsed();
    const { entries, outcomes, operations, endPosition, rejected, lost } = passage;
    for (const index of outcome.superseded) outcomes[index] = OUTCOME.superseded;
    // In order, so that under `abort` a stream stops at its first refused entry.
    for (const refused of [...outcome.refused].sort((a, b) => a.index - b.index)) {
      this.#reject(passage, refused.index, refused, refused.key);
    }
    if (rejected.length > 0) await dlq.add(rejected, this.#stopping.signal);
    checkpoint.settle({ entries, outcomes, operations, endPosition, lost });
    this.#passages.shift();
    this.#wakeLoop?.();
    const { readMs, decodeMs, transformMs, lastEvent } = passage;
    const writeMs = writtenAt - handedOverAt;
    const settleMs = clock.elapsed() - writtenAt;
    const totalMs = readMs + decodeMs + transformMs + writeMs + settleMs;
    onBatch({ entries: entries.length, readMs, decodeMs, transformMs, writeMs, settleMs, totalMs, lastEvent });
  }
}

/** Names the place of a rejected entry for the log. */
export function placeOf({ entry }: RejectedEntry): string {
  return `stream ${entry.stream.name}, entry ${formatEntryId(entry)}`;
}
