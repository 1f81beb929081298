import { dataSources, findProblems, missingEntries, type StreamAccount } from '../control/index.ts';
import { labelled, type MetricDeclaration, type Reading, single } from '../observe/metric-table.ts';
import { eventsOf, type MetricsView, oldestAgeMs, perStream } from './metrics-view.ts';

const OPERATIONS = [
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
] as const satisfies readonly (keyof StreamAccount)[];

const STREAMS: readonly MetricDeclaration<MetricsView>[] = [
  labelled(
    'rdi_stream_entries_total',
    'counter',
    ['data_source', 'operation'],
    'Entries of a stream: received, where they went, and by kind of change; records that were retried stay among the rejected. Kept over restarts; a reset begins anew.',
    (view) =>
      OPERATIONS.flatMap((operation) =>
        perStream(view, (stream) => eventsOf(stream, operation)).map(
          ([source, value]): Reading => [source as string, operation, value as number],
        ),
      ),
  ),
  labelled(
    'rdi_stream_last_arrival_timestamp_seconds',
    'gauge',
    ['data_source'],
    'When the last entry of a stream arrived, seconds since the epoch.',
    (view) => perStream(view, ({ lastArrivalMs }) => (lastArrivalMs === null ? undefined : lastArrivalMs / 1000)),
  ),
  labelled(
    'rdi_stream_stopped',
    'gauge',
    ['data_source'],
    '1 for a stream that stands at a rejected record (error_handling: abort).',
    (view) => perStream(view, ({ stopped }) => (stopped ? 1 : 0)),
  ),
  labelled(
    'rdi_stream_stalled',
    'gauge',
    ['data_source'],
    '1 for a stream of which nothing was settled for a minute, although entries wait and its targets take writes.',
    (view) => perStream(view, ({ name, db }) => (isStalled(view, name, db) ? 1 : 0)),
  ),
  single(
    'rdi_oldest_pending_seconds',
    'gauge',
    'Age of the oldest entry that is not settled; 0 when nothing waits.',
    (view) => view.streams.reduce((oldest, stream) => Math.max(oldest, oldestAgeMs(stream, view.takenAt)), 0) / 1000,
  ),
  single(
    'rdi_deduplicated_records_total',
    'counter',
    'Records that a feeder sent again after a cut, and that were recognised.',
    ({ totals }) => totals.deduplicated,
  ),
  single(
    'rdi_unaccounted_records',
    'gauge',
    'Received records that are in no place of the account. Anything but 0 is a bug in rdi.',
    ({ totals }) => missingEntries(totals),
  ),
];

function isStalled({ stalled = [] }: MetricsView, name: string, db: number): boolean {
  return stalled.some((one) => one.name === name && one.db === db);
}

const TARGETS: readonly MetricDeclaration<MetricsView>[] = [
  labelled('rdi_target_connected', 'gauge', ['target'], '1 when the target takes writes.', ({ targets }) =>
    targets.map(({ name, state }) => [name, state.state === 'ready' ? 1 : 0]),
  ),
  labelled(
    'rdi_target_last_write_timestamp_seconds',
    'gauge',
    ['target'],
    'When the target last accepted a write, seconds since the epoch.',
    ({ targets }) =>
      targets.flatMap(({ name, lastWriteMs }): Reading[] =>
        lastWriteMs === undefined ? [] : [[name, lastWriteMs / 1000]],
      ),
  ),
];

const PRESSURE = ['none', 'full', 'paced', 'refusing'] as const;
const STORE_STATES = ['recovering', 'ready', 'full', 'failed'] as const;

