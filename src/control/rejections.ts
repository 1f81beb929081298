import { OUTCOME } from '../checkpoint/index.ts';
import type { BatchReport } from '../pipeline.ts';
import type { StreamAccount } from './types.ts';

/**
 * How many records were ever rejected. The account says how many are: a retry takes them from there to where they went in the
 * end. Whoever counts events needs a number that only grows.
 *
 * Goes on from the account as it is first seen, so what was retried before a restart is not among them any more.
 */
export class RejectionRecord {
  /** Since the start, by `db:name`. */
  readonly #counted = new Map<string, number>();
  /** What the account said when nothing was counted yet. */
  readonly #before = new Map<string, number>();

  /** Takes a settled batch; not those of a retry. */
  add({ passage: { entries, outcomes } }: BatchReport): void {
    for (let i = outcomes.indexOf(OUTCOME.rejected); i >= 0; i = outcomes.indexOf(OUTCOME.rejected, i + 1)) {
      const id = idOf(entries[i]!.stream);
      this.#counted.set(id, (this.#counted.get(id) ?? 0) + 1);
    }
  }

  /** The accounts with how many of each stream were ever rejected. */
  complete(streams: readonly StreamAccount[]): StreamAccount[] {
    return streams.map((stream) => {
      const id = idOf(stream);
      const counted = this.#counted.get(id) ?? 0;
      const before = this.#before.get(id) ?? Math.max(0, stream.rejected - counted);
      this.#before.set(id, before);
      return { ...stream, everRejected: Math.max(before + counted, stream.rejected) };
    });
  }

  /** Forgets everything, as a reset does. */
  clear(): void {
    this.#counted.clear();
    this.#before.clear();
  }
}

function idOf({ db, name }: { readonly db: number; readonly name: string }): string {
  return `${db}:${name}`;
}
