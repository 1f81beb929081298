import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Status, StreamAccount } from '../../http/api-types.ts';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { ActionButton, Code, Failure, Figure, Name, Panel, useAnswer } from '../parts/pieces.tsx';
import { listEvents, resumeStream } from '../state/api.ts';
import {
  formatCount,
  formatDuration,
  formatMoment,
  formatRate,
  missingEntries,
  PLACES,
  prettyJson,
  visible,
} from '../state/figures.ts';
import { live, poll, streamRate } from '../state/live.ts';
import { linkTo, type Route } from '../state/router.ts';
import { useStore } from '../state/store.ts';

/** Statistics of every table, or everything about one of them. */
export function TablesPage({ place }: { place: Route }): JSX.Element {
  const [name] = place.parts;
  return !name ? <AllTables /> : <OneTable key={name} name={name} />;
}

const COUNTS = [
  'received',
  'pending',
  'inserted',
  'updated',
  'deleted',
  'filtered',
  'rejected',
  'deduplicated',
] as const;

function AllTables(): JSX.Element {
  const { status, recent } = useStore(live);
  const [filter, setFilter] = useState('');
  const wanted = filter.trim().toLowerCase();
  const rows = (status?.streams ?? []).filter(({ name, table }) =>
    `${name} ${table ?? ''}`.toLowerCase().includes(wanted),
  );
  const now = status?.takenAt ?? 0;
  const columns: Column<StreamAccount>[] = [
    {
      title: 'Table',
      by: labelOf,
      show: (stream) => (
        <a href={linkTo('tables', [stream.name])}>
          <Name text={labelOf(stream)} />
        </a>
      ),
    },
    {
      title: 'Per s',
      isNumber: true,
      by: ({ name }) => streamRate(recent, name) ?? 0,
      show: ({ name }) => formatRate(streamRate(recent, name)),
    },
    {
      title: 'Oldest waiting',
      isNumber: true,
      by: (stream) => lagOf(stream, now),
      show: (stream) => (stream.pending > 0 ? formatDuration(lagOf(stream, now)) : '–'),
    },
    ...COUNTS.map(
      (count): Column<StreamAccount> => ({
        title: count[0]!.toUpperCase() + count.slice(1),
        isNumber: true,
        by: (stream) => stream[count],
        show: (stream) =>
          count === 'rejected' && stream.rejected > 0 ? (
            <a href={linkTo('dlq', [stream.name])}>{formatCount(stream.rejected)}</a>
          ) : (
            formatCount(stream[count])
          ),
      }),
    ),
    {
      title: 'Last arrival',
      by: ({ lastArrivalMs }) => lastArrivalMs ?? 0,
      show: ({ lastArrivalMs }) => (lastArrivalMs === null ? '–' : `${formatDuration(now - lastArrivalMs)} ago`),
    },
    {
      title: 'State',
      by: ({ stopped }) => (stopped ? 0 : 1),
      show: ({ stopped }) => (stopped ? <span class="mark bad">stopped</span> : <span class="mark good">flows</span>),
    },
  ];
  const sums = status?.totals;
  return (
    <>
      <h1>Tables</h1>
      <label class="filter">
        Filter by name <input type="search" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
      </label>
      <DataTable
        caption="What became of the records of each table"
        empty={wanted ? 'No table has a name like this.' : 'No feeder has sent anything yet.'}
        rows={rows}
        keyOf={({ name, db }) => `${db} ${name}`}
        columns={columns}
        {...(sums && rows.length > 1 && wanted === ''
          ? { foot: ['all', '', '', ...COUNTS.map((count) => formatCount(sums[count])), '', ''] }
          : {})}
      />
    </>
  );
}

/** The table's own name, or the stream's as long as no event of it was read. */
function labelOf({ table, name, db }: StreamAccount): string {
  return `${table ?? name}${db === 0 ? '' : ` (db ${db})`}`;
}

function lagOf({ oldestPendingMs }: StreamAccount, now: number): number {
  return oldestPendingMs === null ? 0 : Math.max(0, now - oldestPendingMs);
}

function OneTable({ name }: { name: string }): JSX.Element {
  const { status, recent } = useStore(live);
  const stream = status?.streams.find((candidate) => candidate.name === name);
  if (!status) return <h1>Table</h1>;
  if (!stream) {
    return (
      <>
        <h1>Table</h1>
        <p>
          No stream is called <Name text={name} />. <a href={linkTo('tables')}>All tables</a>
        </p>
      </>
    );
  }
  return (
    <>
      <p class="path">
        <a href={linkTo('tables')}>Tables</a>
      </p>
      <h1>
        <Name text={labelOf(stream)} />
      </h1>
      <p class="quiet">
        Stream <Name text={stream.name} />
      </p>
      {stream.stopped && (
        <div class="failure" role="alert">
          <p>
            Stands at entry {stream.stopped.entryId} for {formatDuration(status.takenAt - stream.stopped.since)}:{' '}
            {visible(stream.stopped.reason)}
          </p>
          <ActionButton
            kind="main"
            run={async () => {
              await resumeStream(stream.name);
              await poll();
            }}
          >
            Let it go on
          </ActionButton>
        </div>
      )}
      <TableFigures stream={stream} status={status} rate={streamRate(recent, name)} />
      <TableJobs stream={stream} status={status} />
      <RecentEvents stream={stream.name} />
    </>
  );
}

