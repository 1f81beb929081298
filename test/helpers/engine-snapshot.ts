import type { AccountSums, DlqRecord, Engine, EngineSnapshot, StreamAccount } from '../../src/control/types.ts';

/** Ready-made figures: 100 received, 10 pending, one record rejected. */
export const SUMS: AccountSums = {
  received: 100,
  written: 70,
  filtered: 2,
  superseded: 5,
  deduplicated: 4,
  rejected: 1,
  skipped: 8,
  pending: 10,
  inserted: 60,
  updated: 10,
  deleted: 5,
};

export const NOW = 1_795_000_000_000;

export function streamAccount(change: Partial<StreamAccount> = {}): StreamAccount {
  return {
    name: 'data:{rdi}:shop.orders',
    db: 0,
    table: 'shop.orders',
    ...SUMS,
    lastArrivalMs: NOW - 500,
    oldestPendingMs: NOW - 2500,
    stopped: null,
    ...change,
  };
}

/** An engine at work: one feeder, one reachable target, one stream. */
export function engineSnapshot(change: Partial<EngineSnapshot> = {}): EngineSnapshot {
  const batch = { entries: 50, readMs: 1, decodeMs: 2, transformMs: 3, writeMs: 4, settleMs: 5, totalMs: 16 };
  return {
    startedAt: NOW - 192_000,
    takenAt: NOW,
    version: '0.1.0',
    syncMode: 'STREAMING',
    store: { state: 'ready', bytes: 3_145_728, limitBytes: 21_474_836_480, segments: 2, dataDir: './data' },
    endpoint: {
      listening: true,
      address: '127.0.0.1:12001',
      backpressure: 'none',
      connections: [
        {
          id: 3,
          name: 'debezium:redis:sink',
          address: '127.0.0.1:50000',
          user: 'debezium',
          ageSec: 100,
          idleSec: 0,
          commands: 110,
        },
      ],
    },
    targets: [
      {
        name: 'target',
        state: { state: 'ready' },
        address: 'redis://127.0.0.1:6379',
        redisVersion: '7.0.15',
        json: false,
        lastWriteMs: NOW - 400,
      },
    ],
    streams: [streamAccount()],
    totals: SUMS,
    performance: { batches: 2, ...batch, lastBatch: { batches: 1, ...batch, entries: 25 } },
    dlqs: [{ stream: 'data:{rdi}:shop.orders', count: 1, evicted: 0 }],
    warnings: [],
    notices: ['sources.mysql is kept and has no effect yet.'],
    memory: { bufferedBytes: 1000, bufferedLimitBytes: 67_108_864, inFlightEntries: 10 },
    ...change,
  };
}

export function dlqRecord(change: Partial<DlqRecord> = {}): DlqRecord {
  return {
    __dlq_stream_entry_id: '1795000000000-0',
    stream: 'data:{rdi}:shop.orders',
    entry_id: '1794999999999-0',
    reason_rejected: 'The record has no primary key.',
    timestamp: '2026-11-18T12:26:40.000Z',
    opcode: 'c',
    db: 'shop',
    table: 'orders',
    after: '{"id":1}',
    ...change,
  };
}

/** An engine that shows `read()` and holds one rejected record; only `stopped` can be resumed. */
export function fakeEngine(read: () => EngineSnapshot = engineSnapshot, reasons: string[] = []): Engine {
  return {
    snapshot: read,
    dlqRecords: (stream, { limit, offset }) =>
      stream === 'data:{rdi}:shop.orders' ? [dlqRecord()].slice(offset, offset + limit) : [],
    resume: async (stream) => read().streams.some(({ name, stopped }) => name === stream && stopped !== null),
    ready: () => ({ ready: reasons.length === 0, reasons }),
    close: async () => {},
  };
}
