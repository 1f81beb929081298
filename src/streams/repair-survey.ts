import path from 'node:path';
import type { Disk } from './disk.ts';
import {
  type Block,
  HEADER_BYTES,
  isPlaced,
  KIND,
  readHeader,
  readJsonBody,
  recordLength,
  type SegmentHeader,
} from './record-format.ts';
import type { KnownPositions } from './recovery.ts';
import { listSegments, lookBehindDamage, readBlock, type Segment, scanSegment } from './segments.ts';

const HINT_BYTES = 4 << 20;

/** What the state store knows of the journal. */
export interface KnownState extends KnownPositions {
  readonly streams: readonly {
    number: number;
    db: number;
    rawName: string;
    settledEntries: number;
    settledTo: number;
  }[];
  /** Positions up to which the engine, or a stream that is behind, has settled: a reader may begin there. */
  readonly boundaries: readonly number[];
  /** The one of the engine. */
  readonly position: number;
}

/** Bytes that had been acknowledged and cannot be read. */
export interface DamagedStretch {
  /** Path of the segment; of where it should be, when the file is missing. */
  readonly file: string;
  readonly offset: number;
  /** Bytes that are there; 0 when they are missing. */
  readonly bytes: number;
  /** Bytes that should be there. */
  readonly length: number;
  /** Path of the copy that a repair makes. */
  readonly copy: string;
  readonly lost: LostOfStream[];
}

export interface LostOfStream {
  readonly stream: string;
  /** Entries that are lost here, as far as can be known. */
  count: number;
  /** Ids of the last entry before and of the first one after the stretch; null when there is none. */
  readonly before: string | null;
  after: string | null;
}

/** A part of a stretch that no reader begins in: gaps are written over it. */
export interface DamagedPiece {
  /** Base of the segment that holds it. */
  readonly segment: number;
  readonly position: number;
  readonly until: number;
  readonly lost: Map<number, number>;
  readonly stretch: DamagedStretch;
}

export interface SurveyedStream {
  readonly number: number;
  readonly db: number;
  readonly rawName: string;
  lastMs: number;
  lastSeq: number;
  /** Entries appended up to here; null while unknown. */
  total: number | null;
  hasLost: boolean;
}

export interface Survey {
  readonly segments: Segment[];
  readonly damaged: DamagedStretch[];
  readonly pieces: DamagedPiece[];
  readonly streams: Map<number, SurveyedStream>;
  readonly tornBytes: number;
  /** Position at which the journal goes on. */
  readonly end: number;
  sizeOf(segment: Segment): number;
  resize(segment: Segment, size: number): void;
}

/**
 * Reads all segments that are still needed, and works out which entries are missing: what one header (or the checkpoint) says
 * was appended, less what the one before said, less what can be read between the two. Where nothing says it, damaged
 * records count whose headers look right. Changes nothing.
 */
export async function surveyJournal(disk: Disk, known: KnownState, copies: string): Promise<Survey> {
  return new Surveyor(disk, known, copies).survey();
}

class Surveyor {
  readonly #disk: Disk;
  readonly #known: KnownState;
  readonly #copies: string;
  readonly #segments: Segment[];
  readonly #sizes: Map<number, number>;
  readonly #damaged: DamagedStretch[] = [];
  readonly #pieces: DamagedPiece[] = [];
  readonly #hints = new Map<DamagedPiece, Map<number, number>>();
  readonly #streams = new Map<number, SurveyedStream>();
  /** By stream: index of the first piece behind the place where its total was last known for sure. */
  readonly #sureUntil = new Map<number, number>();
  readonly #boundaries: number[];
  #tornBytes = 0;
  /** From here on every stream is declared before its first entry. */
  #knowsStreams = false;

