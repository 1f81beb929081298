import { OUTCOME, type Progress } from './checkpoint/index.ts';
import type { Dlq } from './dlq/index.ts';
import type { Passage } from './lane.ts';
import { type ChangeEvent, formatEntryId, type Rejection, type StreamEntry } from './types.ts';

/**
 * Divides a batch so that no row is on its way twice (`on_reject: park_key`): whether a change may be written is known only
 * when the one before it was accepted. The order of the batch stays, since rows may share keys of the target.
 */
export class RowOrder {
  readonly #dlq: Dlq;
  readonly #passage: Passage;
  readonly #progress: Progress;
  /** Rows with a rejected entry in this batch: its id. */
  readonly #blocked = new Map<string, string>();
  /** Rows of the stretch that is on its way, by the index of their entry. */
  readonly #onWay = new Map<number, string[]>();
  #at = 0;

  constructor(dlq: Dlq, passage: Passage, progress: Progress) {
    this.#dlq = dlq;
    this.#passage = passage;
    this.#progress = progress;
  }

  /**
   * The events of the next stretch, at their places; null at the end. Those that must wait behind a rejected entry of their
   * row are handed to `park` instead. What was returned before must have its outcomes.
   */
  next(park: (index: number, rejection: Rejection) => void): (ChangeEvent | null)[] | null {
    const { entries, events, outcomes } = this.#passage;
    for (const [index, rows] of this.#onWay) if (outcomes[index] === OUTCOME.rejected) this.#block(index, rows);
    this.#onWay.clear();
    if (this.#at >= entries.length) return null;
    const stretch: (ChangeEvent | null)[] = new Array(entries.length).fill(null);
    const taken = new Set<string>();
    for (; this.#at < entries.length; this.#at++) {
      const index = this.#at;
      const entry = entries[index] as StreamEntry;
      if (this.#progress.isLeft(entry)) {
        outcomes[index] = OUTCOME.left;
        events[index] = null;
        continue;
      }
      const event = events[index] ?? null;
      const isRejected = outcomes[index] === OUTCOME.rejected;
      if (!event && !isRejected) continue;
      const rows = this.#dlq.rowKeys(entry, event).map((key) => `${entry.stream.number} ${key}`);
      if (isRejected) this.#block(index, rows);
      else {
        const behind = this.#waitsBehind(entry, rows);
        if (behind !== null) {
          park(index, parkedBehind(behind));
          this.#block(index, rows, behind);
          continue;
        }
        if (rows.some((row) => taken.has(row))) return stretch;
        for (const row of rows) taken.add(row);
        this.#onWay.set(index, rows);
        stretch[index] = event;
      }
    }
    return stretch;
  }

  #block(
    index: number,
    rows: readonly string[],
    behind = formatEntryId(this.#passage.entries[index] as StreamEntry),
  ): void {
    for (const row of rows) if (!this.#blocked.has(row)) this.#blocked.set(row, behind);
  }

  /** Id of the entry that one of the rows waits behind; null when none does. */
  #waitsBehind({ stream }: StreamEntry, rows: readonly string[]): string | null {
    for (const row of rows) {
      const blocked = this.#blocked.get(row);
      if (blocked !== undefined) return blocked;
      // A record that is tried again is in the DLQ itself.
      if (this.#passage.retried) continue;
      const oldest = this.#dlq.oldestOfRow(stream, row.slice(row.indexOf(' ') + 1));
      if (oldest) return oldest.entryId;
    }
    return null;
  }
}

function parkedBehind(entryId: string): Rejection {
  return {
    code: 'PARKED_BEHIND',
    reason: `Entry ${entryId} of the same row is in the DLQ, and this one waits behind it (on_reject: park_key). Retry or drop that one; this one follows by itself.`,
  };
}
