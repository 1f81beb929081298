import fs from 'node:fs';
import path from 'node:path';
import { StoreError } from '../errors.ts';
import type { HistogramSnapshot } from '../observe/metrics.ts';
import type { StreamEntry } from '../types.ts';
import { CheckpointStore, neededFrom } from './checkpoint-store.ts';
import { ConfigurationStore } from './configuration-store.ts';
import { type Disk, localDisk } from './disk.ts';
import { SqliteDlq } from './dlq-store.ts';
import { FeederGate } from './feeder-gate.ts';
import { HistoryReader } from './history-reader.ts';
import { Journal } from './journal.ts';
import { JournalReader } from './journal-reader.ts';
import { SqliteMetadata } from './metadata-store.ts';
import { type Recovered, recoverJournal } from './recovery.ts';
import { MAX_COMPARED_BYTES, type StoredEntry, SubBatches } from './resends.ts';
import { Reserve } from './reserve.ts';
import { finishReset } from './reset.ts';
import { SqliteSecrets } from './secret-store.ts';
import { StateStore } from './state-store.ts';
import type { DurabilityListener, EmbeddedStoreOptions } from './store-options.ts';
import { StreamRegistry } from './stream-registry.ts';
import { TargetConnectionStore } from './target-connection-store.ts';
import { Trimming } from './trimming.ts';
import type {
  CheckpointState,
  EntryReader,
  LostEntries,
  Pressure,
  Select,
  StoredStream,
  StreamCounters,
  StreamStore,
} from './types.ts';

const MIN_SEGMENT_BYTES = 1 << 20;
const MAX_SEGMENT_BYTES = 64 << 20;
const BLOCK_BYTES = 1 << 20;
const LOOK = { entries: 1000, bytes: 1 << 20 };
/** Shares of the disk limit at which feeders are held back, harder and harder (spec/debezium-sink-protocol.md §6). */
const FULL_AT = 0.8;
const RESUME_AT = 0.8 * FULL_AT;
const PACED_AT = 0.9;

/** The store inside the process: journal and state store in one folder. Promises and formats stand in `index.ts`. */
export class EmbeddedStore implements StreamStore {
  readonly metadata: SqliteMetadata;
  readonly deadLetters: SqliteDlq;
  readonly targetConnections: TargetConnectionStore;
  readonly secretStore: SqliteSecrets;
  readonly configuration: ConfigurationStore;
  checkpoint: CheckpointState;
  readonly subBatches: SubBatches;
  readonly #options: EmbeddedStoreOptions;
  readonly #state: StateStore;
  readonly #checkpoints: CheckpointStore;
  readonly #reserve: Reserve;
  readonly #disk: Disk;
  readonly #journal: Journal;
  readonly #streams: StreamRegistry;
  readonly #gate: FeederGate;
  readonly #trimming: Trimming;
  readonly #listeners = new Set<DurabilityListener>();
  readonly #waiting: (() => void)[] = [];
  #isFull = false;
  #isClosed = false;

