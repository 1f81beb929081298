import type { Checkpoint } from '../checkpoint/index.ts';
import type { Pipeline } from '../pipeline.ts';
import type { EmbeddedStore, StoredStream } from '../streams/index.ts';
import type { AccountSums, StreamAccount } from './types.ts';

const PLACES = [
  'received',
  'written',
  'filtered',
  'superseded',
  'deduplicated',
  'rejected',
  'skipped',
  'pending',
  'inserted',
  'updated',
  'deleted',
] as const satisfies (keyof AccountSums)[];

/**
 * The account of every stream. `received` and `pending` come from what the store counted as entries came and as they were
 * settled, the rest from the outcomes; that they agree is checked where batches are settled.
 */
export function accountStreams(
  store: EmbeddedStore,
  checkpoint: Checkpoint,
  oldest: ReturnType<Pipeline['oldestPending']>,
  tables: ReadonlyMap<StoredStream, string>,
): StreamAccount[] {
  return store.streams().map((stream) => {
    const counters = checkpoint.counters(stream);
    const { written, filtered, superseded, rejected, skipped } = counters;
    const pending = stream.appended - written - filtered - superseded - rejected - skipped;
    const stopped = checkpoint.behind(stream)?.stopped ?? null;
    const table = tables.get(stream);
    return {
      name: stream.name,
      db: stream.db,
      ...(table === undefined ? {} : { table }),
      received: stream.appended + stream.deduplicated,
      ...counters,
      deduplicated: stream.deduplicated,
      pending,
      lastArrivalMs: stream.lastArrivalMs || null,
      oldestPendingMs: pending === 0 ? null : oldestPendingMs(stream, stopped?.entryId, oldest),
      stopped,
    };
  });
}

function oldestPendingMs(
  stream: StoredStream,
  stoppedAt: string | undefined,
  { inFlight, unread }: ReturnType<Pipeline['oldestPending']>,
): number {
  if (stoppedAt !== undefined) return Number(stoppedAt.split('-')[0]);
  // Entries are read in the order they came: what is not read yet came after the last one that was.
  return inFlight.get(stream) ?? (unread(stream) || stream.lastArrivalMs);
}

export function sumAccounts(streams: readonly AccountSums[]): AccountSums {
  const sums = Object.fromEntries(PLACES.map((place) => [place, 0])) as Record<(typeof PLACES)[number], number>;
  for (const stream of streams) for (const place of PLACES) sums[place] += stream[place];
  return sums;
}
