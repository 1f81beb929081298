import { type AccountSums, accountingLine, dataSources, type PhaseSums, type Status } from '../control/index.ts';
import { count, formatBytes, formatDuration } from '../lib/plain-words.ts';
import { formatTable, left, right } from './table.ts';
import { paint, printable, type Terminal } from './terminal.ts';

type Screen = Pick<Terminal, 'isScreen'>;

/** What `rdi status` prints: problems first, then the sections of RDI's own status, then the account. */
export function formatStatus(status: Status, screen: Screen): string {
  const sections = [
    head(status, screen),
    problems(status, screen),
    section('Feeders', feeders(status), screen),
    section('Targets', targets(status), screen),
    section('Statistics', statistics(status), screen),
    section('Account', `  ${accountingLine(status.totals)}\n`, screen),
    section('Performance', performanceTable(status), screen),
    section('Store', store(status), screen),
    section('Notices', status.notices.map((notice) => `  ${printable(notice)}\n`).join(''), screen),
  ];
  return sections.filter((text) => text !== '').join('\n');
}

function head({ version, state, syncMode, startedAt, takenAt, ready, reasons }: Status, screen: Screen): string {
  const color = state === 'ERROR' || state === 'STOPPED' ? 'red' : 'green';
  const parts = [
    paint(screen, 'bold', `rdi ${version}`),
    paint(screen, color, state),
    `sync mode ${syncMode}`,
    `up ${formatDuration(takenAt - startedAt)}`,
  ];
  const notReady = ready ? '' : reasons.map((reason) => `  not ready: ${printable(reason)}\n`).join('');
  return `${parts.join('  ')}\n${notReady}`;
}

function problems(status: Status, screen: Screen): string {
  if (status.problems.length === 0) return `${paint(screen, 'green', 'No problems.')}\n`;
  const lines = status.problems.map(({ severity, text }) => {
    const mark = severity === 'error' ? paint(screen, 'red', 'ERROR  ') : paint(screen, 'yellow', 'WARNING');
    return `  ${mark}  ${printable(text)}\n`;
  });
  return section('Problems', lines.join(''), screen);
}

function section(title: string, content: string, screen: Screen): string {
  return content === '' ? '' : `${paint(screen, 'bold', title)}\n${content}`;
}

function feeders({ endpoint }: Status): string {
  if (endpoint.connections.length === 0) {
    return `  None is connected. Debezium's sink connects to ${endpoint.address} (debezium.sink.redis.address).\n`;
  }
  const columns = [
    right('Id'),
    left('Name'),
    left('Address'),
    left('User'),
    right('Age'),
    right('Idle'),
    right('Commands'),
  ];
  const rows = endpoint.connections.map((feeder) => [
    feeder.id,
    feeder.name || '-',
    feeder.address,
    feeder.user || '-',
    formatDuration(feeder.ageSec * 1000),
    formatDuration(feeder.idleSec * 1000),
    feeder.commands,
  ]);
  return formatTable(columns, rows);
}

function targets({ targets: all, takenAt }: Status): string {
  if (all.length === 0) return '';
  const columns = [left('Name'), left('Connection'), left('State'), left('Redis'), left('JSON'), left('Last Write')];
  const rows = all.map(({ name, address, state, redisVersion, json, lastWriteMs }) => [
    name,
    address,
    state.state,
    redisVersion ?? '-',
    json === undefined ? '-' : json ? 'yes' : 'no',
    ago(lastWriteMs ?? null, takenAt),
  ]);
  return formatTable(columns, rows);
}

function statistics({ streams, totals, takenAt }: Status): string {
  if (streams.length === 0) return '  No streams yet: no feeder has sent anything.\n';
  const numbers = ['Total', 'Pending', 'Inserted', 'Updated', 'Deleted', 'Filtered', 'Rejected', 'Deduplicated'];
  const columns = [left('Name'), ...numbers.map(right), left('Last Arrival')];
  const names = dataSources(streams);
  const rows = streams.map((stream, index) => [names[index]!, ...figures(stream), ago(stream.lastArrivalMs, takenAt)]);
  if (streams.length > 1) rows.push(['all', ...figures(totals), '']);
  return formatTable(columns, rows);
}

function figures(sums: AccountSums): number[] {
  const { received, pending, inserted, updated, deleted, filtered, rejected, deduplicated } = sums;
  return [received, pending, inserted, updated, deleted, filtered, rejected, deduplicated];
}

function performanceTable({ performance }: Status): string {
  if (performance.batches === 0) return '';
  const phases = ['Read', 'Decode', 'Transform', 'Write', 'Settle', 'Total'];
  const columns = [
    left('Per Batch'),
    right('Entries'),
    ...phases.map((phase) => right(`${phase} ms`)),
    right('Entries/s'),
  ];
  const row = (name: string, sums: PhaseSums): (string | number)[] => {
    const { readMs, decodeMs, transformMs, writeMs, settleMs, totalMs, entries } = sums;
    const mean = (value: number): string => (value / Math.max(1, sums.batches)).toFixed(1);
    const rate = totalMs > 0 ? Math.round((entries * 1000) / totalMs) : '-';
    const times = [readMs, decodeMs, transformMs, writeMs, settleMs, totalMs].map(mean);
    return [name, Math.round(entries / Math.max(1, sums.batches)), ...times, rate];
  };
  const rows = [row(`mean of ${performance.batches}`, performance)];
  if (performance.lastBatch) rows.push(row('last', performance.lastBatch));
  return formatTable(columns, rows);
}

function store({ store: { dataDir, bytes, limitBytes, segments, state }, memory }: Status): string {
  const disk = `${formatBytes(bytes)} of ${formatBytes(limitBytes)} in ${count(segments, 'segment')}`;
  const held = `${formatBytes(memory.bufferedBytes)} of ${formatBytes(memory.bufferedLimitBytes)} held in memory`;
  return `  ${printable(dataDir)} is ${state}: ${disk}, ${held}, ${memory.inFlightEntries} on their way to the target\n`;
}

function ago(ms: number | null, now: number): string {
  return ms === null ? '-' : `${formatDuration(now - ms)} ago`;
}
