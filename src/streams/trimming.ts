import type { Clock } from '../lib/clock.ts';
import type { Journal } from './journal.ts';
import type { Reserve } from './reserve.ts';
import { NO_RETENTION, type Retention, trimmableUntil } from './retention.ts';
import type { StateStore } from './state-store.ts';

/** Between two looks at what has become too old while nothing happens. */
const EXPIRY_CHECK_MS = 30_000;

export interface TrimmingOptions {
  readonly journal: Journal;
  readonly state: StateStore;
  readonly reserve: Reserve;
  readonly clock: Clock;
  readonly retention: Retention | undefined;
  /** Position from which the journal is still needed. */
  readonly neededFrom: () => number;
}

/** Deletes segments that nobody needs any more, and that are not kept for people who look either. */
export class Trimming {
  readonly #options: TrimmingOptions;
  readonly #expiry: NodeJS.Timeout | undefined;
  #isReserveLent = false;

  constructor(options: TrimmingOptions) {
    this.#options = options;
    const { ms } = this.#retention;
    if (ms > 0) this.#expiry = setInterval(() => this.#tryTrim(), Math.min(EXPIRY_CHECK_MS, ms)).unref();
  }

  async trim(): Promise<void> {
    const { journal, state, reserve, clock, neededFrom } = this.#options;
    const { segments, appended } = journal;
    const until = trimmableUntil(segments, neededFrom(), appended, this.#retention, clock.now());
    if (until <= (segments[0]?.base ?? until)) return;
    // A power loss may take back what is not synced; the segments must still be there then.
    await state.sync();
    journal.trim(until);
    reserve.fill();
  }

  /** Something became durable. Settled segments must leave while nothing is settled, too, when what arrives takes their room. */
  afterGroup(): void {
    if (this.#isReserveLent) {
      this.#isReserveLent = false;
      this.#tryTrim();
    }
    const { journal, neededFrom } = this.#options;
    const { ms, bytes } = this.#retention;
    const second = journal.segments[1];
    if (ms === 0 || journal.bytes <= bytes || !second || second.base > neededFrom()) return;
    this.#tryTrim();
  }

  /** The disk refused to write. */
  onRefused(): void {
    if (this.#options.retention) this.#tryTrim();
    this.lendReserve();
  }

  /**
   * The newest segment stays although all of it is settled, until another one begins. On a full disk there is no room for
   * the beginning of one but in the reserve, and nothing else will make any.
   */
  lendReserve(): void {
    const { journal, reserve, neededFrom } = this.#options;
    if (neededFrom() < journal.durable) return;
    reserve.giveUp();
    this.#isReserveLent = true;
  }

  close(): void {
    clearInterval(this.#expiry);
  }

  /** A disk that refuses to write gets what is only kept for people who look. */
  get #retention(): Retention {
    return this.#options.journal.isRefusing ? NO_RETENTION : (this.#options.retention ?? NO_RETENTION);
  }

  /** What fails here is tried again with the next checkpoint, group or look. */
  #tryTrim(): void {
    this.trim().catch(() => {});
  }
}
