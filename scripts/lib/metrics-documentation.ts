import { COLLECTOR_METRICS, OPERATOR_METRICS } from '../../src/http/alias-metrics.ts';
import { FLINK_METRICS } from '../../src/http/flink-metrics.ts';
import { LATENCY_METRICS } from '../../src/http/latency-metrics.ts';
import { OWN_METRICS } from '../../src/http/own-metrics.ts';
import { RDI_METRICS } from '../../src/http/rdi-metrics.ts';
import { REQUEST_METRICS } from '../../src/http/request-metrics.ts';
import { PROCESS_METRICS } from '../../src/observe/process-metrics.ts';

interface Described {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

/** Every metric with its type, its labels and its meaning, as Markdown. */
export function metricsDocumentation(): string {
  return [
    '# Metrics',
    '',
    'Prometheus text. A scrape configuration, recording rules and alerts are in [`deploy/prometheus`](../deploy/prometheus), a',
    'Grafana dashboard is [`deploy/grafana/rdi.json`](../deploy/grafana/rdi.json); what to do about an alert: [alerts.md](alerts.md).',
    '',
    '| path | what is there |',
    '|---|---|',
    '| `/metrics` | everything below but the aliases |',
    '| `/processor/metrics` | the same, and the names of RDI’s Flink processor |',
    '| `/collector-source/metrics` | what Debezium’s own metrics say, as far as the receiving side sees it |',
    '| `/operator/metrics` | the phase of the pipeline, as RDI’s operator names it |',
    '',
    '- `data_source` is the name of the stream without `data:`, so `{rdi}:shop.orders` for `data:{rdi}:shop.orders`; where that names',
    '  two streams alike the full name stays, and a database other than 0 is appended (`shop.orders@3`).',
    '- `table` is `schema.table`, or `database.table` where there are no schemas; `server_name` is the feeder’s `topic.prefix`.',
    '- `job_name` is the job’s name, `(default mapping)` for tables without one. It is not called `job`, because Prometheus gives',
    '  each sample a label of that name (the scrape configuration) and would rename ours.',
    '- Accounts (`rdi_stream_entries_total`, `incoming_records_total`, …) go on over restarts and begin anew with a reset; latencies,',
    '  jobs, outputs and batches count from the start of the process. `rate()` and `increase()` take both.',
    '- A quantile over all tables: `histogram_quantile(0.99, sum by (le) (rate(rdi_endpoint_to_target_latency_seconds_bucket[5m])))`.',
    '',
    ...section('RDI’s stream processor', RDI_METRICS),
    ...section('What RDI does not count', OWN_METRICS),
    ...section('Latency, jobs, outputs', LATENCY_METRICS),
    ...section('The process', [...PROCESS_METRICS, ...REQUEST_METRICS]),
    ...section('Aliases: `/collector-source/metrics`', COLLECTOR_METRICS, [
      '`name` is the topic prefix, `plugin` the connector; both are empty until a change was decoded after a start. For the rest of',
      'Debezium’s metrics (queues, tables left, `NumberOfErroneousEvents`, `SnapshotAborted`) scrape Debezium itself.',
    ]),
    ...section('Aliases: `/operator/metrics`', OPERATOR_METRICS),
    ...section('Aliases: `/processor/metrics`', FLINK_METRICS, [
      'Names that dashboards for RDI’s Flink processor use. What describes Flink’s own tasks and checkpoints has no counterpart.',
    ]),
  ].join('\n');
}

function section(title: string, metrics: readonly Described[], text: readonly string[] = []): string[] {
  const rows = metrics.map(({ name, type, labels, help }) => {
    const shown = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${shown} | ${help} |`;
  });
  const intro = text.length === 0 ? [] : [...text, ''];
  return [`## ${title}`, '', ...intro, '| name | type | labels | meaning |', '|---|---|---|---|', ...rows, ''];
}