  private constructor(options: EmbeddedStoreOptions, state: StateStore, disk: Disk, recovered: Recovered) {
    this.#options = options;
    this.#state = state;
    this.#disk = disk;
    this.#checkpoints = new CheckpointStore(state);
    this.#reserve = new Reserve(options.folder);
    this.#streams = new StreamRegistry(recovered.streams);
    this.metadata = new SqliteMetadata(state, () => options.clock.now());
    this.deadLetters = new SqliteDlq(
      state,
      (change) => this.#reserve.use(change),
      (number, change) => this.#changeAccount(number, change),
    );
    this.targetConnections = new TargetConnectionStore(state, (change) => this.#reserve.use(change));
    this.secretStore = new SqliteSecrets(state);
    this.configuration = new ConfigurationStore(state);
    this.#gate = new FeederGate(this.configuration, options.onNotice);
    this.checkpoint = this.#checkpoints.load(recovered.streams);
    const share = Math.min(MAX_SEGMENT_BYTES, Math.max(MIN_SEGMENT_BYTES, options.diskLimitBytes / 32));
    this.#journal = new Journal(
      {
        disk,
        segmentBytes: options.segmentBytes ?? share,
        tailBytes: options.tailBytes,
        blockBytes: options.blockBytes ?? BLOCK_BYTES,
        now: () => options.clock.now(),
      },
      { onDurable: () => this.#onDurable(), onTakenBack: (position, cause) => this.#onTakenBack(position, cause) },
      recovered,
      () => this.#streams.all,
    );
    this.subBatches = new SubBatches(recovered.subBatches, (positions) => this.#readEntries(positions));
    this.#trimming = new Trimming({
      journal: this.#journal,
      state,
      reserve: this.#reserve,
      clock: options.clock,
      retention: options.retention,
      neededFrom: () => neededFrom(this.checkpoint),
    });
  }

  /** Opens the folder, or makes it. Throws `STORE_LOCKED`, `STORE_DAMAGED` or `STORE_FAILED` with place and remedy. */
  static async open(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
    try {
      fs.mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw new StoreError('STORE_FAILED', `The data folder ${options.folder} cannot be made`, {
        fix: 'Give a folder that this user may write with --data-dir',
        cause,
      });
    }
    const state = new StateStore(options.folder);
    try {
      await finishReset(options.folder, state);
      const disk = options.disk ?? localDisk(path.join(options.folder, 'journal'));
      const checkpoints = new CheckpointStore(state);
      const known = { settled: checkpoints.lowestPosition(), durable: checkpoints.durable() };
      const recovered = await recoverJournal(disk, known);
      if (recovered.tornBytes > 0) {
        options.onNotice({
          level: 'warn',
          message: `Cut ${recovered.tornBytes} bytes of a torn tail off the journal; none of them had been acknowledged.`,
        });
      }
      const store = new EmbeddedStore(options, state, disk, recovered);
      store.#reserve.fill();
      return store;
    } catch (error) {
      state.close();
      throw error;
    }
  }

  get appended(): number {
    return this.#journal.appended;
  }

  get durable(): number {
    return this.#journal.durable;
  }

  get bytes(): number {
    return this.#journal.bytes;
  }

  get limitBytes(): number {
    return this.#options.diskLimitBytes;
  }

  /** Bytes of entries held in memory for the engine. */
  get bufferedBytes(): number {
    return this.#journal.bufferedBytes;
  }

  get segments(): number {
    return this.#journal.segments.length;
  }

  /** How long the disk took to make entries durable, in seconds. */
  get syncs(): HistogramSnapshot {
    return this.#journal.syncs.snapshot();
  }

  /** After a reset: feeders that were running before it are refused until one starts anew. */
  get awaitsFeeder(): boolean {
    return this.#gate.isShut;
  }

  feederStarts(): void {
    this.#gate.open();
  }

