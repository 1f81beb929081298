import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { DlqRecordDetail, JobTrial, RetryReport } from '../../http/api-types.ts';
import { Confirmation } from '../parts/dialog.tsx';
import { Editor } from '../parts/editor.tsx';
import { ActionButton, Code, Failure, Name, Panel, useAnswer } from '../parts/pieces.tsx';
import { Report } from '../parts/retry-report.tsx';
import { TrialView } from '../parts/trial-view.tsx';
import { announce } from '../state/announce.ts';
import { dropRecords, editRecord, readJob, readRecord, retryRecords, tryJob } from '../state/api.ts';
import { formatMoment, jsonMistake, prettyJson, visible } from '../state/figures.ts';
import { poll } from '../state/live.ts';
import { goTo, linkTo } from '../state/router.ts';

/** One rejected record: why, what came, how far it got, and the means to put it right. */
export function DlqRecordPage({ stream, id }: { stream: string; id: string }): JSX.Element {
  const { value: record, error, again } = useAnswer(() => readRecord(stream, id), [stream, id]);
  const [report, setReport] = useState<RetryReport | null>(null);
  const retry = async (force: boolean): Promise<void> => {
    const outcome = await retryRecords({ table: stream, ids: [id], ...(force ? { force } : {}) });
    setReport(outcome);
    announce(outcome.kept > 0 ? 'The record is still rejected.' : 'The record has left the DLQ.');
    await poll();
    if (outcome.kept > 0) again();
  };
  const drop = async (): Promise<void> => {
    await dropRecords({ table: stream, ids: [id] });
    announce('The record is deleted.');
    await poll();
    goTo(linkTo('dlq', [stream]));
  };
  const isGone = report !== null && report.kept === 0;
  return (
    <>
      <p class="path">
        <a href={linkTo('dlq')}>Dead letter queues</a> ›{' '}
        <a href={linkTo('dlq', [stream])}>
          <Name text={stream} />
        </a>
      </p>
      <h1>Record {visible(id)}</h1>
      <Report report={report} />
      <Failure error={error} />
      {record && !isGone && (
        <>
          <Why record={record} />
          <div class="actions">
            <ActionButton kind="main" run={() => retry(false)}>
              Retry
            </ActionButton>
            <Confirmation
              label="Retry by force"
              title="Write it even where a newer value may be there"
              action="Write it"
              kind="danger"
              run={() => retry(true)}
            >
              <p>The row’s newer value, if there is one, is overwritten with this older one.</p>
            </Confirmation>
            <Confirmation label="Drop" title="Drop this record" action="Drop it for good" kind="danger" run={drop}>
              <p>The record is deleted. This cannot be undone.</p>
            </Confirmation>
            <a href={linkTo('playground', [], { dlq: stream, id, ...(record.job ? { job: record.job } : {}) })}>
              Open in the playground
            </a>
          </div>
          <EditForm record={record} stream={stream} onSaved={again} />
          <Steps record={record} stream={stream} />
          <Original record={record} />
        </>
      )}
    </>
  );
}

function Why({ record }: { record: DlqRecordDetail }): JSX.Element {
  const facts: [string, string | undefined][] = [
    ['Rejected', formatMoment(Date.parse(record.timestamp))],
    ['Job', record.job && `${record.job}, ${record.step ?? ''}`],
    ['Expression', record.expression],
    ['Error', record.error && record.reason_rejected.includes(record.error) ? undefined : record.error],
    ['Target', record.target],
    ['Operation', record.opcode],
    ['Removed fields', record.removed_fields],
  ];
  return (
    <Panel title="Why">
      <p class="failure" data-testid="reason">
        {visible(record.reason_rejected)}
      </p>
      <dl class="facts">
        {facts.flatMap(([name, text]) =>
          text ? [<dt key={name}>{name}</dt>, <dd key={`${name} text`}>{visible(text)}</dd>] : [],
        )}
      </dl>
      {record.is_superseded === true && (
        <p class="mark warn">A newer value of this row has arrived: a retry leaves that as it is.</p>
      )}
      {record.is_superseded === null && (
        <p class="quiet">Nobody can tell whether a newer value of this row has arrived since.</p>
      )}
      <div class="halves">
        <div>
          <h3>Row before</h3>
          <Code label="Row before" text={record.before ? prettyJson(record.before) : '–'} />
        </div>
        <div>
          <h3>Row after</h3>
          <Code label="Row after" text={record.after ? prettyJson(record.after) : '–'} />
        </div>
      </div>
    </Panel>
  );
}

