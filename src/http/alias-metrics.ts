import { type EngineSnapshot, runState } from '../control/index.ts';
import type { Labels, MetricFamily, MetricType } from '../observe/metrics.ts';

const SINK_CLIENT = 'debezium:redis:sink';

/**
 * Debezium's own metrics as far as they can be seen from the receiving side, under the names of RDI's collector, so
 * that existing scrape configurations and alerts keep working. What only Debezium knows (queues, tables left) is absent.
 */
export function collectorMetrics(snapshot: EngineSnapshot): MetricFamily[] {
  const { endpoint, streams, syncMode, takenAt, totals } = snapshot;
  const streaming = { context: 'streaming' };
  const connected = endpoint.connections.some(({ name }) => name === SINK_CLIENT);
  const lastArrival = Math.max(...streams.map(({ lastArrivalMs }) => lastArrivalMs ?? Number.NEGATIVE_INFINITY));
  const idleMs = Number.isFinite(lastArrival) ? Math.max(0, takenAt - lastArrival) : -1;
  const row = (
    name: string,
    type: MetricType,
    help: string,
    value: number,
    labels: Labels = streaming,
  ): MetricFamily => ({
    name: `debezium_metrics_${name}`,
    type,
    help,
    samples: [{ labels, value }],
  });
  const snapshotContext = { context: 'snapshot' };
  return [
    row('Connected', 'gauge', '1 while a sink connection of the feeder is open.', connected ? 1 : 0),
    row('MilliSecondsSinceLastEvent', 'gauge', 'Time since the last entry arrived; -1 when none has.', idleMs),
    row('TotalNumberOfEventsSeen', 'counter', 'Entries that arrived.', totals.received),
    row('TotalNumberOfCreateEventsSeen', 'counter', 'Settled inserts and snapshot rows.', totals.inserted),
    row('TotalNumberOfUpdateEventsSeen', 'counter', 'Settled updates.', totals.updated),
    row('TotalNumberOfDeleteEventsSeen', 'counter', 'Settled deletes.', totals.deleted),
    row('SnapshotRunning', 'gauge', '1 while snapshot rows arrive.', syncMode === 'SNAPSHOT' ? 1 : 0, snapshotContext),
    row('SnapshotCompleted', 'gauge', '1 once live changes arrive.', syncMode === 'STREAMING' ? 1 : 0, snapshotContext),
  ];
}

const PHASES = ['Active', 'Inactive', 'Pending', 'Resetting', 'Error'] as const;

/** RDI's operator metrics for the one pipeline of this process, which always leads itself. */
export function operatorMetrics(snapshot: EngineSnapshot): MetricFamily[] {
  const state = runState(snapshot);
  const recovering = snapshot.store.state === 'recovering';
  const phase = recovering ? 'Pending' : state === 'ERROR' ? 'Error' : state === 'STOPPED' ? 'Inactive' : 'Active';
  return [
    {
      name: 'rdi_operator_pipeline_phase',
      type: 'gauge',
      help: '1 for the phase of the pipeline, 0 for all others.',
      samples: PHASES.map((name) => ({
        labels: { namespace: 'rdi', name: 'default', phase: name },
        value: name === phase ? 1 : 0,
      })),
    },
    {
      name: 'rdi_operator_is_leader',
      type: 'gauge',
      help: '1 for the instance that runs the pipeline.',
      samples: [{ labels: { instance_id: snapshot.endpoint.address }, value: 1 }],
    },
  ];
}
