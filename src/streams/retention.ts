import type { Segment } from './segments.ts';

/** How long settled entries stay in the journal for people who look. */
export interface Retention {
  /** Age from which a segment goes, counted from its last entry; 0: it goes at once. */
  readonly ms: number;
  /** What the whole journal may hold before settled segments go earlier, the oldest first. */
  readonly bytes: number;
}

export const NO_RETENTION: Retention = { ms: 0, bytes: 0 };

/**
 * The position before which segments can go: all that end at or before `needed`, but for those that are young and have room.
 * `appended` is the position at which the journal ends.
 */
export function trimmableUntil(
  segments: readonly Segment[],
  needed: number,
  appended: number,
  retention: Retention,
  now: number,
): number {
  let i = 0;
  for (let next = segments[1]; next && next.base <= needed; next = segments[i + 1]) {
    const { base, endedMs = 0 } = segments[i] as Segment;
    if (now - endedMs < retention.ms && appended - base <= retention.bytes) break;
    i++;
  }
  return segments[i]?.base ?? needed;
}
