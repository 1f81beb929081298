import type { JSX, TargetedSubmitEvent } from 'preact';
import { useState } from 'preact/hooks';
import type { DlqRecord, DlqSelectionBody, RetryReport } from '../../http/api-types.ts';
import { DataTable } from '../parts/data-table.tsx';
import { Confirmation } from '../parts/dialog.tsx';
import { ActionButton, Failure, Name, saveFile, useAnswer } from '../parts/pieces.tsx';
import { Report, sentenceOfReport } from '../parts/retry-report.tsx';
import { announce } from '../state/announce.ts';
import { countRecords, dropRecords, exportFile, exportRecords, listRecords, retryRecords } from '../state/api.ts';
import { formatCount, formatMoment, visible } from '../state/figures.ts';
import { live, poll } from '../state/live.ts';
import { goTo, linkTo, type Route } from '../state/router.ts';
import { useStore } from '../state/store.ts';
import { DlqRecordPage } from './dlq-record.tsx';

const PAGE_SIZE = 50;
/** Records that a filter shows; what it selects for a retry has no limit. */
const FILTERED_SIZE = 500;

/** The queues, the records of one, or one record. */
export function DlqPage({ place }: { place: Route }): JSX.Element {
  const [stream, id] = place.parts;
  if (!stream) return <Queues />;
  if (!id) return <Records key={`${stream} ${JSON.stringify(place.query)}`} stream={stream} place={place} />;
  return <DlqRecordPage key={`${stream} ${id}`} stream={stream} id={id} />;
}

function Queues(): JSX.Element {
  const { status } = useStore(live);
  const dlqs = (status?.dlqs ?? []).filter(({ count, evicted }) => count > 0 || evicted > 0);
  const [report, setReport] = useState<RetryReport | null>(null);
  return (
    <>
      <h1>Dead letter queues</h1>
      <p class="quiet">
        Records that could not be written, with the reason. What is retried goes through the jobs as they are now.
      </p>
      {dlqs.length > 0 && <SelectionActions selection={{}} what="of all tables" onDone={setReport} />}
      <Report report={report} />
      <DataTable
        caption="Queues with records"
        empty="No record is rejected."
        rows={dlqs}
        keyOf={({ stream }) => stream}
        columns={[
          {
            title: 'Table',
            by: ({ stream }) => stream,
            show: ({ stream }) => (
              <a href={linkTo('dlq', [stream])}>
                <Name text={stream} />
              </a>
            ),
          },
          { title: 'Records', isNumber: true, by: ({ count }) => count, show: ({ count }) => formatCount(count) },
          {
            title: 'Dropped at the limit',
            isNumber: true,
            by: ({ evicted }) => evicted,
            show: ({ evicted }) => formatCount(evicted),
          },
        ]}
      />
    </>
  );
}

function Records({ stream, place }: { stream: string; place: Route }): JSX.Element {
  const { status } = useStore(live);
  const total = status?.dlqs.find((dlq) => dlq.stream === stream)?.count ?? 0;
  const { reason = '', job = '' } = place.query;
  const offset = Number(place.query['offset'] ?? 0) || 0;
  const isFiltered = reason !== '' || job !== '';
  const selection = selectionOf(stream, reason, job);
  const { value, error, again } = useAnswer(
    async () =>
      isFiltered
        ? (await exportRecords(selection, FILTERED_SIZE)).reverse()
        : listRecords(stream, { limit: PAGE_SIZE, offset }),
    [stream, reason, job, offset, total],
  );
  const [report, setReport] = useState<RetryReport | null>(null);
  const done = (given: RetryReport | null): void => {
    setReport(given);
    again();
  };
  const rows = value ?? [];
  return (
    <>
      <p class="path">
        <a href={linkTo('dlq')}>Dead letter queues</a>
      </p>
      <h1>
        <Name text={stream} />
      </h1>
      <Filters stream={stream} reason={reason} job={job} />
      <SelectionActions
        selection={selection}
        what={isFiltered ? 'that fit the filter' : 'of this table'}
        onDone={done}
      />
      <Report report={report} />
      <Failure error={error} />
      <DataTable
        caption={
          isFiltered
            ? `Records that fit${rows.length === FILTERED_SIZE ? `, the first ${FILTERED_SIZE}` : ''}`
            : `${formatCount(total)} records, newest first`
        }
        empty={value === null ? 'Asking rdi …' : isFiltered ? 'No record fits.' : 'No record is kept.'}
        rows={rows}
        keyOf={({ __dlq_stream_entry_id: id }) => id}
        columns={[
          {
            title: 'Record',
            show: ({ __dlq_stream_entry_id: id }) => <a href={linkTo('dlq', [stream, id])}>{visible(id)}</a>,
          },
          {
            title: 'Rejected',
            by: ({ timestamp }) => timestamp,
            show: ({ timestamp }) => formatMoment(Date.parse(timestamp)),
          },
          {
            title: 'Key',
            by: (record) => record.key ?? '',
            show: (record) => <Name text={shortened(record.key ?? record.raw_key ?? '–')} />,
          },
          {
            title: 'Reason',
            by: (record) => record.reason_rejected,
            show: (record) => visible(shortened(record.reason_rejected, 220)),
          },
          { title: 'Job', by: (record) => record.job ?? '', show: (record) => <JobStep record={record} /> },
        ]}
      />
      {!isFiltered && <Pager stream={stream} offset={offset} shown={rows.length} total={total} />}
    </>
  );
}

