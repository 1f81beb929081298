import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { commandBytes } from '../../helpers/bulk-strings.ts';
import { type Expression, readExpression, readSeries } from '../../helpers/promql.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { type Rdi, startRdi } from '../../helpers/rdi-process.ts';
import { startTargetRedis, type TargetRedis } from '../../helpers/target-redis.ts';
import { pretendReserve, tempFolder } from '../../helpers/temp-folder.ts';

const ROOT = join(import.meta.dirname, '../../..');

const ORDERS_JOB = `
source: {table: orders}
transform:
  - uses: filter
    with: {expression: "id != \`3\`", language: jmespath}
output:
  - uses: redis.write
    with: {data_type: hash}
`;

let target: TargetRedis;
let rdi: Rdi;
let feeder: RawClient;
/** What each path serves, after records of every fate went through. */
const pages = new Map<string, string>();
const PATHS = ['/metrics', '/processor/metrics', '/collector-source/metrics', '/operator/metrics'];

beforeAll(async () => {
  const folder = tempFolder();
  target = await startTargetRedis({ json: false });
  mkdirSync(join(folder, 'jobs'), { recursive: true });
  pretendReserve(join(folder, 'data'));
  const connection = `{type: redis, host: 127.0.0.1, port: ${target.server.port}}`;
  writeFileSync(join(folder, 'config.yaml'), `targets: {target: {connection: ${connection}}}\n`);
  writeFileSync(join(folder, 'jobs', 'orders.yaml'), ORDERS_JOB);
  rdi = await startRdi({ folder, args: ['--dir', folder] });
  feeder = await RawClient.connect(rdi.port);
  feeder.send(commandBytes('CLIENT', 'SETNAME', 'debezium:redis:sink'));
  await feeder.replies(1);
  await send([row('r', 'orders', 1), row('r', 'orders', 2), row('r', 'items', 1)]);
  await send([row('c', 'orders', 3), row('c', 'orders', 4), row('u', 'items', 1), row('d', 'items', 1)]);
  await send([row('c', 'items', 2, null)]);
  await rdi.settled(({ totals }) => totals.received === 8, 20_000);
  for (const path of PATHS) pages.set(path, await (await fetch(`${rdi.http}${path}`)).text());
});

afterAll(async () => {
  feeder?.close();
  await rdi?.end('SIGTERM');
  await target?.close();
});

function row(op: string, table: string, id: number, key: object | null = { id }): Buffer {
  const image = { id, name: `n${id}` };
  const source = {
    connector: 'postgresql',
    name: 'shop',
    db: 'shop',
    schema: 'public',
    table,
    ts_ms: Date.now() - 1000,
  };
  const value = {
    before: op === 'd' ? image : null,
    after: op === 'd' ? null : image,
    source: { ...source, snapshot: op === 'r' ? 'true' : 'false' },
    op,
    ts_ms: Date.now(),
  };
  const fields = ['key', key === null ? 'default' : JSON.stringify(key), 'value', JSON.stringify(value)];
  return commandBytes('XADD', `data:shop.public.${table}`, '*', ...fields);
}

async function send(rows: readonly Buffer[]): Promise<void> {
  feeder.send(Buffer.concat(rows));
  await feeder.replies(rows.length);
}

function page(path: string): string {
  return pages.get(path) ?? '';
}

/** Value of the sample of exactly this name and these labels. */
function sample(path: string, series: string): number {
  const line = page(path)
    .split('\n')
    .find((one) => one.startsWith(`${series} `));
  expect(line, series).toBeDefined();
  return Number(line?.slice(series.length + 1));
}

