import { Histogram } from '../observe/metrics.ts';
import type { BatchReport } from '../pipeline.ts';
import type { Performance, PhaseSums } from './types.ts';

/** The phases of a batch whose spread is recorded, with the field of a report that says how long each took. */
const PHASES = {
  read: 'readMs',
  decode: 'decodeMs',
  transform: 'transformMs',
  write: 'writeMs',
  settle: 'settleMs',
  total: 'totalMs',
} as const satisfies Record<string, keyof PhaseSums>;

/** Adds up what batches took. */
export class PerformanceRecord {
  #sums: PhaseSums = {
    batches: 0,
    entries: 0,
    readMs: 0,
    decodeMs: 0,
    transformMs: 0,
    writeMs: 0,
    settleMs: 0,
    totalMs: 0,
  };
  #last: PhaseSums | null = null;
  readonly #spread = Object.entries(PHASES).map(([phase, field]) => ({ phase, field, histogram: new Histogram() }));

  /** Entries of all batches. */
  get entries(): number {
    return this.#sums.entries;
  }

  add(report: BatchReport): void {
    const { entries, readMs, decodeMs, transformMs, writeMs, settleMs, totalMs } = report;
    const sums = this.#sums;
    for (const { field, histogram } of this.#spread) histogram.observe(report[field] / 1000);
    this.#last = { batches: 1, entries, readMs, decodeMs, transformMs, writeMs, settleMs, totalMs };
    this.#sums = {
      batches: sums.batches + 1,
      entries: sums.entries + entries,
      readMs: sums.readMs + readMs,
      decodeMs: sums.decodeMs + decodeMs,
      transformMs: sums.transformMs + transformMs,
      writeMs: sums.writeMs + writeMs,
      settleMs: sums.settleMs + settleMs,
      totalMs: sums.totalMs + totalMs,
    };
  }

  snapshot(): Performance {
    const phases = Object.fromEntries(this.#spread.map(({ phase, histogram }) => [phase, histogram.snapshot()]));
    return { ...this.#sums, lastBatch: this.#last, phases };
  }
}
