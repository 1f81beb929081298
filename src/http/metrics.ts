import { dataSources, type EngineSnapshot, type PhaseSums, runState, type StreamAccount } from '../control/index.ts';
import type { MetricFamily, MetricType, Sample } from '../observe/metrics.ts';

/**
 * What `/metrics` says about an engine: RDI's classic processor metrics under their own names, types and labels
 * (RDI 1.19, stream processor metrics), then what RDI does not count.
 */
export function engineMetrics(snapshot: EngineSnapshot): MetricFamily[] {
  return [
    ...recordMetrics(snapshot),
    ...stateMetrics(snapshot),
    ...streamMetrics(snapshot),
    ...processorMetrics(snapshot),
    ...targetMetrics(snapshot),
    ...bufferMetrics(snapshot),
    ...dlqMetrics(snapshot),
  ];
}

function recordMetrics({ totals, startedAt }: EngineSnapshot): MetricFamily[] {
  const processed = totals.received - totals.filtered - totals.rejected - totals.pending;
  return [
    counter('incoming_records_total', 'Records that feeders sent.', totals.received),
    gauge('incoming_records_created', 'When counting began, seconds since the epoch.', startedAt / 1000),
    counter('processed_records_total', 'Records settled and neither filtered nor rejected.', processed),
    counter('rejected_records_total', 'Records that went to the DLQ or were dropped as wrong.', totals.rejected),
    counter(
      'filtered_records_total',
      'Records that a filter dropped, tombstones, truncates and logical messages.',
      totals.filtered,
    ),
    counter(
      'rdi_deduplicated_records_total',
      'Records that a feeder sent again after a cut, and that were recognised.',
      totals.deduplicated,
    ),
  ];
}

function stateMetrics(snapshot: EngineSnapshot): MetricFamily[] {
  const { startedAt, takenAt, syncMode, version } = snapshot;
  const state = runState(snapshot);
  const works = state !== 'ERROR' && state !== 'STOPPED';
  return [
    family('rdi_engine_state', 'gauge', 'The state of the engine; 1 when data flows or can flow, else 0.', [
      { labels: { state, sync_mode: syncMode }, value: works ? 1 : 0 },
    ]),
    family('rdi_version_info', 'gauge', 'Versions, in the labels.', [
      { labels: { cli: version, engine: version }, value: 1 },
    ]),
    counter('monitor_time_elapsed_total', 'Seconds since the engine started.', (takenAt - startedAt) / 1000),
    gauge('monitor_time_elapsed_created', 'When counting began, seconds since the epoch.', startedAt / 1000),
  ];
}

const RDI_OPERATIONS = ['pending', 'inserted', 'updated', 'deleted', 'filtered', 'rejected'] as const;
const COUNTED_OPERATIONS = [
  'received',
  'written',
  'filtered',
  'superseded',
  'deduplicated',
  'rejected',
  'skipped',
  'inserted',
  'updated',
  'deleted',
] as const;

function streamMetrics({ streams, takenAt }: EngineSnapshot): MetricFamily[] {
  const names = dataSources(streams);
  const perStream = (value: (stream: StreamAccount) => number): Sample[] =>
    streams.map((stream, index) => ({ labels: { data_source: names[index]! }, value: value(stream) }));
  const perOperation = (operations: readonly (typeof RDI_OPERATIONS | typeof COUNTED_OPERATIONS)[number][]): Sample[] =>
    streams.flatMap((stream, index) =>
      operations.map((operation) => ({ labels: { data_source: names[index]!, operation }, value: stream[operation] })),
    );
  const age = (stream: StreamAccount): number =>
    stream.oldestPendingMs === null ? 0 : Math.max(0, takenAt - stream.oldestPendingMs);
  return [
    family(
      'rdi_incoming_entries',
      'gauge',
      'Entries of a stream by what became of them; all but pending only grow.',
      perOperation(RDI_OPERATIONS),
    ),
    family(
      'rdi_stream_entries_total',
      'counter',
      'Entries of a stream: received, where they went, and by kind of change.',
      perOperation(COUNTED_OPERATIONS),
    ),
    family(
      'rdi_stream_event_latency_ms',
      'gauge',
      'Age of the oldest waiting entry; 0 when nothing waits.',
      perStream(age),
    ),
    family(
      'rdi_stream_stopped',
      'gauge',
      '1 for a stream that stands at a rejected record (error_handling: abort).',
      perStream((stream) => (stream.stopped ? 1 : 0)),
    ),
    gauge(
      'rdi_oldest_pending_seconds',
      'Age of the oldest entry of all streams that is not settled; 0 when nothing waits.',
      Math.max(0, ...streams.map(age)) / 1000,
    ),
  ];
}

