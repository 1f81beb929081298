import { Checkpoint } from '../../src/checkpoint/index.ts';
import { DlqDesk } from '../../src/control/dlq-desk.ts';
import { Decoder } from '../../src/decode/index.ts';
import { Dlq } from '../../src/dlq/index.ts';
import { StoreError } from '../../src/errors.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { Pipeline } from '../../src/pipeline.ts';
import { EmbeddedStore } from '../../src/streams/index.ts';
import { type EventTransformer, MAIN_LANE } from '../../src/transform/index.ts';
import type { ChangeEvent } from '../../src/types.ts';
import type { Refused, TargetWrite, WriteOutcome } from '../../src/write/index.ts';
import { bulkStrings } from './bulk-strings.ts';
import type { Random } from './random.ts';
import { pretendReserve } from './temp-folder.ts';

/** A change of a row. Versions grow over all changes that are made. */
export interface RowChange {
  readonly row: number;
  readonly version: number;
  readonly op: 'c' | 'd';
}

export interface RetryWorldOptions {
  readonly folder: string;
  readonly random: Random;
  readonly onReject: 'continue' | 'park_key';
  readonly maxRecords?: number;
}

/** The stream of all changes, but for those of another one. */
export const STREAM = 'data:shop.orders';

/**
 * The real pipeline, decoder, store and desk before a target that refuses what it is told to refuse: rows by number, versions
 * in the order in which it took them.
 */
export class RetryWorld {
  readonly sent: RowChange[] = [];
  /** Everything that the target took, in order. */
  readonly taken: RowChange[] = [];
  /** Versions that the target refuses, and those that cannot be mapped. */
  readonly refused = new Set<number>();
  readonly unmapped = new Set<number>();
  readonly filtered = new Set<number>();
  laneOf: () => string = () => MAIN_LANE;
  /** Checkpoints that fail from now on. */
  failingSaves = 0;
  store!: EmbeddedStore;
  checkpoint!: Checkpoint;
  pipeline: Pipeline | null = null;
  desk!: DlqDesk;
  #running: Promise<void> = Promise.resolve();
  #goOn: (() => void)[] = [];
  #isAway = false;
  #version = 0;
  #lastAnswer: Promise<unknown> = Promise.resolve();
  readonly #options: RetryWorldOptions;

  constructor(options: RetryWorldOptions) {
    this.#options = options;
    pretendReserve(options.folder);
  }

