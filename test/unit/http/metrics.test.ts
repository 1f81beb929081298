import { describe, expect, it } from 'vitest';
import { metricsDocumentation } from '../../../scripts/lib/metrics-documentation.ts';
import type { EngineSnapshot, Latencies, TableLatency } from '../../../src/control/types.ts';
import { collectorMetrics, operatorMetrics } from '../../../src/http/alias-metrics.ts';
import { engineMetrics, processorMetrics } from '../../../src/http/metrics.ts';
import { formatMetrics, Histogram, type MetricFamily } from '../../../src/observe/metrics.ts';
import { processMetrics } from '../../../src/observe/process-metrics.ts';
import { engineSnapshot, NOW, streamAccount } from '../../helpers/engine-snapshot.ts';
import { COLLECTOR, FLINK, type Names, OPERATOR, OWN, PROCESS, RDI } from './metric-names.ts';

const ORDERS: TableLatency = {
  table: 'public.orders',
  serverName: 'shop',
  connector: 'postgresql',
  job: 'orders',
  written: 7,
  filtered: 1,
  superseded: 2,
  rejected: 3,
  snapshotRows: 4,
  behindSourceMs: 30,
  lastChangeMs: NOW - 500,
  sourceToTarget: { counts: [1, 2, 3], sumSec: 9.5 },
  endpointToTarget: { counts: [4, 5, 0], sumSec: 1.25 },
};
const LATENCIES: Latencies = {
  boundsSec: [0.001, 1],
  tables: [ORDERS],
  outputs: [{ target: 'target', job: 'orders', output: 'output[0] redis.write', writes: 9 }],
  targets: [{ name: 'target', batches: 2, writes: 9 }],
};

/** A snapshot in which every family has a sample. */
function fullSnapshot(change: Partial<EngineSnapshot> = {}): EngineSnapshot {
  const base = engineSnapshot();
  const durations = new Histogram([0.1, 1]);
  for (const seconds of [0.05, 0.1, 0.5, 7]) durations.observe(seconds);
  return {
    ...base,
    latencies: LATENCIES,
    store: { ...base.store, syncs: durations.snapshot() },
    performance: { ...base.performance, phases: { write: durations.snapshot() } },
    ...change,
  };
}

function textOf(families: readonly MetricFamily[]): string {
  return [...formatMetrics(families)].join('');
}

function scrape(snapshot = fullSnapshot()): string {
  return textOf([...engineMetrics(snapshot), ...processMetrics()]);
}

