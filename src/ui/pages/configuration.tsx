import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ConfigProblem, DeploymentCheck } from '../../http/api-types.ts';
import { Confirmation } from '../parts/dialog.tsx';
import { Differences } from '../parts/diff.tsx';
import { Editor } from '../parts/editor.tsx';
import { ActionButton, Failure, Name, Panel, useAnswer } from '../parts/pieces.tsx';
import { announce } from '../state/announce.ts';
import { ApiFailure, checkDocument, deployDocument } from '../state/api.ts';
import { concerns, type Draft, draft, filesOf, isChanged, loadDraft, reloadDraft, withFile } from '../state/draft.ts';
import { visible } from '../state/figures.ts';
import { poll } from '../state/live.ts';
import type { Route } from '../state/router.ts';
import { useStore } from '../state/store.ts';
import { PipelineControls } from './pipeline-controls.tsx';
import { Revisions } from './revisions.tsx';

const PAUSE_MS = 400;

/** The deployed files, what is wrong with a change of them, what it would change, and how to put it in force. */
export function ConfigurationPage(_props: { place: Route }): JSX.Element {
  const now = useStore(draft);
  const { error } = useAnswer(loadDraft, []);
  useWarningBeforeLeaving(now !== null && isChanged(now));
  return (
    <>
      <h1>Configuration</h1>
      <PipelineControls />
      <Failure error={error} />
      {now && <Files now={now} />}
      <Revisions about={now?.revision ?? null} />
    </>
  );
}

function Files({ now }: { now: Draft }): JSX.Element {
  const { check, error, isChecking } = useCheck(now);
  const problems = check?.problems ?? [];
  const files = filesOf(now.document);
  const open = files.find(({ file }) => file === now.open) ?? files[0]!;
  const change = (text: string | null): void =>
    draft.set({
      ...now,
      document: withFile(now.document, open.file, text),
      open: text === null ? 'config.yaml' : open.file,
    });
  const elsewhere = problems.filter((problem) => !files.some(({ file }) => concerns(problem, file)));
  return (
    <Panel title={now.revision === null ? 'Files (nothing is deployed yet)' : `Files, from revision ${now.revision}`}>
      <div class="side">
        <div>
          <ul class="files" aria-label="Files">
            {files.map(({ file }) => (
              <FileButton
                key={file}
                file={file}
                now={now}
                wrong={problems.filter((problem) => concerns(problem, file)).length}
              />
            ))}
          </ul>
          <NewFile now={now} />
        </div>
        <div>
          <Editor
            key={open.file}
            label={open.file}
            rows={24}
            value={open.text}
            onChange={change}
            marks={problems.filter((problem) => concerns(problem, open.file))}
          />
          {open.file !== 'config.yaml' && (
            <button type="button" class="danger" onClick={() => change(null)}>
              Remove this file
            </button>
          )}
        </div>
      </div>
      <Failure error={error} />
      {elsewhere.length > 0 && <Failure error={new Error(elsewhere.map(({ message }) => message).join(' '))} />}
      {check?.notices.map(({ message, file }) => (
        <p key={message} class="quiet">
          {visible(file)}: {visible(message)}
        </p>
      ))}
      <Deploy now={now} check={check} isChecking={isChecking} />
    </Panel>
  );
}

function FileButton({ file, now, wrong }: { file: string; now: Draft; wrong: number }): JSX.Element {
  const before = filesOf(now.base).find((candidate) => candidate.file === file)?.text;
  const isEdited = before !== filesOf(now.document).find((candidate) => candidate.file === file)?.text;
  return (
    <li>
      <button type="button" aria-pressed={file === now.open} onClick={() => draft.set({ ...now, open: file })}>
        <Name text={file} />
        {isEdited && <span class="quiet"> edited</span>}
        {wrong > 0 && (
          <span class="wrong">
            {' '}
            {wrong} {wrong === 1 ? 'mistake' : 'mistakes'}
          </span>
        )}
      </button>
    </li>
  );
}

