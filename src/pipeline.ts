/**
 * # The path: streams → decode → transform → write → DLQ → checkpoint
 *
 * One loop per lane takes batches of durable entries in arrival order, decodes and transforms them, and hands their writes
 * to the writers, which take the next batch while earlier ones are still in flight. Batches are settled strictly in the
 * order they were read: the checkpoint passes an entry only when the targets or the DLQ have it.
 *
 * Nearly everything goes through the main lane. A stream whose job may have to wait for something else than the default
 * target (a lookup, another target) leaves it for a lane of its kind, at its first such entry, and stays there.
 *
 * Records of the DLQ that are tried again (`retry.ts`) are batches of the lane of their stream, between what it has settled and
 * what it reads next. With `on_reject: park_key` one batch at a time goes through, and no row twice at a time (`row-order.ts`).
 */
import { type Checkpoint, OPERATION, OUTCOME } from './checkpoint/index.ts';
import type { ErrorHandling, OnReject } from './config/index.ts';
import type { ControlKind, Decoder } from './decode/index.ts';
import type { Dlq, RejectedEntry } from './dlq/index.ts';
import type { Lane, Passage, ReadLimits } from './lane.ts';
import { Lanes } from './lanes.ts';
import type { Clock } from './lib/clock.ts';
import { appliedIn, dropLeft, mergeOutcomes, rejectionOf } from './outcomes.ts';
import { Retry, type RetryResult } from './retry.ts';
import { RowOrder } from './row-order.ts';
import type { StoredStream, StreamStore } from './streams/index.ts';
import type { EventTransformer } from './transform/index.ts';
import { type ChangeEvent, formatEntryId, type Rejection, type StreamEntry, type TableIdentity } from './types.ts';
import type { WriteOutcome, Writer } from './write/index.ts';

/** Records that change no row and yet speak of rows, or of what somebody wrote: counted with what jobs filter out. */
const FILTERED_CONTROLS: ReadonlySet<ControlKind> = new Set(['tombstone', 'truncate', 'message']);

export interface PipelineParts {
  readonly store: StreamStore;
  readonly checkpoint: Checkpoint;
  readonly decoder: Decoder;
  readonly transformer: EventTransformer;
  /** One for each of the transformer's connections, in their order. */
  readonly writers: readonly Pick<Writer, 'write'>[];
  readonly dlq: Dlq;
  readonly clock: Clock;
  readonly errorHandling: ErrorHandling;
  /** Whether later entries of a row with a rejected one go on, or wait behind it in the DLQ. Default: they go on. */
  readonly onReject?: OnReject;
  /** Streams whose entries are meant for this pipeline; the others are counted as skipped. */
  readonly selects: (stream: StoredStream) => boolean;
  /** Of each lane. */
  readonly limits: ReadLimits;
  /** A settled batch, for metrics. */
  readonly onBatch: (report: BatchReport) => void;
  readonly onRejected: (rejected: RejectedEntry) => void;
  /** The table that a stream carries, told whenever it changes. */
  readonly onTable: (stream: StoredStream, table: TableIdentity) => void;
  /** A table was emptied in the source; which rows it had is not told. */
  readonly onTruncate: (stream: StoredStream) => void;
  /** The stream leaves the main lane because of this table; what {@link tableOf} should say after the next start. */
  readonly onLeaving: (stream: StoredStream, table: TableIdentity) => void;
  /** The table because of which the stream left the main lane in an earlier process. */
  readonly tableOf: (stream: StoredStream) => TableIdentity | null;
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
  /** Names of the connections that took writes. */
  readonly written: readonly string[];
  /** The settled batch itself: entries, events and outcomes. Its bytes are valid only during the call. */
  readonly passage: Passage;
}

const OPERATIONS = {
  c: OPERATION.inserted,
  r: OPERATION.inserted,
  u: OPERATION.updated,
  d: OPERATION.deleted,
} as const;

