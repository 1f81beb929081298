import type { Rejection } from './types.ts';
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