/** RDI's names for the phases of a batch; decoding is part of its transform phase. */
const RDI_PHASES: readonly [phase: string, help: string, ms: (sums: PhaseSums) => number][] = [
  ['read', 'reading from the streams', (sums) => sums.readMs],
  ['transform', 'decoding and transforming', (sums) => sums.decodeMs + sums.transformMs],
  ['write', 'writing to the target', (sums) => sums.writeMs],
  ['process', 'transforming and writing', (sums) => sums.decodeMs + sums.transformMs + sums.writeMs],
  ['ack', 'settling', (sums) => sums.settleMs],
  ['total', 'a batch, from read to settled', (sums) => sums.totalMs],
];

const NO_BATCH: PhaseSums = {
  batches: 0,
  entries: 0,
  readMs: 0,
  decodeMs: 0,
  transformMs: 0,
  writeMs: 0,
  settleMs: 0,
  totalMs: 0,
};

function processorMetrics({ performance }: EngineSnapshot): MetricFamily[] {
  const last = performance.lastBatch ?? NO_BATCH;
  const families = [
    counter('rdi_processed_batches_total', 'Batches settled.', performance.batches),
    counter('rdi_processor_batch_size_total', 'Entries of all batches.', performance.entries),
    gauge('rdi_processor_batch_size_last', 'Entries of the last batch.', last.entries),
    gauge('rdi_processor_rec_per_sec_total', 'Mean entries per second of batch time.', perSecond(performance)),
    gauge('rdi_processor_rec_per_sec_last', 'Entries per second of the last batch.', perSecond(last)),
  ];
  for (const [phase, help, ms] of RDI_PHASES) {
    families.push(counter(`rdi_processor_${phase}_time_ms_total`, `ms spent on ${help}.`, ms(performance)));
    families.push(gauge(`rdi_processor_${phase}_time_ms_last`, `ms of the last batch spent on ${help}.`, ms(last)));
  }
  const spread = Object.entries(performance.phases ?? {});
  families.push(
    family(
      'rdi_batch_phase_duration_seconds',
      'histogram',
      'How long the phases of a batch took.',
      spread.map(([phase, value]) => ({ labels: { phase }, value })),
    ),
  );
  return families;
}

function perSecond({ entries, totalMs }: PhaseSums): number {
  return totalMs > 0 ? (entries * 1000) / totalMs : 0;
}

function targetMetrics({ targets }: EngineSnapshot): MetricFamily[] {
  return [
    family(
      'rdi_target_connected',
      'gauge',
      '1 when the target takes writes.',
      targets.map(({ name, state }) => ({ labels: { target: name }, value: state.state === 'ready' ? 1 : 0 })),
    ),
    family(
      'rdi_target_last_write_timestamp_seconds',
      'gauge',
      'When the target last accepted a write, seconds since the epoch.',
      targets.flatMap(({ name, lastWriteMs }) =>
        lastWriteMs === undefined ? [] : [{ labels: { target: name }, value: lastWriteMs / 1000 }],
      ),
    ),
  ];
}

function bufferMetrics({ store, endpoint, memory }: EngineSnapshot): MetricFamily[] {
  return [
    gauge('rdi_buffer_bytes', 'Size of the journal on disk.', store.bytes),
    gauge('rdi_buffer_limit_bytes', 'Size at which feeders are held back.', store.limitBytes),
    gauge('rdi_memory_buffer_bytes', 'Entries held in memory on their way to the target.', memory.bufferedBytes),
    gauge('rdi_memory_buffer_limit_bytes', 'Limit of the entries held in memory.', memory.bufferedLimitBytes),
    gauge('rdi_pending_ack', 'Entries handed to the target and not settled yet.', memory.inFlightEntries),
    gauge('rdi_feeder_connections', 'Open connections of feeders and other clients.', endpoint.connections.length),
    family('rdi_backpressure_active', 'gauge', '1 while feeders are held back.', [
      { labels: { source: 'endpoint' }, value: endpoint.backpressure === 'none' ? 0 : 1 },
    ]),
  ];
}

function dlqMetrics({ dlqs }: EngineSnapshot): MetricFamily[] {
  const names = dataSources(dlqs.map(({ stream }) => ({ name: stream, db: 0 })));
  const label = (index: number) => ({ data_source: names[index]! });
  return [
    family(
      'rdi_dlq_entries',
      'gauge',
      'Rejected records that are kept.',
      dlqs.map(({ count }, index) => ({ labels: label(index), value: count })),
    ),
    family(
      'rdi_dlq_evicted_total',
      'counter',
      'Rejected records dropped because dlq_max_messages was reached.',
      dlqs.map(({ evicted }, index) => ({ labels: label(index), value: evicted })),
    ),
  ];
}

function family(name: string, type: MetricType, help: string, samples: readonly Sample[]): MetricFamily {
  return { name, type, help, samples };
}

function counter(name: string, help: string, value: number): MetricFamily {
  return family(name, 'counter', help, [{ value }]);
}

function gauge(name: string, help: string, value: number): MetricFamily {
  return family(name, 'gauge', help, [{ value }]);
}
