import { stringify } from 'yaml';
import {
  type LoadedPipeline,
  loadPipelineDocument,
  type PipelineDocument,
  type TargetConnection,
} from '../config/index.ts';
import { type Engine, withoutCredentials } from '../control/index.ts';
import { ConfigError, formatProblem, RdiError } from '../errors.ts';
import { askTarget } from '../write/index.ts';
import { HttpError } from './api.ts';
import { isMap } from './config-json.ts';
import { errorOfProblem } from './failures.ts';

/** What is tried before it is deployed: connections to targets, and jobs on sample rows. */

const ANSWER_MS = 5000;

/** Connects to a target and pings it; null when that works, else why not. Masks stand for the deployed values. */
export async function tryTarget(engine: Engine, name: string, connection: unknown): Promise<string | null> {
  try {
    await askTarget(await connectionOf(engine, name, connection), ANSWER_MS, (target) => target.ask('PING'));
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ message }) => message).join('; ') || error.message;
    if (error instanceof RdiError) return withoutCredentials(error.message);
    throw error;
  }
}

/** The connection as a deployment would take it, with the secrets as they are now. */
async function connectionOf({ pipeline }: Engine, name: string, connection: unknown): Promise<TargetConnection> {
  const folder = pipeline.document?.folder ?? process.cwd();
  const config = stringify({ targets: { [name]: { connection } } });
  const loaded = (await pipeline.load({ config, jobs: {}, tests: {}, folder })).targets[name];
  if (loaded === undefined) throw new ConfigError('CONFIG_INVALID', `The target ${name} has no connection`);
  return loaded;
}

/** What a job makes of sample rows: RDI's form. */
export interface JobDryRun {
  readonly transformation: readonly unknown[];
  readonly output: readonly { readonly connection: string; readonly commands: readonly string[] }[];
}

/**
 * Runs a job on rows as if they were created, against the settings and targets that are deployed. Refuses with 422 and every problem
 * when the job is wrong, and when a row is rejected.
 */
export async function dryRunJob(
  { pipeline }: Engine,
  { name, ...job }: Readonly<Record<string, unknown>>,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<JobDryRun> {
  const { Entries, Rehearsal, requireJobs } = await import('../rehearsal/index.ts');
  const loaded = withJob(
    pipeline.current?.pipeline,
    `${typeof name === 'string' && name !== '' ? name : 'job'}.yaml`,
    job,
  );
  const jobs = requireJobs(loaded);
  const rehearsal = new Rehearsal({ jobs, settings: loaded.settings, lookups: [], keys: new Map() });
  const entries = new Entries();
  const events = [];
  for (const row of rows) {
    const event = await rehearsal.run(entries.ofJson(JSON.stringify(sampleEvent(job, row)), 'input_data'));
    if (event?.outcome === 'rejected') {
      const message = event.reason ?? 'The row is rejected.';
      throw new HttpError(422, message, [{ code: 'job_validation_error', message, details: event }]);
    }
    if (event !== null) events.push(event);
  }
  const commands = events.flatMap((event) => event.commands);
  const connections = [...new Set(commands.map(({ connection }) => connection))];
  return {
    transformation: events.flatMap(({ blocks, after, outcome }) => {
      const last = blocks.length === 0 ? after : blocks.at(-1)?.record;
      return outcome === 'filtered' || last === null || last === undefined ? [] : [JSON.parse(last) as unknown];
    }),
    output: connections.map((connection) => ({
      connection,
      commands: commands.filter((command) => command.connection === connection).map(({ words }) => lineOf(words)),
    })),
  };
}

/** The deployed pipeline with one job; with none deployed, one that has the targets that the job names. */
function withJob(
  current: LoadedPipeline | undefined,
  file: string,
  job: Readonly<Record<string, unknown>>,
): LoadedPipeline {
  const connections = new Set(['target', ...namesOfConnections(job)]);
  const here = { connection: { type: 'redis', host: '127.0.0.1', port: 6379 } };
  const targets = Object.fromEntries([...connections].map((name) => [name, here]));
  const config = current === undefined ? stringify({ targets }) : '';
  const document: PipelineDocument = { config, jobs: { [file]: stringify(job) }, tests: {}, folder: '/' };
  try {
    const loaded = loadPipelineDocument(document, { env: {} });
    return current === undefined ? loaded : { ...current, jobs: loaded.jobs };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new HttpError(422, error.problems.map(formatProblem).join('\n'), error.problems.map(errorOfProblem));
  }
}

function namesOfConnections(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(namesOfConnections);
  if (!isMap(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'connection' && typeof inner === 'string' ? [inner] : namesOfConnections(inner),
  );
}

/** A sample as a change event. With `row_format: full` it is a whole record already, else a new row. */
function sampleEvent(job: Readonly<Record<string, unknown>>, row: Readonly<Record<string, unknown>>): object {
  const source = isMap(job['source']) ? job['source'] : {};
  const names = Object.fromEntries(
    (['server_name', 'db', 'schema'] as const).flatMap((name) => {
      const value = source[name];
      return typeof value === 'string' && !value.includes('*') ? [[name, value]] : [];
    }),
  );
  const table = typeof source['table'] === 'string' && source['table'] !== '*' ? source['table'] : 'sample';
  if (source['row_format'] === 'full' && ('after' in row || 'before' in row)) {
    const { key, before = null, after = null, opcode = 'c' } = row;
    return { table, ...names, op: opcode, key: key ?? keyOf(isMap(after) ? after : before), before, after };
  }
  return { table, ...names, op: 'c', key: keyOf(row), before: null, after: row };
}

/** Samples do not say what their primary key is: `id` where there is one, else the first column. */
function keyOf(row: unknown): object | null {
  if (!isMap(row)) return null;
  const name = Object.hasOwn(row, 'id') ? 'id' : Object.keys(row)[0];
  return name === undefined ? null : { [name]: row[name] };
}

/** A command as people type it; arguments with blanks or quotes in quotes. */
function lineOf(words: readonly string[]): string {
  return words.map((word) => (/^[^\s"'\\]+$/.test(word) ? word : JSON.stringify(word))).join(' ');
}
