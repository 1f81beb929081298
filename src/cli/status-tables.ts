import { type AccountSums, dataSources, type PhaseSums, type Status, type StreamAccount } from '../control/index.ts';
import { count, formatBytes, formatDuration } from '../lib/plain-words.ts';
import { formatTable, left, right } from './table.ts';
import { printable } from './terminal.ts';
import type { RdiPipeline } from './wait.ts';

/** How many rows of the statistics are shown, and which. */
export interface Page {
  /** From 1. */
  readonly number: number;
  /** Undefined shows all rows. */
  readonly size: number | undefined;
}

export function feedersTable({ endpoint }: Status): string {
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

/** RDI's columns. Which feeder serves which source cannot be told, so `Connected` says whether any does. */
export function sourcesTable({ pipeline, endpoint, syncMode }: Status): string {
  if (pipeline.sources.length === 0) return '';
  const columns = ['Name', 'Type', 'Db Type', 'Connection', 'Sync Mode', 'Connected'].map(left);
  const connected = endpoint.connections.length > 0 ? 'yes' : 'no';
  const rows = pipeline.sources.map(({ name, type, dbType, connection }) => [
    name,
    type || '-',
    dbType || '-',
    connection || '-',
    syncMode.toLowerCase(),
    connected,
  ]);
  return formatTable(columns, rows);
}

export function targetsTable({ targets: all, takenAt }: Status): string {
  if (all.length === 0) return '';
  const names = ['Name', 'Db Type', 'Connection', 'Connected', 'State', 'Redis', 'JSON', 'Last Write'];
  const rows = all.map(({ name, address, state, redisVersion, json, lastWriteMs }) => [
    name,
    'redis',
    address,
    state.state === 'ready' ? 'yes' : 'no',
    state.state,
    redisVersion ?? '-',
    json === undefined ? '-' : json ? 'yes' : 'no',
    ago(lastWriteMs ?? null, takenAt),
  ]);
  return formatTable(names.map(left), rows);
}

export function componentsTable({ components = [] }: Pick<RdiPipeline, 'components'>): string {
  if (components.length === 0) return '';
  const rows = components.map(({ name, type, version, status }) => [name, type, version || '-', status]);
  return formatTable(['Name', 'Type', 'Version', 'Status'].map(left), rows);
}

/** One row per stream and their sum. With an earlier status also how much comes and goes per second. */
export function statisticsTable(status: Status, before: Status | undefined, page: Page): string {
  const { streams, totals, takenAt } = status;
  if (streams.length === 0) return '  No streams found: no feeder has sent anything yet.\n';
  const numbers = ['Total', 'Pending', 'Inserted', 'Updated', 'Deleted', 'Filtered', 'Rejected', 'Deduplicated'];
  const rates = before === undefined ? [] : ['In/s', 'Done/s'];
  const columns = [left('Name'), ...[...numbers, ...rates].map(right), left('Last Arrival')];
  const names = dataSources(streams);
  const seconds = before === undefined ? 0 : Math.max(0.001, (takenAt - before.takenAt) / 1000);
  const earlier = new Map(before?.streams.map((stream) => [identity(stream), stream]));
  const ratesOf = (now: AccountSums, then: AccountSums | undefined): (string | number)[] => {
    if (before === undefined) return [];
    if (then === undefined) return ['-', '-'];
    const rate = (difference: number): number => Math.max(0, Math.round(difference / seconds));
    const settled = (sums: AccountSums): number => sums.received - sums.pending;
    return [rate(now.received - then.received), rate(settled(now) - settled(then))];
  };
  const all = streams.map((stream, index) => [
    names[index]!,
    ...figures(stream),
    ...ratesOf(stream, earlier.get(identity(stream))),
    ago(stream.lastArrivalMs, takenAt),
  ]);
  const { rows, note } = cut(all, page);
  if (streams.length > 1) rows.push(['all', ...figures(totals), ...ratesOf(totals, before?.totals), '']);
  return formatTable(columns, rows) + note;
}

function identity({ name, db }: StreamAccount): string {
  return `${db} ${name}`;
}

function cut<T>(all: readonly T[], { number, size }: Page): { rows: T[]; note: string } {
  if (size === undefined || all.length <= size) return { rows: [...all], note: '' };
  const pages = Math.ceil(all.length / size);
  const shown = Math.min(number, pages);
  return {
    rows: all.slice((shown - 1) * size, shown * size),
    note: `  Page ${shown} of ${pages} (${all.length} streams)\n`,
  };
}

function figures(sums: AccountSums): number[] {
  const { received, pending, inserted, updated, deleted, filtered, rejected, deduplicated } = sums;
  return [received, pending, inserted, updated, deleted, filtered, rejected, deduplicated];
}

export function performanceTable({ performance }: Status): string {
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

export function storeLine({ store: { dataDir, bytes, limitBytes, segments, state }, memory }: Status): string {
  const disk = `${formatBytes(bytes)} of ${formatBytes(limitBytes)} in ${count(segments, 'segment')}`;
  const held = `${formatBytes(memory.bufferedBytes)} of ${formatBytes(memory.bufferedLimitBytes)} held in memory`;
  return `  ${printable(dataDir)} is ${state}: ${disk}, ${held}, ${memory.inFlightEntries} on their way to the target\n`;
}

function ago(ms: number | null, now: number): string {
  return ms === null ? '-' : `${formatDuration(now - ms)} ago`;
}
