import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { formatDuration } from '../lib/plain-words.ts';
import type { Api } from './api.ts';
import { ApiError, TimedOut } from './exit-codes.ts';
import { untilInterrupted } from './interrupt.ts';
import { pipelinePath } from './pipeline-path.ts';
import { Progress } from './progress.ts';
import type { Terminal } from './terminal.ts';
import { duration, switchOption } from './values.ts';

export interface WaitOptions {
  readonly wait: boolean;
  /** ms. */
  readonly timeout: number;
}

/** A pipeline as RDI's API shows it. */
export interface RdiPipeline {
  readonly name: string;
  readonly active: boolean;
  readonly status: string;
  readonly status_changed_at?: string;
  readonly current: boolean;
  readonly errors?: readonly ({ readonly message?: string; readonly code?: string } | string)[];
  readonly components?: readonly RdiComponent[];
}

export interface RdiComponent {
  readonly name: string;
  readonly type: string;
  readonly version?: string | null;
  readonly status: string;
}

const POLL_MS = 250;
const DEFAULT_TIMEOUT_MS = 120_000;

/** Adds `--wait` and `--timeout`. */
export function withWait(command: Command): Command {
  return command
    .addOption(switchOption('--wait', 'wait until it is done; --wait=false returns at once', true))
    .addOption(
      new Option('--timeout <duration>', 'how long to wait; then the exit code is 4')
        .default(DEFAULT_TIMEOUT_MS, '2m')
        .argParser(duration),
    );
}

/**
 * Asks for the pipeline's status until it is one of `wanted` and counts (`current`).
 *
 * @throws TimedOut when that takes longer than `timeoutMs`; ApiError when the pipeline is in error
 */
export async function waitForStatus(
  api: Api,
  terminal: Terminal,
  pipeline: string,
  wanted: readonly string[],
  timeoutMs: number,
): Promise<RdiPipeline> {
  const progress = new Progress(terminal);
  try {
    return await untilInterrupted(async (signal) => {
      for (;;) {
        const found = await api.get<RdiPipeline>(pipelinePath(pipeline, 'status'));
        const isCurrent = found.current !== false;
        if (isCurrent && wanted.includes(found.status)) return found;
        if (isCurrent && found.status === 'error') throw inError(pipeline, found);
        if (progress.elapsedMs > timeoutMs) throw notInTime(pipeline, found, wanted, timeoutMs);
        progress.update(`Waiting for pipeline ${pipeline} to be ${wanted.join(' or ')}; it is ${found.status}`);
        await sleep(POLL_MS, undefined, { signal });
      }
    });
  } finally {
    progress.close();
  }
}

/** The messages of a pipeline's errors. */
export function errorMessages({ errors = [] }: Pick<RdiPipeline, 'errors'>): string[] {
  return errors.map((error) => (typeof error === 'string' ? error : (error.message ?? error.code ?? 'unknown')));
}

function inError(pipeline: string, found: RdiPipeline): ApiError {
  const reasons = errorMessages(found).join(' ').replace(/\.$/, '');
  const what = `Pipeline ${pipeline} is in error${reasons === '' ? '' : `: ${reasons}`}`;
  return new ApiError('API_REFUSED', what, 0, 'See rdi status.');
}

function notInTime(pipeline: string, found: RdiPipeline, wanted: readonly string[], timeoutMs: number): TimedOut {
  const state = found.current === false ? `${found.status}, and not up to date` : found.status;
  return new TimedOut(
    `Pipeline ${pipeline} is not ${wanted.join(' or ')} after ${formatDuration(timeoutMs)} but ${state}. ` +
      'It goes on; see rdi status, or wait longer with --timeout.',
  );
}