  async start(): Promise<void> {
    const { folder, onReject, maxRecords = 100_000 } = this.#options;
    this.store = await EmbeddedStore.open({
      ...{ folder, clock: systemClock, diskLimitBytes: 2 ** 30, tailBytes: 1 << 16 },
      onNotice: () => {},
    });
    const { store } = this;
    this.checkpoint = new Checkpoint({
      from: store.checkpoint,
      save: async (checkpoint) => {
        if (this.failingSaves-- > 0) throw new StoreError('STORE_FULL', 'The disk is full', { retryable: true });
        await store.settle(checkpoint);
      },
      now: () => 0,
      onSaveFailed: () => {},
    });
    const dlq = new Dlq({
      store: store.deadLetters,
      maxRecords,
      keepsAll: onReject === 'park_key',
      now: () => Date.now(),
      onStoreFailed: () => {},
    });
    this.pipeline = new Pipeline({
      store,
      checkpoint: this.checkpoint,
      decoder: new Decoder({ onWarning: () => {} }),
      transformer: this.#transformer(),
      writers: [0, 1].map(() => ({ write: (writes: readonly TargetWrite[]) => this.#write(writes) })),
      dlq,
      clock: systemClock,
      errorHandling: 'dlq',
      onReject,
      selects: () => true,
      limits: { entries: 9, bytes: 1 << 20, batchesInFlight: 4 },
      onBatch: () => {},
      onRejected: () => {},
      onTable: () => {},
      onTruncate: () => {},
      onLeaving: () => {},
      tableOf: () => null,
    });
    this.desk = new DlqDesk({ store: () => this.store, pipeline: () => this.pipeline, now: () => Date.now() });
    this.#running = this.pipeline.run();
    this.#running.catch(() => {});
    this.desk.followUpAll();
  }

  /** Sends the next change of a row, or one that was sent before again. `lsn` is its place in the source: the version. */
  send(row: number, op: 'c' | 'd' = 'c', again?: RowChange): RowChange {
    const change = again ?? { row, version: ++this.#version, op };
    const source = {
      connector: 'postgresql',
      name: 'shop',
      db: 'd',
      schema: 's',
      table: 'orders',
      lsn: change.version,
    };
    const columns = { id: change.row, v: change.version };
    const value = { before: null, after: change.op === 'd' ? null : columns, source, op: change.op };
    this.sendRaw(JSON.stringify({ id: change.row }), JSON.stringify(value));
    this.sent.push(change);
    return change;
  }

  sendRaw(key: string, value: string): void {
    const bytes = bulkStrings('key', key, 'value', value);
    this.store.append(this.store.stream(0, STREAM), 0, false, bytes, 0, bytes.length, 4);
  }

  /** What the target has of each row: the version that it took last, unless that was a delete. */
  get rows(): Map<number, number> {
    return fold(this.taken);
  }

  /** Ids of the records. */
  get ids(): string[] {
    return this.store.deadLetters.records(STREAM, { limit: 1e6, offset: 0, order: 'asc' }).map(({ id }) => id);
  }

  field(id: string, name: string): string | undefined {
    return this.store.deadLetters.record(STREAM, id)?.fields[name];
  }

  get account() {
    const { written, filtered, superseded, rejected, skipped } = this.checkpoint.counters(this.store.stream(0, STREAM));
    const sum = written + filtered + superseded + rejected + skipped;
    return { written, filtered, superseded, rejected, skipped, received: this.store.stream(0, STREAM).appended, sum };
  }

  setTargetAway(isAway: boolean): void {
    this.#isAway = isAway;
    if (!isAway) for (const goOn of this.#goOn.splice(0)) goOn();
  }

  async drain(): Promise<void> {
    await this.store.flush();
    const deadline = Date.now() + 10_000;
    while (this.pipeline?.isDrained === false) {
      if (Date.now() > deadline) throw new Error('the pipeline does not drain');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async stop(): Promise<void> {
    this.pipeline?.stop();
    this.setTargetAway(false);
    await this.#running.catch(() => {});
    await this.checkpoint.flush();
    await this.store.close();
  }

  /** Loses what is only in memory. */
  async crash(): Promise<void> {
    this.failingSaves = Number.POSITIVE_INFINITY;
    await this.stop();
    this.failingSaves = 0;
  }

  async pause(): Promise<void> {
    for (let i = this.#options.random.below(4); i > 0; i--) await new Promise((resolve) => setImmediate(resolve));
  }

  #transformer(): EventTransformer {
    return {
      connections: ['target', 'second'],
      laneOf: () => this.laneOf(),
      jobOf: () => null,
      transform: (events, results) => {
        for (const [index, event] of events.entries()) {
          if (!event) continue;
          const version = versionOf(event);
          if (this.filtered.has(version)) results.filtered(index);
          else if (this.unmapped.has(version)) results.rejected(index, { code: 'TRANSFORM_FAILED', reason: 'bad row' });
          else results.writes[0]?.push({ kind: 'delete', key: JSON.stringify(changeOf(event, version)), index });
        }
      },
    } as EventTransformer;
  }

  async #write(writes: readonly TargetWrite[]): Promise<{ done: Promise<WriteOutcome> }> {
    await this.pause();
    const applied = this.#lastAnswer.then(() => this.#answer(writes));
    this.#lastAnswer = applied;
    return { done: applied };
  }

  async #answer(writes: readonly TargetWrite[]): Promise<WriteOutcome> {
    await this.pause();
    if (this.#isAway) await new Promise<void>((resolve) => this.#goOn.push(resolve));
    const refused: Refused[] = [];
    for (const { key, index } of writes) {
      const change = JSON.parse(key) as RowChange;
      if (this.refused.has(change.version)) refused.push({ index, key, code: 'TARGET_WRONG_TYPE', reason: 'a list' });
      else this.taken.push(change);
    }
    return { superseded: [], refused };
  }
}

/** A delete has no row to hold its version: the test says which one it is by its key alone. */
function changeOf(event: ChangeEvent, version: number): RowChange {
  return { row: Number(event.key?.values[0]), version, op: event.op === 'd' ? 'd' : 'c' };
}

function versionOf({ after }: ChangeEvent): number {
  return Number(after?.values[1] ?? 0);
}

/** The rows after some changes in order. */
export function fold(changes: readonly RowChange[]): Map<number, number> {
  const rows = new Map<number, number>();
  for (const { row, version, op } of changes) {
    if (op === 'd') rows.delete(row);
    else rows.set(row, version);
  }
  return rows;
}