/** Labels of the first sample of a family, in their order; undefined when it has none. */
function labelsIn(text: string, name: string): string[] | undefined {
  const line = text.split('\n').find((one) => new RegExp(`^${name}(_bucket)?[{ ]`).test(one));
  return line === undefined ? undefined : [...line.matchAll(/(\w+)="/g)].map(([, label]) => label as string);
}

function expectAll(text: string, names: Names): void {
  for (const [name, [type, ...labels]] of Object.entries(names)) {
    expect(text).toContain(`# TYPE ${name} ${type}\n`);
    expect(labelsIn(text, name), name).toEqual(labels);
  }
}

describe('metrics', () => {
  it.each(Object.entries({ ...RDI, ...OWN, ...PROCESS }))('serve %s as %o', (name, declared) => {
    expectAll(scrape(), { [name]: declared });
  });

  it('are all written down in the tests and in the documentation', () => {
    const served = [...scrape().matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name as string);
    expect(served.sort()).toEqual(Object.keys({ ...RDI, ...OWN, ...PROCESS }).sort());
    const documentation = metricsDocumentation();
    for (const name of [...served, ...Object.keys({ ...COLLECTOR, ...FLINK, ...OPERATOR })]) {
      expect(documentation).toContain(`| \`${name}\` |`);
    }
  });

  it('carry the labels that RDI’s dashboard asks for', () => {
    const text = scrape();
    expect(text).toContain('rdi_engine_state{state="RUNNING",sync_mode="STREAMING"} 1\n');
    expect(text).toContain('rdi_version_info{cli="0.1.0",engine="0.1.0"} 1\n');
    expect(text).toContain('rdi_incoming_entries{data_source="{rdi}:shop.orders",operation="pending"} 10\n');
    expect(text).toContain('rdi_incoming_entries{data_source="{rdi}:shop.orders",operation="inserted"} 60\n');
    expect(text).toContain('rdi_stream_event_latency_ms{data_source="{rdi}:shop.orders"} 2500\n');
    expect(text).toContain('rdi_oldest_pending_seconds 2.5\n');
    expect(text).toContain('rdi_target_connected{target="target"} 1\n');
    expect(text).toContain('rdi_backpressure_active{source="endpoint"} 0\n');
  });

  it('count a record as processed when it is settled and neither filtered nor rejected', () => {
    expect(scrape()).toContain('processed_records_total 87\n');
  });

  it('report zero latency when nothing waits or the clock went back', () => {
    for (const oldestPendingMs of [null, NOW + 5000]) {
      const text = scrape(engineSnapshot({ streams: [streamAccount({ oldestPendingMs })] }));
      expect(text).toContain('rdi_stream_event_latency_ms{data_source="{rdi}:shop.orders"} 0\n');
    }
  });

  it('keep every label set unique when streams differ only by prefix or database', () => {
    const streams = ['data:a', 'a', 'data:b'].map((name) => streamAccount({ name }));
    const text = scrape(fullSnapshot({ streams: [...streams, streamAccount({ name: 'data:b', db: 3 })] }));
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const names = series.map((line) => line.slice(0, line.lastIndexOf(' ')));
    expect(new Set(names).size).toBe(names.length);
    expect(text).toContain('data_source="b@3"');
  });

  it('are not broken by a table name with quotes and line breaks', () => {
    const name = 'data:a"b\n\\c';
    const tables = [{ ...ORDERS, table: name }];
    const text = scrape(fullSnapshot({ streams: [streamAccount({ name })], latencies: { ...LATENCIES, tables } }));
    expect(text).toContain('rdi_stream_event_latency_ms{data_source="a\\"b\\n\\\\c"} 2500\n');
    expectReadable(text);
  });

  it('come in pieces where there are many, so that other work is not held up', () => {
    const tables = Array.from({ length: 300 }, (_, i) => ({ ...ORDERS, table: `public.t${i}` }));
    const families = engineMetrics(fullSnapshot({ latencies: { ...LATENCIES, tables } }));
    const pieces = [...formatMetrics(families)];
    expect(pieces.length).toBeGreaterThan(2);
    expect(Math.max(...pieces.map((piece) => piece.split('\n').length))).toBeLessThan(1100);
    expectReadable(pieces.join(''));
  });

  it('have one value per line that Prometheus can read', () => {
    expectReadable(scrape());
  });

  it('write the spread of phases as a cumulative histogram', () => {
    const text = scrape();
    expect(text).toContain('rdi_batch_phase_duration_seconds_bucket{phase="write",le="0.1"} 2\n');
    expect(text).toContain('rdi_batch_phase_duration_seconds_bucket{phase="write",le="1"} 3\n');
    expect(text).toContain('rdi_batch_phase_duration_seconds_bucket{phase="write",le="+Inf"} 4\n');
    expect(text).toContain('rdi_batch_phase_duration_seconds_sum{phase="write"} 7.65\n');
    expect(text).toContain('rdi_batch_phase_duration_seconds_count{phase="write"} 4\n');
  });

  it('show a stalled stream in its own series, and as a problem', () => {
    const streams = [streamAccount(), streamAccount({ name: 'data:b' })];
    const text = scrape(fullSnapshot({ streams, stalled: [{ name: 'data:b', db: 0, since: NOW - 70_000 }] }));
    expect(text).toContain('rdi_stream_stalled{data_source="{rdi}:shop.orders"} 0\n');
    expect(text).toContain('rdi_stream_stalled{data_source="b"} 1\n');
    expect(text).toContain('rdi_problems{severity="error"} 1\n');
  });

  it('never count rejected records down, whatever is retried', () => {
    const streams = [streamAccount({ rejected: 3, everRejected: 10 }), streamAccount({ name: 'data:b', rejected: 2 })];
    const text = scrape(fullSnapshot({ streams }));
    expect(text).toContain('rejected_records_total 12\n');
    expect(text).toContain('rdi_incoming_entries{data_source="{rdi}:shop.orders",operation="rejected"} 10\n');
    expect(text).toContain('rdi_stream_entries_total{data_source="{rdi}:shop.orders",operation="rejected"} 10\n');
    expect(text).toContain('rdi_dlq_retried_total{data_source="{rdi}:shop.orders"} 7\n');
    expect(text).toContain('rdi_dlq_retried_total{data_source="b"} 0\n');
  });

  it('tell one and the same start of the process at every scrape', () => {
    const start = () => /process_start_time_seconds \S+/.exec(textOf(processMetrics()))?.[0];
    expect(start()).toBe(start());
  });

  it('name no revision where none is deployed', () => {
    const { pipeline } = engineSnapshot();
    const text = scrape(
      fullSnapshot({ pipeline: { ...pipeline, revision: null, failure: 'no secret', isActive: false } }),
    );
    expect(labelsIn(text, 'rdi_pipeline_revision')).toBeUndefined();
    expect(text).toContain('rdi_pipeline_failure 1\n');
    expect(text).toContain('rdi_pipeline_active 0\n');
  });
});

function expectReadable(text: string): void {
  for (const line of text.trimEnd().split('\n')) {
    expect(line).toMatch(
      /^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="([^"\\]|\\.)*",?)+\})? (-?[\d.]+(e[+-]?\d+)?|NaN|\+Inf))$/,
    );
  }
}