  get pressure(): Pressure {
    if (this.#journal.isRefusing || this.#gate.isShut) return 'refusing';
    const { bytes, appended } = this.#journal;
    // The newest segment stays although all of it is settled. Counted in, it could hold feeders back with nothing to wait for.
    const share = Math.min(bytes, appended - neededFrom(this.checkpoint)) / this.#options.diskLimitBytes;
    this.#isFull = share >= (this.#isFull ? RESUME_AT : FULL_AT);
    if (!this.#isFull) return 'none';
    return share >= 1 ? 'refusing' : share >= PACED_AT ? 'paced' : 'full';
  }

  stream(db: number, rawName: string): StoredStream {
    return this.#streams.of(db, rawName);
  }

  find(db: number, rawName: string): StoredStream | undefined {
    return this.#streams.find(db, rawName);
  }

  streams(): readonly StoredStream[] {
    return this.#streams.all;
  }

  append(
    stream: StoredStream,
    origin: number,
    startsSubBatch: boolean,
    bytes: Buffer,
    start: number,
    end: number,
    fieldCount: number,
    explicitId?: readonly [number, number],
  ): number {
    const now = this.#options.clock.now();
    let ms = Math.max(now, stream.lastMs);
    let seq = ms === stream.lastMs ? stream.lastSeq + 1 : 0;
    if (explicitId && isAfter(explicitId, stream)) [ms, seq] = explicitId;
    const position = this.#journal.append(stream, ms, seq, origin, startsSubBatch, fieldCount, bytes, start, end);
    if (position < 0) return position;
    if (origin !== 0) this.subBatches.note(origin, startsSubBatch, position);
    stream.lastMs = ms;
    stream.lastSeq = seq;
    stream.lastArrivalMs = now;
    return position;
  }

  /** Resolves when everything appended so far is durable or taken back. */
  flush(): Promise<void> {
    return this.#journal.flush();
  }

  addListener(listener: DurabilityListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  reader(position: number, select: Select, releases: boolean, tellsLost = releases): EntryReader {
    const reader = new JournalReader(
      {
        journal: this.#journal,
        disk: this.#disk,
        select: this.#streams.selecting(select),
        isEngine: releases,
      },
      Math.max(position, this.#journal.segments[0]?.base ?? position),
    );
    return {
      get position() {
        return reader.position;
      },
      seek: (to) => reader.seek(to),
      release: (to) => {
        if (releases) this.#journal.pool.settled(to);
      },
      next: async (limits, until) => {
        const batch = await reader.next(limits, until);
        if (releases) this.#journal.setReadPosition(reader.position);
        if (tellsLost && batch?.lost) this.#tellLost(batch.lost);
        return batch;
      },
    };
  }

  laneReader(position: number, select: Select): EntryReader {
    return this.reader(position, select, false, true);
  }

  /** Where the segments of the journal begin, oldest first, and when the last entry came into each; null: still open. */
  get history(): readonly { readonly position: number; readonly endedMs: number | null }[] {
    const { segments } = this.#journal;
    const last = segments.length - 1;
    return segments.map(({ base, endedMs }, i) => ({ position: base, endedMs: i === last ? null : (endedMs ?? null) }));
  }

  /** A reader for people who look, settled entries included; what is damaged or deleted meanwhile is passed by. */
  historyReader(position: number, select: Select, onDamaged: (message: string) => void): HistoryReader {
    const selected = this.#streams.selecting(select);
    return new HistoryReader({ journal: this.#journal, disk: this.#disk, select: selected, onDamaged }, position);
  }

  /** Whether the entry is settled, as of the checkpoint that was stored last. */
  isSettled({ stream, position }: Pick<StreamEntry, 'stream' | 'position'>): boolean {
    return position < (this.checkpoint.behind.get(stream as StoredStream)?.position ?? this.checkpoint.position);
  }

  async *pending(stream: StoredStream): AsyncGenerator<StreamEntry> {
    const from = this.checkpoint.behind.get(stream)?.position ?? this.checkpoint.position;
    const reader = this.reader(from, (other) => other === stream, false);
    for (let batch = await reader.next(LOOK); batch; batch = await reader.next(LOOK)) yield* batch.entries;
  }

  pendingCount(stream: StoredStream): number {
    const c = this.checkpoint.counters.get(stream);
    return stream.appended - (c ? c.written + c.filtered + c.superseded + c.rejected + c.skipped : 0);
  }

  arrival(position: number): Promise<void> {
    if (this.#journal.durable > position || this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Keeps the copy of an account true to what was stored of it together with the end of rejected records. */
  #changeAccount(number: number, change: Readonly<Partial<StreamCounters>>): void {
    const stream = this.#streams.numbered(number);
    const counters = stream && this.checkpoint.counters.get(stream);
    if (!counters) return;
    for (const [name, by] of Object.entries(change)) counters[name as keyof StreamCounters] += by;
  }

  async settle(checkpoint: CheckpointState): Promise<void> {
    this.#reserve.use(() => this.#checkpoints.save(checkpoint, this.#journal.durable));
    const counters = new Map([...this.checkpoint.counters, ...checkpoint.counters]);
    this.checkpoint = { position: checkpoint.position, behind: new Map(checkpoint.behind), counters };
    // While a stream is behind, entries before the position are read again and may be on their way.
    if (checkpoint.behind.size === 0) this.#journal.pool.settled(checkpoint.position);
    if (this.#journal.isRefusing) this.#trimming.lendReserve();
    await this.#trimming.trim();
  }

  /** A text that another room keeps about a stream across restarts; null when there is none. */
  memory(stream: StoredStream): string | null {
    const sql = 'SELECT memory FROM stream_memory WHERE db = ? AND name = ?';
    const row = this.#state.prepare(sql).get(stream.db, stream.rawName) as { memory: string } | undefined;
    return row?.memory ?? null;
  }

  /** Keeps a text about a stream. It is durable no later than the next checkpoint. */
  remember(stream: StoredStream, memory: string): void {
    const put = this.#state.prepare('INSERT OR REPLACE INTO stream_memory VALUES (?, ?, ?)');
    this.#reserve.use(() => this.#state.transaction(() => put.run(stream.db, stream.rawName, memory)));
  }

  sync(): Promise<void> {
    return this.#state.sync();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#trimming.close();
    await this.#journal.close();
    this.#isClosed = true;
    try {
      this.#reserve.use(() => this.#checkpoints.saveDurable(this.#journal.durable));
      await this.#state.sync();
    } catch (cause) {
      const message = `The end of the journal cannot be noted: ${(cause as Error).message}`;
      this.#options.onNotice({ level: 'warn', message });
    } finally {
      this.#state.close();
      this.#wakeReaders();
    }
  }

  #onDurable(): void {
    this.#trimming.afterGroup();
    for (const listener of this.#listeners) listener.onDurable();
    this.#wakeReaders();
  }

  #onTakenBack(position: number, cause: Error): void {
    const code = (cause as NodeJS.ErrnoException).code ?? cause.message;
    this.#options.onNotice({
      level: 'error',
      message: `The disk refused the journal (${code}). Feeders are told to wait; nothing acknowledged is lost. Free some space or repair the disk.`,
    });
    this.subBatches.forgetFrom(position);
    this.#trimming.onRefused();
    for (const listener of this.#listeners) listener.onTakenBack(position);
  }

  #tellLost(lost: readonly LostEntries[]): void {
    for (const { stream, count, position } of lost) {
      const message = `${count} entries of ${stream.name} were lost to damage (repaired at position ${position}). They are counted as skipped.`;
      this.#options.onNotice({ level: 'warn', message });
    }
  }

  #wakeReaders(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** The entries at these positions, in one go over the stretch that holds them; fewer when it is too long. */
  async #readEntries(positions: readonly number[]): Promise<StoredEntry[]> {
    const [first, last] = [positions[0] as number, positions[positions.length - 1] as number];
    const entries: StoredEntry[] = [];
    if (last - first > MAX_COMPARED_BYTES) return entries;
    if (first < (this.#journal.segments[0]?.base ?? Number.POSITIVE_INFINITY)) return entries;
    const wanted = new Set(positions);
    const reader = this.reader(first, (_stream, position) => wanted.has(position), false);
    while (reader.position <= last) {
      const batch = await reader.next(LOOK);
      if (!batch) break;
      entries.push(...(batch.entries as StoredEntry[]));
    }
    return entries;
  }
}

function isAfter([ms, seq]: readonly [number, number], stream: StoredStream): boolean {
  return ms > stream.lastMs || (ms === stream.lastMs && seq > stream.lastSeq);
}