function NewFile({ now }: { now: Draft }): JSX.Element {
  const [name, setName] = useState('');
  const [folder, setFolder] = useState('jobs');
  const isFit =
    /^[\w.-]+\.ya?ml$/.test(name) && !filesOf(now.document).some(({ file }) => file === `${folder}/${name}`);
  const add = (event: Event): void => {
    event.preventDefault();
    if (!isFit) return;
    draft.set({ ...now, document: withFile(now.document, `${folder}/${name}`, ''), open: `${folder}/${name}` });
    setName('');
  };
  return (
    <form class="new-file" onSubmit={add}>
      <label>
        Kind{' '}
        <select value={folder} onChange={(event) => setFolder(event.currentTarget.value)}>
          <option value="jobs">job</option>
          <option value="jobs/tests">job test</option>
        </select>
      </label>
      <label>
        New file{' '}
        <input value={name} placeholder="orders.yaml" onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <button type="submit" disabled={!isFit}>
        Add
      </button>
    </form>
  );
}

/** Asks what a deployment would do, a moment after the last change. */
function useCheck(now: Draft): { check: DeploymentCheck | null; error: unknown; isChecking: boolean } {
  const [state, setState] = useState<{ of: unknown; check: DeploymentCheck | null; error: unknown }>({
    of: null,
    check: null,
    error: null,
  });
  useEffect(() => {
    const stopper = new AbortController();
    const timer = setTimeout(() => {
      checkDocument(now.document, stopper.signal).then(
        (check) => setState({ of: now.document, check, error: null }),
        (error: unknown) => !stopper.signal.aborted && setState({ of: now.document, ...asCheck(error) }),
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      stopper.abort();
    };
  }, [now.document]);
  return { check: state.check, error: state.error, isChecking: state.of !== now.document };
}

/** A refusal that lists mistakes is the result of a check. */
function asCheck(error: unknown): { check: DeploymentCheck | null; error: unknown } {
  const problems: readonly ConfigProblem[] = error instanceof ApiFailure ? error.problems : [];
  return problems.length > 0
    ? { check: { problems, notices: [], differences: [] }, error: null }
    : { check: null, error };
}

function Deploy(props: { now: Draft; check: DeploymentCheck | null; isChecking: boolean }): JSX.Element {
  const { now, check, isChecking } = props;
  const [note, setNote] = useState('');
  const [failure, setFailure] = useState<unknown>(null);
  const wrong = check?.problems.length ?? 0;
  const isReady = !isChecking && check !== null && wrong === 0 && check.differences.length > 0;
  const deploy = async (): Promise<void> => {
    setFailure(null);
    const { revision, problems } = await deployDocument(now.document, note);
    if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join(' '));
    setNote('');
    announce(`Revision ${revision?.number ?? ''} is in force.`);
    await reloadDraft();
    await poll();
  };
  const verdict = isChecking
    ? 'Checking …'
    : wrong > 0
      ? `${wrong} ${wrong === 1 ? 'mistake' : 'mistakes'}: nothing can be deployed.`
      : check?.differences.length === 0
        ? 'Nothing differs from what is deployed.'
        : check
          ? 'No mistakes.'
          : '';
  return (
    <>
      <p role="status" data-testid="verdict" class={wrong > 0 ? 'wrong' : 'quiet'}>
        {verdict}
      </p>
      <div class="actions">
        <Confirmation
          label="Review and deploy"
          title="What the deployment changes"
          action="Deploy"
          kind="main"
          isDisabled={!isReady}
          run={deploy}
        >
          <Differences files={check?.differences ?? []} />
          <label>
            Note <input value={note} maxLength={500} onInput={(event) => setNote(event.currentTarget.value)} />
          </label>
        </Confirmation>
        {isChanged(now) && <ActionButton run={reloadDraft}>Discard changes</ActionButton>}
      </div>
      <Failure error={failure} />
    </>
  );
}

function useWarningBeforeLeaving(isUnsaved: boolean): void {
  useEffect(() => {
    if (!isUnsaved) return undefined;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [isUnsaved]);
}