/** Names under which feeders put the two halves of an event. */
function halvesOf({ fields, raw_key: rawKey, raw_value: rawValue }: DlqRecordDetail): { key: string; value: string } {
  const find = (name: string): string | undefined => fields.find((field) => field.name === name)?.value;
  const compact = fields.length === 1 ? fields[0] : undefined;
  return {
    key: rawKey ?? find('key') ?? compact?.name ?? '',
    value: rawValue ?? find('value') ?? compact?.value ?? '',
  };
}

function EditForm(props: { record: DlqRecordDetail; stream: string; onSaved: () => void }): JSX.Element {
  const original = halvesOf(props.record);
  const [key, setKey] = useState(prettyJson(original.key));
  const [value, setValue] = useState(prettyJson(original.value));
  const [isSaved, setSaved] = useState(false);
  const mistakes = { key: mistakeOf(key), value: mistakeOf(value) };
  const hasChanged = key !== prettyJson(original.key) || value !== prettyJson(original.value);
  const save = async (): Promise<void> => {
    const change = {
      ...(key === prettyJson(original.key) ? {} : { key: compactJson(key) }),
      ...(value === prettyJson(original.value) ? {} : { value: compactJson(value) }),
    };
    await editRecord(props.stream, props.record.__dlq_stream_entry_id, change);
    setSaved(true);
    announce('The record is changed.');
    props.onSaved();
  };
  return (
    <Panel title="Edit">
      <p class="quiet">Changes the entry as the feeder sent it; a retry then decodes it anew.</p>
      <div class="halves">
        <Editor label="Key (JSON)" rows={10} value={key} onChange={setKey} marks={mistakes.key} />
        <Editor label="Value (JSON)" rows={16} value={value} onChange={setValue} marks={mistakes.value} />
      </div>
      <div class="actions">
        <ActionButton
          run={save}
          kind="main"
          isDisabled={!hasChanged || mistakes.key.length + mistakes.value.length > 0}
        >
          Save the change
        </ActionButton>
        {isSaved && (
          <span class="mark good" role="status">
            Saved. Retry it now.
          </span>
        )}
      </div>
    </Panel>
  );
}

function mistakeOf(text: string): { line: number; col: number; message: string }[] {
  if (text.trim() === '') return [];
  const message = jsonMistake(text);
  if (message === null) return [];
  const place = /line (\d+) column (\d+)/.exec(message);
  return [{ line: Number(place?.[1] ?? 0), col: Number(place?.[2] ?? 0), message: `No JSON: ${message}` }];
}

/** JSON without the blanks between its tokens; texts and numbers stay digit by digit. */
function compactJson(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_all, quoted: string | undefined) => quoted ?? '');
}

function Steps({ record, stream }: { record: DlqRecordDetail; stream: string }): JSX.Element | null {
  const { job } = record;
  if (!job) return null;
  return <JobSteps job={job} record={record} stream={stream} />;
}

function JobSteps(props: { job: string; record: DlqRecordDetail; stream: string }): JSX.Element {
  const { job, record, stream } = props;
  const id = record.__dlq_stream_entry_id;
  const { value, error } = useAnswer<JobTrial>(async () => {
    const { text } = await readJob(job);
    return tryJob(text, job, { dlq: { stream, id } }, AbortSignal.timeout(30_000));
  }, [job, record]);
  return (
    <Panel title={`Job ${visible(job)} as it is now`}>
      <Failure error={error} />
      {value && <TrialView trial={value} />}
    </Panel>
  );
}

function Original({ record }: { record: DlqRecordDetail }): JSX.Element {
  return (
    <Panel title="Entry as it came">
      {record.fields.map(({ name, value }, index) => (
        <details key={index}>
          <summary>
            <Name text={name.length > 80 ? `${name.slice(0, 80)} …` : name} />
          </summary>
          <Code label="Value of the field" text={prettyJson(value)} />
        </details>
      ))}
    </Panel>
  );
}
