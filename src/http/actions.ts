import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from '../lib/clock.ts';

/** Something that goes on after its request was answered, as RDI's API v1 shows it. */
export interface Action {
  readonly action_id: string;
  readonly status: 'pending' | 'processing' | 'failed' | 'completed';
  readonly output?: unknown;
  readonly error?: { readonly message: string };
}

const KEPT_MS = 15 * 60_000;
/** Outputs of traces can be large. */
const MAX_KEPT = 100;

/** Runs work behind the answers of API v1, and remembers what came of it for 15 minutes. */
export class Actions {
  readonly #clock: Clock;
  readonly #tellError: (error: unknown) => string;
  readonly #kept = new Map<string, { action: Action; endedAt: number | null }>();

  /** `tellError` puts a failure into words for the client. */
  constructor(tellError: (error: unknown) => string, clock: Clock = systemClock) {
    this.#tellError = tellError;
    this.#clock = clock;
  }

  start(work: Promise<unknown>): { action_id: string } {
    this.#forgetOld();
    const action_id = randomUUID();
    this.#kept.set(action_id, { action: { action_id, status: 'processing' }, endedAt: null });
    const end = (action: Action) => this.#kept.set(action_id, { action, endedAt: this.#clock.now() });
    work.then(
      (output) => end({ action_id, status: 'completed', ...(output === undefined ? {} : { output }) }),
      (error: unknown) => end({ action_id, status: 'failed', error: { message: this.#tellError(error) } }),
    );
    return { action_id };
  }

  /** Undefined for one that is not known, or not any more. */
  find(id: string): Action | undefined {
    this.#forgetOld();
    return this.#kept.get(id)?.action;
  }

  /** Those that are over for long, and when there are too many the oldest of those that are over. */
  #forgetOld(): void {
    const now = this.#clock.now();
    for (const [id, { endedAt }] of this.#kept) {
      if (endedAt === null) continue;
      if (now - endedAt > KEPT_MS || this.#kept.size > MAX_KEPT) this.#kept.delete(id);
    }
  }
}
