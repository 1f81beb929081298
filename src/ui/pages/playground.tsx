import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { JobTrial, RecentEvent, TriedEvent } from '../../http/api-types.ts';
import { Editor } from '../parts/editor.tsx';
import { ActionButton, Code, Failure, Panel, saveFile, useAnswer } from '../parts/pieces.tsx';
import { TrialView } from '../parts/trial-view.tsx';
import { listEvents, readJob, readRecord, tryJob } from '../state/api.ts';
import { draft, loadDraft, putIntoDraft } from '../state/draft.ts';
import { formatMoment, prettyJson, visible } from '../state/figures.ts';
import { live } from '../state/live.ts';
import { goTo, linkTo, type Route } from '../state/router.ts';
import { useStore } from '../state/store.ts';

const PAUSE_MS = 350;
const NEW_JOB = `source:
  table: customer
transform:
  - uses: add_field
    with:
      field: seen_by
      language: jmespath
      expression: "'rdi'"
`;

/** Runs a job on one event, again at every change of either, and writes nothing anywhere. */
export function PlaygroundPage({ place }: { place: Route }): JSX.Element {
  const [event, setEvent] = useState<TriedEvent | null>(() => eventOf(place));
  const [job, setJob] = useState({ name: place.query['job'] ?? 'new-job', text: place.query['job'] ? '' : NEW_JOB });
  useEffect(() => {
    const { job: name } = place.query;
    if (name) {
      setJob({ name, text: '' });
      // Whoever began to type before the text arrived keeps what they typed.
      const fill = (text: string): void =>
        setJob((now) => (now.name === name && now.text === '' ? { name, text } : now));
      readJob(name).then(
        ({ text }) => fill(text),
        () => fill(NEW_JOB),
      );
    }
    setEvent(eventOf(place));
  }, [place]);
  const { trial, error } = useTrial(job, event);
  return (
    <>
      <h1>Playground</h1>
      <p class="quiet">
        Nothing is written: this shows what a job would do with an event. Lookups are asked at the real target.
      </p>
      <div class="halves">
        <div>
          <EventPanel event={event} onChoose={setEvent} />
          <JobPanel job={job} onChange={setJob} trial={trial} />
        </div>
        <Panel title="What becomes of it">
          <div aria-live="polite" aria-atomic="false">
            <Failure error={error} />
            {!event && <p class="quiet">Choose or paste an event first.</p>}
            {trial && <TrialView trial={trial} />}
          </div>
          {trial?.test && <SaveAsTest test={trial.test} job={job.name} />}
        </Panel>
      </div>
    </>
  );
}

/** The event that a link names. */
function eventOf({ query }: Route): TriedEvent | null {
  const { stream, entry, dlq, id } = query;
  if (stream && entry) return { stream, entry_id: entry };
  return dlq && id ? { dlq: { stream: dlq, id } } : null;
}

