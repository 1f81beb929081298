import { type EngineSnapshot, runState, type StreamAccount } from '../control/index.ts';
import { labelled, type MetricDeclaration, type Reading, readFamilies } from '../observe/metric-table.ts';
import type { MetricFamily, MetricType } from '../observe/metrics.ts';
import { type MetricsView, viewOf } from './metrics-view.ts';

const SINK_CLIENT = 'debezium:redis:sink';
const LABELS = ['context', 'name', 'plugin'] as const;

/** What one connector sends: `name` is its topic prefix, `plugin` its kind; empty as long as no change was decoded. */
interface Source {
  readonly name: string;
  readonly plugin: string;
  readonly streams: readonly StreamAccount[];
}

interface CollectorView extends MetricsView {
  readonly sources: readonly Source[];
}

function collectorView(snapshot: EngineSnapshot): CollectorView {
  const view = viewOf(snapshot);
  const plugins = new Map(view.latencies?.tables.map(({ serverName, connector }) => [serverName, connector]));
  if (plugins.size <= 1) {
    const [[name, plugin] = ['', '']] = plugins;
    return { ...view, sources: [{ name, plugin, streams: view.streams }] };
  }
  const isOf = (name: string, index: number) => view.dataSources[index]?.split(':').at(-1)?.startsWith(`${name}.`);
  const sources = [...plugins].map(([name, plugin]) => ({
    name,
    plugin,
    streams: view.streams.filter((_stream, index) => isOf(name, index)),
  }));
  return { ...view, sources };
}

/** A family with one sample for each source, where its value is known. */
function perSource(
  name: string,
  type: MetricType,
  contexts: readonly ('snapshot' | 'streaming')[],
  help: string,
  value: (source: Source, view: CollectorView) => number,
): MetricDeclaration<CollectorView> {
  return labelled(`debezium_metrics_${name}`, type, LABELS, help, (view) =>
    contexts.flatMap((context) =>
      view.sources.map((source): Reading => [context, source.name, source.plugin, value(source, view)]),
    ),
  );
}

function sum({ streams }: Source, place: 'received' | 'inserted' | 'updated' | 'deleted'): number {
  return streams.reduce((total, stream) => total + stream[place], 0);
}

function idleMs({ streams }: Source, { takenAt }: CollectorView): number {
  const last = streams.reduce((latest, { lastArrivalMs }) => Math.max(latest, lastArrivalMs ?? 0), 0);
  return last === 0 ? -1 : Math.max(0, takenAt - last);
}

/** How long the last live change was on its way; -1 before the first. */
function behindMs({ name }: Source, { latencies }: CollectorView): number {
  const tables = (latencies?.tables ?? []).filter(({ serverName }) => serverName === name);
  const newest = tables.sort((one, other) => (other.lastChangeMs ?? 0) - (one.lastChangeMs ?? 0))[0];
  return newest?.behindSourceMs ?? -1;
}

const BOTH = ['snapshot', 'streaming'] as const;
const STREAMING = ['streaming'] as const;
const SNAPSHOT = ['snapshot'] as const;

/**
 * Debezium's own metrics as far as they can be seen from the receiving side, under the names of RDI's collector, so that
 * existing scrape configurations and alerts keep working. What only Debezium knows (queues, tables left) is absent.
 */
export const COLLECTOR_METRICS: readonly MetricDeclaration<CollectorView>[] = [
  perSource('Connected', 'gauge', STREAMING, '1 while a sink connection of a feeder is open.', (_source, view) =>
    view.endpoint.connections.some(({ name }) => name === SINK_CLIENT) ? 1 : 0,
  ),
  perSource(
    'MilliSecondsSinceLastEvent',
    'gauge',
    BOTH,
    'Time since the last entry arrived; -1 when none has.',
    idleMs,
  ),
  perSource(
    'MilliSecondsBehindSource',
    'gauge',
    STREAMING,
    'Time between the last live change in the database and its arrival here; -1 when there was none since the start.',
    behindMs,
  ),
  perSource('TotalNumberOfEventsSeen', 'counter', BOTH, 'Entries that arrived.', (source) => sum(source, 'received')),
  perSource('TotalNumberOfCreateEventsSeen', 'counter', STREAMING, 'Settled inserts and snapshot rows.', (source) =>
    sum(source, 'inserted'),
  ),
  perSource('TotalNumberOfUpdateEventsSeen', 'counter', STREAMING, 'Settled updates.', (source) =>
    sum(source, 'updated'),
  ),
  perSource('TotalNumberOfDeleteEventsSeen', 'counter', STREAMING, 'Settled deletes.', (source) =>
    sum(source, 'deleted'),
  ),
  perSource('SnapshotRunning', 'gauge', SNAPSHOT, '1 while snapshot rows arrive.', (_source, { syncMode }) =>
    syncMode === 'SNAPSHOT' ? 1 : 0,
  ),
  perSource('SnapshotCompleted', 'gauge', SNAPSHOT, '1 once live changes arrive.', (_source, { syncMode }) =>
    syncMode === 'STREAMING' ? 1 : 0,
  ),
  labelled(
    'debezium_metrics_RowsScanned',
    'counter',
    [...LABELS, 'table'],
    'Settled rows of snapshots since the start, by table.',
    ({ latencies, sources }) =>
      sources.flatMap(({ name, plugin }) =>
        Object.entries(
          Object.groupBy(latencies?.tables.filter(({ serverName }) => serverName === name) ?? [], ({ table }) => table),
        ).map(([table, records]): Reading => {
          const rows = (records ?? []).reduce((total, { snapshotRows }) => total + snapshotRows, 0);
          return ['snapshot', name, plugin, table, rows];
        }),
      ),
  ),
];

/** What `/collector-source/metrics` says. */
export function collectorMetrics(snapshot: EngineSnapshot): MetricFamily[] {
  return readFamilies(COLLECTOR_METRICS, collectorView(snapshot));
}

const PHASES = ['Active', 'Inactive', 'Pending', 'Resetting', 'Error'] as const;

/** RDI's operator metrics for the one pipeline of this process, which always leads itself. */
export const OPERATOR_METRICS: readonly MetricDeclaration<EngineSnapshot>[] = [
  labelled(
    'rdi_operator_pipeline_phase',
    'gauge',
    ['namespace', 'name', 'phase'],
    '1 for the phase of the pipeline, 0 for all others.',
    (snapshot) => PHASES.map((phase) => ['rdi', 'default', phase, phase === phaseOf(snapshot) ? 1 : 0]),
  ),
  labelled(
    'rdi_operator_is_leader',
    'gauge',
    ['instance_id'],
    '1 for the instance that runs the pipeline.',
    ({ endpoint }) => [[endpoint.address, 1]],
  ),
];

function phaseOf(snapshot: EngineSnapshot): (typeof PHASES)[number] {
  const { state, isActive } = snapshot.pipeline;
  if (state === 'resetting') return 'Resetting';
  if (snapshot.store.state === 'recovering' || state === 'pending') return 'Pending';
  const run = runState(snapshot);
  if (run === 'ERROR' || state === 'error') return 'Error';
  return isActive && run !== 'STOPPED' ? 'Active' : 'Inactive';
}

/** What `/operator/metrics` says. */
export function operatorMetrics(snapshot: EngineSnapshot): MetricFamily[] {
  return readFamilies(OPERATOR_METRICS, snapshot);
}
