import { type AccountSums, dataSources, type EngineSnapshot, type StreamAccount } from '../control/index.ts';
import type { Reading } from '../observe/metric-table.ts';

/** A snapshot, and what several families need of it. */
export interface MetricsView extends EngineSnapshot {
  /** The `data_source` label of each stream, in the order of `streams`. */
  readonly dataSources: readonly string[];
}

export function viewOf(snapshot: EngineSnapshot): MetricsView {
  return { ...snapshot, dataSources: dataSources(snapshot.streams) };
}

type CountedPlace = keyof AccountSums;

/** One sample per stream, labelled with its data source. Streams without a value are left out. */
export function perStream(view: MetricsView, value: (stream: StreamAccount) => number | undefined): Reading[] {
  return view.streams.flatMap((stream, index): Reading[] => {
    const read = value(stream);
    return read === undefined ? [] : [[view.dataSources[index] as string, read]];
  });
}

/** ms since the oldest waiting entry of a stream arrived; 0 when nothing waits or the clock went back. */
export function oldestAgeMs({ oldestPendingMs }: StreamAccount, takenAt: number): number {
  return oldestPendingMs === null ? 0 : Math.max(0, takenAt - oldestPendingMs);
}

/** What a count of events says of a stream: like the account, but no retry takes rejected records away again. */
export function eventsOf(stream: StreamAccount, place: CountedPlace): number {
  return place === 'rejected' ? (stream.everRejected ?? stream.rejected) : stream[place];
}
