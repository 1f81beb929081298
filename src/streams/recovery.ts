import { StoreError } from '../errors.ts';
import type { Disk } from './disk.ts';
import { type Block, FORMAT_VERSION, KIND, readHeader, readJsonBody, type SegmentHeader } from './record-format.ts';
import { damaged, listSegments, lookBehindDamage, readBlock, type Segment, scanSegment } from './segments.ts';
import type { StoredStream } from './types.ts';

const REWRITE_BYTES = 4 << 20;

/** An entry of the newest sub-batch of a feeder, for `resends.ts`. */
export interface SubBatchEntry {
  position: number;
  stream: number;
  ms: number;
  seq: number;
}

export interface Recovered {
  segments: Segment[];
  /** Streams by number, as the journal knows them. */
  streams: Map<number, StoredStream>;
  end: number;
  /** Everything before was durable for sure: a commit record says so. */
  sureTo: number;
  /** Bytes of a torn tail that were cut, 0 when the journal was whole. */
  tornBytes: number;
  /** Newest sub-batch of each origin, as far as it lies in the last segment. */
  subBatches: Map<number, SubBatchEntry[]>;
}

export function newStream(number: number, db: number, rawName: string): StoredStream {
  return {
    number,
    db,
    rawName,
    name: Buffer.from(rawName, 'latin1').toString('utf8'),
    lastMs: 0,
    lastSeq: 0,
    appended: 0,
    deduplicated: 0,
    lastArrivalMs: 0,
  };
}

/** What the state store says of the journal. */
export interface KnownPositions {
  /** Everything before is settled; segments from there on must be present. */
  settled: number;
  /** Everything before was durable once. */
  durable: number;
}

/**
 * Opens the journal's segments: checks their chain, scans the last one, cuts a torn tail. Throws `STORE_DAMAGED` and
 * changes nothing when acknowledged bytes are missing.
 */
export async function recoverJournal(disk: Disk, known: KnownPositions, checkForMs = 500): Promise<Recovered> {
  const { settled } = known;
  const listed = listSegments(disk);
  checkChain(disk, listed, settled);
  const segments = listed.map(
    ({ base, name, modifiedMs = 0 }): Segment => ({
      base,
      name,
      file: disk.open(name, 'existing'),
      endedMs: modifiedMs,
    }),
  );
  const recovered: Recovered = {
    segments,
    streams: new Map(),
    end: settled,
    sureTo: 0,
    tornBytes: 0,
    subBatches: new Map(),
  };
  try {
    await recoverLast(disk, recovered, listed, known);
    await checkOlderSegments(disk, segments, settled, checkForMs);
    return recovered;
  } catch (error) {
    for (const { file } of segments) file.close();
    throw error;
  }
}

async function recoverLast(
  disk: Disk,
  recovered: Recovered,
  listed: readonly { size: number }[],
  { settled, durable }: KnownPositions,
): Promise<void> {
  const { segments } = recovered;
  while (segments.length > 0) {
    const segment = segments[segments.length - 1] as Segment;
    const size = (listed[segments.length - 1] as { size: number }).size;
    const validEnd = await scanSegment(segment, size, (block, offset) =>
      learn(disk, recovered, segment, block, offset),
    );
    const { wasDurable } = validEnd < size ? await lookBehindDamage(segment, validEnd, size) : { wasDurable: false };
    const isEmpty = validEnd === 0 && segment.base >= Math.max(settled, durable);
    if (wasDurable || (!isEmpty && segment.base + validEnd < durable)) {
      const what = validEnd < size ? 'damaged' : 'missing';
      throw damaged(disk, segment.name, validEnd, `Acknowledged entries are ${what}`);
    }
    recovered.tornBytes += size - validEnd;
    if (validEnd > 0) {
      if (validEnd < size) segment.file.truncate(validEnd);
      await makeDurable(segment, Math.max(durable, recovered.sureTo), segment.base + validEnd);
      recovered.end = segment.base + validEnd;
      return;
    }
    // A crash while the segment was being made: it holds nothing that was acknowledged. The one before is the last.
    if (segments.length === 1 && segment.base > 0) {
      throw damaged(disk, segment.name, 0, 'The header is missing');
    }
    segment.file.close();
    segments.pop();
    disk.remove(segment.name);
  }
}