describe('a running rdi', () => {
  it('serves RDI’s per-stream counts under RDI’s labels', () => {
    const of = (table: string, operation: string) =>
      sample('/metrics', `rdi_incoming_entries{data_source="shop.public.${table}",operation="${operation}"}`);
    expect(
      ['pending', 'inserted', 'updated', 'deleted', 'filtered', 'rejected'].map((one) => of('orders', one)),
    ).toEqual([0, 3, 0, 0, 1, 0]);
    expect(
      ['pending', 'inserted', 'updated', 'deleted', 'filtered', 'rejected'].map((one) => of('items', one)),
    ).toEqual([0, 1, 1, 1, 0, 1]);
    expect(sample('/metrics', 'incoming_records_total')).toBe(8);
    expect(sample('/metrics', 'rejected_records_total')).toBe(1);
    expect(sample('/metrics', 'filtered_records_total')).toBe(1);
    expect(sample('/metrics', 'processed_records_total')).toBe(6);
  });

  it('tells how long live changes took, by table and job, and counts no snapshot row as one', () => {
    const orders = '{server_name="shop",table="public.orders",job_name="orders"}';
    const items = '{server_name="shop",table="public.items",job_name="(default mapping)"}';
    expect(sample('/metrics', `rdi_source_to_target_latency_seconds_count${orders}`)).toBe(1);
    expect(sample('/metrics', `rdi_endpoint_to_target_latency_seconds_count${orders}`)).toBe(3);
    expect(sample('/metrics', `rdi_source_to_target_latency_seconds_count${items}`)).toBe(2);
    expect(sample('/metrics', `rdi_source_to_target_latency_seconds_sum${items}`)).toBeGreaterThan(2);
    expect(sample('/metrics', `rdi_endpoint_to_target_latency_seconds_sum${items}`)).toBeLessThan(30);
    expect(sample('/metrics', `rdi_snapshot_rows_total${orders}`)).toBe(2);
  });

  it('counts what jobs and outputs did', () => {
    expect(sample('/metrics', 'rdi_job_records_total{job_name="orders",outcome="filtered"}')).toBe(1);
    expect(sample('/metrics', 'rdi_job_records_total{job_name="(default mapping)",outcome="rejected"}')).toBe(1);
    const output = '{job_name="orders",output="output[0] redis.write",target="target"}';
    expect(sample('/metrics', `rdi_output_writes_total${output}`)).toBe(3);
    expect(sample('/metrics', 'rdi_target_writes_total{target="target"}')).toBe(6);
    expect(sample('/metrics', 'rdi_dlq_entries{data_source="shop.public.items"}')).toBe(1);
  });

  it('tells what the disk takes, which configuration runs, and what was asked over HTTP', () => {
    expect(sample('/metrics', 'rdi_store_sync_duration_seconds_count')).toBeGreaterThan(0);
    expect(sample('/metrics', 'rdi_pipeline_revision')).toBe(1);
    expect(sample('/metrics', 'rdi_feeder_connections')).toBe(1);
    expect(
      sample('/processor/metrics', 'rdi_http_requests_total{method="GET",route="/metrics",status="200"}'),
    ).toBeGreaterThan(0);
  });

  it('serves what can be seen of Debezium under the names and labels of RDI’s collector', () => {
    const labels = (context: string) => `{context="${context}",name="shop",plugin="postgresql"}`;
    const collector = (name: string, context: string) =>
      sample('/collector-source/metrics', `debezium_metrics_${name}${labels(context)}`);
    expect(collector('Connected', 'streaming')).toBe(1);
    expect(collector('TotalNumberOfEventsSeen', 'streaming')).toBe(8);
    expect(collector('MilliSecondsBehindSource', 'streaming')).toBeGreaterThanOrEqual(1000);
    expect(collector('MilliSecondsSinceLastEvent', 'snapshot')).toBeGreaterThanOrEqual(0);
    expect(collector('SnapshotCompleted', 'snapshot')).toBe(1);
    const rows = '{context="snapshot",name="shop",plugin="postgresql",table="public.orders"}';
    expect(sample('/collector-source/metrics', `debezium_metrics_RowsScanned${rows}`)).toBe(2);
  });

  it('serves the names of RDI’s Flink processor beside the classic ones at /processor/metrics', () => {
    const records = 'flink_jobmanager_job_operator_coordinator_stream_type_rdiRecords';
    expect(sample('/processor/metrics', `${records}{stream="shop.public.orders",type="incoming"}`)).toBe(4);
    const connected = 'flink_taskmanager_job_task_operator_rdi_connected';
    expect(sample('/processor/metrics', `${connected}{operator_name="default:target:_Writer"}`)).toBe(1);
    expect(page('/metrics')).not.toContain('flink_');
  });

  it('shows the phase of the pipeline and its leader', () => {
    const phase = 'rdi_operator_pipeline_phase{namespace="rdi",name="default",phase="Active"}';
    expect(sample('/operator/metrics', phase)).toBe(1);
    expect(page('/operator/metrics')).toMatch(/rdi_operator_is_leader\{instance_id="[^"]+"\} 1\n/);
  });

  it('has no series twice on a page', () => {
    for (const [path, text] of pages) {
      const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      const names = series.map((line) => line.slice(0, line.lastIndexOf(' ')));
      expect(new Set(names).size, path).toBe(names.length);
    }
  });
});

/** What Prometheus adds by itself. */
const SCRAPED = new Set(['job', 'instance']);
/** Labels of Prometheus’ own metrics, and of results of recording rules. */
const FOREIGN = new Set(['up']);

/** Names and labels that are asked for and not served. */
function missing(expression: Expression, recorded: ReadonlySet<string> = new Set()): string[] {
  const series = readSeries([...pages.values()].join('\n'));
  const served = new Set([...series.values()].flatMap((labels) => [...labels.keys()]));
  const metrics = expression.asked.filter(({ metric }) => !FOREIGN.has(metric) && !recorded.has(metric));
  return [
    ...metrics.filter(({ metric }) => !series.has(metric)).map(({ metric }) => metric),
    ...metrics.flatMap(({ metric, labels }) =>
      labels
        .filter(({ name }) => !SCRAPED.has(name) && !series.get(metric)?.has(name))
        .map(({ name }) => `${metric}{${name}}`),
    ),
    ...expression.grouping.filter((label) => !SCRAPED.has(label) && !served.has(label)),
    ...metrics.flatMap(({ metric, labels }) =>
      labels
        .filter(({ operator, value }) => operator === '=' && !value.includes('$'))
        .filter(({ name, value }) => !SCRAPED.has(name) && !series.get(metric)?.get(name)?.has(value))
        .map(({ name, value }) => `${metric}{${name}="${value}"}`),
    ),
  ];
}

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: { readonly severity?: string };
  readonly annotations?: { readonly summary?: string; readonly description?: string; readonly runbook?: string };
}

