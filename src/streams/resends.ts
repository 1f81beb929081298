import type { StreamEntry } from '../types.ts';
import type { SubBatchEntry } from './recovery.ts';
import type { StoredStream } from './types.ts';

export interface StoredEntry extends StreamEntry {
  readonly stream: StoredStream;
}

/** A sub-batch whose entries are more than this is not kept for comparison; its copy is simply stored again. */
const MAX_ENTRIES = 100_000;
/** The same for its bytes: they are held in memory while the two are compared. */
export const MAX_COMPARED_BYTES = 32 << 20;

/**
 * Remembers the newest sub-batch of each feeder (the entries since its last command that was not an `XADD`), so that
 * the same pipeline, sent again after a cut, is recognised.
 *
 * A feeder that loses its connection before the last reply sends the whole sub-batch again, also what was answered
 * (spec/debezium-sink-protocol.md §4.5). It counts as sent again only when it begins with *every* stored entry of that
 * sub-batch, byte for byte and in order. Dropping that copy is harmless whatever the entries are: nothing came between
 * it and the original, so applying both leaves the same rows as applying one. That also makes the memory safe to lose:
 * without it there are duplicates, never losses.
 */
export class SubBatches {
  readonly #positions = new Map<number, number[]>();
  readonly #read: (positions: readonly number[]) => Promise<StoredEntry[]>;

  /** `read` gives the entries at ascending positions; fewer when some can no longer be read or they are too many bytes. */
  constructor(recovered: Map<number, SubBatchEntry[]>, read: (positions: readonly number[]) => Promise<StoredEntry[]>) {
    this.#read = read;
    for (const [origin, entries] of recovered) {
      this.#positions.set(
        origin,
        entries.map(({ position }) => position),
      );
    }
  }

  /** Notes an appended entry; `position` is where its record begins. */
  note(origin: number, startsSubBatch: boolean, position: number): void {
    const open = this.#positions.get(origin);
    if (open === undefined || startsSubBatch) this.#positions.set(origin, [position]);
    else if (open.length < MAX_ENTRIES) open.push(position);
  }

  /** The feeder went on to another command: it has all replies and will not send the sub-batch again. */
  end(origin: number): void {
    this.#positions.delete(origin);
  }

  has(origin: number): boolean {
    return this.#positions.has(origin);
  }

  /** Everything from `position` on was taken back by the journal. */
  forgetFrom(position: number): void {
    for (const [origin, positions] of this.#positions) {
      const kept = positions.filter((at) => at < position);
      if (kept.length > 0) this.#positions.set(origin, kept);
      else this.#positions.delete(origin);
    }
  }

  /** The stored entries of the newest sub-batch; an empty list when they cannot all be read, or are too many. */
  async stored(origin: number): Promise<StoredEntry[]> {
    const positions = [...(this.#positions.get(origin) ?? [])];
    if (positions.length === 0 || positions.length >= MAX_ENTRIES) return [];
    // Damage is found by whoever needs the entry; here a duplicate is the only harm.
    const entries = await this.#read(positions).catch(() => []);
    return entries.length === positions.length ? entries : [];
  }
}
