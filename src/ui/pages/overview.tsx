import type { JSX } from 'preact';
import type { Problem, Status } from '../../http/api-types.ts';
import { Chart } from '../parts/chart.tsx';
import { DataTable } from '../parts/data-table.tsx';
import { Bar, Figure, Name, Panel } from '../parts/pieces.tsx';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatRate,
  missingEntries,
  PLACES,
  visible,
} from '../state/figures.ts';
import { type Latencies, type Latency, type Live, lagMs, live, type Point, streamRate } from '../state/live.ts';
import { linkTo } from '../state/router.ts';
import { useStore } from '../state/store.ts';

/** One look: is data flowing, what is wrong, how fast, and is every record accounted for. */
export function OverviewPage(): JSX.Element {
  const now = useStore(live);
  const { status } = now;
  if (!status) {
    return (
      <>
        <h1>Overview</h1>
        <p class="quiet">{now.outage ? 'rdi has not answered yet.' : 'Asking rdi …'}</p>
      </>
    );
  }
  return (
    <>
      <h1>Overview</h1>
      <Problems status={status} />
      <KeyFigures status={status} latencies={now.latencies} point={now.points.at(-1)} />
      <Accounting status={status} />
      <Charts points={now.points} />
      {status.syncMode === 'SNAPSHOT' && <InitialSync status={status} now={now} />}
      <div class="columns">
        <Targets status={status} />
        <Feeders status={status} />
      </div>
      <StoreFill status={status} />
      <Notices status={status} />
    </>
  );
}

function Problems({ status }: { status: Status }): JSX.Element {
  const { problems, pipeline, reasons } = status;
  const own: Problem[] = [];
  if (pipeline?.failure) own.push({ severity: 'error', text: pipeline.failure });
  if (pipeline?.awaitsFeederRestart) {
    own.push({
      severity: 'warning',
      text: 'After the reset rdi waits until a feeder starts anew: restart your Debezium Server, so that it reads the tables again.',
    });
  }
  if (pipeline?.isActive === false && pipeline.isDeployed) {
    own.push({
      severity: 'warning',
      text: 'The pipeline is stopped: nothing is written. Start it under Configuration.',
    });
  }
  const all = [...own.filter(({ text }) => !problems.some((problem) => problem.text === text)), ...problems];
  return (
    <section class="problems" aria-label="Problems" data-testid="problems">
      {all.length === 0 ? (
        <p class="mark good">No problems.</p>
      ) : (
        <ul>
          {all.map(({ severity, text }) => (
            <li key={text} class={severity === 'error' ? 'bad' : 'warn'}>
              <strong>{severity === 'error' ? 'Error' : 'Warning'}</strong> {visible(text)}
            </li>
          ))}
        </ul>
      )}
      {reasons.length > 0 && !all.some(({ severity }) => severity === 'error') && (
        <p class="quiet">Not ready: {visible(reasons.join(' '))}</p>
      )}
    </section>
  );
}

function KeyFigures(props: { status: Status; latencies: Latencies; point: Point | undefined }): JSX.Element {
  const { status, latencies, point } = props;
  const { totals } = status;
  const kept = status.dlqs.reduce((sum, { count }) => sum + count, 0);
  const lag = lagMs(status);
  return (
    <dl class="figures">
      <Figure
        label="Received"
        value={`${formatRate(point?.received ?? null)}/s`}
        note={`${formatCount(totals.received)} in all`}
      />
      <Figure
        label="Written"
        value={`${formatRate(point?.written ?? null)}/s`}
        note={`${formatCount(totals.written)} in all`}
      />
      <Figure
        label="Rejected"
        value={`${formatRate(point?.rejected ?? null)}/s`}
        note={<a href={linkTo('dlq')}>{formatCount(kept)} kept in the DLQ</a>}
        level={kept > 0 ? 'warn' : ''}
      />
      <Figure
        label="Waiting"
        value={formatCount(totals.pending)}
        note={totals.pending > 0 ? `oldest ${formatDuration(lag)}` : 'nothing waits'}
        level={lag > 60_000 ? 'bad' : lag > 5000 ? 'warn' : ''}
      />
      <LatencyFigure label="Database to Redis" latency={latencies.source} />
      <LatencyFigure label="Endpoint to Redis" latency={latencies.endpoint} />
      <Figure
        label="Up"
        value={formatDuration(status.takenAt - status.startedAt)}
        note={`sync mode ${status.syncMode}`}
      />
    </dl>
  );
}

