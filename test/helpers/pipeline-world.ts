import { strict as assert } from 'node:assert';
import { Checkpoint } from '../../src/checkpoint/index.ts';
import type { ErrorHandling } from '../../src/config/index.ts';
import type { Decoder } from '../../src/decode/index.ts';
import { Dlq } from '../../src/dlq/index.ts';
import { StoreError } from '../../src/errors.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { Pipeline } from '../../src/pipeline.ts';
import { EmbeddedStore, type StoredStream } from '../../src/streams/index.ts';
import type { DefaultMapping } from '../../src/transform/index.ts';
import { type ChangeEvent, type Rejection, type StreamEntry, UNAVAILABLE } from '../../src/types.ts';
import type { Refused, TargetWrite, WriteOutcome, Writer } from '../../src/write/index.ts';
import { bulkStrings } from './bulk-strings.ts';
import type { Random } from './random.ts';
import { pretendReserve } from './temp-folder.ts';

/**
 * What becomes of an entry, written in its text: `written`, `superseded`, refused by the target, rejected by the mapping, not
 * decodable, or a record that changes no row.
 */
export const FATES = ['written', 'superseded', 'refused', 'unmapped', 'undecodable', 'tombstone', 'heartbeat'] as const;
export type Fate = (typeof FATES)[number];

export interface SentEntry {
  readonly stream: string;
  readonly text: string;
  readonly fate: Fate;
}

export interface PipelineWorldOptions {
  readonly folder: string;
  readonly random: Random;
  readonly errorHandling: ErrorHandling;
  readonly batchesInFlight?: number;
}

const TABLE = { connector: 'c', serverName: 's', db: 'd', schema: '', table: 't' };

/**
 * The real pipeline, checkpoint, dead letter queue and store around a decoder, a mapping and a target that do what the
 * text of an entry says. After every batch the account is compared with what was sent.
 */
export class PipelineWorld {
  readonly sent: SentEntry[] = [];
  /** Texts in the order in which the target took them. */
  readonly written: string[] = [];
  /** Texts that are written now, whatever they say. */
  readonly cured = new Set<string>();
  batches = 0;
  /** How often the store refuses a checkpoint, or a rejected record, from now on. */
  failingSaves = 0;
  failingRecords = 0;
  /** Each change of the store's state, in order: `dlq` or `checkpoint`. */
  readonly changes: { kind: 'dlq' | 'checkpoint'; position: number; records: number }[] = [];
  store!: EmbeddedStore;
  checkpoint!: Checkpoint;
  pipeline!: Pipeline;
  running: Promise<void> = Promise.resolve();
  #isTargetAway = false;
  #goOn: (() => void)[] = [];
  #lastAnswer: Promise<unknown> = Promise.resolve();
  readonly #options: PipelineWorldOptions;
  #records = 0;

  constructor(options: PipelineWorldOptions) {
    this.#options = options;
    pretendReserve(options.folder);
  }