function TableFigures(props: { stream: StreamAccount; status: Status; rate: number | null }): JSX.Element {
  const { stream, status, rate } = props;
  const kept = status.dlqs.find((dlq) => dlq.stream === stream.name)?.count ?? 0;
  const missing = missingEntries(stream);
  return (
    <>
      <dl class="figures">
        <Figure label="Received" value={`${formatRate(rate)}/s`} note={`${formatCount(stream.received)} in all`} />
        <Figure
          label="Waiting"
          value={formatCount(stream.pending)}
          note={stream.pending > 0 ? `oldest ${formatDuration(lagOf(stream, status.takenAt))}` : 'nothing waits'}
        />
        <Figure label="Inserted" value={formatCount(stream.inserted)} note="with rows of the initial sync" />
        <Figure label="Updated" value={formatCount(stream.updated)} />
        <Figure label="Deleted" value={formatCount(stream.deleted)} />
        <Figure
          label="In the DLQ"
          value={<a href={linkTo('dlq', [stream.name])}>{formatCount(kept)}</a>}
          level={kept > 0 ? 'warn' : ''}
        />
      </dl>
      <p class="account">
        <span class={`mark ${missing === 0 ? 'good' : 'bad'}`}>
          {missing === 0 ? '✓ adds up' : `✗ off by ${missing}`}
        </span>
        received <b>{formatCount(stream.received)}</b> ={' '}
        {PLACES.map((place, index) => (
          <span key={place}>
            {index > 0 && '+ '}
            {place} <b>{formatCount(stream[place])}</b>{' '}
          </span>
        ))}
      </p>
    </>
  );
}

function TableJobs({ stream, status }: { stream: StreamAccount; status: Status }): JSX.Element {
  const jobs = (status.pipeline?.jobs ?? []).filter(({ source }) => mayConcern(source, stream.table ?? stream.name));
  return (
    <Panel title="Jobs">
      <DataTable
        caption="Jobs whose source names this table"
        empty="None: the default mapping writes its rows."
        rows={jobs}
        keyOf={(job) => job.name}
        columns={[
          {
            title: 'Job',
            show: (job) => (
              <a href={linkTo('playground', [], { job: job.name })}>
                <Name text={job.name} />
              </a>
            ),
          },
          { title: 'Source', show: (job) => <Name text={job.source} /> },
          { title: 'Blocks', isNumber: true, show: (job) => job.transformations },
          { title: 'Outputs', isNumber: true, show: (job) => job.outputs },
          { title: 'Connections', show: (job) => job.connections.map(visible).join(', ') },
        ]}
      />
    </Panel>
  );
}

/** Whether the last parts of both names agree; `*` stands for any. */
function mayConcern(source: string, table: string): boolean {
  const [wanted, actual] = [source, table].map((name) => name.toLowerCase().split('.').reverse());
  return wanted!.every((part, index) => part === '*' || actual![index] === undefined || part === actual![index]);
}

const OPERATIONS: Readonly<Record<string, string>> = { c: 'insert', u: 'update', d: 'delete', r: 'read' };

function RecentEvents({ stream }: { stream: string }): JSX.Element {
  const { value, error, again } = useAnswer(() => listEvents(20, stream), [stream]);
  return (
    <Panel
      title="Recent events"
      actions={
        <button type="button" onClick={again}>
          Refresh
        </button>
      }
    >
      <Failure error={error} />
      {value?.length === 0 && (
        <p class="quiet">None is kept any more: settled records leave the journal, unless retention is set.</p>
      )}
      {value?.map((event) => (
        <details key={event.entry_id}>
          <summary>
            {formatMoment(event.arrived_at)} <b>{OPERATIONS[event.op] ?? event.op}</b>{' '}
            <Name text={prettyJson(event.key).replace(/\s+/g, ' ')} />
          </summary>
          <Code
            label={`Row after, entry ${event.entry_id}`}
            text={prettyJson(event.after ?? event.before ?? event.raw_value)}
          />
          <a href={linkTo('playground', [], { stream: event.stream, entry: event.entry_id })}>Try jobs on it</a>
        </details>
      ))}
    </Panel>
  );
}
