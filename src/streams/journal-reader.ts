import type { StreamEntry } from '../types.ts';
import type { Disk } from './disk.ts';
import type { Journal } from './journal.ts';
import {
  type Block,
  fieldCountOf,
  HEADER_BYTES,
  isValidRecord,
  KIND,
  kindOf,
  readJsonBody,
  recordLength,
} from './record-format.ts';
import { damaged, readBlock } from './segments.ts';
import type { EntryBatch, StoredStream } from './types.ts';

const READ_AHEAD_BYTES = 1 << 20;

export interface JournalReaderOptions {
  journal: Journal;
  disk: Disk;
  /** The stream of an entry that the reader's owner wants, or null to pass it by. */
  select: (streamNumber: number, position: number) => StoredStream | null;
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
    const startPosition = this.#position;
    while (this.#position < end) {
      if (entries.length >= limits.entries || this.#position - startPosition >= limits.bytes) break;
      const inMemory = this.#options.journal.blockAt(this.#position);
      const block = inMemory ?? (await this.#fromDisk(end));
      this.#take(block, end, inMemory === null, entries, limits, startPosition);
    }
    return { entries, endPosition: this.#position };
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
        const { lost } = readJsonBody(block, offset) as { lost: [number, number][] };
        this.#options.onGap?.(new Map(lost), position);
      }
      offset += length;
    }
    this.#position = block.base + offset;
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
    let block = await readBlock(found.segment, position, Math.min(READ_AHEAD_BYTES, available));
    const length = recordLength(block, 0, block.used);
    if (length > block.used && length <= available) block = await readBlock(found.segment, position, length);
    if (!isValidRecord(block, 0, block.used)) {
      throw damaged(disk, found.segment.name, position - found.segment.base, 'A record is damaged');
    }
    this.#chunk = block;
    return block;
  }

  #isAtRecord(chunk: Block): boolean {
    const offset = this.#position - chunk.base;
    return offset >= 0 && offset < chunk.used && isValidRecord(chunk, offset, chunk.used);
  }
}
