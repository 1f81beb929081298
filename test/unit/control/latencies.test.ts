import { describe, expect, it } from 'vitest';
import { OUTCOME } from '../../../src/checkpoint/index.ts';
import { LatencyRecord } from '../../../src/control/latencies.ts';
import type { TableLatency } from '../../../src/control/types.ts';
import type { BatchReport } from '../../../src/pipeline.ts';
import type { ChangeEvent, TableIdentity } from '../../../src/types.ts';

const NOW = 1_795_000_000_000;
const ORDERS = tableOf('orders');
const jobs = {
  jobOf: ({ table }: TableIdentity) => (table === 'orders' ? 'orders.yaml' : null),
  connections: ['target'],
};

function tableOf(table: string, change: Partial<TableIdentity> = {}): TableIdentity {
  return { connector: 'postgresql', serverName: 'shop', db: 'shop', schema: 'public', table, ...change };
}

interface Settled {
  readonly table?: TableIdentity;
  readonly outcome?: keyof typeof OUTCOME;
  readonly arrivedMs?: number;
  readonly sourceMs?: number;
  readonly snapshot?: boolean;
  /** No change event was decoded. */
  readonly isControl?: boolean;
}

function batch(settled: readonly Settled[], writes: readonly (readonly object[])[] = [[]], settleMs = 0): BatchReport {
  const events = settled.map(({ table = ORDERS, sourceMs = NOW - 20, snapshot = false, isControl }) =>
    isControl ? null : ({ kind: 'change', op: 'c', table, sourceMs, snapshot } as ChangeEvent),
  );
  const passage = {
    entries: settled.map(({ arrivedMs = NOW - 8 }) => ({ ms: arrivedMs })),
    events,
    outcomes: Uint8Array.from(settled, ({ outcome = 'written' }) => OUTCOME[outcome]),
    writes,
  };
  return { passage, settleMs } as unknown as BatchReport;
}

function record(...batches: BatchReport[]): LatencyRecord {
  const made = new LatencyRecord(() => NOW);
  for (const one of batches) made.add(one, jobs);
  return made;
}

function only(made: LatencyRecord): TableLatency {
  const { tables } = made.snapshot();
  expect(tables).toHaveLength(1);
  return tables[0] as TableLatency;
}

/** Upper bounds of the buckets that hold something, with how many. */
function filled(made: LatencyRecord, counts: readonly number[]): [number, number][] {
  const { boundsSec } = made.snapshot();
  return counts.flatMap((count, i): [number, number][] => (count > 0 ? [[boundsSec[i] ?? Infinity, count]] : []));
}

