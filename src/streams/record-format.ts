import { xxh32 } from '../lib/xxh32.ts';

/** Layout of a journal record; the table stands in `index.ts`. */
export const HEADER_BYTES = 40;
export const KIND = { entry: 1, segmentHeader: 2, stream: 3, commit: 4, gap: 5 } as const;
export const FORMAT_VERSION = 1;

const FIELD_COUNT_MASK = 0xffffff;
const STARTS_SUB_BATCH = 1 << 28;

/** A stretch of the journal in memory: `buffer` with aligned views on the same bytes. Byte 0 is at position `base`. */
export interface Block {
  base: number;
  readonly buffer: Buffer;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  /** Bytes that hold records. */
  used: number;
}

export function createBlock(base: number, bytes: number): Block {
  const size = paddedTo8(bytes);
  // An ArrayBuffer of its own, because the typed views need 8-byte alignment; a pooled Buffer may start anywhere.
  const memory = new ArrayBuffer(size);
  return {
    base,
    buffer: Buffer.from(memory),
    words: new Int32Array(memory),
    doubles: new Float64Array(memory),
    used: 0,
  };
}

export function paddedTo8(bytes: number): number {
  return (bytes + 7) & ~7;
}

export interface RecordHeader {
  ms: number;
  seq: number;
  stream: number;
  origin: number;
  kind: number;
  fieldCount: number;
  startsSubBatch: boolean;
}

/**
 * Writes a record at `offset`, a multiple of 8 with enough room, copying `source[start, end)` as its body. Returns the
 * offset after it.
 */
export function writeRecord(
  block: Block,
  offset: number,
  ms: number,
  seq: number,
  stream: number,
  origin: number,
  kindAndCount: number,
  source: Buffer,
  start: number,
  end: number,
): number {
  const { words, doubles, buffer } = block;
  const bodyBytes = end - start;
  const recordEnd = offset + HEADER_BYTES + paddedTo8(bodyBytes);
  const word = offset >> 2;
  // The padding is part of the checksum; blocks may hold bytes of a group that was taken back.
  if (bodyBytes & 7) doubles[(recordEnd >> 3) - 1] = 0;
  words[word] = bodyBytes;
  doubles[(offset >> 3) + 1] = block.base + offset;
  doubles[(offset >> 3) + 2] = ms;
  words[word + 6] = seq;
  words[word + 7] = stream;
  words[word + 8] = origin;
  words[word + 9] = kindAndCount;
  source.copy(buffer, offset + HEADER_BYTES, start, end);
  words[word + 1] = checksum(words, word, recordEnd >> 2);
  return recordEnd;
}

export function packKind(kind: number, fieldCount: number, startsSubBatch: boolean): number {
  return fieldCount | (kind << 24) | (startsSubBatch ? STARTS_SUB_BATCH : 0);
}

/** Length of the whole record at `offset`, or -1 when even its header is not within `limit`. */
export function recordLength(block: Block, offset: number, limit: number): number {
  if (offset + HEADER_BYTES > limit) return -1;
  const bodyBytes = (block.words[offset >> 2] as number) >>> 0;
  return HEADER_BYTES + bodyBytes + ((8 - (bodyBytes & 7)) & 7);
}

/** The length takes part: its lowest bits are lost in the padding, so the rest would fit a wrong one. */
function checksum(words: Int32Array, word: number, end: number): number {
  return (xxh32(words, word + 2, end) ^ (words[word] as number)) >>> 0;
}

/** Whether a record stands at `offset`, whole, at its own position, with a matching checksum. */
export function isValidRecord(block: Block, offset: number, limit: number): boolean {
  const length = recordLength(block, offset, limit);
  if (length < 0 || offset + length > limit) return false;
  if (block.doubles[(offset >> 3) + 1] !== block.base + offset) return false;
  const word = offset >> 2;
  return checksum(block.words, word, (offset + length) >> 2) === (block.words[word + 1] as number) >>> 0;
}

/** Whether the record at `offset` names its own position: its header is likely to be whole. */
export function isPlaced(block: Block, offset: number): boolean {
  return block.doubles[(offset >> 3) + 1] === block.base + offset;
}

/** Offset in `block` where the journal goes on behind the record at `offset`; behind a gap that is what the gap says. */
export function afterRecord(block: Block, offset: number): number {
  if (recordKind(block, offset) !== KIND.gap) return offset + recordLength(block, offset, Number.POSITIVE_INFINITY);
  return (block.doubles[(offset >> 3) + 2] as number) - block.base;
}

/** A gap at `position`: nothing can be read before `until`, where `count` entries of the stream are lost. */
export function createGap(position: number, until: number, stream: number, count: number): Buffer {
  const block = createBlock(position, HEADER_BYTES);
  writeRecord(block, 0, until, count, stream, 0, packKind(KIND.gap, 0, false), block.buffer, 0, 0);
  return block.buffer;
}

export function recordKind(block: Block, offset: number): number {
  return kindOf(block.words[(offset >> 2) + 9] as number);
}

/** Kind out of a record's last header word. */
export function kindOf(packed: number): number {
  return (packed >>> 24) & 15;
}

/** Number of bulk strings out of a record's last header word. */
export function fieldCountOf(packed: number): number {
  return packed & FIELD_COUNT_MASK;
}

export function readHeader(block: Block, offset: number): RecordHeader {
  const word = offset >> 2;
  const packed = block.words[word + 9] as number;
  return {
    ms: block.doubles[(offset >> 3) + 2] as number,
    seq: (block.words[word + 6] as number) >>> 0,
    stream: (block.words[word + 7] as number) >>> 0,
    origin: (block.words[word + 8] as number) >>> 0,
    kind: kindOf(packed),
    fieldCount: fieldCountOf(packed),
    startsSubBatch: (packed & STARTS_SUB_BATCH) !== 0,
  };
}

/** Body of a record that holds JSON. */
export function readJsonBody(block: Block, offset: number): unknown {
  const bodyBytes = (block.words[offset >> 2] as number) >>> 0;
  return JSON.parse(block.buffer.toString('utf8', offset + HEADER_BYTES, offset + HEADER_BYTES + bodyBytes));
}

/** The first record of a segment at `position`. */
export function createHeader(position: number, streams: SegmentHeader['streams']): Buffer {
  const body = Buffer.from(JSON.stringify({ version: FORMAT_VERSION, streams }));
  const block = createBlock(position, HEADER_BYTES + body.length);
  writeRecord(block, 0, 0, 0, 0, 0, packKind(KIND.segmentHeader, 0, false), body, 0, body.length);
  return block.buffer;
}

export interface SegmentHeader {
  version: number;
  streams: { number: number; db: number; name: string; lastMs: number; lastSeq: number; appended: number }[];
}
