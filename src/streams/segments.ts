import path from 'node:path';
import { StoreError } from '../errors.ts';
import type { Disk, DiskFile } from './disk.ts';
import {
  afterRecord,
  type Block,
  createBlock,
  HEADER_BYTES,
  isValidRecord,
  KIND,
  readJsonBody,
  recordKind,
  recordLength,
} from './record-format.ts';

const SUFFIX = '.journal';
const SCAN_BYTES = 4 << 20;

/** One file of the journal: positions `[base, next segment's base)`. */
export interface Segment {
  readonly base: number;
  readonly name: string;
  readonly file: DiskFile;
  /** When it was written last, ms since the epoch, as far as that is known; of the newest one it is not. */
  endedMs?: number;
}

export function segmentName(base: number): string {
  return base.toString(16).padStart(16, '0') + SUFFIX;
}

/** Segments in order of position, with their sizes; other files in the folder are left alone. */
export function listSegments(disk: Disk): { base: number; name: string; size: number; modifiedMs?: number }[] {
  return disk
    .list()
    .filter(({ name }) => /^[0-9a-f]{16}\.journal$/.test(name))
    .map((file) => ({ ...file, base: Number.parseInt(file.name.slice(0, 16), 16) }))
    .sort((a, b) => a.base - b.base);
}

/** The error for bytes that had been acknowledged and cannot be read any more. */
export function damaged(disk: Disk, name: string, offset: number, what: string): StoreError {
  const file = disk.pathOf(name);
  const folder = path.dirname(disk.pathOf('.'));
  return new StoreError('STORE_DAMAGED', `${what} in ${file} at byte ${offset}`, {
    where: 'the journal was not changed',
    fix: `Restore the file from a backup, or run "rdi repair --data-dir ${quoted(folder)}" to keep a copy of the damaged bytes, report what they held and go on after them`,
  });
}

/** A folder as a word of a shell command. */
function quoted(folder: string): string {
  return /^[\w./-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", `'\\''`)}'`;
}

/** Reads `[position, position + bytes)` of a segment into a block, by default a new one; shorter at the end of the file. */
export async function readBlock(
  segment: Segment,
  position: number,
  bytes: number,
  block = createBlock(position, bytes),
): Promise<Block> {
  block.used = await segment.file.read(block.buffer, 0, bytes, position - segment.base);
  return block;
}

/**
 * Visits the valid records of a segment from its start up to `size` bytes, in order, a few MiB in memory at a time.
 * Returns the offset in the file where validity ends: `size` when everything is whole.
 */
export async function scanSegment(
  segment: Segment,
  size: number,
  visit: (block: Block, offset: number) => void,
  from = 0,
): Promise<number> {
  let fileOffset = from;
  let want = SCAN_BYTES;
  while (fileOffset < size) {
    const block = await readBlock(segment, segment.base + fileOffset, Math.min(want, size - fileOffset));
    let offset = 0;
    while (isValidRecord(block, offset, block.used)) {
      visit(block, offset);
      offset = afterRecord(block, offset);
    }
    fileOffset += offset;
    if (offset > 0) {
      want = SCAN_BYTES;
      continue;
    }
    const length = recordLength(block, 0, block.used);
    const isWhole = length >= 0 && length <= block.used;
    if (isWhole || length < 0 || fileOffset + length > size) return fileOffset;
    want = length;
  }
  return fileOffset;
}

/**
 * Looks behind an invalid stretch that begins at file offset `from`: returns the offset of the next valid record (or
 * `size`), and whether some commit record behind says that bytes at or after `from` had been durable. The stretch held
 * a record at least, so it is not shorter than a header.
 */
export async function lookBehindDamage(
  segment: Segment,
  from: number,
  size: number,
): Promise<{ nextValid: number; wasDurable: boolean }> {
  const position = segment.base + from;
  let nextValid = size;
  let wasDurable = false;
  for (let start = from + HEADER_BYTES; start < size; ) {
    const block = await readBlock(segment, segment.base + start, Math.min(SCAN_BYTES, size - start));
    // The file may be shorter than it should be.
    if (block.used < HEADER_BYTES) break;
    for (let offset = 0; offset + HEADER_BYTES <= block.used; offset += 8) {
      if (block.doubles[(offset >> 3) + 1] !== block.base + offset) continue;
      const whole = await wholeRecord(segment, block, offset, size);
      if (!whole) continue;
      nextValid = Math.min(nextValid, start + offset);
      if (recordKind(whole.block, whole.offset) === KIND.commit) {
        const { durable } = readJsonBody(whole.block, whole.offset) as { durable: number };
        if (durable > position) wasDurable = true;
      }
    }
    // Overlap by a header, so that none is cut by the edge of the block.
    start += Math.max(8, block.used - HEADER_BYTES);
  }
  return { nextValid, wasDurable };
}

async function wholeRecord(
  segment: Segment,
  block: Block,
  offset: number,
  size: number,
): Promise<{ block: Block; offset: number } | null> {
  const length = recordLength(block, offset, block.used);
  const position = block.base + offset;
  if (position - segment.base + length > size) return null;
  if (offset + length <= block.used) return isValidRecord(block, offset, block.used) ? { block, offset } : null;
  const larger = await readBlock(segment, position, length);
  return isValidRecord(larger, 0, larger.used) ? { block: larger, offset: 0 } : null;
}