describe('latencies', () => {
  it('are told from the change in the database, and from the arrival', () => {
    const made = record(batch([{ sourceMs: NOW - 2000, arrivedMs: NOW - 8 }]));
    const { sourceToTarget, endpointToTarget, behindSourceMs, lastChangeMs } = only(made);
    expect(filled(made, sourceToTarget.counts)).toEqual([[2.5, 1]]);
    expect(filled(made, endpointToTarget.counts)).toEqual([[0.01, 1]]);
    expect(sourceToTarget.sumSec).toBeCloseTo(2);
    expect({ behindSourceMs, lastChangeMs }).toEqual({ behindSourceMs: 1992, lastChangeMs: NOW - 8 });
  });

  it('end when the target answered, not when the batch was settled behind others', () => {
    const made = record(batch([{ sourceMs: NOW - 2000, arrivedMs: NOW - 1000 }], [[]], 600));
    expect(only(made).endpointToTarget.sumSec).toBeCloseTo(0.4);
  });

  it('are never negative, however much the clocks differ', () => {
    const made = record(batch([{ sourceMs: NOW + 60_000, arrivedMs: NOW + 5 }]));
    const { sourceToTarget, endpointToTarget, behindSourceMs } = only(made);
    expect([sourceToTarget.sumSec, endpointToTarget.sumSec, behindSourceMs]).toEqual([0, 0, 0]);
    expect(filled(made, sourceToTarget.counts)).toEqual([[0.001, 1]]);
  });

  it('leave out the time at the source of snapshot rows and of events that do not tell it', () => {
    const made = record(batch([{ snapshot: true }, { sourceMs: 0 }, {}]));
    const { sourceToTarget, endpointToTarget, snapshotRows } = only(made);
    expect(filled(made, sourceToTarget.counts)).toEqual([[0.025, 1]]);
    expect(filled(made, endpointToTarget.counts)).toEqual([[0.01, 3]]);
    expect(snapshotRows).toBe(1);
  });

  it('count what is in the target exactly: written and superseded records, no others', () => {
    const outcomes = ['written', 'written', 'superseded', 'filtered', 'rejected', 'rejected', 'rejected'] as const;
    const made = record(batch(outcomes.map((outcome) => ({ outcome }))), batch([{ isControl: true }]));
    const table = only(made);
    expect(table).toMatchObject({ written: 2, superseded: 1, filtered: 1, rejected: 3 });
    expect(table.endpointToTarget.counts.reduce((sum, count) => sum + count)).toBe(3);
  });

  it('reach from a millisecond to an hour and beyond', () => {
    const made = record(
      batch([{ arrivedMs: NOW - 7_200_000 }, { arrivedMs: NOW - 3_600_000 }, { arrivedMs: NOW - 1 }]),
    );
    expect(filled(made, only(made).endpointToTarget.counts)).toEqual([
      [0.001, 1],
      [3600, 1],
      [Infinity, 1],
    ]);
  });
});

describe('series', () => {
  it('are as many as there are tables and jobs, however the configuration changes', () => {
    const made = record(batch([{}, { table: tableOf('items') }, {}]));
    // Another configuration decodes into other objects for the same tables.
    const others = { jobOf: () => 'orders.yaml', connections: ['target'] };
    made.add(batch([{ table: tableOf('orders') }, { table: tableOf('items') }]), others);
    expect(made.snapshot().tables.map(({ table, job, written }) => [table, job, written])).toEqual([
      ['public.orders', 'orders.yaml', 3],
      ['public.items', null, 1],
      ['public.items', 'orders.yaml', 1],
    ]);
  });

  it('tell tables of one name by their server, and name the database where there is no schema', () => {
    const tables = [tableOf('t', { schema: '' }), tableOf('t', { schema: '', serverName: 'other' })];
    const made = record(batch(tables.map((table) => ({ table }))));
    expect(made.snapshot().tables.map(({ serverName, table }) => [serverName, table])).toEqual([
      ['shop', 'shop.t'],
      ['other', 'shop.t'],
    ]);
  });

  it('begin anew after a reset', () => {
    const made = record(batch([{}, {}], [[{}]]));
    made.clear();
    expect(made.snapshot()).toMatchObject({ tables: [], outputs: [], targets: [] });
    made.add(batch([{}]), jobs);
    expect(only(made).written).toBe(1);
  });
});

describe('writes', () => {
  it('are counted by output and by target', () => {
    const first = { job: 'orders.yaml', step: 'output[0] redis.write' };
    const second = { job: 'orders.yaml', step: 'output[1] redis.write' };
    const made = new LatencyRecord(() => NOW);
    const both = { jobOf: () => 'orders.yaml', connections: ['target', 'other'] };
    made.add(batch([{}, {}], [[{ origin: first }, { origin: first }, {}], [{ origin: second }]]), both);
    made.add(batch([{}], [[{ origin: first }], []]), both);
    expect(made.snapshot().outputs).toEqual([
      { target: 'target', job: 'orders.yaml', output: 'output[0] redis.write', writes: 3 },
      { target: 'target', job: null, output: null, writes: 1 },
      { target: 'other', job: 'orders.yaml', output: 'output[1] redis.write', writes: 1 },
    ]);
    expect(made.snapshot().targets).toEqual([
      { name: 'target', batches: 2, writes: 4 },
      { name: 'other', batches: 1, writes: 1 },
    ]);
  });
});
