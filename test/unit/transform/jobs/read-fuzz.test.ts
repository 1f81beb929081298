import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseYaml } from '../../../../src/config/yaml-file.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { createTransformer, type LookupReader } from '../../../../src/transform/index.ts';
import type { JobContext, JobDefinition, ReadJobs } from '../../../../src/transform/jobs/definition.ts';
import { readJobs } from '../../../../src/transform/jobs/read-jobs.ts';
import {
  type ChangeEvent,
  JsonText,
  NumberText,
  type Rejection,
  type Row,
  type TableIdentity,
  type Value,
} from '../../../../src/types.ts';
import type { TargetWrite } from '../../../../src/write/types.ts';
import { readJobCases, toJson } from '../../../helpers/job-cases.ts';

/** Files of each kind; RDI_FUZZ_RUNS=100000 is what a release is tested with. */
const RUNS = Number(process.env['RDI_FUZZ_RUNS'] ?? 300);
const TIMEOUT_MS = 60_000 + RUNS * 40;

const CONTEXT: JobContext = {
  connections: ['target', 'other'],
  sources: [],
  dataType: 'hash',
  jsonUpdate: 'replace',
  filterRemoves: true,
  strictKeys: false,
};

/** Every job of the cases, those that are refused too. */
const CONTENTS: readonly unknown[] = readJobCases().flatMap(({ jobs }) =>
  jobs.map((job): unknown => parse(toJson(job))),
);
const TEXTS: readonly string[] = CONTENTS.map((content) => stringify(content));

const FRAGMENTS = [
  ...[
    '',
    '\n',
    ':',
    ': ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '#',
    '|',
    '*',
    '&a ',
    '<<: ',
    '`',
    '\\',
    '.',
    '..',
    '$',
    '@',
    '!',
  ],
  ...[
    'null',
    '0',
    '-1',
    '1.5',
    '1e400',
    '.nan',
    'true',
    'x',
    '(',
    ')',
    ' || ',
    ' && ',
    '[*]',
    'concat([',
    "'",
    '`1`',
    '&id',
  ],
  ...[
    'regex:',
    'regex:(',
    'full',
    'json',
    'sorted_set',
    'sql',
    'jmespath',
    'constructor',
    '__proto__: 1\n',
    'with: ',
    'fields: ',
  ],
  ...[
    'name: x\n',
    'nest: ',
    '{a: b}',
    '$.a[b].c',
    '😀',
    '\ud800',
    '\u0000',
    'a'.repeat(3000),
    '('.repeat(300),
    '{a: '.repeat(40),
  ],
];

/** A text in which some places were cut out, doubled or overwritten. */
const mutated = (texts: readonly string[]) =>
  fc
    .tuple(
      fc.constantFrom(...texts),
      fc.array(fc.tuple(fc.nat(2000), fc.nat(20), fc.constantFrom(...FRAGMENTS), fc.boolean()), { maxLength: 3 }),
    )
    .map(([text, changes]) =>
      changes.reduce((current, [place, length, fragment, isCopy]) => {
        const at = place % (current.length + 1);
        const inserted = isCopy ? current.slice(at, at + length * 3) : fragment;
        return current.slice(0, at) + inserted + current.slice(isCopy ? at : at + length);
      }, text),
    );

const STRANGE: readonly unknown[] = [
  ...[null, '', 'x', 'a.b', 'a..b', '*', 'regex:a+', 'id', 'tier: tier', '$.a', 'merge', 'json', 'set', 'full', 'sql'],
  ...[0, -1, 1.5, 1e300, 7, true, false, [], ['x'], [[]], ['id', { fname: 'f' }], {}, { a: null }],
  ...[{ expression: 'id', language: 'jmespath' }, { expression: 'a +', language: 'sql' }, { member: 'id' }],
  { parent: { table: 't' }, nesting_key: 'id', parent_key: 'id', path: '$.x' },
];

const KEYS = [
  'field',
  'fields',
  'key',
  'when',
  'foreach',
  'args',
  'mapping',
  'nest',
  'expire',
  'cache',
  'on_delete',
  'row_format',
];

/** The content with some members replaced, dropped, added or renamed: right as YAML, and perhaps not as a job. */
function reshape(content: unknown, choose: (count: number) => number): unknown {
  if (choose(25) === 0) return STRANGE[choose(STRANGE.length)];
  if (Array.isArray(content)) {
    const items = content.map((item) => reshape(item, choose));
    return choose(10) === 0 ? [...items, ...items] : items;
  }
  if (content === null || typeof content !== 'object') return content;
  const members = Object.entries(content).filter(() => choose(30) !== 0);
  if (choose(12) === 0) members.push([KEYS[choose(KEYS.length)]!, STRANGE[choose(STRANGE.length)]]);
  return Object.fromEntries(
    members.map(([key, value]) => [choose(60) === 0 ? `${key}x` : key, reshape(value, choose)]),
  );
}

