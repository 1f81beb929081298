import { describe, expect, it } from 'vitest';
import { OUTCOME } from '../../../src/checkpoint/index.ts';
import { RejectionRecord } from '../../../src/control/rejections.ts';
import type { BatchReport } from '../../../src/pipeline.ts';
import { streamAccount } from '../../helpers/engine-snapshot.ts';

/** A batch of one stream with these outcomes. */
function batch(name: string, ...outcomes: (keyof typeof OUTCOME)[]): BatchReport {
  const passage = {
    entries: outcomes.map(() => ({ stream: { db: 0, name } })),
    outcomes: Uint8Array.from(outcomes, (outcome) => OUTCOME[outcome]),
  };
  return { passage } as unknown as BatchReport;
}

function ever(record: RejectionRecord, rejected: number, name = 'data:a'): number | undefined {
  return record.complete([streamAccount({ name, rejected })])[0]?.everRejected;
}

describe('the count of rejected records', () => {
  it('goes on from the account, and does not fall when records are retried', () => {
    const record = new RejectionRecord();
    expect(ever(record, 5)).toBe(5);
    record.add(batch('data:a', 'written', 'rejected', 'filtered', 'rejected'));
    expect(ever(record, 7)).toBe(7);
    expect(ever(record, 1)).toBe(7);
    record.add(batch('data:a', 'rejected'));
    expect(ever(record, 2)).toBe(8);
  });

  it('is kept for each stream', () => {
    const record = new RejectionRecord();
    record.add(batch('data:a', 'rejected', 'rejected'));
    record.add(batch('data:b', 'rejected'));
    expect([ever(record, 2), ever(record, 1, 'data:b'), ever(record, 0, 'data:c')]).toEqual([2, 1, 0]);
  });

  it('begins anew after a reset', () => {
    const record = new RejectionRecord();
    record.add(batch('data:a', 'rejected'));
    ever(record, 1);
    record.clear();
    expect(ever(record, 0)).toBe(0);
  });
});
