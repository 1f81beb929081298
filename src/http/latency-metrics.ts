import { labelled, type MetricDeclaration, type Reading } from '../observe/metric-table.ts';
import type { HistogramSnapshot } from '../observe/metrics.ts';
import type { MetricsView } from './metrics-view.ts';

type Tables = NonNullable<MetricsView['latencies']>['tables'];

/** Stands for tables that no job selects. A job's name is that of its file, which can hardly be this one. */
const NO_JOB = '(default mapping)';
const TABLE_LABELS = ['server_name', 'table', 'job_name'] as const;
const OUTCOMES = ['written', 'filtered', 'superseded', 'rejected'] as const;

/**
 * How long changes take, and what jobs do. The label is `job_name`, because Prometheus gives every sample a `job` of its own,
 * the name of the scrape configuration, and renames any other.
 */
export const LATENCY_METRICS: readonly MetricDeclaration<MetricsView>[] = [
  labelled(
    'rdi_source_to_target_latency_seconds',
    'histogram',
    TABLE_LABELS,
    'From the change in the database until it was in the target. Live changes only; right to a second where the source stamps whole seconds, and as right as the two clocks agree.',
    (view) => perTable(view, ({ sourceToTarget }) => durations(view, sourceToTarget)),
  ),
  labelled(
    'rdi_endpoint_to_target_latency_seconds',
    'histogram',
    TABLE_LABELS,
    'From the arrival at the endpoint until the change was in the target.',
    (view) => perTable(view, ({ endpointToTarget }) => durations(view, endpointToTarget)),
  ),
  labelled(
    'rdi_job_records_total',
    'counter',
    ['job_name', 'outcome'],
    'Records that a job handled, by what became of them.',
    ({ latencies }) => perJob(latencies?.tables ?? []),
  ),
  labelled('rdi_snapshot_rows_total', 'counter', TABLE_LABELS, 'Settled rows of snapshots.', (view) =>
    perTable(view, ({ snapshotRows }) => snapshotRows),
  ),
  labelled(
    'rdi_output_writes_total',
    'counter',
    ['job_name', 'output', 'target'],
    'Writes that an output of a job asked for.',
    ({ latencies }) =>
      (latencies?.outputs ?? []).map(({ job, output, target, writes }) => [
        job ?? NO_JOB,
        output ?? '',
        target,
        writes,
      ]),
  ),
  labelled('rdi_target_writes_total', 'counter', ['target'], 'Writes that the target was asked for.', (view) =>
    (view.latencies?.targets ?? []).map(({ name, writes }) => [name, writes]),
  ),
  labelled('rdi_target_batches_total', 'counter', ['target'], 'Batches that held writes for the target.', (view) =>
    (view.latencies?.targets ?? []).map(({ name, batches }) => [name, batches]),
  ),
  labelled(
    'rdi_batch_phase_duration_seconds',
    'histogram',
    ['phase'],
    'How long the phases of a batch took: read, decode, transform, write, settle, and total.',
    ({ performance }) => Object.entries(performance.phases ?? {}),
  ),
];

function perTable({ latencies }: MetricsView, value: (table: Tables[number]) => number | HistogramSnapshot): Reading[] {
  return (latencies?.tables ?? []).map((table) => [table.serverName, table.table, table.job ?? NO_JOB, value(table)]);
}

function durations(
  { latencies }: MetricsView,
  { counts, sumSec }: Tables[number]['sourceToTarget'],
): HistogramSnapshot {
  return { bounds: latencies?.boundsSec ?? [], counts, sum: sumSec };
}

function perJob(tables: Tables): Reading[] {
  const sums = new Map<string, number[]>();
  for (const table of tables) {
    const sum = sums.get(table.job ?? NO_JOB) ?? OUTCOMES.map(() => 0);
    sums.set(
      table.job ?? NO_JOB,
      OUTCOMES.map((outcome, index) => table[outcome] + (sum[index] ?? 0)),
    );
  }
  return [...sums].flatMap(([job, counts]) =>
    OUTCOMES.map((outcome, index): Reading => [job, outcome, counts[index] ?? 0]),
  );
}
