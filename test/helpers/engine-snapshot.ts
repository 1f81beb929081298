import type {
  DlqControl,
  DlqRecordDetail,
  DlqSelection,
  HistoryControl,
  SecretControl,
} from '../../src/control/operations.ts';
import type { AccountSums, DlqRecord, Engine, EngineSnapshot, StreamAccount } from '../../src/control/types.ts';
import { FakePipeline } from './fake-pipeline.ts';

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
    pipeline: {
      state: 'started',
      stateChangedAt: NOW - 192_000,
      isActive: true,
      isDeployed: true,
      revision: 1,
      sources: [{ name: 'shop', type: 'cdc', dbType: 'mysql', connection: 'db:3306/shop' }],
      jobs: [{ name: 'orders', source: 'orders', transformations: 1, outputs: 1, connections: ['target'] }],
      awaitsFeederRestart: false,
      failure: null,
    },
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

const DETAIL = { fields: [{ name: 'key', value: '{"id":1}' }], is_superseded: false } as const;

/** Holds one rejected record of `orders`; it goes when it is retried or dropped, and keeps what it is edited to. */
function fakeDlq(): DlqControl {
  const stream = 'data:{rdi}:shop.orders';
  let records: DlqRecordDetail[] = [{ ...dlqRecord(), ...DETAIL }];
  const selected = (selection: DlqSelection): DlqRecordDetail[] =>
    records.filter(
      (record) =>
        (selection.stream ?? stream) === record.stream &&
        (selection.ids?.includes(record.__dlq_stream_entry_id) ?? true) &&
        record.reason_rejected.includes(selection.reason ?? ''),
    );
  const take = (selection: DlqSelection): DlqRecordDetail[] => {
    const taken = selected(selection);
    records = records.filter((record) => !taken.includes(record));
    return taken;
  };
  const find = (name: string, id: string) => selected({ stream: name, ids: [id] })[0] ?? null;
  return {
    records: (name, { limit, offset }) =>
      selected({ stream: name })
        .slice(offset, offset + limit)
        .map(({ fields: _fields, is_superseded: _superseded, ...record }) => record),
    record: find,
    count: (selection) => selected(selection).length,
    entry: () => null,
    edit: async (name, id, { key, value }) => {
      const record = find(name, id);
      if (record === null) return false;
      const fields = [{ name: key ?? '{"id":1}', value: value ?? '' }];
      records = records.map((other) => (other === record ? { ...record, fields } : other));
      return true;
    },
    retry: async (selection) => {
      const taken = take(selection).map((record) => ({ stream: record.stream, id: record.__dlq_stream_entry_id }));
      const retried = taken.map((record) => ({ ...record, outcome: 'written' as const }));
      return { written: taken.length, filtered: 0, superseded: 0, kept: 0, records: retried };
    },
    drop: async (selection) => take(selection).length,
    async *export(selection) {
      yield* selected(selection);
    },
  };
}

function fakeSecrets(): SecretControl {
  const names = new Set(['TARGET_DB_PASSWORD']);
  return {
    list: () => [...names].sort().map((name) => ({ name, origin: 'store' as const, isSet: true, isUsed: false })),
    set: async (name) => {
      names.add(name);
    },
    delete: async (name) => names.delete(name),
  };
}

const fakeHistory: HistoryControl = {
  since: null,
  async *entries() {},
  recent: async () => [],
  async *follow() {},
  isSettled: () => true,
  lookups: new Map(),
};

const LOG_LINE = { number: 1, time: '2026-11-18T12:26:40.000Z', level: 'info', message: 'rdi is starting', fields: {} };

/**
 * An engine that shows `read()`, runs {@link SMALL_DOCUMENT} and holds one rejected record; only a stream that is `stopped` can
 * be resumed.
 */
export function fakeEngine(
  read: () => EngineSnapshot = engineSnapshot,
  reasons: string[] = [],
  change: Partial<Engine> = {},
): Engine {
  return {
    snapshot: read,
    pipeline: new FakePipeline(),
    dlq: fakeDlq(),
    secrets: fakeSecrets(),
    history: fakeHistory,
    log: { lines: ({ after = 0, limit }) => [LOG_LINE].filter(({ number }) => number > after).slice(-limit) },
    resume: async (stream) => read().streams.some(({ name, stopped }) => name === stream && stopped !== null),
    offsets: () => ({ 'metadata:debezium:offsets': { shop: { lsn: 17 } } }),
    ready: () => ({ ready: reasons.length === 0, reasons }),
    close: async () => {},
    ...change,
  };
}
