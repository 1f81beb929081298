import { OUTCOME, type Progress } from './checkpoint/index.ts';
import type { AppliedEntry, Dlq } from './dlq/index.ts';
import type { Passage } from './lane.ts';
import type { Rejection, Stream, StreamEntry } from './types.ts';
import type { Refused, TargetWrite, WriteOutcome } from './write/index.ts';

/**
 * One outcome out of those of several connections: an entry is refused where one of its writes is, and superseded when all
 * of its writes are, on all connections. `refused` is in the order of the entries.
 */
export function mergeOutcomes(
  writes: readonly (readonly TargetWrite[])[],
  outcomes: readonly WriteOutcome[],
): WriteOutcome {
  const refused = outcomes.flatMap((outcome) => outcome.refused).sort((a, b) => a.index - b.index);
  const used = writes.flatMap((list, i) => (list.length > 0 ? [i] : []));
  if (used.length <= 1) return { superseded: outcomes[used[0] ?? 0]?.superseded ?? [], refused };
  const superseded = new Set(used.flatMap((i) => outcomes[i]?.superseded ?? []));
  for (const i of used) {
    if (superseded.size === 0) break;
    const here = new Set(outcomes[i]?.superseded);
    for (const { index } of writes[i] as readonly TargetWrite[]) if (!here.has(index)) superseded.delete(index);
  }
  return { superseded: [...superseded], refused };
}

/** The rejection of a refused write; its reason names the output of the job that asked for it, where there is one. */
export function rejectionOf({ code, reason, origin }: Refused): Rejection {
  if (origin === undefined) return { code, reason };
  return { code, reason: `Job "${origin.job}", ${origin.step}: ${reason}`, origin };
}

/** Entries that give their rows a value which records of the DLQ may be older than. */
export function appliedIn({ entries, events, outcomes, rejected }: Passage, dlq: Dlq): AppliedEntry[] {
  const applied: AppliedEntry[] = [];
  const known = new Map<Stream, boolean>(rejected.map(({ entry }) => [entry.stream, true]));
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as StreamEntry;
    let isWatched = known.get(entry.stream);
    if (isWatched === undefined) {
      isWatched = dlq.has(entry.stream);
      known.set(entry.stream, isWatched);
    }
    const event = events[i];
    if (isWatched && event && APPLIED.has(outcomes[i] as number)) applied.push({ entry, event });
  }
  return applied;
}

const APPLIED: ReadonlySet<number> = new Set([OUTCOME.written, OUTCOME.filtered, OUTCOME.superseded]);

/** Takes out what was made of entries at or behind the place where their stream stopped; they are read again on resume. */
export function dropLeft(progress: Progress, { entries, events, outcomes, writes }: Passage): void {
  const isLeft = ({ index }: TargetWrite) => progress.isLeft(entries[index] as StreamEntry);
  for (const list of writes as TargetWrite[][]) {
    if (list.some(isLeft)) list.splice(0, list.length, ...list.filter((write) => !isLeft(write)));
  }
  for (const [i, entry] of entries.entries()) {
    if (!progress.isLeft(entry)) continue;
    outcomes[i] = OUTCOME.left;
    events[i] = null;
  }
}
