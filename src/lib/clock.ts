/** Time and randomness come in as arguments, so that tests decide them. */
export interface Clock {
  /** Wall clock, ms since the epoch; may step back. */
  now(): number;
  /** Monotonic time in ms, for durations. */
  elapsed(): number;
}

export const systemClock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
};