function LatencyFigure({ label, latency }: { label: string; latency: Latency | null }): JSX.Element {
  const note = latency ? `median; 99 of 100: ${formatDuration(latency.p99 * 1000)}` : 'no change yet';
  return <Figure label={label} value={latency ? formatDuration(latency.p50 * 1000) : '–'} note={note} />;
}

function Accounting({ status: { totals } }: { status: Status }): JSX.Element {
  const missing = missingEntries(totals);
  return (
    <Panel title="Account">
      <p class="account" data-testid="account">
        <span class={`mark ${missing === 0 ? 'good' : 'bad'}`}>
          {missing === 0 ? '✓ adds up' : `✗ off by ${missing}`}
        </span>
        <span>
          received <b data-count="received">{formatCount(totals.received)}</b> ={' '}
        </span>
        {PLACES.map((place, index) => (
          <span key={place}>
            {index > 0 && '+ '}
            {place} <b data-count={place}>{formatCount(totals[place])}</b>{' '}
          </span>
        ))}
      </p>
      {missing !== 0 && <p class="failure">This is a bug in rdi, please report it.</p>}
    </Panel>
  );
}

function Charts({ points }: { points: readonly Point[] }): JSX.Element {
  const times = points.map(({ at }) => at);
  const seconds = (value: number | null): string => (value === null ? '–' : formatDuration(value * 1000));
  return (
    <div class="charts">
      <Chart
        title="Records per second"
        times={times}
        show={formatRate}
        least={10}
        lines={[
          { label: 'received', color: '--line-1', values: points.map((point) => point.received) },
          { label: 'written', color: '--line-2', values: points.map((point) => point.written), dash: [6, 3] },
          { label: 'rejected', color: '--line-3', values: points.map((point) => point.rejected), dash: [2, 3] },
        ]}
      />
      <Chart
        title="Waiting records"
        times={times}
        show={formatRate}
        least={10}
        lines={[{ label: 'records', color: '--line-1', values: points.map(({ pending }) => pending) }]}
      />
      <Chart
        title="Age of the oldest waiting record"
        times={times}
        show={seconds}
        least={1}
        lines={[{ label: 'lag', color: '--line-3', values: points.map(({ lag }) => lag) }]}
      />
      <Chart
        title="Latency, endpoint to Redis"
        times={times}
        show={seconds}
        least={0.01}
        lines={[
          { label: 'p50', color: '--line-1', values: points.map(({ p50 }) => p50) },
          { label: 'p99', color: '--line-3', values: points.map(({ p99 }) => p99), dash: [6, 3] },
        ]}
      />
    </div>
  );
}

function InitialSync({ status, now }: { status: Status; now: Live }): JSX.Element {
  return (
    <Panel title="Initial sync">
      <DataTable
        caption="Rows that the first reading of each table sent so far"
        empty="No table has arrived yet."
        rows={status.streams}
        keyOf={({ name, db }) => `${db} ${name}`}
        columns={[
          {
            title: 'Table',
            by: ({ table, name }) => table ?? name,
            show: ({ table, name }) => <Name text={table ?? name} />,
          },
          {
            title: 'Rows',
            isNumber: true,
            by: ({ inserted }) => inserted,
            show: ({ inserted }) => formatCount(inserted),
          },
          { title: 'Rows/s', isNumber: true, show: ({ name }) => formatRate(streamRate(now.recent, name)) },
          {
            title: 'Settled of received',
            show: ({ received, pending, name }) => (
              <Bar share={received === 0 ? 0 : (received - pending) / received} label={`Settled of ${visible(name)}`} />
            ),
          },
          {
            title: 'Waiting',
            isNumber: true,
            by: ({ pending }) => pending,
            show: ({ pending }) => formatCount(pending),
          },
        ]}
      />
    </Panel>
  );
}

