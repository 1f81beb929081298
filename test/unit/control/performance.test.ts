import { expect, it } from 'vitest';
import { PerformanceRecord } from '../../../src/control/performance.ts';
import type { BatchReport } from '../../../src/pipeline.ts';

it('a batch counts in the sums, as the last one, and in the spread of each of its phases', () => {
  const record = new PerformanceRecord();
  const report = { entries: 10, readMs: 1, decodeMs: 2, transformMs: 3, writeMs: 40, settleMs: 5, totalMs: 51 };
  record.add(report as BatchReport);
  record.add({ ...report, entries: 20 } as BatchReport);
  const { phases, lastBatch, ...sums } = record.snapshot();
  expect(sums).toMatchObject({ batches: 2, entries: 30, writeMs: 80, totalMs: 102 });
  expect(lastBatch).toMatchObject({ batches: 1, entries: 20, writeMs: 40 });
  expect(Object.keys(phases ?? {})).toEqual(['read', 'decode', 'transform', 'write', 'settle', 'total']);
  const { bounds, counts, sum } = phases!['write']!;
  expect(sum).toBeCloseTo(0.08);
  expect(counts[bounds.indexOf(0.05)]).toBe(2);
});
