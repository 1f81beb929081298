import { HttpError } from './api.ts';

const MAX_LOOKS = 16;

/**
 * How many look into the journal at the same time. Each of them reads it, or has copies of entries made, which feeders and targets
 * must not feel.
 */
export class Looks {
  #count = 0;

  /** Begins one; the result ends it. Refuses with 429 when there are too many. */
  begin(): () => void {
    if (this.#count >= MAX_LOOKS) {
      throw new HttpError(
        429,
        `${MAX_LOOKS} traces and explanations are under way. Try again when one of them is over.`,
      );
    }
    this.#count++;
    let isOver = false;
    return () => {
      if (!isOver) this.#count--;
      isOver = true;
    };
  }

  /** The same for one that is over when `signal` is aborted. */
  beginUntil(signal: AbortSignal): void {
    signal.throwIfAborted();
    signal.addEventListener('abort', this.begin(), { once: true });
  }
}
