import { basename } from 'node:path';
import { type JobFile, type LoadedPipeline, loadPipelineDocument } from '../config/index.ts';
import { loadJobs } from '../control/load-jobs.ts';
import { Decoder } from '../decode/index.ts';
import { ConfigError, type ConfigNotice, type ConfigProblem } from '../errors.ts';
import { type JobDefinition, LookupError, type LookupReader, type LookupReply } from '../transform/index.ts';
import type { StreamEntry } from '../types.ts';
import { rawOf } from './raw-entry.ts';
import { Rehearsal } from './rehearsal.ts';
import { TestRunner } from './run-test.ts';
import { readTestFile } from './test-file.ts';
import { lookupConnections, Trial } from './trial.ts';
import type { GivenLookup, LookupText, RehearsedEvent } from './types.ts';
import { testText } from './write-test.ts';

/** A job as somebody edits it, among the deployed ones. */
export interface EditedJob {
  readonly problems: readonly ConfigProblem[];
  readonly notices: readonly ConfigNotice[];
  /** The deployed pipeline with the job in its place. */
  readonly pipeline: LoadedPipeline;
  /** Of no use where there are problems. */
  readonly jobs: readonly JobDefinition[];
}

/** What became of an event on a trial of a job. */
export interface JobTrial {
  readonly result: RehearsedEvent;
  /** YAML of a job test that holds the event and its result. */
  readonly test: string;
}

const NEW_JOB = 'playground.yaml';

/**
 * Reads a job and checks it as if it were deployed with the others. It takes the place of the file or job that is called `name`;
 * with no such name it is a new one.
 */
export function editJob(deployed: LoadedPipeline, text: string, name: string = NEW_JOB): EditedJob {
  const others = loadJobs(deployed).jobs;
  const old = deployed.jobs.find(({ file }) => {
    const known = others.find((job) => job.file === file)?.name;
    return basename(file) === name || basename(file).replace(/\.ya?ml$/, '') === name || known === name;
  });
  const fileName =
    old === undefined ? (/\.ya?ml$/.test(name) ? basename(name) : `${basename(name)}.yaml`) : basename(old.file);
  let file: JobFile;
  try {
    const document = { config: '', jobs: { [fileName]: text }, tests: {}, folder: '/' };
    file = loadPipelineDocument(document, { env: {} }).jobs[0] as JobFile;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { problems: error.problems, notices: [], pipeline: deployed, jobs: [] };
  }
  const files = [...deployed.jobs.filter((one) => one !== old), file];
  const pipeline = { ...deployed, jobs: files };
  const { jobs, problems, notices } = loadJobs(pipeline);
  const own = notices.filter((notice) => notice.file === file.file);
  return { problems, notices: own, pipeline, jobs };
}

/**
 * Sends one entry through the jobs. Lookups are answered by the readers and kept in the test, so that it needs no target.
 * Rejects with the reason of `signal`.
 */
export async function tryJob(
  { pipeline, jobs }: Pick<EditedJob, 'pipeline' | 'jobs'>,
  entry: StreamEntry,
  readers: ReadonlyMap<string, LookupReader>,
  signal: AbortSignal,
): Promise<JobTrial> {
  const { settings } = pipeline;
  const lookups = await askLookups(jobs, settings, entry, readers, signal);
  const rehearsal = new Rehearsal({ jobs, settings, lookups, keys: new Map() });
  const result = (await rehearsal.run(entry)) as RehearsedEvent;
  const decoded = new Decoder({ onWarning: () => {} }).decode(entry);
  const event = decoded.kind === 'change' ? decoded : null;
  const parts = { result, lookups, keys: rehearsal.keys, entry: rawOf(entry), stream: entry.stream.name };
  for (const given of event === null ? [null] : [event, null]) {
    const text = testText({ ...parts, event: given });
    if (await says(pipeline, text, result)) return { result, test: text };
  }
  const remark =
    '# This test fails when it is run again: the job gives another result each time (uuid(), the time of day).\n';
  return { result, test: remark + testText({ ...parts, event: null }) };
}

/** What the lookups of an entry find at the targets. */
async function askLookups(
  jobs: readonly JobDefinition[],
  settings: LoadedPipeline['settings'],
  entry: StreamEntry,
  readers: ReadonlyMap<string, LookupReader>,
  signal: AbortSignal,
): Promise<GivenLookup[]> {
  const found: GivenLookup[] = [];
  const recording = lookupConnections(jobs).map((name) => [name, recordingReader(readers.get(name), found)] as const);
  const trial = new Trial({ jobs, settings, lookups: new Map(recording) });
  const decoded = trial.decode(entry);
  if (decoded.kind === 'change') await trial.transform(decoded, signal);
  return found;
}

function recordingReader(reader: LookupReader | undefined, found: GivenLookup[]): LookupReader {
  return {
    read: async (commands, signal) => {
      const replies = reader === undefined ? commands.map(() => null) : await reader.read(commands, signal);
      for (const [i, command] of commands.entries()) found.push(givenLookup(command, replies[i] ?? null));
      return replies;
    },
  };
}

function givenLookup(command: readonly string[], reply: LookupReply): GivenLookup {
  if (reply instanceof LookupError) return { command, reply: null, error: reply.text };
  return { command, reply: asText(reply), error: null };
}

function asText(reply: LookupReply): LookupText {
  if (reply === null) return null;
  if (reply instanceof LookupError) return reply.text;
  if (typeof reply === 'string' || typeof reply === 'number') return String(reply);
  return reply.map(asText);
}

/** Whether the test passes and what it runs comes to the same. */
async function says(pipeline: LoadedPipeline, text: string, result: RehearsedEvent): Promise<boolean> {
  try {
    const [test] = readTestFile('jobs/tests/playground.yaml', text);
    if (test === undefined) return false;
    const { passed, events } = await new TestRunner(pipeline).run(test);
    return passed && JSON.stringify(comparable(events[0])) === JSON.stringify(comparable(result));
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

function comparable(event: RehearsedEvent | undefined) {
  return event && { ...event, lookups: event.lookups.map(({ command }) => command) };
}
