import { Histogram } from '../observe/metrics.ts';
import { BlockPool } from './block-pool.ts';
import type { Disk } from './disk.ts';
import { MemoryTail } from './memory-tail.ts';
import { type Block, HEADER_BYTES, KIND, packKind, paddedTo8, readHeader, writeRecord } from './record-format.ts';
import { type Segment, segmentName } from './segments.ts';
import type { StoredStream } from './types.ts';

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5000;

export interface JournalOptions {
  disk: Disk;
  /** A new segment begins when the last one holds this many bytes. */
  segmentBytes: number;
  /** Bytes of the newest entries that stay in memory for the engine; older ones are read back from disk. */
  tailBytes: number;
  /** Size of the blocks that hold entries in memory; larger entries get one of their own. */
  blockBytes: number;
  /** ms since the epoch. */
  now: () => number;
}

/** What the journal tells its owner. Both are called between turns of the event loop, never inside `append`. */
export interface JournalEvents {
  /** Everything before `durable` is durable. */
  onDurable(): void;
  /** The disk failed: everything from `position` on was taken back and is not stored. */
  onTakenBack(position: number, cause: Error): void;
}

/**
 * The append-only log: memory blocks in front, segment files behind, group commit between. Format and promises stand
 * in `index.ts`. It knows nothing of checkpoints: its owner calls {@link trim}.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #events: JournalEvents;
  readonly #streams: () => readonly StoredStream[];
  readonly segments: Segment[];
  readonly pool: BlockPool;
  /** How long the disk took to make what was written durable, in seconds. */
  readonly syncs = new Histogram();
  readonly #tail: MemoryTail;
  readonly #declared = new Set<number>();
  /** Positions at which a new segment begins and that are not on disk yet. */
  #boundaries: number[] = [];
  /** Segments that were taken back and could not be removed. */
  #leftovers: string[] = [];
  #hasActive = false;
  /** Position behind the header of the newest segment. */
  #contentBase = 0;
  #appended: number;
  #durable: number;
  /** Position after the seal of the last group while nothing was appended behind it, else -1. */
  #sealEnd = -1;
  #scheduled = false;
  #running: Promise<void> | null = null;
  #probe: NodeJS.Timeout | undefined;
  #failures = 0;
  #closed = false;

  /** `end`: position where recovery ended; `streams`: all known ones, for the segment headers. */
  constructor(
    options: JournalOptions,
    events: JournalEvents,
    recovered: { segments: Segment[]; end: number },
    streams: () => readonly StoredStream[],
  ) {
    this.#options = options;
    this.#events = events;
    this.#streams = streams;
    this.segments = recovered.segments;
    this.pool = new BlockPool(options.blockBytes);
    this.#appended = recovered.end;
    this.#durable = recovered.end;
    this.#tail = new MemoryTail(this.pool, options.tailBytes, recovered.end);
  }

  /** Position after the last entry that was appended. */
  get appended(): number {
    return this.#isIdle ? this.#durable : this.#appended;
  }

  get durable(): number {
    return this.#durable;
  }

  /** True from a disk failure until a probe write is durable again, and after `close`. Appends are refused. */
  get isRefusing(): boolean {
    return this.#failures > 0 || this.#closed;
  }

  /** True when nothing waits to be made durable. */
  get #isIdle(): boolean {
    return this.#appended === this.#durable || this.#appended === this.#sealEnd;
  }

  /** Bytes that the segments hold on disk, those in flight included. */
  get bytes(): number {
    return this.#appended - (this.segments[0]?.base ?? this.#durable);
  }

  /** Bytes of the blocks in memory. */
  get bufferedBytes(): number {
    return this.#tail.bytes;
  }

  /** Appends one entry and returns its position, or -1 while refusing. It is durable once `durable` is beyond that. */
  append(
    stream: StoredStream,
    ms: number,
    seq: number,
    origin: number,
    startsSubBatch: boolean,
    fieldCount: number,
    source: Buffer,
    start: number,
    end: number,
  ): number {
    if (this.isRefusing) return -1;
    if (!this.#hasActive || this.#appended - this.#contentBase >= this.#options.segmentBytes) this.#beginSegment();
    if (!this.#declared.has(stream.number)) this.#declare(stream);
    const packed = packKind(KIND.entry, fieldCount, startsSubBatch);
    const position = this.#write(packed, ms, seq, stream.number, origin, source, start, end);
    stream.appended++;
    this.#schedule();
    return position;
  }

  /** Resolves when everything appended before the call is durable or taken back. */
  async flush(): Promise<void> {
    const target = this.appended;
    while (this.#durable < target && this.#appended >= target) {
      this.#schedule();
      await (this.#running ?? new Promise<void>((resolve) => setImmediate(resolve)));
    }
  }

  /** The block in memory that holds `position`, or null: then it is on disk. */
  blockAt(position: number): Block | null {
    return this.#tail.blockAt(position);
  }

  /** The segment that holds a durable `position`, and the position where the segment ends. */
  segmentAt(position: number): { segment: Segment; end: number } | null {
    for (let i = this.segments.length - 1; i >= 0; i--) {
      const segment = this.segments[i] as Segment;
      if (segment.base <= position) return { segment, end: this.segments[i + 1]?.base ?? this.#durable };
    }
    return null;
  }

  /** The engine has read everything before `position`; blocks before it need not stay in memory. */
  setReadPosition(position: number): void {
    this.#tail.read(position);
    this.#tail.release(this.#durable);
  }

  /**
   * Deletes the segments that end at or before `position`. The last one with durable content stays: its header is what
   * a start knows the streams from.
   */
  trim(position: number): void {
    for (let next = this.segments[1]; next && next.base <= position && next.base < this.#durable; ) {
      const segment = this.segments.shift() as Segment;
      segment.file.close();
      this.#options.disk.remove(segment.name);
      next = this.segments[1];
    }
  }

  async close(): Promise<void> {
    const flushed = this.flush();
    this.#closed = true;
    await flushed;
    await this.#running;
    clearTimeout(this.#probe);
    for (const segment of this.segments) segment.file.close();
    this.segments.length = 0;
  }

  #beginSegment(): void {
    this.#hasActive = true;
    this.#boundaries.push(this.#appended);
    const header = {
      version: 1,
      streams: this.#streams().map(({ number, db, rawName, lastMs, lastSeq, appended }) => ({
        number,
        db,
        name: rawName,
        lastMs,
        lastSeq,
        appended,
      })),
    };
    for (const stream of this.#streams()) this.#declared.add(stream.number);
    this.#writeJson(KIND.segmentHeader, header);
    // The header of many streams is large, and must not count as content, or every entry would begin a segment.
    this.#contentBase = this.#appended;
  }

  #declare(stream: StoredStream): void {
    this.#declared.add(stream.number);
    this.#writeJson(KIND.stream, { number: stream.number, db: stream.db, name: stream.rawName });
  }

  #writeJson(kind: number, body: unknown): void {
    const bytes = Buffer.from(JSON.stringify(body));
    this.#write(packKind(kind, 0, false), 0, 0, 0, 0, bytes, 0, bytes.length);
  }

  #write(
    packed: number,
    ms: number,
    seq: number,
    stream: number,
    origin: number,
    source: Buffer,
    start: number,
    end: number,
  ): number {
    const block = this.#tail.room(this.#appended, HEADER_BYTES + paddedTo8(end - start));
    const position = block.base + block.used;
    block.used = writeRecord(block, block.used, ms, seq, stream, origin, packed, source, start, end);
    this.#appended = block.base + block.used;
    return position;
  }

  /** Starts a group after this turn of the event loop, so that all connections that were readable share it. */
  #schedule(): void {
    if (this.#scheduled || this.#running) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#running = this.#commitGroup().finally(() => {
        this.#running = null;
        if (!this.#isIdle) this.#schedule();
      });
    });
  }

  async #commitGroup(): Promise<void> {
    const from = this.#durable;
    if (this.#isIdle) return;
    this.#writeJson(KIND.commit, { durable: from });
    const to = this.#appended;
    try {
      await this.#writeOut(from, to);
    } catch (cause) {
      await this.#takeBack(from, cause as Error);
      return;
    }
    this.#durable = to;
    this.#failures = 0;
    this.#tail.release(this.#durable);
    this.#events.onDurable();
    if (this.#appended === to) await this.#seal();
  }

  /**
   * Says behind the last group that it was durable, so that damage in it is not taken for a torn tail. Written without
   * a sync, and only when nothing follows at once: the next group says the same. It becomes durable with that group.
   */
  async #seal(): Promise<void> {
    const from = this.#durable;
    this.#writeJson(KIND.commit, { durable: from });
    this.#sealEnd = this.#appended;
    const segment = this.segments[this.segments.length - 1] as Segment;
    try {
      await segment.file.write(this.#tail.buffers(from, this.#sealEnd), from - segment.base);
    } catch (cause) {
      await this.#takeBack(from, cause as Error);
    }
  }

  /** Writes positions `[from, to)` to their segments and makes them durable, creating segments at the boundaries. */
  async #writeOut(from: number, to: number): Promise<void> {
    let at = from;
    while (at < to) {
      if (this.#boundaries[0] === at) {
        await this.#removeLeftovers();
        this.#boundaries.shift();
        this.#createSegment(at);
        await this.#options.disk.syncDirectory();
      }
      const end = Math.min(to, this.#boundaries[0] ?? to);
      const segment = this.segments[this.segments.length - 1] as Segment;
      await segment.file.write(this.#tail.buffers(at, end), at - segment.base);
      const startedAt = performance.now();
      await segment.file.datasync();
      this.syncs.observe((performance.now() - startedAt) / 1000);
      at = end;
    }
  }

  #createSegment(base: number): void {
    const name = segmentName(base);
    const before = this.segments[this.segments.length - 1];
    if (before) before.endedMs = this.#options.now();
    this.segments.push({ base, name, file: this.#options.disk.open(name, 'create') });
  }

  /**
   * Forgets everything from `position` on after a failed write or sync. The file is not trusted any more (after a
   * failed sync the kernel may have dropped the pages and call them clean), so a new segment begins at `position`.
   */
  async #takeBack(position: number, cause: Error): Promise<void> {
    this.#tail.cut(position, (block, offset) => this.#takeBackRecord(block, offset));
    this.#appended = position;
    this.#sealEnd = -1;
    this.#boundaries = [];
    this.#hasActive = false;
    this.#failures++;
    this.#events.onTakenBack(position, cause);
    await this.#closeTorn(position);
    if (this.#closed) return;
    const backoffMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
    this.#probe = setTimeout(() => {
      // Feeders that see a full store send nothing, so the journal itself finds out when the disk works again.
      this.#beginSegment();
      this.#schedule();
    }, backoffMs);
  }

  #takeBackRecord(block: Block, offset: number): void {
    const header = readHeader(block, offset);
    if (header.kind === KIND.entry) {
      const stream = this.#streams().find(({ number }) => number === header.stream);
      if (stream) stream.appended--;
    } else if (header.kind === KIND.segmentHeader || header.kind === KIND.stream) {
      // Whatever these declared is declared again by the header of the next segment.
      this.#declared.clear();
    }
  }

  /** Cuts what was not made durable off the last segment; a segment without durable content is removed. */
  async #closeTorn(position: number): Promise<void> {
    while ((this.segments[this.segments.length - 1]?.base ?? -1) >= position) {
      const segment = this.segments.pop() as Segment;
      segment.file.close();
      this.#leftovers.push(segment.name);
    }
    const last = this.segments[this.segments.length - 1];
    try {
      await this.#removeLeftovers();
      last?.file.truncate(position - last.base);
    } catch {
      // They are removed before the next segment is made; bytes beyond the next segment's base are ignored by every reader.
    }
  }

  /**
   * Removes segments that were taken back, the newest first, each for good before the next: a start must never find a
   * segment without the one before it, nor, behind what is written from now on, one that was taken back.
   */
  async #removeLeftovers(): Promise<void> {
    for (let name = this.#leftovers[0]; name !== undefined; name = this.#leftovers[0]) {
      this.#options.disk.remove(name);
      await this.#options.disk.syncDirectory();
      this.#leftovers.shift();
    }
  }
}
