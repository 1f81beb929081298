import { labelled, type MetricDeclaration, type Reading, single } from '../observe/metric-table.ts';
import { eventsOf, type MetricsView, perStream } from './metrics-view.ts';

const COORDINATOR = 'flink_jobmanager_job_operator_coordinator';
const OPERATOR = 'flink_taskmanager_job_task_operator';

const TYPES = [
  ['incoming', 'received'],
  ['inserted', 'inserted'],
  ['updated', 'updated'],
  ['deleted', 'deleted'],
  ['filtered', 'filtered'],
  ['rejected', 'rejected'],
] as const;

/**
 * RDI's names for its Flink processor (RDI 1.17 and later), as far as they can be told truthfully by something that is no Flink:
 * records by stream, backlog, connections. What describes Flink's own tasks and checkpoints is absent.
 */
export const FLINK_METRICS: readonly MetricDeclaration<MetricsView>[] = [
  labelled(
    `${COORDINATOR}_stream_type_rdiRecords`,
    'counter',
    ['stream', 'type'],
    'Records of a stream by what became of them.',
    (view) =>
      TYPES.flatMap(([type, place]) =>
        perStream(view, (stream) => eventsOf(stream, place)).map(([source, value]) => [
          source as string,
          type,
          value as number,
        ]),
      ),
  ),
  labelled(
    `${COORDINATOR}_enumerator_stream_type_rdiRecords`,
    'gauge',
    ['stream', 'type'],
    'pending: entries that wait; lastArrival: when the last one came, ms since the epoch.',
    (view) => [
      ...perStream(view, ({ pending }) => pending).map(
        ([source, value]): Reading => [source as string, 'pending', value as number],
      ),
      ...perStream(view, ({ lastArrivalMs }) => lastArrivalMs ?? 0).map(
        ([source, value]): Reading => [source as string, 'lastArrival', value as number],
      ),
    ],
  ),
  labelled(
    `${OPERATOR}_rdi_connected`,
    'gauge',
    ['operator_name'],
    '1 while the endpoint listens (Source), or the target takes writes (its Writer).',
    ({ endpoint, targets }) => [
      ['Source:_source', endpoint.listening ? 1 : 0],
      ...targets.map(({ name, state }): Reading => [writerOf(name), state.state === 'ready' ? 1 : 0]),
    ],
  ),
  labelled(
    `${OPERATOR}_rdi_lastModified`,
    'gauge',
    ['operator_name'],
    'When the target last accepted a write, ms since the epoch.',
    ({ targets }) =>
      targets.flatMap(({ name, lastWriteMs }): Reading[] =>
        lastWriteMs === undefined ? [] : [[writerOf(name), lastWriteMs]],
      ),
  ),
  single(`${OPERATOR}_pendingAck`, 'gauge', 'Entries handed on and not settled yet.', ({ memory }) => {
    return memory.inFlightEntries;
  }),
];

function writerOf(target: string): string {
  return `default:${target}:_Writer`;
}
