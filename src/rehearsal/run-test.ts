import type { LoadedPipeline } from '../config/index.ts';
import type { JobDefinition } from '../transform/index.ts';
import type { StreamEntry } from '../types.ts';
import { diffLines } from './diff.ts';
import { Entries, readEntries } from './entries.ts';
import { Rehearsal, requireJobs, withSettings } from './rehearsal.ts';
import { describeKey, isSameKey } from './stored-keys.ts';
import { DEFAULT_CONNECTION } from './test-file.ts';
import type {
  Difference,
  GivenEntry,
  GivenEvent,
  GivenRecording,
  JobTest,
  RehearsedEvent,
  StoredKeys,
  TestResult,
} from './types.ts';

/** Runs job tests against the jobs of one pipeline; jobs are compiled once for each set of settings. */
export class TestRunner {
  readonly #pipeline: LoadedPipeline;
  readonly #compiled = new Map<string, { pipeline: LoadedPipeline; jobs: readonly JobDefinition[] }>();

  /** Throws a ConfigError when a job is wrong. */
  constructor(pipeline: LoadedPipeline) {
    this.#pipeline = pipeline;
    this.#compile({});
  }

  /** Throws a ConfigError when a recording cannot be read, or a job is wrong with the test's own settings. */
  async run(test: JobTest): Promise<TestResult> {
    const startedAt = performance.now();
    const { pipeline, jobs } = this.#compile(test.settings);
    const { lookups, keys } = test;
    const rehearsal = new Rehearsal({ jobs, settings: pipeline.settings, lookups, keys });
    const events: RehearsedEvent[] = [];
    const entries = new Entries();
    for (const given of test.given) {
      for await (const entry of entriesOf(given, entries)) {
        const event = await rehearsal.run(entry);
        if (event !== null) events.push(event);
      }
    }
    const differences = compare(test, events, (connection) => rehearsal.keyspaceOf(connection).keys);
    return {
      name: test.name,
      file: test.file,
      line: test.place.line,
      passed: differences.length === 0,
      seconds: (performance.now() - startedAt) / 1000,
      differences,
      warnings: rehearsal.warnings,
      events,
    };
  }

  #compile(settings: JobTest['settings']): { pipeline: LoadedPipeline; jobs: readonly JobDefinition[] } {
    const id = JSON.stringify(settings);
    let compiled = this.#compiled.get(id);
    if (compiled === undefined) {
      const pipeline = withSettings(this.#pipeline, settings);
      compiled = { pipeline, jobs: requireJobs(pipeline) };
      this.#compiled.set(id, compiled);
    }
    return compiled;
  }
}

async function* entriesOf(
  given: GivenEvent | GivenEntry | GivenRecording,
  entries: Entries,
): AsyncGenerator<StreamEntry> {
  if ('fields' in given) {
    yield entries.ofTexts(given.stream, given.fields);
    return;
  }
  if (!('recorded' in given)) {
    yield entries.ofGiven(given);
    return;
  }
  let left = given.limit;
  if (left <= 0) return;
  for await (const entry of readEntries(given.recorded, entries)) {
    if (given.tables.length > 0 && !given.tables.some((table) => isOfTable(entry, table))) continue;
    yield entry;
    if (--left <= 0) return;
  }
}

/** By the end of the stream's name, in which feeders replace what topics cannot hold. */
function isOfTable({ stream }: StreamEntry, table: string): boolean {
  const name = stream.name.toLowerCase();
  const wanted = table.toLowerCase().replace(/[^a-z0-9._-]/g, '_');
  return name.endsWith(`.${wanted}`) || name.endsWith(`:${wanted}`) || name === wanted;
}

function compare(
  { expect }: JobTest,
  events: readonly RehearsedEvent[],
  keysOf: (connection: string) => StoredKeys,
): Difference[] {
  const differences: Difference[] = [];
  const add = (of: string, expected: readonly string[], actual: readonly string[]) => {
    if (expected.join('\n') !== actual.join('\n')) differences.push({ of, lines: diffLines(expected, actual) });
  };
  for (const [connection, expected] of expect.keys) {
    const of = connection === DEFAULT_CONNECTION ? 'keys' : `keys of ${connection}`;
    add(of, ...describeBoth(expected, keysOf(connection)));
  }
  if (expect.commands !== null) {
    const last = events.at(-1)?.commands.map(({ words }) => words) ?? [];
    add('commands of the last change', expect.commands.map(describeWords), last.map(describeWords));
  }
  const reasons = events.filter(({ outcome }) => outcome === 'rejected').map(({ reason }) => reason ?? '');
  add('rejected', ...describeRejections(expect, reasons));
  if (expect.filtered !== null) {
    const filtered = events.filter(({ outcome }) => outcome === 'filtered').length;
    add('filtered', [String(expect.filtered)], [String(filtered)]);
  }
  return differences;
}

/** Keys that are the same are described in the same lines, also where numbers are written differently. */
function describeBoth(expected: StoredKeys, actual: StoredKeys): [string[], string[]] {
  const names = [...new Set([...expected.keys(), ...actual.keys()])].sort();
  const lines: [string[], string[]] = [[], []];
  for (const name of names) {
    const wanted = expected.get(name);
    const found = actual.get(name);
    const isSame = wanted !== undefined && found !== undefined && isSameKey(wanted, found);
    if (wanted !== undefined) lines[0].push(...describeKey(name, wanted));
    if (found !== undefined) {
      const described = describeKey(name, isSame ? wanted : found);
      lines[1].push(...described);
    }
  }
  return lines;
}

function describeWords(words: readonly string[]): string {
  return words.map((word) => (/^[\p{L}\p{N}_.:$*#@{}/+-]+$/u.test(word) ? word : JSON.stringify(word))).join(' ');
}

/** A reason that holds the expected text is described by it. */
function describeRejections(
  { rejected, reasons: parts }: JobTest['expect'],
  reasons: readonly string[],
): [string[], string[]] {
  const expected = Array.from({ length: rejected }, (_, i) => parts[i] ?? `${i + 1}. rejection`);
  const actual = reasons.map((reason, i) => {
    const part = expected[i];
    if (part === undefined) return reason;
    return parts[i] === undefined || reason.includes(part) ? part : reason;
  });
  return [expected, actual];
}
