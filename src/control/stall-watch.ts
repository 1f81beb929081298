import type { BatchReport } from '../pipeline.ts';
import { type EventTransformer, MAIN_LANE } from '../transform/index.ts';
import type { StalledStream, StreamAccount, TargetStatus } from './types.ts';

/** How long nothing of a stream may be settled, although it could be. */
const STALLED_AFTER_MS = 60_000;

/** What a lane settled last. */
interface LaneProgress {
  atMs: number;
  /** Arrival of the last entry of that batch. */
  settledUpToMs: number;
}

/**
 * Finds streams that stand still without a reason that is known: entries wait, the targets of their lane take writes, no
 * rejected record stopped the stream, and yet nothing of it is settled for a minute. Behind a backlog of other streams, which
 * its lane works off in the order of arrival, a stream waits with a reason.
 *
 * Compares what it is shown: {@link find} must be called every now and then, as scrapes and status pages do.
 */
export class StallWatch {
  readonly #lanes = new Map<string, LaneProgress>();
  /** Lane of the last event of each stream; by `db:name`. */
  readonly #laneOf = new Map<string, string>();
  readonly #waiting = new Map<string, { readonly settled: number; readonly since: number }>();
  readonly #now: () => number;

  /** `now`: ms since the epoch, the clock that stamps arrivals. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes a settled batch. */
  add({ passage, lastEvent }: BatchReport, transformer: Pick<EventTransformer, 'laneOf'>): void {
    const { entries } = passage;
    const last = entries[entries.length - 1];
    // Without a single change it is not known whose batch it is; the next one that holds one tells.
    if (!last || !lastEvent) return;
    const lane = transformer.laneOf(lastEvent.table);
    this.#lanes.set(lane, { atMs: this.#now(), settledUpToMs: last.ms });
    let stream: unknown = null;
    for (const entry of entries) {
      if (entry.stream === stream) continue;
      stream = entry.stream;
      this.#laneOf.set(`${entry.stream.db}:${entry.stream.name}`, lane);
    }
  }

  /** The streams that stand still. `canWork` is false while nothing is to be written, as in a stopped pipeline. */
  find(streams: readonly StreamAccount[], targets: readonly TargetStatus[], canWork: boolean): StalledStream[] {
    const now = this.#now();
    return streams.flatMap((stream) => {
      const id = `${stream.db}:${stream.name}`;
      if (!canWork || stream.pending === 0 || stream.stopped || !this.#areReady(targets, id)) {
        this.#waiting.delete(id);
        return [];
      }
      const settled = stream.received - stream.deduplicated - stream.pending;
      const known = this.#waiting.get(id);
      if (known === undefined || known.settled !== settled) {
        this.#waiting.set(id, { settled, since: now });
        return [];
      }
      if (now - known.since < STALLED_AFTER_MS || this.#isBehindOthers(id, known.since)) return [];
      return [{ name: stream.name, db: stream.db, since: known.since }];
    });
  }

  /** Forgets everything, as a change of the configuration does. */
  clear(): void {
    this.#lanes.clear();
    this.#laneOf.clear();
    this.#waiting.clear();
  }

  /** The main lane needs the default target alone; which ones another lane needs, also for lookups, only its jobs know. */
  #areReady(targets: readonly TargetStatus[], id: string): boolean {
    const needed = this.#laneOf.get(id) === MAIN_LANE ? targets.filter(({ name }) => name === 'target') : targets;
    return needed.every(({ state }) => state.state === 'ready');
  }

  /** Whether its lane works, and has not come as far as the entries that waited then. */
  #isBehindOthers(id: string, sinceMs: number): boolean {
    const lane = this.#laneOf.get(id);
    const known = lane === undefined ? undefined : this.#lanes.get(lane);
    const progress = known ? [known] : [...this.#lanes.values()];
    return progress.some(({ atMs, settledUpToMs }) => atMs > sinceMs && settledUpToMs <= sinceMs);
  }
}
