import { count, formatBytes, formatDuration } from '../lib/plain-words.ts';
import { missingEntries } from './accounting.ts';
import type { EngineSnapshot, TargetStatus } from './types.ts';

/** Something a person should know now. `error`: data does not flow; `warning`: it flows, and something is wrong. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** What, where, and what to do, in whole sentences. */
  readonly text: string;
}

/** How long a first connection may take before it is called a problem. */
const CONNECTING_GRACE_MS = 3000;

/** Everything that is wrong in a snapshot, errors first, in plain words. */
export function findProblems(snapshot: EngineSnapshot): Problem[] {
  const problems = [
    ...storeProblems(snapshot),
    ...pipelineProblems(snapshot),
    ...snapshot.targets.flatMap((target) => targetProblems(target, snapshot)),
    ...streamProblems(snapshot),
    ...stallProblems(snapshot),
    ...backpressureProblems(snapshot),
    ...dlqProblems(snapshot),
    ...snapshot.warnings.map(({ stream, message }) => warn(`${stream}: ${sentence(message)}`)),
  ];
  return [...problems.filter(isError), ...problems.filter((problem) => !isError(problem))];
}

function isError(problem: Problem): boolean {
  return problem.severity === 'error';
}

function storeProblems({ store, endpoint }: EngineSnapshot): Problem[] {
  const detail = store.message ? ` ${sentence(store.message)}` : '';
  switch (store.state) {
    case 'failed':
      return [fail(`The store in ${store.dataDir} failed.${detail} Nothing more is accepted until it is repaired.`)];
    case 'full': {
      const used = `${formatBytes(store.bytes)} of ${formatBytes(store.limitBytes)}`;
      return [
        fail(`The store in ${store.dataDir} is full (${used}).${detail} Feeders are held back; nothing is lost.`),
      ];
    }
    case 'recovering':
      return [warn(`The store in ${store.dataDir} is recovering.${detail} Feeders are served when it is done.`)];
    case 'ready':
      return endpoint.listening
        ? []
        : [fail(`The endpoint does not listen on ${endpoint.address}. Feeders cannot connect.`)];
    default:
      return store.state satisfies never;
  }
}

function pipelineProblems({ pipeline, targets, totals, takenAt }: EngineSnapshot): Problem[] {
  const found: Problem[] = [];
  const waits = totals.pending === 0 ? '' : ` ${count(totals.pending, 'entry waits', 'entries wait')} meanwhile.`;
  if (pipeline.failure !== null) found.push(fail(sentence(pipeline.failure)));
  else if (!pipeline.isDeployed) {
    found.push(fail(`No pipeline is deployed, so nothing is written.${waits} Deploy one: rdi deploy --dir FOLDER.`));
  } else if (!pipeline.isActive) {
    const age = formatDuration(takenAt - pipeline.stateChangedAt);
    found.push(warn(`The pipeline is stopped, for ${age} or longer.${waits} Let it go on: rdi start.`));
  } else if (targets.length === 0 && pipeline.state === 'started') {
    found.push(
      fail(`The deployed configuration has no target, so nothing is written.${waits} Add one, and deploy it.`),
    );
  }
  if (pipeline.awaitsFeederRestart) {
    found.push(
      warn(
        'After the reset feeders are refused until one starts anew, because only then it takes a new snapshot: restart every Debezium Server.',
      ),
    );
  }
  return found;
}

function targetProblems(target: TargetStatus, { startedAt, takenAt }: EngineSnapshot): Problem[] {
  const { state } = target;
  const who = `Target ${target.name} (${target.address})`;
  switch (state.state) {
    case 'ready':
      return [];
    case 'connecting': {
      const age = takenAt - startedAt;
      return age < CONNECTING_GRACE_MS
        ? []
        : [warn(`${who} does not answer yet, after ${formatDuration(age)}. Writes wait; nothing is lost.`)];
    }
    case 'waiting': {
      const since = `${formatDuration(takenAt - state.since)}, ${count(state.attempts, 'attempt')}`;
      return [fail(`${who} cannot take writes since ${since}: ${sentence(state.message)} Nothing is lost.`)];
    }
    case 'refused': {
      const since = formatDuration(takenAt - state.since);
      return [
        fail(
          `${who} refuses our user since ${since}: ${sentence(state.message)} Correct user, password or permissions; writes wait, nothing is lost.`,
        ),
      ];
    }
    default:
      return state satisfies never;
  }
}

function streamProblems({ streams, takenAt }: EngineSnapshot): Problem[] {
  return streams.flatMap((stream) => {
    const found: Problem[] = [];
    if (stream.stopped) {
      const { entryId, reason, since } = stream.stopped;
      const age = formatDuration(takenAt - since);
      found.push(
        fail(
          `Stream ${stream.name} stands at entry ${entryId} since ${age}: ${sentence(reason)} When it is fixed: rdi resume '${stream.name}'.`,
        ),
      );
    }
    const missing = missingEntries(stream);
    if (missing !== 0) {
      found.push(fail(`The account of ${stream.name} is off by ${missing}. This is a bug in rdi, please report it.`));
    }
    return found;
  });
}

function stallProblems({ stalled = [], takenAt }: EngineSnapshot): Problem[] {
  return stalled.map(({ name, since }) => {
    const age = formatDuration(takenAt - since);
    return fail(
      `Nothing of stream ${name} was settled for ${age}, although entries wait and the target takes writes. Nothing is lost. Restart rdi, and report this with a support package (rdi dump-support-package).`,
    );
  });
}

function backpressureProblems({ endpoint, totals, pipeline }: EngineSnapshot): Problem[] {
  if (pipeline.awaitsFeederRestart) return [];
  const how = {
    none: undefined,
    full: 'they are told that memory is full, and wait',
    paced: 'their records are answered slowly',
    refusing: 'their records are refused with OOM, and sent again',
  }[endpoint.backpressure];
  if (!how) return [];
  return [
    warn(`Feeders are held back (${how}), because ${count(totals.pending, 'entry', 'entries')} wait for the target.`),
  ];
}

function dlqProblems({ dlqs }: EngineSnapshot): Problem[] {
  return dlqs.flatMap(({ stream, count: kept, evicted }) => {
    if (kept === 0 && evicted === 0) return [];
    const gone = evicted === 0 ? '' : `, and ${count(evicted, 'older one')} dropped at the limit (dlq_max_messages)`;
    const are = kept === 1 ? 'is' : 'are';
    return [
      warn(`${count(kept, 'rejected record')} of ${stream} ${are} kept${gone}. See rdi list-dlq-records '${stream}'.`),
    ];
  });
}

function fail(text: string): Problem {
  return { severity: 'error', text };
}

function warn(text: string): Problem {
  return { severity: 'warning', text };
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