/**
 * Writes the last records again before they are synced: they may come from a process whose sync failed, and then the
 * kernel takes them for written when they are only in its memory.
 */
async function makeDurable(segment: Segment, from: number, end: number): Promise<void> {
  for (let position = Math.max(segment.base, from); position < end; ) {
    const { buffer, used } = await readBlock(segment, position, Math.min(REWRITE_BYTES, end - position));
    await segment.file.write([buffer.subarray(0, used)], position - segment.base);
    position += used;
  }
  await segment.file.datasync();
}

/** Segments that end before `settled` are of no use any more; deleting them may have come to disk in any order. */
function checkChain(disk: Disk, listed: { base: number; name: string; size: number }[], settled: number): void {
  const first = listed[0];
  if (first ? first.base > settled : settled > 0) {
    throw damaged(disk, first?.name ?? '.', 0, `Segments are missing: entries from position ${settled} on are lost`);
  }
  for (const [i, { base, name, size }] of listed.entries()) {
    const next = listed[i + 1];
    if (next && next.base > settled && base + size < next.base) {
      throw damaged(disk, name, size, `The segment ends ${next.base - base - size} bytes before the next one begins`);
    }
  }
}

function learn(disk: Disk, recovered: Recovered, segment: Segment, block: Block, offset: number): void {
  const header = readHeader(block, offset);
  const { streams } = recovered;
  if (block.base + offset === segment.base && header.kind !== KIND.segmentHeader) {
    throw damaged(disk, segment.name, 0, 'The header is missing');
  }
  if (header.kind === KIND.segmentHeader) {
    const body = readJsonBody(block, offset) as SegmentHeader;
    if (body.version !== FORMAT_VERSION) {
      const where = disk.pathOf(segment.name);
      throw new StoreError('STORE_FAILED', `The journal has format ${body.version}, this rdi knows ${FORMAT_VERSION}`, {
        where,
        fix: 'Start the version of rdi that wrote it',
      });
    }
    for (const { number, db, name, lastMs, lastSeq, appended } of body.streams) {
      streams.set(number, { ...newStream(number, db, name), lastMs, lastSeq, appended, lastArrivalMs: lastMs });
    }
  } else if (header.kind === KIND.commit) {
    recovered.sureTo = (readJsonBody(block, offset) as { durable: number }).durable;
  } else if (header.kind === KIND.stream) {
    const { number, db, name } = readJsonBody(block, offset) as { number: number; db: number; name: string };
    if (!streams.has(number)) streams.set(number, newStream(number, db, name));
  } else if (header.kind === KIND.entry) {
    const stream = streams.get(header.stream);
    if (!stream) return;
    stream.appended++;
    stream.lastMs = header.ms;
    stream.lastSeq = header.seq;
    stream.lastArrivalMs = header.ms;
    const entry = { position: block.base + offset, stream: header.stream, ms: header.ms, seq: header.seq };
    const open = recovered.subBatches.get(header.origin);
    if (header.startsSubBatch) recovered.subBatches.set(header.origin, [entry]);
    else open?.push(entry);
  }
}

/** Reads older segments, the ones that the engine needs first, for as long as the start may take. */
async function checkOlderSegments(disk: Disk, segments: Segment[], settled: number, checkForMs: number): Promise<void> {
  const deadline = performance.now() + checkForMs;
  for (let i = 0; i < segments.length - 1; i++) {
    const segment = segments[i] as Segment;
    const size = (segments[i + 1] as Segment).base - segment.base;
    if (segment.base + size <= settled) continue;
    if (performance.now() > deadline) return;
    const validEnd = await scanSegment(segment, size, () => {}, Math.max(0, settled - segment.base));
    if (validEnd < size) throw damaged(disk, segment.name, validEnd, 'Acknowledged entries are damaged');
  }
}
