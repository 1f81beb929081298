import { systemClock } from '../lib/clock.ts';
import type { BatchReport } from '../pipeline.ts';
import type { EventTransformer } from '../transform/index.ts';
import { LatencyRecord } from './latencies.ts';
import { PerformanceRecord } from './performance.ts';
import { RejectionRecord } from './rejections.ts';
import { StallWatch } from './stall-watch.ts';
import type { EngineSnapshot, StreamAccount, TargetStatus } from './types.ts';

/** What is counted of settled batches: durations, latencies, and whether streams move at all. */
export class Measurements {
  readonly #performance = new PerformanceRecord();
  readonly #latencies = new LatencyRecord(() => systemClock.now());
  readonly #rejections = new RejectionRecord();
  readonly #stallWatch = new StallWatch(() => systemClock.now());

  /** Entries of all batches. */
  get entries(): number {
    return this.#performance.entries;
  }

  add(report: BatchReport, transformer: EventTransformer): void {
    this.#performance.add(report);
    this.#latencies.add(report, transformer);
    this.#rejections.add(report);
    this.#stallWatch.add(report, transformer);
  }

  /** The streams that there were are gone. */
  forgetStreams(): void {
    this.#latencies.clear();
    this.#rejections.clear();
    this.forgetLanes();
  }

  /** With another configuration streams go other ways. */
  forgetLanes(): void {
    this.#stallWatch.clear();
  }

  /** The accounts with what they do not say themselves. */
  complete(accounts: readonly StreamAccount[]): StreamAccount[] {
    return this.#rejections.complete(accounts);
  }

  /** `canWork` is false while nothing is to be written. */
  snapshot(
    streams: readonly StreamAccount[],
    targets: readonly TargetStatus[],
    canWork: boolean,
  ): Pick<EngineSnapshot, 'performance' | 'latencies' | 'stalled'> {
    return {
      performance: this.#performance.snapshot(),
      latencies: this.#latencies.snapshot(),
      stalled: this.#stallWatch.find(streams, targets, canWork),
    };
  }
}