  constructor(disk: Disk, known: KnownState, copies: string) {
    this.#disk = disk;
    this.#known = known;
    this.#copies = copies;
    const listed = listSegments(disk);
    const needed = listed.filter((_, i) => i === listed.length - 1 || (listed[i + 1]?.base ?? 0) > known.settled);
    this.#segments = needed.map(({ base, name }) => ({ base, name, file: disk.open(name, 'existing') }));
    this.#sizes = new Map(needed.map(({ base, size }) => [base, size]));
    this.#boundaries = [...new Set(known.boundaries)].sort((a, b) => a - b);
    for (const { number, db, rawName } of known.streams) {
      this.#streams.set(number, newSurveyed(number, db, rawName, null));
    }
  }

  async survey(): Promise<Survey> {
    const { settled } = this.#known;
    const segments = [...this.#segments];
    const first = segments[0]?.base ?? this.#known.durable;
    if (first === 0) this.#startFromNothing();
    if (first > settled) await this.#addStretch(null, settled, first, settled);
    let end = first;
    for (const [i, segment] of segments.entries()) {
      const next = segments[i + 1];
      end = next ? await this.#surveyOlder(segment, next.base) : await this.#surveyLast(segment);
    }
    this.#passBoundaries(Number.POSITIVE_INFINITY);
    this.#useHints();
    this.#relievePieces();
    this.#countLosses();
    return {
      segments: this.#segments,
      damaged: this.#damaged.map((one) => ({ ...one, lost: one.lost.filter(({ count }) => count > 0) })),
      pieces: this.#pieces,
      streams: this.#streams,
      tornBytes: this.#tornBytes,
      end,
      sizeOf: ({ base }) => this.#sizes.get(base) ?? 0,
      resize: (segment, size) => {
        segment.file.truncate(size);
        this.#sizes.set(segment.base, size);
      },
    };
  }

  #startFromNothing(): void {
    this.#knowsStreams = true;
    for (const stream of this.#streams.values()) stream.total = 0;
  }

  async #surveyOlder(segment: Segment, end: number): Promise<number> {
    const size = Math.min(this.#sizes.get(segment.base) ?? 0, end - segment.base);
    for (let from = await this.#scan(segment, size, 0); segment.base + from < end; ) {
      const { nextValid } = await lookBehindDamage(segment, from, size);
      const until = nextValid < size ? segment.base + nextValid : end;
      await this.#addStretch(segment, segment.base + from, until, segment.base + size);
      from = await this.#scan(segment, size, until - segment.base);
    }
    return end;
  }

  /** The last segment may end in a torn tail, by the same rule as at a start. */
  async #surveyLast(segment: Segment): Promise<number> {
    const { durable } = this.#known;
    const size = this.#sizes.get(segment.base) ?? 0;
    let from = await this.#scan(segment, size, 0);
    while (from < size) {
      const { nextValid, wasDurable } = await lookBehindDamage(segment, from, size);
      if (!wasDurable && segment.base + from >= durable) {
        this.#tornBytes = size - from;
        return segment.base + from;
      }
      const until = nextValid < size ? segment.base + nextValid : Math.max(durable, segment.base + ((size + 7) & ~7));
      await this.#addStretch(segment, segment.base + from, until, segment.base + size);
      from = Math.max(until - segment.base, await this.#scan(segment, size, until - segment.base));
    }
    if (segment.base + from >= durable) return segment.base + from;
    await this.#addStretch(segment, segment.base + from, durable, segment.base + size);
    return durable;
  }

  #scan(segment: Segment, size: number, from: number): Promise<number> {
    return scanSegment(segment, size, (block, offset) => this.#visit(block, offset), from);
  }

  #visit(block: Block, offset: number): void {
    this.#passBoundaries(block.base + offset);
    const { kind, stream: number, ms, seq } = readHeader(block, offset);
    if (kind === KIND.segmentHeader) {
      const { streams } = readJsonBody(block, offset) as SegmentHeader;
      const listed = new Set(streams.map((one) => one.number));
      for (const [known, stream] of this.#streams) if (!listed.has(known)) this.#settleTotal(stream, 0);
      this.#knowsStreams = true;
      for (const one of streams) {
        const stream = this.#stream(one.number, one.db, one.name);
        this.#settleTotal(stream, one.appended);
        if (one.lastMs > stream.lastMs) [stream.lastMs, stream.lastSeq] = [one.lastMs, one.lastSeq];
      }
    } else if (kind === KIND.stream) {
      const declared = readJsonBody(block, offset) as { number: number; db: number; name: string };
      this.#stream(declared.number, declared.db, declared.name).total ??= 0;
    } else if (kind === KIND.gap && seq > 0) {
      const stream = this.#stream(number);
      if (stream.total !== null) stream.total += seq;
    } else if (kind === KIND.entry) {
      const stream = this.#stream(number);
      if (stream.total !== null) stream.total++;
      [stream.lastMs, stream.lastSeq] = [ms, seq];
      for (const stretch of this.#damaged) {
        for (const lost of stretch.lost) if (lost.stream === nameOf(stream)) lost.after ??= `${ms}-${seq}`;
      }
    }
  }

  /** A stream by number. Entries whose declaration is damaged must not be lost with it, so it gets a made-up name. */
  #stream(number: number, db = 0, rawName?: string): SurveyedStream {
    const known = this.#streams.get(number);
    if (known && (rawName === undefined || known.rawName === rawName)) return known;
    const stream = newSurveyed(
      number,
      db,
      rawName ?? `recovered:${number}`,
      known ? known.total : this.#knowsStreams ? 0 : null,
    );
    if (known) Object.assign(stream, { lastMs: known.lastMs, lastSeq: known.lastSeq, hasLost: known.hasLost });
    this.#streams.set(number, stream);
    return stream;
  }

