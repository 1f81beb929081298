import { strict as assert } from 'node:assert';
import { Checkpoint } from '../../src/checkpoint/index.ts';
import type { ErrorHandling } from '../../src/config/index.ts';
import type { Decoder } from '../../src/decode/index.ts';
import { Dlq } from '../../src/dlq/index.ts';
import { StoreError } from '../../src/errors.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { Pipeline } from '../../src/pipeline.ts';
import { type DlqStore, EmbeddedStore, type StoredStream } from '../../src/streams/index.ts';
import { type EventTransformer, MAIN_LANE, type TransformResults } from '../../src/transform/index.ts';
import type { ChangeEvent, StreamEntry, TableIdentity } from '../../src/types.ts';
import type { Refused, TargetWrite, WriteOutcome } from '../../src/write/index.ts';
import { bulkStrings } from './bulk-strings.ts';
import type { Random } from './random.ts';
import { pretendReserve } from './temp-folder.ts';

/**
 * What becomes of an entry, written in its text: `written`, `superseded`, superseded at one of two targets only, filtered by a
 * job, refused by the target, rejected by the mapping, not decodable, or a record that changes no row.
 */
export const FATES = [
  'written',
  'superseded',
  'half',
  'filtered',
  'refused',
  'unmapped',
  'undecodable',
  'tombstone',
  'heartbeat',
] as const;
export type Fate = (typeof FATES)[number];

/**
 * Tables by what their job needs: nothing, a lookup, the second target alone, both targets, a lookup and the second target.
 * A stream of that name holds that table.
 */
export const TABLES = ['main', 'lookup', 'second', 'both', 'all'] as const;
export type Table = (typeof TABLES)[number];

export interface SentEntry {
  readonly stream: string;
  readonly table: Table;
  readonly text: string;
  readonly fate: Fate;
}

export interface PipelineWorldOptions {
  readonly folder: string;
  readonly random: Random;
  readonly errorHandling: ErrorHandling;
  readonly batchesInFlight?: number;
}

const IDENTITIES = new Map<Table, TableIdentity>(
  TABLES.map((table) => [table, { connector: 'c', serverName: 's', db: 'd', schema: '', table }]),
);
const CONNECTIONS: Record<Table, readonly number[]> = {
  main: [0],
  lookup: [0],
  second: [1],
  both: [0, 1],
  all: [0, 1],
};

/** A target that takes what it is given one batch after the other, and can be away. */
interface PretendTarget {
  isAway: boolean;
  goOn: (() => void)[];
  lastAnswer: Promise<unknown>;
  /** Texts in the order in which it took them. */
  readonly written: string[];
}

function newTarget(): PretendTarget {
  return { isAway: false, goOn: [], lastAnswer: Promise.resolve(), written: [] };
}

/**
 * The real pipeline, checkpoint, dead letter queue and store around a decoder, a mapping and a target that do what the
 * text of an entry says. After every batch the account is compared with what was sent.
 */
