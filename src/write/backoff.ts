/** How long to wait between attempts, ms. */
export interface RetryOptions {
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  readonly multiplier: number;
}

/**
 * Delay before attempt `attempt` (1 is the first repeat), ms: exponential, capped, and spread over 50 to 100 % so that
 * several instances do not return at the same moment.
 */
export function backoffMs(retry: RetryOptions, attempt: number, random: () => number): number {
  const grown = retry.initialDelayMs * retry.multiplier ** Math.min(attempt - 1, 60);
  return Math.round(Math.min(grown, retry.maxDelayMs) * (0.5 + random() / 2));
}
