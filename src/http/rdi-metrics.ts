import { type PhaseSums, runState } from '../control/index.ts';
import { labelled, type MetricDeclaration, single } from '../observe/metric-table.ts';
import { eventsOf, type MetricsView, oldestAgeMs, perStream } from './metrics-view.ts';

const OPERATIONS = ['pending', 'inserted', 'updated', 'deleted', 'filtered', 'rejected'] as const;

const RECORDS: readonly MetricDeclaration<MetricsView>[] = [
  single('incoming_records_total', 'counter', 'Records that feeders sent.', ({ totals }) => totals.received),
  single('incoming_records_created', 'gauge', 'When the process started to count, seconds since the epoch.', (view) => {
    return view.startedAt / 1000;
  }),
  single('processed_records_total', 'counter', 'Records settled and neither filtered nor rejected.', ({ totals }) => {
    return totals.received - totals.filtered - totals.rejected - totals.pending;
  }),
  single(
    'rejected_records_total',
    'counter',
    'Records that went to the DLQ or were dropped as wrong, those included that were retried since.',
    (view) => {
      return view.streams.reduce((sum, stream) => sum + eventsOf(stream, 'rejected'), 0);
    },
  ),
  single(
    'filtered_records_total',
    'counter',
    'Records that a filter dropped, tombstones, truncates and logical messages.',
    ({ totals }) => totals.filtered,
  ),
];

const STATE: readonly MetricDeclaration<MetricsView>[] = [
  labelled(
    'rdi_engine_state',
    'gauge',
    ['state', 'sync_mode'],
    'The state of the engine (STARTED, RUNNING, IDLING, STOPPED, ERROR); 1 when data flows or can flow, else 0.',
    (view) => {
      const state = runState(view);
      return [[state, view.syncMode, state === 'ERROR' || state === 'STOPPED' ? 0 : 1]];
    },
  ),
  labelled('rdi_version_info', 'gauge', ['cli', 'engine'], 'Versions, in the labels.', ({ version }) => [
    [version, version, 1],
  ]),
  single('monitor_time_elapsed_total', 'counter', 'Seconds since the engine started.', ({ takenAt, startedAt }) => {
    return (takenAt - startedAt) / 1000;
  }),
  single('monitor_time_elapsed_created', 'gauge', 'When the engine started, seconds since the epoch.', (view) => {
    return view.startedAt / 1000;
  }),
];

const STREAMS: readonly MetricDeclaration<MetricsView>[] = [
  labelled(
    'rdi_incoming_entries',
    'gauge',
    ['data_source', 'operation'],
    'Entries of a stream by what became of them; all but pending only grow, until a reset.',
    (view) =>
      OPERATIONS.flatMap((operation) =>
        perStream(view, (stream) => eventsOf(stream, operation)).map(insert(operation)),
      ),
  ),
  labelled(
    'rdi_stream_event_latency_ms',
    'gauge',
    ['data_source'],
    'Age of the oldest waiting entry; 0 when nothing waits.',
    (view) => perStream(view, (stream) => oldestAgeMs(stream, view.takenAt)),
  ),
];

/** Puts a label between the data source and the value of a sample. */
function insert(label: string): (reading: readonly unknown[]) => [string, string, number] {
  return ([source, value]) => [source as string, label, value as number];
}

/** RDI's names for the phases of a batch; decoding is part of its transform phase. */
const PHASES: readonly [phase: string, help: string, ms: (sums: PhaseSums) => number][] = [
  ['read', 'reading from the streams', (sums) => sums.readMs],
  ['transform', 'decoding and transforming', (sums) => sums.decodeMs + sums.transformMs],
  ['write', 'writing to the target', (sums) => sums.writeMs],
  ['process', 'transforming and writing', (sums) => sums.decodeMs + sums.transformMs + sums.writeMs],
  ['ack', 'settling', (sums) => sums.settleMs],
  ['total', 'a batch, from read to settled', (sums) => sums.totalMs],
];

const last = (value: (sums: PhaseSums) => number) => (view: MetricsView) =>
  view.performance.lastBatch ? value(view.performance.lastBatch) : 0;

function perSecond({ entries, totalMs }: PhaseSums): number {
  return totalMs > 0 ? (entries * 1000) / totalMs : 0;
}

const BATCHES: readonly MetricDeclaration<MetricsView>[] = [
  single('rdi_processed_batches_total', 'counter', 'Batches settled.', ({ performance }) => performance.batches),
  single('rdi_processor_batch_size_total', 'counter', 'Entries of all batches.', (view) => view.performance.entries),
  single(
    'rdi_processor_batch_size_last',
    'gauge',
    'Entries of the last batch.',
    last(({ entries }) => entries),
  ),
  single('rdi_processor_rec_per_sec_total', 'gauge', 'Mean entries per second of batch time.', (view) => {
    return perSecond(view.performance);
  }),
  single('rdi_processor_rec_per_sec_last', 'gauge', 'Entries per second of the last batch.', last(perSecond)),
  ...PHASES.flatMap(([phase, help, ms]) => [
    single<MetricsView>(
      `rdi_processor_${phase}_time_ms_total`,
      'counter',
      `Time spent on ${help}, ms.`,
      ({ performance }) => ms(performance),
    ),
    single(`rdi_processor_${phase}_time_ms_last`, 'gauge', `Time the last batch spent on ${help}, ms.`, last(ms)),
  ]),
];

/** RDI's classic processor metrics under their own names, types and labels (RDI 1.19, stream processor metrics). */
export const RDI_METRICS: readonly MetricDeclaration<MetricsView>[] = [...RECORDS, ...STATE, ...STREAMS, ...BATCHES];