  /** What was settled is counted: a stream's total is sure again at the position where its settled part ends. */
  #passBoundaries(position: number): void {
    while (this.#boundaries.length > 0 && (this.#boundaries[0] as number) <= position) {
      const boundary = this.#boundaries.shift() as number;
      // Of a stream that the state store does not know nothing is settled yet.
      if (boundary === this.#known.position) this.#knowsStreams = true;
      for (const { number, settledEntries, settledTo } of this.#known.streams) {
        const stream = this.#stream(number);
        if (settledTo === boundary) this.#settleTotal(stream, settledEntries);
      }
    }
  }

  /** At this place `total` entries had been appended: what is short of it is lost in the pieces since the last such place. */
  #settleTotal(stream: SurveyedStream, total: number): void {
    const { number } = stream;
    const pieces = this.#pieces.slice(this.#sureUntil.get(number) ?? 0);
    this.#sureUntil.set(number, this.#pieces.length);
    const missing = stream.total === null ? null : Math.max(0, total - stream.total);
    if (missing === null) this.#spread(stream, pieces, Number.POSITIVE_INFINITY, false);
    else this.#spread(stream, pieces, missing, true);
    stream.total = total;
  }

  #useHints(): void {
    for (const stream of this.#streams.values()) {
      const pieces = this.#pieces.slice(this.#sureUntil.get(stream.number) ?? 0);
      const lost = this.#spread(stream, pieces, Number.POSITIVE_INFINITY, false);
      stream.total = (stream.total ?? 0) + lost;
    }
  }

  /** Puts at most `missing` lost entries where damaged records of the stream were seen; `all`: the rest as well. */
  #spread(stream: SurveyedStream, pieces: readonly DamagedPiece[], missing: number, all: boolean): number {
    let left = missing;
    let spread = 0;
    for (const piece of pieces) {
      const count = Math.min(left, this.#hints.get(piece)?.get(stream.number) ?? 0);
      this.#lose(stream, piece, count);
      left -= count;
      spread += count;
    }
    if (!all || left === 0 || pieces.length === 0) return spread;
    this.#lose(
      stream,
      pieces.reduce((best, piece) => (freeGaps(piece) > freeGaps(best) ? piece : best)),
      left,
    );
    return spread + left;
  }

  /** A piece has room for a gap per record that it held. Where damaged headers misled, streams move to pieces with room. */
  #relievePieces(): void {
    const settledTo = new Map(this.#known.streams.map(({ number, settledTo }) => [number, settledTo]));
    for (const piece of this.#pieces) {
      for (const [number, count] of [...piece.lost]) {
        if (freeGaps(piece) >= 0) break;
        const settled = settledTo.get(number) ?? this.#known.position;
        const isSettled = piece.position < settled;
        const others = this.#pieces.filter((other) => other !== piece && other.position < settled === isSettled);
        const other = others.find(({ lost }) => lost.has(number)) ?? others.find((one) => freeGaps(one) > 0);
        if (!other) continue;
        piece.lost.delete(number);
        other.lost.set(number, (other.lost.get(number) ?? 0) + count);
      }
    }
  }

  #countLosses(): void {
    for (const { stretch, lost } of this.#pieces) {
      for (const [number, count] of lost) {
        const stream = nameOf(this.#stream(number));
        const known = stretch.lost.find((one) => one.stream === stream);
        if (known) known.count += count;
        else stretch.lost.push({ stream, count, before: null, after: null });
      }
    }
  }

  #lose(stream: SurveyedStream, piece: DamagedPiece, count: number): void {
    if (count === 0) return;
    stream.hasLost = true;
    piece.lost.set(stream.number, (piece.lost.get(stream.number) ?? 0) + count);
  }

  /** Notes the stretch and cuts it into pieces where a reader may begin. `segment` is null when its file is missing. */
  async #addStretch(segment: Segment | null, position: number, until: number, fileEnd: number): Promise<void> {
    const base = segment?.base ?? position;
    const name = segment?.name ?? `${position.toString(16).padStart(16, '0')}.journal`;
    const offset = position - base;
    const stretch: DamagedStretch = {
      file: this.#disk.pathOf(name),
      offset,
      bytes: Math.max(0, Math.min(until, fileEnd) - position),
      length: until - position,
      copy: path.join(this.#copies, `${name}-${offset}.bin`),
      lost: [],
    };
    for (const stream of this.#streams.values()) {
      const before = stream.lastMs > 0 ? `${stream.lastMs}-${stream.lastSeq}` : null;
      stretch.lost.push({ stream: nameOf(stream), count: 0, before, after: null });
    }
    this.#damaged.push(stretch);
    const edges = [position, ...this.#boundaries.filter((at) => at > position && at < until), until];
    for (let i = 0; i + 1 < edges.length; i++) {
      const [from, to] = [edges[i] as number, edges[i + 1] as number];
      this.#passBoundaries(from);
      const piece: DamagedPiece = { segment: base, position: from, until: to, lost: new Map(), stretch };
      this.#pieces.push(piece);
      if (segment) this.#hints.set(piece, await readHints(segment, from, Math.min(to, fileEnd)));
    }
  }
}