/** The running path from the store to the targets. */
export class Pipeline {
  readonly #parts: PipelineParts;
  readonly #lanes: Lanes;
  readonly #stopping = new AbortController();
  readonly #parksKeys: boolean;
  readonly #tables = new Map<StoredStream, TableIdentity>();

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    this.#parksKeys = parts.onReject === 'park_key' && parts.errorHandling === 'dlq';
    const { store, checkpoint, dlq } = parts;
    for (const stream of store.streams()) dlq.forgetUnsettled(stream, checkpoint.positionOf(stream));
    this.#lanes = new Lanes({
      ...parts,
      takesOneBatch: this.#parksKeys,
      follow: async (lane) => {
        try {
          await this.#follow(lane);
        } catch (error) {
          this.stop();
          throw error;
        }
      },
    });
  }

  /** Entries handed on and not settled. */
  get inFlightEntries(): number {
    return this.#lanes.all.reduce((sum, lane) => sum + lane.inFlightEntries, 0);
  }

  /** True when everything durable has been read and settled. */
  get isDrained(): boolean {
    return this.#lanes.all.every((lane) => lane.isDrained);
  }

  /**
   * When the oldest entry that is not settled arrived, by stream, for the streams that have one in flight. Entries of a
   * stream that are not read yet came at or after `unread` of it; 0 when its lane has read nothing.
   */
  oldestPending(): { inFlight: Map<StoredStream, number>; unread: (stream: StoredStream) => number } {
    const inFlight = new Map<StoredStream, number>();
    for (const lane of this.#lanes.all) lane.addOldest(inFlight);
    return { inFlight, unread: (stream) => this.#lanes.laneOf(stream).lastReadMs };
  }

  /** Runs until {@link stop}. Rejects when the store is damaged or on a bug of ours; what is not settled stays. */
  run(): Promise<void> {
    return this.#lanes.run();
  }

  /** Resolves when nothing more is settled: also the lanes beside one that failed have ended. Never rejects. */
  get over(): Promise<void> {
    return this.#lanes.over;
  }

  /** Ends {@link run} after the batches it is at; what is in flight is settled if the writers still can. */
  stop(): void {
    this.#stopping.abort();
    this.#lanes.stop();
  }

  /** Lets a stream that was stopped at a rejected entry go on. Resolves to false when it was not stopped, or all is. */
  resume(stream: StoredStream): Promise<boolean> {
    return this.#lanes.laneOf(stream).resume(stream);
  }

  /**
   * Sends records of a stream's DLQ through the current jobs again, oldest first, and then what waited behind those of its rows
   * that are settled. Waits as long as the targets are away. Resolves to what became of them; when the pipeline is stopped
   * first, they are kept. Never rejects.
   */
  async retry(
    stream: StoredStream,
    ids: readonly string[],
    { force }: { readonly force: boolean },
  ): Promise<readonly RetryResult[]> {
    const { dlq, checkpoint, selects } = this.#parts;
    const { signal } = this.#stopping;
    const movesAway = (lane: Lane, entries: readonly StreamEntry[]) => this.#lanes.movesAway(lane, stream, entries);
    const limits = { parksKeys: this.#parksKeys, isSelected: selects(stream), signal };
    const retry = new Retry({ stream, ids, force, dlq, checkpoint, movesAway, ...limits });
    for (;;) {
      retry.lane = this.#lanes.laneOf(stream);
      const end = await retry.lane.retry(retry);
      if (end === 'stopped') retry.giveUp('The pipeline was stopped before it could be tried.');
      if (end !== 'moved') return retry.results;
      await new Promise((resolve) => setTimeout(resolve, MOVE_POLL_MS));
    }
  }

  /** THE path. */
  async #follow(lane: Lane): Promise<void> {
    for await (const passage of lane.passages()) {
      this.#decode(lane, passage);
      if (this.#parksKeys) {
        if (!(await this.#applyInRowOrder(lane, passage))) return;
        continue;
      }
      const transformed = await this.#transform(lane, passage);
      if (!transformed) return;
      const written = await this.#write(passage);
      const handedOverAt = this.#parts.clock.elapsed();
      lane.settleInOrder(written.done, (outcome) => this.#settle(lane, passage, outcome, handedOverAt));
    }
  }

  /** The rest of the path where rows wait behind their rejected entries. False when the pipeline was stopped meanwhile. */
  async #applyInRowOrder(lane: Lane, passage: Passage): Promise<boolean> {
    const order = new RowOrder(this.#parts.dlq, passage, lane.progress);
    const park = (index: number, rejection: Rejection) => {
      if (!passage.retried) return this.#reject(lane, passage, index, rejection);
      passage.retried.notTried.set(index, rejection.reason);
      passage.outcomes[index] = OUTCOME.rejected;
    };
    for (let events = order.next(park); events !== null; events = order.next(park)) {
      const stretch = { ...passage, events, writes: passage.writes.map(() => []) };
      if (!(await this.#transform(lane, stretch))) return false;
      const written = await this.#write(stretch);
      this.#judge(lane, stretch, await written.done);
      for (const [i, writes] of stretch.writes.entries()) passage.writes[i]?.push(...writes);
      passage.transformMs += stretch.transformMs;
    }
    const handedOverAt = this.#parts.clock.elapsed();
    lane.settleInOrder(Promise.resolve([]), (outcome) => this.#settle(lane, passage, outcome, handedOverAt));
    return true;
  }

  #decode(lane: Lane, passage: Passage): void {
    const { decoder, clock, selects } = this.#parts;
    const { entries, events, outcomes, operations, retried } = passage;
    const startedAt = clock.elapsed();
    // Records that are tried again are in the right lane already.
    let staying: TableIdentity | null = lane === this.#lanes.main && !retried ? null : ANY_TABLE;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as StreamEntry;
      if (retried?.outdated.has(i)) {
        outcomes[i] = OUTCOME.superseded;
        continue;
      }
      if (!selects(entry.stream as StoredStream)) {
        outcomes[i] = OUTCOME.skipped;
        continue;
      }
      // Behind a record that stopped its stream nothing of the stream is written; it is read again on resume.
      if (lane.progress.isLeft(entry)) {
        outcomes[i] = OUTCOME.left;
        continue;
      }
      const decoded = decoder.decode(entry);
      if (decoded.kind === 'change') {
        if (this.#tables.get(entry.stream as StoredStream) !== decoded.table) this.#learnTable(entry, decoded.table);
        if (staying !== ANY_TABLE && staying !== decoded.table) {
          if (this.#lanes.leavesMain(passage, entry, decoded.table)) {
            outcomes[i] = OUTCOME.left;
            continue;
          }
          staying = decoded.table;
        }
        events[i] = decoded;
        outcomes[i] = OUTCOME.written;
        operations[i] = OPERATIONS[decoded.op];
        passage.lastEvent = decoded;
      } else if (decoded.kind === 'control') {
        outcomes[i] = FILTERED_CONTROLS.has(decoded.control) ? OUTCOME.filtered : OUTCOME.skipped;
        if (decoded.control === 'truncate') this.#parts.onTruncate(entry.stream as StoredStream);
      } else this.#reject(lane, passage, i, decoded);
    }
    passage.decodeMs = clock.elapsed() - startedAt;
  }

  /** False when the pipeline was stopped meanwhile. */
  async #transform(lane: Lane, passage: Passage): Promise<boolean> {
    const { transformer, clock } = this.#parts;
    const { events, outcomes, operations, writes } = passage;
    const rejections: { index: number; rejection: Rejection }[] = [];
    const startedAt = clock.elapsed();
    const results = {
      writes,
      filtered: (index: number) => {
        outcomes[index] = OUTCOME.filtered;
        operations[index] = OPERATION.none;
      },
      rejected: (index: number, rejection: Rejection) => void rejections.push({ index, rejection }),
    };
    try {
      await transformer.transform(events, results, this.#stopping.signal);
    } catch (error) {
      if (this.#stopping.signal.aborted) return false;
      throw error;
    }
    // In order, so that under `abort` a stream stops at its first rejected entry.
    for (const { index, rejection } of rejections.sort((a, b) => a.index - b.index)) {
      this.#reject(lane, passage, index, rejection);
    }
    if (lane.progress.behind.size > 0) dropLeft(lane.progress, passage);
    passage.transformMs = clock.elapsed() - startedAt;
    return true;
  }

  /** Hands the writes over, to each connection its own. `done` resolves to one outcome per connection. */
  async #write({ writes }: Passage): Promise<{ done: Promise<readonly WriteOutcome[]> }> {
    const { writers } = this.#parts;
    const done: Promise<WriteOutcome>[] = [];
    for (const [i, list] of writes.entries()) {
      if (list.length === 0) done.push(NOTHING_WRITTEN);
      else done.push((await (writers[i] as Pick<Writer, 'write'>).write(list)).done);
    }
    return { done: Promise.all(done) };
  }

  async #settle(lane: Lane, passage: Passage, outcomes: readonly WriteOutcome[], handedOverAt: number): Promise<void> {
    const { dlq, clock, transformer, onBatch } = this.#parts;
    const writtenAt = clock.elapsed();
    const { writes, entries } = passage;
    this.#judge(lane, passage, outcomes);
    // What lies behind the place where its stream was stopped meanwhile is read again, and rejected then.
    const rejected = passage.rejected.filter(({ entry }) => !lane.progress.isLeft(entry));
    if (passage.retried) {
      await passage.retried.settle(passage);
      lane.finishRetried();
      return;
    }
    if (rejected.length > 0 || !dlq.isEmpty) {
      await dlq.settle(rejected, appliedIn(passage, dlq), this.#stopping.signal);
    }
    lane.finish(passage);
    this.#followUpParked(rejected);
    if (entries.length === 0) return;
    const { readMs, decodeMs, transformMs, lastEvent } = passage;
    const writeMs = writtenAt - handedOverAt;
    const settleMs = clock.elapsed() - writtenAt;
    const totalMs = readMs + decodeMs + transformMs + writeMs + settleMs;
    const written = transformer.connections.filter((_name, i) => (writes[i]?.length ?? 0) > 0);
    const times = { readMs, decodeMs, transformMs, writeMs, settleMs, totalMs };
    onBatch({ entries: entries.length, ...times, lastEvent, written, passage });
  }

  /** What an entry waited behind may have been dropped before the entry itself was stored. */
  #followUpParked(rejected: readonly RejectedEntry[]): void {
    const parked = rejected.filter(({ rejection }) => rejection.code === 'PARKED_BEHIND');
    for (const stream of new Set(parked.map(({ entry }) => entry.stream as StoredStream))) {
      if (this.#parts.dlq.hasFreedRow(stream)) void this.retry(stream, [], { force: false });
    }
  }

  #judge(lane: Lane, passage: Passage, outcomes: readonly WriteOutcome[]): void {
    const { superseded, refused } = mergeOutcomes(passage.writes, outcomes);
    for (const index of superseded) {
      if (passage.outcomes[index] === OUTCOME.written) passage.outcomes[index] = OUTCOME.superseded;
    }
    for (const one of refused) this.#reject(lane, passage, one.index, rejectionOf(one), one.key);
  }

  /** Applies the error policy to one entry; the outcome holds once the batch is settled. */
  #reject(lane: Lane, passage: Passage, index: number, rejection: Rejection, targetKey?: string): void {
    const { errorHandling, onRejected } = this.#parts;
    const entry = passage.entries[index] as StreamEntry;
    // One record for an entry, whatever else fails of it.
    if (passage.outcomes[index] === OUTCOME.rejected || lane.progress.isLeft(entry)) return;
    const event = passage.events[index] ?? null;
    const rejected: RejectedEntry = { entry, rejection, event, ...(targetKey === undefined ? {} : { targetKey }) };
    if (passage.retried) {
      passage.outcomes[index] = OUTCOME.rejected;
      passage.retried.failed.set(index, rejected);
      return;
    }
    const full = this.#parksKeys ? this.#whyFull(passage, entry) : '';
    onRejected(rejected);
    if (errorHandling === 'abort' || full !== '') {
      lane.progress.stop(entry.stream as StoredStream, entry, `${rejection.code}: ${rejection.reason}${full}`);
      return;
    }
    passage.outcomes[index] = OUTCOME.rejected;
    passage.operations[index] = OPERATION.none;
    if (errorHandling === 'dlq') passage.rejected.push(rejected);
  }

  /** Where nothing may be evicted, a full DLQ stops the stream; empty while there is room. */
  #whyFull({ rejected }: Passage, { stream }: StreamEntry): string {
    const { dlq } = this.#parts;
    if (!dlq.isFull(stream, rejected.filter(({ entry }) => entry.stream === stream).length)) return '';
    return ` The DLQ of this stream holds as many records as dlq_max_messages allows (${dlq.maxRecords}), and with on_reject: park_key none of them is evicted. Retry or drop some, or raise processors.dlq_max_messages; then resume the stream.`;
  }

  #learnTable({ stream }: StreamEntry, table: TableIdentity): void {
    this.#tables.set(stream as StoredStream, table);
    this.#parts.onTable(stream as StoredStream, table);
  }
}

/** Stands for every table: side lanes keep all entries of their streams. */
const ANY_TABLE: TableIdentity = { connector: '', serverName: '', db: '', schema: '', table: '' };

/** How often to look whether a stream has come to its new lane. */
const MOVE_POLL_MS = 20;

const NOTHING_WRITTEN: Promise<WriteOutcome> = Promise.resolve({ superseded: [], refused: [] });

/** Names the place of a rejected entry for the log. */
export function placeOf({ entry }: RejectedEntry): string {
  return `stream ${entry.stream.name}, entry ${formatEntryId(entry)}`;
}