function Targets({ status: { targets, takenAt } }: { status: Status }): JSX.Element {
  return (
    <Panel title="Targets">
      <DataTable
        caption="Where rows are written"
        empty="No target is configured."
        rows={targets}
        keyOf={({ name }) => name}
        columns={[
          { title: 'Name', show: ({ name }) => <Name text={name} /> },
          { title: 'Address', show: ({ address }) => <Name text={address} /> },
          {
            title: 'State',
            show: ({ state }) => (
              <span class={`mark ${state.state === 'ready' ? 'good' : state.state === 'connecting' ? 'warn' : 'bad'}`}>
                {state.state}
              </span>
            ),
          },
          { title: 'Redis', show: ({ redisVersion, json }) => `${redisVersion ?? '–'}${json ? ' with JSON' : ''}` },
          {
            title: 'Last write',
            show: ({ lastWriteMs }) =>
              lastWriteMs === undefined ? '–' : `${formatDuration(takenAt - lastWriteMs)} ago`,
          },
        ]}
      />
    </Panel>
  );
}

function Feeders({ status: { endpoint } }: { status: Status }): JSX.Element {
  return (
    <Panel title="Feeders">
      <DataTable
        caption={`Who is connected to ${endpoint.address}`}
        empty={`None is connected. Debezium's sink connects to ${endpoint.address} (debezium.sink.redis.address).`}
        rows={endpoint.connections}
        keyOf={({ id }) => `${id}`}
        columns={[
          { title: 'Name', show: ({ name, id }) => <Name text={name || `connection ${id}`} /> },
          { title: 'Address', show: ({ address }) => <Name text={address} /> },
          { title: 'Age', isNumber: true, show: ({ ageSec }) => formatDuration(ageSec * 1000) },
          { title: 'Idle', isNumber: true, show: ({ idleSec }) => formatDuration(idleSec * 1000) },
          { title: 'Commands', isNumber: true, show: ({ commands }) => formatCount(commands) },
        ]}
      />
      {endpoint.backpressure !== 'none' && <p class="mark warn">Held back: {endpoint.backpressure}</p>}
    </Panel>
  );
}

function StoreFill({ status: { store, memory } }: { status: Status }): JSX.Element {
  return (
    <Panel title="Store">
      <dl class="facts">
        <dt>Folder</dt>
        <dd>
          <Name text={store.dataDir} /> is {store.state}
        </dd>
        <dt>On disk</dt>
        <dd>
          <Bar share={store.bytes / Math.max(1, store.limitBytes)} label="Disk limit used" /> {formatBytes(store.bytes)}{' '}
          of {formatBytes(store.limitBytes)}, {store.segments} {store.segments === 1 ? 'segment' : 'segments'}
        </dd>
        <dt>In memory</dt>
        <dd>
          <Bar share={memory.bufferedBytes / Math.max(1, memory.bufferedLimitBytes)} label="Memory limit used" />{' '}
          {formatBytes(memory.bufferedBytes)} of {formatBytes(memory.bufferedLimitBytes)},{' '}
          {formatCount(memory.inFlightEntries)} records on their way
        </dd>
      </dl>
    </Panel>
  );
}

function Notices({ status: { notices, streams } }: { status: Status }): JSX.Element {
  return (
    <>
      {notices.length > 0 && (
        <Panel title="Notices">
          <ul>
            {notices.map((notice) => (
              <li key={notice}>{visible(notice)}</li>
            ))}
          </ul>
        </Panel>
      )}
      {streams.length > 0 && (
        <p>
          <a href={linkTo('tables')}>Statistics of all {streams.length} tables</a>
        </p>
      )}
    </>
  );
}
