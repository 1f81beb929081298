/**
 * What counting latencies adds to the path, per event: batches of one table, of two that take turns, and of a hundred.
 * Prints JSON. `node benchmarks/micro/latencies.ts`
 */
import { OUTCOME } from '../../src/checkpoint/index.ts';
import { LatencyRecord } from '../../src/control/latencies.ts';
import type { BatchReport } from '../../src/pipeline.ts';
import type { ChangeEvent, TableIdentity } from '../../src/types.ts';

const EVENTS = 2000;
const ROUNDS = 1000;
const NOW = 1_795_000_000_000;
const jobs = { jobOf: () => 'orders.yaml', connections: ['target'] };

/** Each event arrived a little later than the one before; the change itself is some milliseconds older. */
function batchOf(tables: number): BatchReport {
  const identities = Array.from(
    { length: tables },
    (_, i): TableIdentity => ({
      connector: 'postgresql',
      serverName: 'shop',
      db: 'shop',
      schema: 'public',
      table: `t${i}`,
    }),
  );
  const origin = { job: 'orders.yaml', step: 'output[0] redis.write' };
  const events = Array.from({ length: EVENTS }, (_, i) => {
    const table = identities[i % tables] as TableIdentity;
    const facts = { kind: 'change', op: 'c', table, key: null, before: null, after: null } as const;
    return { ...facts, sourceMs: NOW - 20 + (i % 13), snapshot: false } satisfies ChangeEvent;
  });
  const passage = {
    entries: events.map((_, i) => ({ ms: NOW - 8 + (i % 7) })),
    events,
    outcomes: new Uint8Array(EVENTS).fill(OUTCOME.written),
    writes: [events.map((_, index) => ({ kind: 'delete', key: 'k', index, origin }))],
  };
  return { passage, settleMs: 1 } as unknown as BatchReport;
}

function nanosecondsPerEvent(tables: number): number {
  const batch = batchOf(tables);
  const record = new LatencyRecord(() => NOW);
  for (let round = 0; round < ROUNDS / 10; round++) record.add(batch, jobs);
  const startedAt = process.hrtime.bigint();
  for (let round = 0; round < ROUNDS; round++) record.add(batch, jobs);
  return Number(process.hrtime.bigint() - startedAt) / (ROUNDS * EVENTS);
}

const figures = [1, 2, 100].map((tables) => [`${tables} tables`, Math.round(nanosecondsPerEvent(tables))]);
console.log(JSON.stringify({ events: EVENTS, nanosecondsPerEvent: Object.fromEntries(figures) }));