/** Reads, and fails unless every problem and notice has a place in the text and words for people. */
function read(texts: readonly string[]): ReadJobs | null {
  const files = [];
  for (const [index, text] of texts.entries()) {
    const { content, problems, locate } = parseYaml(`${index}.yaml`, text);
    if (problems.length > 0 || content === null || typeof content !== 'object' || Array.isArray(content)) return null;
    files.push({ file: `${index}.yaml`, content: content as Record<string, unknown>, locate });
  }
  const result = readJobs(files, CONTEXT);
  for (const { file, line, col, message } of [...result.problems, ...result.notices]) {
    const lines = texts[Number.parseInt(file, 10)]!.split(/\r\n|\n|\r/).length;
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines);
    expect(col).toBeGreaterThanOrEqual(1);
    expect(message).not.toMatch(/\bundefined\b|\[object|Error:|^$/);
  }
  return result;
}

const ROW: readonly (readonly [string, Value])[] = [
  ['id', 7],
  ['fname', 'Ada'],
  ['lname', 'Moss'],
  ['email', null],
  ['tier', 'gold'],
  ['age', 36],
  ['credit', '120.50'],
  ['active', true],
  ['amount', new NumberText('100.0')],
  ['tags', new JsonText('["a","b"]')],
  ['order_id', 501],
  ['line_no', 2],
];

const row = (members: readonly (readonly [string, Value])[]): Row => ({
  names: members.map(([name]) => name),
  values: members.map(([, value]) => value),
  partial: false,
});

const CHANGED = ROW.map(([name, value]): readonly [string, Value] => [name, name === 'tier' ? 'silver' : value]);

function eventsOf(table: TableIdentity): ChangeEvent[] {
  const common = { kind: 'change', table, key: row(ROW.slice(0, 1)), sourceMs: 0, snapshot: false } as const;
  return [
    { ...common, op: 'c', before: null, after: row(ROW) },
    { ...common, op: 'u', before: row(ROW), after: row(CHANGED) },
    { ...common, op: 'd', before: row(CHANGED), after: null },
  ];
}

/** Answers every lookup with text. */
const LOOKUPS: LookupReader = { read: async (commands) => commands.map(() => 'x') };

/** Runs a row through the job, whatever table it selects: it is written, filtered or rejected with a reason. */
async function run(job: JobDefinition): Promise<void> {
  const table: TableIdentity = { connector: 'postgresql', serverName: 'rdi', db: 'shop', schema: 'public', table: 't' };
  const transformer = createTransformer({
    jobs: [{ ...job, matches: () => true }],
    settings: { dataType: 'hash', jsonUpdate: 'replace', keyTemplate: '{table}:{key}' },
    lookups: new Map([
      ['target', LOOKUPS],
      ['other', LOOKUPS],
    ]),
    clock: systemClock,
    onWarning: () => undefined,
  });
  const events = eventsOf(table);
  const writes: TargetWrite[][] = transformer.connections.map(() => []);
  const results = {
    writes,
    filtered: (index: number) => expect(events[index]).toBeDefined(),
    rejected: (index: number, { code, reason, origin }: Rejection) => {
      expect(events[index]).toBeDefined();
      expect([code, reason, origin?.step]).not.toContain('');
      expect(reason).not.toMatch(/\bundefined\b|\[object|TypeError/);
    },
  };
  await transformer.transform(events, results, AbortSignal.timeout(10_000));
  for (const { index } of writes.flat()) expect(events[index]).toBeDefined();
}

async function readAndRun(texts: readonly string[]): Promise<number> {
  const result = read(texts);
  if (result === null) return 0;
  for (const job of result.jobs) await run(job);
  return result.problems.length === 0 ? 1 : 0;
}

describe('whatever a job file holds, it works or its problems have a place', () => {
  it('as text that was damaged', { timeout: TIMEOUT_MS }, async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(mutated(TEXTS), async (text) => {
        accepted += await readAndRun([text]);
      }),
      { numRuns: RUNS },
    );
    expect(accepted).toBeGreaterThan(RUNS / 20);
  });

  it('as YAML whose values and keys were exchanged', { timeout: TIMEOUT_MS }, async () => {
    let accepted = 0;
    const pair = fc.array(fc.constantFrom(...CONTENTS), { minLength: 1, maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(pair, fc.infiniteStream(fc.nat(1_000_000)), async (contents, numbers) => {
        const choose = (count: number) => (numbers.next().value ?? 0) % count;
        accepted += await readAndRun(contents.map((content) => stringify(reshape(content, choose) ?? {})));
      }),
      { numRuns: RUNS },
    );
    expect(accepted).toBeGreaterThan(RUNS / 50);
  });

  it('as it stands in the cases', async () => {
    let accepted = 0;
    for (const text of TEXTS) accepted += await readAndRun([text]);
    expect(accepted).toBeGreaterThan(TEXTS.length / 2);
    expect(parse(TEXTS[0]!)).toEqual(CONTENTS[0]);
  });
});
