import type { JSX } from 'preact';
import type { Status } from '../../http/api-types.ts';

const WORDS: Readonly<Record<string, string>> = {
  STARTED: 'waiting for a feeder',
  RUNNING: 'running',
  IDLING: 'idle, all settled',
  STOPPED: 'stopped',
  ERROR: 'data does not flow',
};

/** How good things are, in one word for style sheets. */
export function levelOf({ state, problems, pipeline }: Status): 'good' | 'warn' | 'bad' {
  if (state === 'ERROR' || state === 'STOPPED' || problems.some(({ severity }) => severity === 'error')) return 'bad';
  return problems.length > 0 || pipeline?.isActive === false ? 'warn' : 'good';
}

/** The state in words; colour only repeats what they say. */
export function StateMark({ status }: { status: Status }): JSX.Element {
  const { problems } = status;
  const isStopped = status.pipeline?.isActive === false;
  const words = isStopped ? 'pipeline stopped' : (WORDS[status.state] ?? status.state.toLowerCase());
  return (
    <span class={`mark ${levelOf(status)}`} data-testid="state" title={`${status.state}, sync mode ${status.syncMode}`}>
      {words}
      {problems.length > 0 && `, ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`}
    </span>
  );
}
