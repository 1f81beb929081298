import { StoreError } from '../errors.ts';
import type { Disk } from './disk.ts';
import type { Journal } from './journal.ts';
import { JournalReader } from './journal-reader.ts';
import { lookBehindDamage } from './segments.ts';
import type { EntryBatch, StoredStream } from './types.ts';

export interface HistoryReaderOptions {
  readonly journal: Journal;
  readonly disk: Disk;
  readonly select: (streamNumber: number, position: number) => StoredStream | null;
  /** A stretch cannot be read and is passed by: one sentence. */
  readonly onDamaged: (message: string) => void;
}

/**
 * Reads the journal for people who look, settled entries included. It holds nothing back: what is deleted under it, and what is
 * damaged, is passed by. Its entries stay valid for as long as somebody keeps them.
 */
export class HistoryReader {
  readonly #options: HistoryReaderOptions;
  readonly #reader: JournalReader;

  constructor(options: HistoryReaderOptions, position: number) {
    this.#options = options;
    this.#reader = new JournalReader({ ...options, isEngine: false }, position);
  }

  /** Position of the next record to look at. */
  get position(): number {
    return this.#reader.position;
  }

  /** The next entries, or null at the end of what is durable, and when the store was closed. */
  async next(limits: { entries: number; bytes: number }): Promise<EntryBatch | null> {
    const { journal } = this.#options;
    for (;;) {
      const [first] = journal.segments;
      if (!first) return null;
      if (this.#reader.position < first.base) this.#reader.seek(first.base);
      const start = this.#reader.position;
      try {
        return await this.#reader.next(limits);
      } catch (error) {
        const failedAt = this.#reader.position;
        if (failedAt < (journal.segments[0]?.base ?? Number.POSITIVE_INFINITY)) continue;
        if (!(error instanceof StoreError && error.code === 'STORE_DAMAGED')) throw error;
        if (failedAt > start) {
          // What came before the damage in the same batch is fine.
          this.#reader.seek(start);
          const before = await this.#reader.next(limits, failedAt);
          if (before) return before;
        }
        await this.#pass(failedAt);
      }
    }
  }

  /** Goes on behind a record that cannot be read. */
  async #pass(position: number): Promise<void> {
    const { journal, disk, onDamaged } = this.#options;
    const found = journal.segmentAt(position);
    if (!found) return;
    const { segment, end } = found;
    const offset = position - segment.base;
    const { nextValid } = await lookBehindDamage(segment, offset, end - segment.base);
    onDamaged(`${nextValid - offset} bytes of ${disk.pathOf(segment.name)} from byte ${offset} on are damaged.`);
    this.#reader.seek(segment.base + nextValid);
  }
}
