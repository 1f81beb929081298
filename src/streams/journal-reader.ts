import type { StreamEntry } from '../types.ts';
import type { Disk } from './disk.ts';
import type { Journal } from './journal.ts';
import {
  afterRecord,
  type Block,
  fieldCountOf,
  HEADER_BYTES,
  isValidRecord,
  KIND,
  kindOf,
  readHeader,
  recordLength,
} from './record-format.ts';
import { damaged, readBlock, type Segment } from './segments.ts';
import type { EntryBatch, LostEntries, StoredStream } from './types.ts';

const READ_AHEAD_BYTES = 1 << 20;

export interface JournalReaderOptions {
  journal: Journal;
  disk: Disk;
  /** The stream of an entry that the reader's owner wants, or null to pass it by. */
  select: (streamNumber: number, position: number) => StoredStream | null;
  /**
   * True for the reader that the journal's memory is kept for: it takes blocks from memory and from the pool. Other
   * readers look at blocks of their own, because those of the pool are used again when the engine is done with them.
   */
  isEngine: boolean;
  /** A repaired gap lies in the way: so many entries of each stream are lost. */
  onGap?: (lost: ReadonlyMap<number, number>, position: number) => void;
}

/**
 * Reads durable entries in order from a position on: from memory where the journal still holds them, else from disk
 * with a bounded read-ahead. Every record that comes from disk is checked.
 */
export class JournalReader {
  readonly #options: JournalReaderOptions;
  #position: number;
  #chunk: Block | null = null;
  #lost: LostEntries[] = [];

  constructor(options: JournalReaderOptions, position: number) {
    this.#options = options;
    this.#position = position;
  }

  /** Position of the next record to look at. */
  get position(): number {
    return this.#position;
  }

  seek(position: number): void {
    this.#position = position;
    if (this.#chunk && this.#options.isEngine) this.#options.journal.pool.retire(this.#chunk);
    this.#chunk = null;
  }

  /**
   * The next entries, at most so many and so many bytes (but at least one record is looked at), none beyond `until`.
   * Null when nothing durable is left. Throws {@link StoreError} `STORE_DAMAGED` at a record that is not valid.
   */
  async next(
    limits: { entries: number; bytes: number },
    until = this.#options.journal.durable,
  ): Promise<EntryBatch | null> {
    const end = Math.min(until, this.#options.journal.durable);
    if (this.#position >= end) return null;
    const entries: StreamEntry[] = [];
    this.#lost = [];
    const startPosition = this.#position;
    while (this.#position < end) {
      if (entries.length >= limits.entries || this.#position - startPosition >= limits.bytes) break;
      const { journal, isEngine } = this.#options;
      const inMemory = isEngine ? journal.blockAt(this.#position) : null;
      const block = inMemory ?? (await this.#fromDisk(end));
      this.#take(block, end, inMemory === null, entries, limits, startPosition);
    }
    const lost = this.#lost;
    return { entries, endPosition: this.#position, ...(lost.length > 0 ? { lost } : {}) };
  }

  /** Takes records of one block until it, the limits or `end` are reached. */
  #take(
    block: Block,
    end: number,
    check: boolean,
    entries: StreamEntry[],
    limits: { entries: number; bytes: number },
    startPosition: number,
  ): void {
    const { select } = this.#options;
    const { words, doubles, buffer } = block;
    const stop = Math.min(end - block.base, block.used);
    let offset = this.#position - block.base;
    while (offset < stop && entries.length < limits.entries && block.base + offset - startPosition < limits.bytes) {
      const length = recordLength(block, offset, stop);
      if (length < 0 || offset + length > stop) {
        if (!check) throw new Error('a record in memory is cut');
        break;
      }
      if (check && !isValidRecord(block, offset, stop)) break;
      const position = block.base + offset;
      const word = offset >> 2;
      const packed = words[word + 9] as number;
      const kind = kindOf(packed);
      if (kind === KIND.entry) {
        const stream = select((words[word + 7] as number) >>> 0, position);
        if (stream) {
          const start = offset + HEADER_BYTES;
          entries.push({
            stream,
            ms: doubles[(offset >> 3) + 2] as number,
            seq: (words[word + 6] as number) >>> 0,
            position,
            bytes: buffer,
            start,
            end: start + ((words[word] as number) >>> 0),
            fieldCount: fieldCountOf(packed),
          });
        }
      } else if (kind === KIND.gap) {
        this.#meetGap(block, offset);
        offset = afterRecord(block, offset);
        continue;
      }
      offset += length;
    }
    this.#position = block.base + offset;
  }

  #meetGap(block: Block, offset: number): void {
    const { stream: number, seq: count } = readHeader(block, offset);
    const position = block.base + offset;
    const stream = count > 0 ? this.#options.select(number, position) : null;
    if (stream) this.#lost.push({ stream, count, position });
  }

  /** The block with the record at the current position, whole and valid. */
  async #fromDisk(end: number): Promise<Block> {
    const chunk = this.#chunk;
    if (chunk && this.#isAtRecord(chunk)) return chunk;
    const { journal, disk } = this.#options;
    const found = journal.segmentAt(this.#position);
    const position = this.#position;
    if (!found) throw damaged(disk, 'journal', position, `No segment holds position ${position}`);
    const available = Math.min(end, found.end) - position;
    let block = await this.#read(found.segment, position, Math.min(READ_AHEAD_BYTES, available));
    const length = recordLength(block, 0, block.used);
    if (length > block.used && length <= available) block = await this.#read(found.segment, position, length);
    if (!isValidRecord(block, 0, block.used)) {
      throw damaged(disk, found.segment.name, position - found.segment.base, 'A record is damaged');
    }
    return block;
  }

  /** Reads into the next chunk; the one before may still be pointed into. */
  async #read(segment: Segment, position: number, bytes: number): Promise<Block> {
    const { journal, isEngine } = this.#options;
    if (!isEngine) {
      this.#chunk = await readBlock(segment, position, bytes);
      return this.#chunk;
    }
    if (this.#chunk) journal.pool.retire(this.#chunk);
    this.#chunk = null;
    this.#chunk = await readBlock(segment, position, bytes, journal.pool.take(position, bytes));
    return this.#chunk;
  }

  #isAtRecord(chunk: Block): boolean {
    const offset = this.#position - chunk.base;
    return offset >= 0 && offset < chunk.used && isValidRecord(chunk, offset, chunk.used);
  }
}
