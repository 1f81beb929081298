import type { StoredStream, StreamCounters } from '../streams/types.ts';

/** What became of an entry. `left`: nothing yet; it is read again, after a resume or by another lane. */
export const OUTCOME = { none: 0, written: 1, filtered: 2, superseded: 3, rejected: 4, skipped: 5, left: 6 } as const;
/** What an entry was: rows read by a snapshot count as inserted. */
export const OPERATION = { none: 0, inserted: 1, updated: 2, deleted: 3 } as const;

const OUTCOME_NAMES = [null, 'written', 'filtered', 'superseded', 'rejected', 'skipped', null] as const;
const OPERATION_NAMES = [null, 'inserted', 'updated', 'deleted'] as const;

/** What a record of the DLQ turned out to be when it was tried again; the outcome is not `rejected`. */
export interface RetriedOutcome {
  readonly outcome: number;
  readonly operation: number;
}

/** The account of every stream, and which of them changed since they were stored last. */
export class Accounts {
  readonly #counters = new Map<StoredStream, StreamCounters>();
  readonly #changed = new Set<StoredStream>();

  constructor(from: ReadonlyMap<StoredStream, StreamCounters>) {
    for (const [stream, counters] of from) this.#counters.set(stream, { ...counters });
  }

  get hasChanged(): boolean {
    return this.#changed.size > 0;
  }

  of(stream: StoredStream): StreamCounters {
    let counters = this.#counters.get(stream);
    if (!counters) {
      counters = {
        written: 0,
        filtered: 0,
        superseded: 0,
        rejected: 0,
        skipped: 0,
        inserted: 0,
        updated: 0,
        deleted: 0,
      };
      this.#counters.set(stream, counters);
    }
    return counters;
  }

  /** Counts one settled entry; `outcome` is neither `none` nor `left`. */
  count(stream: StoredStream, outcome: number, operation: number): void {
    const counters = this.of(stream);
    counters[OUTCOME_NAMES[outcome] as keyof StreamCounters]++;
    const name = OPERATION_NAMES[operation];
    if (name) counters[name]++;
    this.#changed.add(stream);
  }

  /**
   * How the account changes when entries that were counted as rejected have another outcome now. An account that does not
   * hold so many of them keeps the rest as it is.
   */
  changeOf(stream: StoredStream, retried: readonly RetriedOutcome[]): Partial<StreamCounters> {
    const change: Partial<StreamCounters> = {};
    for (const { outcome, operation } of retried.slice(0, this.of(stream).rejected)) {
      const names = ['rejected', OUTCOME_NAMES[outcome], OPERATION_NAMES[operation]] as const;
      for (const name of names) if (name) change[name] = (change[name] ?? 0) + (name === 'rejected' ? -1 : 1);
    }
    return change;
  }

  /** Applies a change that {@link changeOf} gave. */
  apply(stream: StoredStream, change: Readonly<Partial<StreamCounters>>): void {
    const counters = this.of(stream);
    for (const [name, by] of Object.entries(change)) counters[name as keyof StreamCounters] += by;
    this.#changed.add(stream);
  }

  /** Counts entries that a repair could not save. */
  skip(stream: StoredStream, count: number): void {
    this.of(stream).skipped += count;
    this.#changed.add(stream);
  }

  /** Has the account of this stream stored again. */
  touch(stream: StoredStream): void {
    this.#changed.add(stream);
  }

  /** Copies of the accounts that changed since the last call. */
  takeChanged(): Map<StoredStream, StreamCounters> {
    const changed = new Map([...this.#changed].map((stream) => [stream, { ...this.of(stream) }]));
    this.#changed.clear();
    return changed;
  }
}