export class PipelineWorld {
  readonly sent: SentEntry[] = [];
  readonly targets = [newTarget(), newTarget()] as const;
  /** Texts in the order in which the first target took them. */
  readonly written: string[] = this.targets[0].written;
  /** The tables because of which streams left the main lane, as the store would keep them. */
  readonly leaving = new Map<string, TableIdentity>();
  /** The lane of each table from the next start on; other jobs may ask for other ones. */
  laneOf: (table: string) => string = (table) => (table === 'main' ? MAIN_LANE : table);
  /** Entries that were decoded for the main lane of the running pipeline, by stream. */
  decoded = 0;
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
  #isLookupAway = false;
  #lookups: (() => void)[] = [];
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
      transformer: this.#transformer(),
      writers: this.targets.map((target) => ({
        write: (writes: readonly TargetWrite[]) => this.#write(target, writes),
      })),
      dlq: new Dlq({
        store: this.#watched(store.deadLetters),
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
      onTruncate: () => {},
      onLeaving: ({ name }, table) => void this.leaving.set(name, table),
      tableOf: ({ name }) => this.leaving.get(name) ?? null,
    });
    this.running = this.pipeline.run();
    this.running.catch(() => {});
  }

  /** The dead letters of the store, which refuse when they are told to; what they take is noted. */
  #watched(deadLetters: DlqStore): DlqStore {
    const change: DlqStore['change'] = (wanted, cap) => {
      if (this.failingRecords-- > 0) throw new StoreError('STORE_FULL', 'The disk is full', { retryable: true });
      deadLetters.change(wanted, cap);
      this.#records += wanted.add?.length ?? 0;
      this.changes.push({ kind: 'dlq', position: this.checkpoint.main.position, records: this.#records });
    };
    return new Proxy(deadLetters, {
      get: (store, name) => {
        if (name === 'change') return change;
        const value = Reflect.get(store, name, store);
        return typeof value === 'function' ? value.bind(store) : value;
      },
    });
  }

  /** An entry of the stream's own table, unless another one is given; streams that are called otherwise hold `main`. */
  send(stream: string, fate: Fate, table: Table = TABLES.find((one) => one === stream) ?? 'main'): void {
    const text = `${this.sent.length}:${fate}:${table}`;
    const bytes = bulkStrings('value', text);
    this.store.append(this.store.stream(0, stream), 0, false, bytes, 0, bytes.length, 2);
    this.sent.push({ stream, table, text, fate });
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
  setTargetAway(isAway: boolean, which: 0 | 1 = 0): void {
    const target = this.targets[which];
    target.isAway = isAway;
    if (!isAway) for (const goOn of target.goOn.splice(0)) goOn();
  }

  /** Lookups are not answered until they are back. */
  setLookupAway(isAway: boolean): void {
    this.#isLookupAway = isAway;
    if (!isAway) for (const goOn of this.#lookups.splice(0)) goOn();
  }

  setAllBack(): void {
    this.setTargetAway(false, 0);
    this.setTargetAway(false, 1);
    this.setLookupAway(false);
  }

  /** Stops as a shutdown does. */
  async stop(): Promise<void> {
    this.pipeline.stop();
    this.setAllBack();
    await this.running;
    await this.checkpoint.flush();
    await this.store.close();
  }

  /** Loses everything that is only in memory: the checkpoint as it was stored last is where the next start goes on. */
  async crash(): Promise<void> {
    this.failingSaves = Number.POSITIVE_INFINITY;
    this.pipeline.stop();
    this.setAllBack();
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
            written: count('written', 'half'),
            filtered: count('tombstone', 'filtered'),
            superseded: count('superseded'),
            rejected: count('refused', 'unmapped', 'undecodable'),
            skipped: count('heartbeat'),
          },
          `account of ${stream.name} after ${settled} entries`,
        );
      }
    }
  }

  /** Texts of one stream, or of all, that the target must have got, in the order they were sent. */
  expectedAt(which: 0 | 1, stream?: string): string[] {
    return this.sent
      .filter((entry) => entry.stream !== 'other' && (stream === undefined || entry.stream === stream))
      .filter(({ text, table }) => {
        const fate = this.#fateOf(text);
        if (!CONNECTIONS[table].includes(which)) return false;
        return fate === 'written' || (fate === 'half' && (which === 1 || CONNECTIONS[table].length === 1));
      })
      .map(({ text }) => text);
  }

  /** What the target got of what it must have got: a rejected record may have left something there, too. */
  gotAt(which: 0 | 1, stream?: string): string[] {
    const expected = new Set(this.expectedAt(which, stream));
    return this.targets[which].written.filter((text) => expected.has(text));
  }

  pending(): number {
    return this.store.streams().reduce((sum, stream) => sum + stream.appended - this.#settledOf(stream), 0);
  }

  stopped(): string[] {
    return this.store.streams().flatMap((stream) => (this.checkpoint.behind(stream)?.stopped ? [stream.name] : []));
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
    const table = IDENTITIES.get(tableOf(text)) as TableIdentity;
    this.decoded++;
    return { kind: 'change', op: 'c', table, key: row, before: null, after: row, sourceMs: 0, snapshot: false };
  }

  #transformer(): EventTransformer {
    const { laneOf } = this;
    return {
      connections: ['target', 'second'],
      laneOf: ({ table }) => laneOf(table),
      jobOf: () => null,
      transform: (events, results, signal) => {
        const isLookup = events.some((event) => event?.table.table === 'lookup' || event?.table.table === 'all');
        if (!isLookup) return this.#map(events, results);
        return this.#lookUp(signal).then(() => this.#map(events, results));
      },
    };
  }

  async #lookUp(signal: AbortSignal): Promise<void> {
    await this.#pause();
    if (this.#isLookupAway) await new Promise<void>((resolve) => this.#lookups.push(resolve));
    signal.throwIfAborted();
  }

  /** Rejections out of order, as lookups may bring them. */
  #map(events: readonly (ChangeEvent | null)[], results: TransformResults): void {
    const unmapped: [number, string][] = [];
    for (const [index, event] of events.entries()) {
      if (!event) continue;
      const text = String(event.after?.values[0]);
      const fate = this.#fateOf(text);
      if (fate === 'filtered') results.filtered(index);
      if (fate === 'filtered') continue;
      const connections = CONNECTIONS[tableOf(text)];
      if (fate === 'unmapped') unmapped.unshift([index, text]);
      // Of several outputs one failed; the others stand.
      for (const i of fate === 'unmapped' ? connections.slice(1) : connections) {
        results.writes[i]?.push({ kind: 'delete', key: text, index, origin: { job: 'j', step: `output[${i}]` } });
      }
    }
    for (const [index, reason] of unmapped) results.rejected(index, { code: 'TRANSFORM_NO_KEY', reason });
  }

  async #write(target: PretendTarget, writes: readonly TargetWrite[]): Promise<{ done: Promise<WriteOutcome> }> {
    await this.#pause();
    // Batches are applied one after the other, since here all writes might be of one key.
    const applied = target.lastAnswer.then(() => this.#answer(target, writes));
    target.lastAnswer = applied;
    // Their answers may overtake each other.
    return { done: applied.then((outcome) => this.#pause().then(() => outcome)) };
  }

  async #answer(target: PretendTarget, writes: readonly TargetWrite[]): Promise<WriteOutcome> {
    await this.#pause();
    if (target.isAway) await new Promise<void>((resolve) => target.goOn.push(resolve));
    const superseded: number[] = [];
    const refused: Refused[] = [];
    for (const { key, index, origin } of writes) {
      const fate = this.#fateOf(key);
      // One target of two may supersede an entry that the other one takes.
      const isHalf = fate === 'half' && target === this.targets[0] && CONNECTIONS[tableOf(key)].length > 1;
      if (fate === 'superseded' || isHalf) superseded.push(index);
      else if (fate === 'refused') {
        refused.push({ index, key, code: 'TARGET_WRONG_TYPE', reason: key, ...(origin ? { origin } : {}) });
      } else target.written.push(key);
    }
    return { superseded, refused: refused.reverse() };
  }

  async #pause(): Promise<void> {
    for (let i = this.#options.random.below(4); i > 0; i--) await new Promise((resolve) => setImmediate(resolve));
  }
}

function tableOf(text: string): Table {
  return (text.split(':')[2] ?? 'main') as Table;
}
