/**
 * CPU per event of the transformer alone, on rows of 10 columns: without a job, and through jobs of growing work. `plain` is
 * the default mapping; `over` is what a job costs beyond it. Half of the events are updates that bring the row before. Prints
 * one JSON object; times are µs of CPU per event, the best of several rounds, all variants taking turns.
 *
 * Usage: node benchmarks/micro/jobs.ts [events per round]
 */
import { systemClock } from '../../src/lib/clock.ts';
import { compileJmespath } from '../../src/transform/expressions/jmespath.ts';
import { compileSql } from '../../src/transform/expressions/sql.ts';
import { createTransformer, type EventTransformer } from '../../src/transform/index.ts';
import type {
  BlockDefinition,
  CompiledExpression,
  JobDefinition,
  OutputDefinition,
} from '../../src/transform/jobs/definition.ts';
import type { ChangeEvent, Row } from '../../src/types.ts';
import type { TargetWrite } from '../../src/write/types.ts';

const EVENTS = Number(process.argv[2] ?? 200_000);
const ROUNDS = 7;
const BATCH = 2_000;

const NAMES = ['id', 'first_name', 'last_name', 'email', 'visits', 'vip', 'country', 'phone', 'phone_text', 'street'];
const KEY = ['id'];

function rowOf(id: number): Row {
  const values = [
    id,
    `Name${id % 977}`,
    `Surname${id % 1013}`,
    `user${id}@example.com`,
    id % 5_000,
    id % 2 === 0,
    ['DE', 'NO', 'SE'][id % 3]!,
    null,
    `+47 22-33 ${id % 100}`,
    `${id % 300} Long Street Name, Building ${id % 40}`,
  ];
  return { names: NAMES, values, partial: false };
}

const TABLE = { connector: 'postgresql', serverName: 'rdi', db: 'shop', schema: 'public', table: 'customer' };

function eventOf(id: number): ChangeEvent {
  const isUpdate = id % 2 === 0;
  const before = isUpdate ? { ...rowOf(id), values: rowOf(id).values.with(4, -1) } : null;
  const key = { names: KEY, values: [id], partial: false };
  const op = isUpdate ? 'u' : 'c';
  return { kind: 'change', op, table: TABLE, key, before, after: rowOf(id), sourceMs: 1, snapshot: false };
}

const jmespath = (text: string): CompiledExpression => ({
  ...compileJmespath(text),
  text,
  language: 'jmespath',
  cache: null,
});
const sql = (text: string): CompiledExpression => ({ ...compileSql(text), text, language: 'sql', cache: null });

const OUTPUT: OutputDefinition = {
  step: 'output[0] redis.write',
  connection: 'target',
  dataType: 'hash',
  key: null,
  mapping: null,
  member: null,
  score: null,
  value: null,
  onUpdate: 'merge',
  expire: null,
  nest: null,
  foreach: null,
  when: null,
  onDelete: 'delete',
};

function jobOf(blocks: readonly BlockDefinition[], output: Partial<OutputDefinition> = {}): JobDefinition {
  return {
    name: 'customer',
    file: 'customer.yaml',
    isDefault: false,
    matches: () => true,
    rowFormat: 'partial',
    filterRemoves: false,
    strictKeys: false,
    blocks,
    outputs: [{ ...OUTPUT, ...output }],
  };
}

function addFields(fields: Readonly<Record<string, CompiledExpression>>): BlockDefinition {
  return {
    uses: 'add_field',
    step: 'transform[0] add_field',
    fields: Object.entries(fields).map(([name, expression]) => ({ path: [name], expression })),
  };
}

const THREE_JMESPATH = addFields({
  full_name: jmespath("concat([first_name, ' ', last_name])"),
  contact: jmespath("not_null(phone, email, '-')"),
  region: jmespath('in(country, `["NO","SE"]`) && \'north\' || \'south\''),
});

const THREE_SQL = addFields({
  full_name: sql("first_name || ' ' || last_name"),
  next_visit: sql('visits + 1'),
  region: sql("CASE WHEN country IN ('NO', 'SE') THEN 'north' ELSE 'south' END"),
});

const VARIANTS: Readonly<Record<string, readonly JobDefinition[]>> = {
  plain: [],
  emptyJob: [jobOf([])],
  threeJmespath: [jobOf([THREE_JMESPATH])],
  threeSql: [jobOf([THREE_SQL])],
  customKey: [jobOf([], { key: jmespath("concat(['customer:', id])") })],
  movingKey: [jobOf([], { key: jmespath("concat(['visits:', visits, ':', id])") })],
  fullFormat: [{ ...jobOf([addFields({ after: jmespath('after') })]), rowFormat: 'full' }],
};

function transformerOf(jobs: readonly JobDefinition[]): EventTransformer {
  return createTransformer({
    jobs,
    settings: { dataType: 'hash', jsonUpdate: 'replace', keyTemplate: '{table}:{key}' },
    lookups: new Map(),
    clock: systemClock,
    onWarning: () => {},
  });
}

const events = Array.from({ length: BATCH }, (_, id) => eventOf(id));
const transformers = Object.entries(VARIANTS).map(([name, jobs]) => ({ name, transformer: transformerOf(jobs) }));
const best = new Map<string, number>();
const fail = (): never => {
  throw new Error('an event was not written');
};
const signal = new AbortController().signal;

for (let round = 0; round < ROUNDS; round++) {
  for (const { name, transformer } of transformers) {
    const before = process.cpuUsage();
    for (let done = 0; done < EVENTS; done += BATCH) {
      const writes: TargetWrite[] = [];
      transformer.transform(events, { writes: [writes], filtered: fail, rejected: fail }, signal);
      if (writes.length < BATCH) fail();
    }
    const { user, system } = process.cpuUsage(before);
    best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, (user + system) / EVENTS));
  }
}

const plain = best.get('plain')!;
const round = (value: number) => Math.round(value * 1000) / 1000;
const results = Object.fromEntries(
  [...best].map(([name, value]) => [name, { us: round(value), over: round(value - plain) }]),
);
console.log(JSON.stringify({ benchmark: 'jobs', node: process.version, events: EVENTS, results }, null, 2));