/** Entries in a damaged stretch whose header looks right, by stream. */
async function readHints(segment: Segment, from: number, until: number): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  for (let position = from; position + HEADER_BYTES <= until; ) {
    const block = await readBlock(segment, position, Math.min(HINT_BYTES, until - position));
    if (block.used < HEADER_BYTES) break;
    let offset = 0;
    while (offset + HEADER_BYTES <= block.used) {
      const length = isPlaced(block, offset) ? recordLength(block, offset, block.used) : 8;
      if (length > 8 && position + offset + length <= until) {
        const { kind, stream } = readHeader(block, offset);
        if (kind === KIND.entry) counts.set(stream, (counts.get(stream) ?? 0) + 1);
        offset += length;
      } else offset += 8;
    }
    position += offset;
  }
  return counts;
}

/** How many more streams can have a gap in the piece. */
function freeGaps({ position, until, lost }: DamagedPiece): number {
  return Math.floor((until - position) / HEADER_BYTES) - lost.size;
}

function newSurveyed(number: number, db: number, rawName: string, total: number | null): SurveyedStream {
  return { number, db, rawName, lastMs: 0, lastSeq: 0, total, hasLost: false };
}

function nameOf({ rawName }: SurveyedStream): string {
  return Buffer.from(rawName, 'latin1').toString('utf8');
}