function rulesOf(file: string): Rule[] {
  const { groups } = parse(readFileSync(join(ROOT, 'deploy/prometheus', file), 'utf8')) as {
    groups: { rules: Rule[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
}

describe('alerts and recording rules', () => {
  const recorded = new Set(rulesOf('recording.yaml').map(({ record = '' }) => record));
  const alerts = rulesOf('alerts.yaml');

  it.each([...rulesOf('recording.yaml'), ...alerts].map((rule) => [rule.alert ?? rule.record, rule.expr]))(
    '%s asks for metrics and labels that are served',
    (_name, expr) => {
      expect(missing(readExpression(expr), recorded)).toEqual([]);
    },
  );

  it.each(alerts.map((rule) => [rule.alert ?? '', rule] as const))(
    '%s says what is wrong and what to do',
    (name, rule) => {
      expect(rule.labels?.severity).toMatch(/^(critical|warning)$/);
      expect(rule.annotations?.summary).toMatch(/\.$/);
      expect(rule.annotations?.description).toMatch(/\.$/);
      expect(rule.annotations?.runbook).toBe(`docs/alerts.md#${name.toLowerCase()}`);
      const text = readFileSync(join(ROOT, 'docs/alerts.md'), 'utf8').split(`\n## ${name}\n`)[1] ?? '';
      expect(text.split('\n## ')[0]?.trim().length).toBeGreaterThan(80);
    },
  );
});

describe('the Grafana dashboard', () => {
  const text = readFileSync(join(ROOT, 'deploy/grafana/rdi.json'), 'utf8');
  const expressions = [...text.matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g)].map(
    ([, quoted]) => JSON.parse(quoted ?? '') as string,
  );

  it('asks for metrics and labels that are served', () => {
    expect(expressions.length).toBeGreaterThan(40);
    const found = expressions.map((one) => readExpression(one.replaceAll('$__rate_interval', '1m')));
    expect(found.flatMap((one) => missing(one))).toEqual([]);
  });

  it('fills its variables from labels that Prometheus knows', () => {
    const variables = [...text.matchAll(/label_values\((\w+), (\w+)\)/g)];
    const series = readSeries(page('/metrics'));
    for (const [, metric = '', label = ''] of variables) {
      expect(SCRAPED.has(label) || series.get(metric)?.has(label), `${metric} ${label}`).toBe(true);
    }
  });

  it('has panels side by side without overlaps, each with a title, a description and a data source', () => {
    const { panels, schemaVersion } = JSON.parse(text) as {
      schemaVersion: number;
      panels: { id: number; type: string; title: string; description?: string; datasource?: object; gridPos: Place }[];
    };
    expect(schemaVersion).toBeGreaterThanOrEqual(38);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { type, title, description, datasource } of panels) {
      expect(title).not.toBe('');
      if (type !== 'row') expect([description, datasource], title).not.toContain(undefined);
    }
  });
});

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

describe('RDI’s own dashboard', () => {
  it.each([
    'sum(rdi_engine_state)',
    'rdi_incoming_entries{operation="pending", data_source=~"$source"}',
    'rdi_stream_event_latency_ms{data_source=~"$source"}',
    'sum by (operation) (rate(rdi_incoming_entries{operation!~".*pending"}[1m]))',
  ])('gets an answer to %s', (expr) => {
    expect(missing(readExpression(expr))).toEqual([]);
  });
});

describe('the check itself', () => {
  it('finds names, labels and values that are not served', () => {
    expect(missing(readExpression('sum by (nobody) (rate(rdi_no_such_total[5m])) > 1'))).toEqual([
      'rdi_no_such_total',
      'nobody',
    ]);
    expect(missing(readExpression('rdi_store_state{sate="ready"} == 1 or rdi_store_state{state="redy"}'))).toEqual([
      'rdi_store_state{sate}',
      'rdi_store_state{sate="ready"}',
      'rdi_store_state{state="redy"}',
    ]);
  });
});
