import { strict as assert } from 'node:assert';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedStore, type EntryReader, type StoredStream } from '../../src/streams/index.ts';
import type { StreamEntry } from '../../src/types.ts';
import { FaultyDisk } from './faulty-disk.ts';
import { type Random, seededRandom } from './random.ts';
import { pretendReserve } from './temp-folder.ts';

/** An entry as the model knows it. */
interface ModelEntry {
  readonly stream: string;
  readonly position: number;
  readonly ms: number;
  readonly seq: number;
  readonly bytes: Buffer;
}

export interface WorldOptions {
  readonly folder: string;
  readonly seed: number;
  readonly segmentBytes: number;
  readonly blockBytes: number;
  readonly tailBytes: number;
  /** Default: none. */
  readonly retentionMs?: number;
}

const STATE_FILES = ['state.db', 'state.db-wal'];
const LIMITS = { entries: 50, bytes: 4096 };

/**
 * An embedded store on a {@link FaultyDisk}, beside a model that is a plain array of what was acknowledged. Every step
 * checks the store against the model; `crash` checks what a new process finds.
 */
export class JournalWorld {
  readonly random: Random;
  disk: FaultyDisk;
  store!: EmbeddedStore;
  now = 1_000_000;
  /** Acknowledged entries in order, settled ones included. */
  #acknowledged: ModelEntry[] = [];
  /** Appended and not durable, in order; `#attempts` holds earlier ones that were taken back since. */
  #waiting: ModelEntry[] = [];
  #attempts: ModelEntry[][] = [];
  #settledPosition = 0;
  #reader!: EntryReader;
  #read: { entry: StreamEntry; model: ModelEntry }[] = [];
  #readEnd = 0;
  #snapshots: { change: number; files: Map<string, Buffer> }[] = [];
  #count = 0;
  #incarnation = 0;
  readonly #options: WorldOptions;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.random = seededRandom(options.seed);
    this.disk = new FaultyDisk(this.random);
  }

  get folder(): string {
    return join(this.#options.folder, String(this.#incarnation));
  }

  get unsettled(): readonly ModelEntry[] {
    return this.#acknowledged.filter(({ position }) => position >= this.#settledPosition);
  }

  async open(): Promise<void> {
    mkdirSync(this.folder, { recursive: true });
    pretendReserve(this.folder);
    this.store = await this.openStore();
    const { store } = this;
    // A store whose process is dead here still has timers.
    store.addListener({
      onDurable: () => store === this.store && this.#onDurable(),
      onTakenBack: (position) => store === this.store && this.#onTakenBack(position),
    });
    this.#settledPosition = this.store.checkpoint.position;
    this.#reader = this.store.reader(this.#settledPosition, () => true, true);
    this.#readEnd = this.#settledPosition;
    this.#snapshots = [];
    this.#takeSnapshot();
  }

  openStore(): Promise<EmbeddedStore> {
    const { segmentBytes, blockBytes, tailBytes, retentionMs = 0 } = this.#options;
    return EmbeddedStore.open({
      folder: this.folder,
      clock: { now: () => this.now, elapsed: () => this.now },
      diskLimitBytes: 2 ** 40,
      retention: { ms: retentionMs, bytes: 20_000 },
      tailBytes,
      segmentBytes,
      blockBytes,
      disk: this.disk,
      onNotice: () => {},
    });
  }

  append(name: string, size: number): void {
    const bytes =
      size === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from(`${++this.#count}:`), this.random.bytes(size)]);
    const stream = this.store.stream(0, name);
    const before = { ms: stream.lastMs, seq: stream.lastSeq };
    // Somewhere inside a larger buffer, as a socket's chunk is.
    const padded = Buffer.concat([Buffer.from('xx'), bytes, Buffer.from('yy')]);
    const position = this.store.append(stream, 7, false, padded, 2, 2 + bytes.length, size === 0 ? 0 : 2);
    padded.fill(0);
    if (position < 0) return;
    const { lastMs: ms, lastSeq: seq } = stream;
    assert.ok(ms > before.ms || (ms === before.ms && seq > before.seq), 'ids grow');
    const newest = this.#acknowledged.findLast((entry) => entry.stream === name);
    if (newest)
      assert.ok(ms > newest.ms || (ms === newest.ms && seq > newest.seq), 'ids grow beyond what was acknowledged');
    this.#waiting.push({ stream: name, position, ms, seq, bytes });
  }

  /** Reads a batch and compares it with the next unread entries of the model. */
  async read(): Promise<boolean> {
    const batch = await this.#reader.next(LIMITS);
    if (!batch) {
      assert.equal(this.#unread().length, 0, 'every durable entry is read');
      return false;
    }
    const expected = this.#unread();
    for (const [i, entry] of batch.entries.entries()) {
      const model = expected[i];
      assert.ok(model, 'nothing is read that was not appended');
      assertSame(entry, model);
      this.#read.push({ entry, model });
    }
    const next = expected[batch.entries.length];
    assert.ok(!next || next.position >= batch.endPosition, 'a batch skips nothing');
    this.#readEnd = batch.endPosition;
    return true;
  }

  /** Whoever looks back sees acknowledged entries only, each once and in order, and everything that is not settled. */
  async checkHistory(): Promise<void> {
    const known = new Map(this.#acknowledged.map((entry) => [entry.position, entry]));
    const newest = this.#acknowledged.at(-1)?.position ?? -1;
    const missing = new Set(this.unsettled.map(({ position }) => position));
    let last = -1;
    const reader = this.store.historyReader(
      0,
      () => true,
      () => {},
    );
    for (let batch = await reader.next(LIMITS); batch; batch = await reader.next(LIMITS)) {
      for (const entry of batch.entries) {
        const model = known.get(entry.position);
        // What became durable after this check began is not in the model yet.
        if (model) assertSame(entry, model);
        else assert.ok(entry.position > newest, 'nothing is seen that was not there');
        assert.ok(entry.position > last, 'in order');
        last = entry.position;
        missing.delete(entry.position);
      }
    }
    assert.equal(missing.size, 0, 'nothing that is not settled is missing');
  }

  /** Settles what was read, all of it or a first part. */
  async settle(everything: boolean): Promise<void> {
    const count = everything ? this.#read.length : this.random.below(this.#read.length + 1);
    const position = this.#read[count]?.model.position ?? this.#readEnd;
    for (const { entry, model } of this.#read) assertSame(entry, model);
    this.#read.splice(0, count);
    const counters = new Map<StoredStream, ReturnType<typeof countersOf>>();
    for (const stream of this.store.streams()) {
      const settled = this.#acknowledged.filter((one) => one.stream === stream.rawName && one.position < position);
      counters.set(stream, countersOf(settled.length));
    }
    try {
      await this.store.settle({ position, behind: new Map(), counters });
    } catch (error) {
      assert.match(String(error), /injected/);
    }
    this.#settledPosition = this.store.checkpoint.position;
    this.#takeSnapshot();
  }

  async turns(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
  }

  async flush(): Promise<void> {
    await this.store.flush();
    assert.equal(this.#waiting.length, 0, 'after a flush everything is durable or taken back');
  }

  async close(): Promise<void> {
    await this.store.close();
    this.#keepState(true);
    this.disk = this.disk.afterKill();
  }

  /** Ends the process without warning, or the power; then starts again and compares. */
  async crash(kind: 'kill' | 'power'): Promise<void> {
    this.#keepState(kind === 'kill');
    this.disk = kind === 'kill' ? this.disk.afterKill() : this.disk.afterPowerLoss();
  }

  /** Starts on what the last process left, and reads everything that is not settled. */
  async reopen(): Promise<void> {
    await this.open();
    const found: StreamEntry[] = [];
    const reader = this.store.reader(this.#settledPosition, () => true, false);
    for (let batch = await reader.next(LIMITS); batch; batch = await reader.next(LIMITS)) found.push(...batch.entries);
    const expected = this.unsettled;
    assert.ok(found.length >= expected.length, `${expected.length - found.length} acknowledged entries are missing`);
    for (const [i, model] of expected.entries()) assertSame(found[i]!, model);
    const survivors = found.slice(expected.length);
    const attempt = [...this.#attempts, this.#waiting].find(
      (one) => survivors.length <= one.length && survivors.every((entry, i) => isSame(entry, one[i]!)),
    );
    assert.ok(attempt, 'what survives of a tail is what was appended first');
    this.#acknowledged.push(...attempt.slice(0, survivors.length));
    this.#waiting = [];
    this.#attempts = [];
    for (const { rawName: name, appended } of this.store.streams()) {
      const count = this.#acknowledged.filter((entry) => entry.stream === name).length;
      assert.equal(appended, count, `stream ${name} counts its entries`);
    }
    this.#read = [];
    this.#checkPending();
  }

  #checkPending(): void {
    for (const stream of this.store.streams()) {
      const pending = this.unsettled.filter((entry) => entry.stream === stream.rawName).length;
      assert.equal(this.store.pendingCount(stream), pending, `pending of ${stream.name}`);
    }
  }

  #unread(): ModelEntry[] {
    return this.#acknowledged.filter(({ position }) => position >= this.#readEnd);
  }

  #onDurable(): void {
    const { durable } = this.store;
    const count = this.#waiting.filter(({ position }) => position < durable).length;
    this.#acknowledged.push(...this.#waiting.splice(0, count));
    this.#attempts = [];
  }

  #onTakenBack(position: number): void {
    assert.ok(this.#waiting.every((entry) => entry.position >= position));
    this.#attempts.push(this.#waiting);
    this.#waiting = [];
  }

  #takeSnapshot(): void {
    const files = new Map(STATE_FILES.map((name) => [name, readFileSync(join(this.folder, name))]));
    this.#snapshots.push({ change: this.store.metadata.changed, files });
  }

  /** Gives the next process the state store as it is, or (after a power loss) as some later moment than its last sync. */
  #keepState(asItIs: boolean): void {
    const { synced } = this.store.metadata;
    const safe = this.#snapshots.findLastIndex(({ change }) => change <= synced);
    const possible = this.#snapshots.slice(Math.max(0, safe));
    const { files } = asItIs ? this.#snapshots.at(-1)! : this.random.pick(possible);
    rmSync(join(this.#options.folder, String(this.#incarnation - 1)), { recursive: true, force: true });
    this.#incarnation++;
    mkdirSync(this.folder, { recursive: true });
    for (const [name, bytes] of files) writeFileSync(join(this.folder, name), bytes);
  }
}

function countersOf(written: number) {
  return { written, filtered: 0, superseded: 0, rejected: 0, skipped: 0, inserted: 0, updated: 0, deleted: 0 };
}

function isSame(entry: StreamEntry, model: ModelEntry): boolean {
  const { stream, ms, seq, position, bytes, start, end } = entry;
  return (
    (stream as StoredStream).rawName === model.stream &&
    ms === model.ms &&
    seq === model.seq &&
    position === model.position &&
    model.bytes.equals(bytes.subarray(start, end))
  );
}

function assertSame(entry: StreamEntry, model: ModelEntry): void {
  assert.ok(isSame(entry, model), `the entry at ${entry.position} differs from what was appended at ${model.position}`);
}