  async start(): Promise<void> {
    const { folder, errorHandling, batchesInFlight = 4 } = this.#options;
    this.store = await EmbeddedStore.open({
      folder,
      clock: systemClock,
      diskLimitBytes: 2 ** 30,
      tailBytes: 4096,
      segmentBytes: 3000,
      blockBytes: 2048,
      onNotice: () => {},
    });
    const { store } = this;
    this.checkpoint = new Checkpoint({
      from: store.checkpoint,
      save: async (checkpoint) => {
        if (this.failingSaves-- > 0) throw new StoreError('STORE_FULL', 'The disk is full', { retryable: true });
        await store.settle(checkpoint);
        this.changes.push({ kind: 'checkpoint', position: checkpoint.position, records: this.#records });
      },
      now: () => 0,
      onSaveFailed: () => {},
    });
    this.pipeline = new Pipeline({
      store,
      checkpoint: this.checkpoint,
      decoder: { decode: (entry: StreamEntry) => this.#decode(entry) } as unknown as Decoder,
      mapping: {
        apply: (...args: Parameters<DefaultMapping['apply']>) => this.#map(...args),
      } as unknown as DefaultMapping,
      writer: { write: (writes: TargetWrite[]) => this.#write(writes) } as unknown as Writer,
      dlq: new Dlq({
        store: {
          ...store.deadLetters,
          add: (records: Parameters<typeof store.deadLetters.add>[0], cap: number) => {
            if (this.failingRecords-- > 0) throw new StoreError('STORE_FULL', 'The disk is full', { retryable: true });
            store.deadLetters.add(records, cap);
            this.#records += records.length;
            this.changes.push({ kind: 'dlq', position: this.checkpoint.position, records: this.#records });
          },
        } as unknown as typeof store.deadLetters,
        maxRecords: 100_000,
        now: () => 0,
        onStoreFailed: () => {},
      }),
      clock: systemClock,
      errorHandling,
      selects: ({ name }) => name !== 'other',
      limits: { entries: 7, bytes: 1 << 20, batchesInFlight },
      onBatch: () => {
        this.batches++;
        this.checkAccount();
      },
      onRejected: () => {},
      onTable: () => {},
    });
    this.running = this.pipeline.run();
    this.running.catch(() => {});
  }

  send(stream: string, fate: Fate): void {
    const text = `${this.sent.length}:${fate}`;
    const bytes = bulkStrings('value', text);
    this.store.append(this.store.stream(0, stream), 0, false, bytes, 0, bytes.length, 2);
    this.sent.push({ stream, text, fate });
  }

  /** Waits until all that can be settled is. */
  async drain(): Promise<void> {
    await this.store.flush();
    const deadline = Date.now() + 10_000;
    while (!this.pipeline.isDrained) {
      if (Date.now() > deadline) throw new Error('the pipeline does not drain');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    this.checkAccount();
  }

  /** The target answers nothing until it is back. */
  setTargetAway(isAway: boolean): void {
    this.#isTargetAway = isAway;
    if (!isAway) for (const goOn of this.#goOn.splice(0)) goOn();
  }

  /** Stops as a shutdown does. */
  async stop(): Promise<void> {
    this.pipeline.stop();
    this.setTargetAway(false);
    await this.running;
    await this.checkpoint.flush();
    await this.store.close();
  }

  /** Loses everything that is only in memory: the checkpoint as it was stored last is where the next start goes on. */
  async crash(): Promise<void> {
    this.failingSaves = Number.POSITIVE_INFINITY;
    this.pipeline.stop();
    this.setTargetAway(false);
    await this.running.catch(() => {});
    await this.checkpoint.flush();
    await this.store.close();
    this.failingSaves = 0;
  }

  /** Compares every stream's account with the entries that lie before its settled position. */
  checkAccount(): void {
    const index = new Map<string, number>();
    for (const stream of this.store.streams()) index.set(stream.name, 0);
    for (const stream of this.store.streams()) {
      const { written, filtered, superseded, rejected, skipped } = this.checkpoint.counters(stream);
      const settled = written + filtered + superseded + rejected + skipped;
      const sent = this.sent.filter((entry) => entry.stream === stream.name);
      assert.equal(stream.appended, sent.length, `received of ${stream.name}`);
      assert.ok(settled <= sent.length, `${stream.name}: ${settled} settled of ${sent.length}`);
      const fates = sent.slice(0, settled).map(({ text, fate }) => (this.cured.has(text) ? 'written' : fate));
      const count = (...wanted: Fate[]) => fates.filter((fate) => wanted.includes(fate)).length;
      if (stream.name === 'other') assert.equal(skipped, settled);
      else {
        assert.deepEqual(
          { written, filtered, superseded, rejected, skipped },
          {
            written: count('written'),
            filtered: count('tombstone'),
            superseded: count('superseded'),
            rejected: count('refused', 'unmapped', 'undecodable'),
            skipped: count('heartbeat'),
          },
          `account of ${stream.name} after ${settled} entries`,
        );
      }
    }
  }

  pending(): number {
    return this.store.streams().reduce((sum, stream) => sum + stream.appended - this.#settledOf(stream), 0);
  }

  stopped(): string[] {
    return [...this.checkpoint.behind].filter(([, { stopped }]) => stopped).map(([{ name }]) => name);
  }

  #settledOf(stream: StoredStream): number {
    const { written, filtered, superseded, rejected, skipped } = this.checkpoint.counters(stream);
    return written + filtered + superseded + rejected + skipped;
  }

  #fateOf(text: string): Fate {
    return this.cured.has(text) ? 'written' : ((text.split(':')[1] ?? 'written') as Fate);
  }

  #decode(entry: StreamEntry): ReturnType<Decoder['decode']> {
    const text = entry.bytes.toString('utf8', entry.start, entry.end).split('\r\n')[3] ?? '';
    const fate = this.#fateOf(text);
    if (fate === 'undecodable') return { kind: 'undecodable', code: 'DECODE_NOT_JSON', reason: text };
    if (fate === 'tombstone' || fate === 'heartbeat') return { kind: 'control', control: fate };
    const row = { names: ['text'], values: [text], partial: false };
    return { kind: 'change', op: 'c', table: TABLE, key: row, before: null, after: row, sourceMs: 0, snapshot: false };
  }

  #map({ after }: ChangeEvent, index: number, writes: TargetWrite[]): Rejection | null {
    const text = String(after?.values[0] === UNAVAILABLE ? '' : after?.values[0]);
    if (this.#fateOf(text) === 'unmapped') return { code: 'TRANSFORM_NO_KEY', reason: text };
    writes.push({ kind: 'delete', key: text, index });
    return null;
  }

  async #write(writes: readonly TargetWrite[]): Promise<{ done: Promise<WriteOutcome> }> {
    await this.#pause();
    // Batches are applied one after the other, since here all writes might be of one key.
    const applied = this.#lastAnswer.then(() => this.#answer(writes));
    this.#lastAnswer = applied;
    // Their answers may overtake each other.
    return { done: applied.then((outcome) => this.#pause().then(() => outcome)) };
  }

  async #answer(writes: readonly TargetWrite[]): Promise<WriteOutcome> {
    await this.#pause();
    if (this.#isTargetAway) await new Promise<void>((resolve) => this.#goOn.push(resolve));
    const superseded: number[] = [];
    const refused: Refused[] = [];
    for (const { key, index } of writes) {
      const fate = this.#fateOf(key);
      if (fate === 'superseded') superseded.push(index);
      else if (fate === 'refused') refused.push({ index, key, code: 'TARGET_WRONG_TYPE', reason: key });
      else this.written.push(key);
    }
    return { superseded, refused: refused.reverse() };
  }

  async #pause(): Promise<void> {
    for (let i = this.#options.random.below(4); i > 0; i--) await new Promise((resolve) => setImmediate(resolve));
  }
}