describe('latencies', () => {
  const table = 'server_name="shop",table="public.orders",job_name="orders"';

  it('are histograms by table and job', () => {
    const text = scrape();
    expect(text).toContain(`rdi_source_to_target_latency_seconds_bucket{${table},le="1"} 3\n`);
    expect(text).toContain(`rdi_source_to_target_latency_seconds_count{${table}} 6\n`);
    expect(text).toContain(`rdi_endpoint_to_target_latency_seconds_sum{${table}} 1.25\n`);
    expect(text).toContain(`rdi_snapshot_rows_total{${table}} 4\n`);
  });

  it('come with what each job did, its tables added up, those without a job by themselves', () => {
    const tables = [ORDERS, { ...ORDERS, table: 'public.items' }, { ...ORDERS, table: 'public.notes', job: null }];
    const text = scrape(fullSnapshot({ latencies: { ...LATENCIES, tables } }));
    expect(text).toContain('rdi_job_records_total{job_name="orders",outcome="written"} 14\n');
    expect(text).toContain('rdi_job_records_total{job_name="orders",outcome="rejected"} 6\n');
    expect(text).toContain('rdi_job_records_total{job_name="(default mapping)",outcome="written"} 7\n');
  });

  it('name no label job, which Prometheus keeps for itself', () => {
    expect(scrape()).not.toMatch(/[{,]job="/);
  });
});

describe('aliases', () => {
  it('derive the collector’s metrics from what arrives', () => {
    const text = textOf(collectorMetrics(fullSnapshot()));
    expectAll(text, COLLECTOR);
    const streaming = '{context="streaming",name="shop",plugin="postgresql"}';
    expect(text).toContain(`debezium_metrics_Connected${streaming} 1\n`);
    expect(text).toContain(`debezium_metrics_MilliSecondsSinceLastEvent${streaming} 500\n`);
    expect(text).toContain(`debezium_metrics_MilliSecondsBehindSource${streaming} 30\n`);
    expect(text).toContain('debezium_metrics_SnapshotRunning{context="snapshot",name="shop",plugin="postgresql"} 0\n');
  });

  it('tell several feeders apart by their topic prefixes', () => {
    const other = { ...ORDERS, serverName: 'crm', connector: 'mysql', behindSourceMs: 70 };
    const streams = [
      streamAccount({ name: 'data:{rdi}:shop.public.orders', received: 5 }),
      streamAccount({ name: 'data:crm.crm.people', received: 7 }),
    ];
    const latencies = { ...LATENCIES, tables: [ORDERS, other] };
    const text = textOf(collectorMetrics(fullSnapshot({ streams, latencies })));
    const shop = '{context="streaming",name="shop",plugin="postgresql"}';
    const crm = '{context="streaming",name="crm",plugin="mysql"}';
    expect(text).toContain(`debezium_metrics_TotalNumberOfEventsSeen${shop} 5\n`);
    expect(text).toContain(`debezium_metrics_TotalNumberOfEventsSeen${crm} 7\n`);
    expect(text).toContain(`debezium_metrics_MilliSecondsBehindSource${crm} 70\n`);
  });

  it('say that the collector is away when no sink connection is open', () => {
    const { endpoint } = engineSnapshot();
    const snapshot = engineSnapshot({ endpoint: { ...endpoint, connections: [] }, streams: [] });
    const text = textOf(collectorMetrics(snapshot));
    const streaming = '{context="streaming",name="",plugin=""}';
    expect(text).toContain(`debezium_metrics_Connected${streaming} 0\n`);
    expect(text).toContain(`debezium_metrics_MilliSecondsSinceLastEvent${streaming} -1\n`);
    expect(text).toContain(`debezium_metrics_MilliSecondsBehindSource${streaming} -1\n`);
  });

  it('serve what can be told of RDI’s Flink processor beside its classic names', () => {
    const text = textOf(processorMetrics(fullSnapshot()));
    expectAll(text, { ...RDI, ...FLINK });
    const coordinator = 'flink_jobmanager_job_operator_coordinator';
    const stream = 'stream="{rdi}:shop.orders"';
    expect(text).toContain(`${coordinator}_stream_type_rdiRecords{${stream},type="incoming"} 100\n`);
    expect(text).toContain(`${coordinator}_enumerator_stream_type_rdiRecords{${stream},type="pending"} 10\n`);
    expect(scrape()).not.toContain('flink_');
  });

  it('show one phase of the pipeline, and a leader', () => {
    const text = textOf(operatorMetrics(engineSnapshot()));
    expectAll(text, OPERATOR);
    expect(text).toContain('phase="Active"} 1\n');
    expect(text).toContain('phase="Error"} 0\n');
    expect(text).toContain('rdi_operator_is_leader{instance_id="127.0.0.1:12001"} 1\n');
  });

  it.each([
    ['Inactive', { state: 'stopped', isActive: false }],
    ['Resetting', { state: 'resetting' }],
    ['Pending', { state: 'pending' }],
    ['Error', { state: 'error' }],
  ] as const)('show the phase %s of a pipeline that is %o', (phase, change) => {
    const { pipeline } = engineSnapshot();
    const text = textOf(operatorMetrics(engineSnapshot({ pipeline: { ...pipeline, ...change } })));
    expect(text).toContain(`phase="${phase}"} 1\n`);
    expect(text.match(/phase="\w+"\} 1\n/g)).toHaveLength(1);
  });
});