function selectionOf(table: string, reason: string, job: string): DlqSelectionBody {
  return { table, ...(reason ? { reason } : {}), ...(job ? { job } : {}) };
}

function shortened(text: string, limit = 80): string {
  return text.length > limit ? `${text.slice(0, limit)} …` : text;
}

function JobStep({ record }: { record: DlqRecord }): JSX.Element {
  if (!record.job) return <span class="quiet">–</span>;
  return (
    <span>
      {visible(record.job)} <span class="quiet">{visible(record.step ?? '')}</span>
    </span>
  );
}

function Filters({ stream, reason, job }: { stream: string; reason: string; job: string }): JSX.Element {
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const given = [...form].flatMap(([name, value]) => (`${value}`.trim() === '' ? [] : [[name, `${value}`.trim()]]));
    goTo(linkTo('dlq', [stream], Object.fromEntries(given)));
  };
  return (
    <form class="filters" onSubmit={submit} key={`${reason} ${job}`}>
      <label>
        Reason contains <input name="reason" type="search" defaultValue={reason} />
      </label>
      <label>
        Job <input name="job" type="search" defaultValue={job} />
      </label>
      <button type="submit">Filter</button>
      {(reason || job) && <a href={linkTo('dlq', [stream])}>Show all</a>}
    </form>
  );
}

interface SelectionActionsProps {
  readonly selection: DlqSelectionBody;
  /** `of this table` */
  readonly what: string;
  readonly onDone: (report: RetryReport | null) => void;
}

function SelectionActions({ selection, what, onDone }: SelectionActionsProps): JSX.Element {
  const [meant, setMeant] = useState<number | null>(null);
  const countThem = (): void => {
    setMeant(null);
    countRecords(selection).then(
      ({ count }) => setMeant(count),
      () => setMeant(null),
    );
  };
  const retry = async (): Promise<void> => {
    const report = await retryRecords(selection);
    announce(sentenceOfReport(report));
    onDone(report);
    await poll();
  };
  const drop = async (): Promise<void> => {
    const { dropped } = await dropRecords(selection);
    announce(`${dropped} records are deleted.`);
    onDone(null);
    await poll();
  };
  const save = async (): Promise<void> => saveFile('dlq.ndjson', await exportFile(selection));
  const many = meant === null ? 'The records' : `${formatCount(meant)} ${meant === 1 ? 'record' : 'records'}`;
  return (
    <div class="actions">
      <Confirmation
        label="Retry all"
        title={`Retry the records ${what}`}
        action="Retry"
        kind="main"
        run={retry}
        onOpen={countThem}
      >
        <p>
          {many} {what} will go through the current jobs again, oldest first. A newer value of a row is never
          overwritten.
        </p>
      </Confirmation>
      <Confirmation
        label="Drop all"
        title={`Drop the records ${what}`}
        action="Drop them for good"
        kind="danger"
        run={drop}
        onOpen={countThem}
      >
        <p>
          {many} {what} will be deleted. This cannot be undone; export them first if you may need them.
        </p>
      </Confirmation>
      <ActionButton run={save}>Export</ActionButton>
    </div>
  );
}

function Pager(props: { stream: string; offset: number; shown: number; total: number }): JSX.Element | null {
  const { stream, offset, shown, total } = props;
  if (total <= PAGE_SIZE && offset === 0) return null;
  const to = (start: number): string => linkTo('dlq', [stream], start === 0 ? {} : { offset: `${start}` });
  return (
    <nav class="actions" aria-label="More records">
      {offset > 0 && <a href={to(Math.max(0, offset - PAGE_SIZE))}>Newer</a>}
      <span class="quiet">
        {shown === 0 ? 'none' : `${offset + 1} to ${offset + shown}`} of {formatCount(total)}
      </span>
      {offset + shown < total && <a href={to(offset + PAGE_SIZE)}>Older</a>}
    </nav>
  );
}