/** Tries the job a moment after the last change; an answer to an older question is left out. */
function useTrial(
  job: { name: string; text: string },
  event: TriedEvent | null,
): { trial: JobTrial | null; error: unknown } {
  const [state, setState] = useState<{ trial: JobTrial | null; error: unknown }>({ trial: null, error: null });
  useEffect(() => {
    if (!event || job.text.trim() === '') return undefined;
    const stopper = new AbortController();
    const timer = setTimeout(() => {
      tryJob(job.text, job.name, event, stopper.signal).then(
        (trial) => setState({ trial, error: null }),
        (error: unknown) => !stopper.signal.aborted && setState({ trial: null, error }),
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      stopper.abort();
    };
  }, [job.text, job.name, JSON.stringify(event)]);
  return state;
}

function JobPanel(props: {
  job: { name: string; text: string };
  onChange: (job: { name: string; text: string }) => void;
  trial: JobTrial | null;
}): JSX.Element {
  const { job, onChange, trial } = props;
  const { status } = useStore(live);
  const jobs = status?.pipeline?.jobs ?? [];
  const choose = async (name: string): Promise<void> => {
    onChange(name === '' ? { name: 'new-job', text: NEW_JOB } : { name, text: (await readJob(name)).text });
  };
  const use = async (): Promise<void> => {
    await putIntoDraft(`jobs/${await fileOf(job.name)}`, job.text);
    goTo(linkTo('configuration'));
  };
  return (
    <Panel title="Job" actions={<ActionButton run={use}>Use this job</ActionButton>}>
      <div class="filters">
        <label>
          Start from{' '}
          <select
            value={jobs.some(({ name }) => name === job.name) ? job.name : ''}
            onChange={(event) => void choose(event.currentTarget.value)}
          >
            <option value="">a new job</option>
            {jobs.map(({ name }) => (
              <option key={name} value={name}>
                {visible(name)}
              </option>
            ))}
          </select>
        </label>
        <label>
          Name <input value={job.name} onInput={(event) => onChange({ ...job, name: event.currentTarget.value })} />
        </label>
      </div>
      <Editor
        label="Job (YAML)"
        value={job.text}
        onChange={(text) => onChange({ ...job, text })}
        marks={trial?.problems ?? []}
      />
    </Panel>
  );
}

/** The file in which a job is deployed already, or a new one of its name. */
async function fileOf(name: string): Promise<string> {
  await loadDraft();
  const files = Object.entries(draft.value?.document.jobs ?? {});
  const known = files.find(([file, text]) => file.replace(/\.ya?ml$/, '') === name || text.includes(`name: ${name}\n`));
  return known?.[0] ?? `${name.replace(/[^\w.-]+/g, '-') || 'new-job'}.yaml`;
}

function EventPanel({
  event,
  onChoose,
}: {
  event: TriedEvent | null;
  onChoose: (event: TriedEvent) => void;
}): JSX.Element {
  const { value, error, again } = useAnswer(() => listEvents(50), []);
  const pasted = event && 'raw_value' in event ? event : { raw_key: '', raw_value: '' };
  const chosen = event && 'entry_id' in event ? `${event.stream} ${event.entry_id}` : '';
  const events = value ?? [];
  const pick = (id: string): void => {
    const found = events.find((candidate) => idOf(candidate) === id);
    if (found) onChoose({ stream: found.stream, entry_id: found.entry_id });
  };
  const shown = events.find((candidate) => idOf(candidate) === chosen);
  return (
    <Panel
      title="Event"
      actions={
        <button type="button" onClick={again}>
          Refresh
        </button>
      }
    >
      <Failure error={error} />
      <label>
        Recent event{' '}
        <select value={chosen} onChange={(change) => pick(change.currentTarget.value)}>
          {chosen !== '' && !shown && <option value={chosen}>{visible(chosen)}</option>}
          <option value="">{events.length === 0 ? 'none is kept' : 'choose one of the newest'}</option>
          {events.map((candidate) => (
            <option key={idOf(candidate)} value={idOf(candidate)}>
              {`${formatMoment(candidate.arrived_at)} ${visible(candidate.table)} ${candidate.op} ${visible(prettyJson(candidate.key).replace(/\s+/g, ' '))}`}
            </option>
          ))}
        </select>
      </label>
      {shown && <Code label="Row of the event" text={prettyJson(shown.after ?? shown.before ?? shown.raw_value)} />}
      {event && 'dlq' in event && <RejectedRow stream={event.dlq.stream} id={event.dlq.id} />}
      <details open={event !== null && 'raw_value' in event}>
        <summary>Paste one</summary>
        <Editor
          label="Key as the feeder sent it (JSON)"
          rows={3}
          value={pasted.raw_key}
          onChange={(text) => onChoose({ ...pasted, raw_key: text })}
        />
        <Editor
          label="Value as the feeder sent it (JSON)"
          rows={8}
          value={pasted.raw_value}
          onChange={(text) => onChoose({ ...pasted, raw_value: text })}
        />
      </details>
    </Panel>
  );
}

function idOf({ stream, entry_id: entryId }: RecentEvent): string {
  return `${stream} ${entryId}`;
}

function RejectedRow({ stream, id }: { stream: string; id: string }): JSX.Element {
  const { value, error } = useAnswer(() => readRecord(stream, id), [stream, id]);
  return (
    <>
      <p>
        Rejected record {visible(id)} of <a href={linkTo('dlq', [stream, id])}>{visible(stream)}</a>
      </p>
      <Failure error={error} />
      {value && (
        <Code label="Row of the record" text={prettyJson(value.after ?? value.before ?? value.raw_value ?? '')} />
      )}
    </>
  );
}

function SaveAsTest({ test, job }: { test: string; job: string }): JSX.Element {
  const file = `${job.replace(/[^\w.-]+/g, '-') || 'job'}.yaml`;
  const add = async (): Promise<void> => {
    await loadDraft();
    const before = draft.value?.document.tests[file] ?? '';
    await putIntoDraft(`jobs/tests/${file}`, before === '' ? test : `${before.replace(/\n*$/, '\n')}${test}`);
    goTo(linkTo('configuration'));
  };
  return (
    <details data-testid="save-as-test">
      <summary>Save as a job test</summary>
      <p class="quiet">Holds this event and its result; rdi test runs it.</p>
      <Code label="Job test" text={test} />
      <div class="actions">
        <button type="button" onClick={() => saveFile(file, test)}>
          Download
        </button>
        <ActionButton run={add}>Add to the configuration</ActionButton>
      </div>
    </details>
  );
}