const BUFFERS: readonly MetricDeclaration<MetricsView>[] = [
  single('rdi_buffer_bytes', 'gauge', 'Size of the journal on disk.', ({ store }) => store.bytes),
  single('rdi_buffer_limit_bytes', 'gauge', 'disk_limit; feeders are held back from 80 % of it on.', (view) => {
    return view.store.limitBytes;
  }),
  labelled('rdi_store_state', 'gauge', ['state'], '1 for the state of the store, 0 for all others.', ({ store }) =>
    STORE_STATES.map((state) => [state, store.state === state ? 1 : 0]),
  ),
  {
    name: 'rdi_store_sync_duration_seconds',
    type: 'histogram',
    labels: [],
    help: 'How long the disk took to make what feeders sent durable (fdatasync); each waits for one before its answer.',
    read: ({ store }) => (store.syncs ? [[store.syncs]] : []),
  },
  single('rdi_memory_buffer_bytes', 'gauge', 'Entries held in memory on their way to the target.', ({ memory }) => {
    return memory.bufferedBytes;
  }),
  single('rdi_memory_buffer_limit_bytes', 'gauge', 'Limit of the entries held in memory.', ({ memory }) => {
    return memory.bufferedLimitBytes;
  }),
  single('rdi_pending_ack', 'gauge', 'Entries handed to the target and not settled yet.', ({ memory }) => {
    return memory.inFlightEntries;
  }),
  single('rdi_feeder_connections', 'gauge', 'Open connections of feeders and other clients.', ({ endpoint }) => {
    return endpoint.connections.length;
  }),
  labelled('rdi_backpressure_active', 'gauge', ['source'], '1 while feeders are held back.', ({ endpoint }) => [
    ['endpoint', endpoint.backpressure === 'none' ? 0 : 1],
  ]),
  single(
    'rdi_backpressure_level',
    'gauge',
    'How feeders are held back: 0 not at all, 1 told that memory is full, 2 answered slowly, 3 refused.',
    ({ endpoint }) => PRESSURE.indexOf(endpoint.backpressure),
  ),
];

const DLQS: readonly MetricDeclaration<MetricsView>[] = [
  labelled(
    'rdi_dlq_retried_total',
    'counter',
    ['data_source'],
    'Rejected records that a retry brought to an end since the start: written, filtered or superseded.',
    (view) => perStream(view, (stream) => eventsOf(stream, 'rejected') - stream.rejected),
  ),
  labelled('rdi_dlq_entries', 'gauge', ['data_source'], 'Rejected records that are kept.', (view) =>
    perDlq(view, ({ count }) => count),
  ),
  labelled(
    'rdi_dlq_evicted_total',
    'counter',
    ['data_source'],
    'Rejected records dropped because dlq_max_messages was reached.',
    (view) => perDlq(view, ({ evicted }) => evicted),
  ),
];

function perDlq({ dlqs }: MetricsView, value: (dlq: MetricsView['dlqs'][number]) => number): Reading[] {
  const names = dataSources(dlqs.map(({ stream }) => ({ name: stream, db: 0 })));
  return dlqs.map((dlq, index) => [names[index] as string, value(dlq)]);
}

const PIPELINE: readonly MetricDeclaration<MetricsView>[] = [
  single('rdi_pipeline_active', 'gauge', '0 while a person has stopped the pipeline.', ({ pipeline }) => {
    return pipeline.isActive ? 1 : 0;
  }),
  single('rdi_pipeline_revision', 'gauge', 'Number of the deployed configuration; absent without a folder.', (view) => {
    return view.pipeline.revision ?? undefined;
  }),
  labelled('rdi_pipeline_state', 'gauge', ['state'], '1; the state of the pipeline is in the label.', (view) => [
    [view.pipeline.state, 1],
  ]),
  single(
    'rdi_pipeline_failure',
    'gauge',
    '1 while the last change of secrets or of the configuration could not take effect; the earlier ones go on.',
    ({ pipeline }) => (pipeline.failure === null ? 0 : 1),
  ),
  single(
    'rdi_pipeline_awaits_feeder',
    'gauge',
    '1 after a reset, until a feeder starts anew and so reads everything again.',
    ({ pipeline }) => (pipeline.awaitsFeederRestart ? 1 : 0),
  ),
  labelled(
    'rdi_problems',
    'gauge',
    ['severity'],
    'Problems that `rdi status` tells; what they are is there.',
    (view) => {
      const problems = findProblems(view);
      const count = (severity: string) => problems.filter((problem) => problem.severity === severity).length;
      return ['error', 'warning'].map((severity): Reading => [severity, count(severity)]);
    },
  ),
  labelled('rdi_build_info', 'gauge', ['version', 'node'], 'Versions, in the labels.', ({ version }) => [
    [version, process.versions.node, 1],
  ]),
];

/** What RDI does not count: the whole account, targets, buffers, DLQs, the configuration. */
export const OWN_METRICS: readonly MetricDeclaration<MetricsView>[] = [
  ...STREAMS,
  ...TARGETS,
  ...BUFFERS,
  ...DLQS,
  ...PIPELINE,
];
