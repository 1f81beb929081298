import type { BatchReport } from '../pipeline.ts';
import type { Performance, PhaseSums } from './types.ts';

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

  add(report: BatchReport): void {
    const { entries, readMs, decodeMs, transformMs, writeMs, settleMs, totalMs } = report;
    const sums = this.#sums;
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
    return { ...this.#sums, lastBatch: this.#last };
  }
}
