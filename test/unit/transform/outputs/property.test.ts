import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JobOutput, OutputRejection } from '../../../../src/transform/jobs/image.ts';
import { JsonText, NumberText } from '../../../../src/types.ts';
import type { NestStep, TargetWrite } from '../../../../src/write/types.ts';
import { column, fullImage, image, jm, LINES, mapping, sql, world } from './world.ts';

const value = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -1, 7, 1.5, '', 'a', 'None', '3', 'inf', '-2.5'),
  fc.constantFrom<unknown>(new NumberText('100.0'), new NumberText('9007199254740993'), new NumberText('1e-320')),
  fc.constantFrom<unknown>(new JsonText('[1, {"a": null}]'), new JsonText('{"a":'), [1, 'x'], { n: { m: 1 } }),
);
const row = fc.dictionary(fc.constantFrom('id', 'a', 'b', 'tags', 'op_code', 'x.y'), value);
const missing = fc.option(fc.subarray(['a', 'b', 'body']), { nil: undefined });
const operation = fc.constantFrom('c', 'r', 'u', 'd');

const expressions = ['a', 'id', "concat(['k:', a])", 'to_string(@)', 'tags', 'abs(a)', '`null`', 'after.a', 'body'];
const expression = fc.oneof(
  fc.constantFrom(...expressions).map(jm),
  fc.constantFrom('a', "'k' || b", 'a + 1', '`after.a`', 'BODY').map(sql),
);
const argument = fc.oneof(
  fc.constantFrom(column('a'), column('x', 'y'), column('body')),
  expression.map((one) => ({ expression: one })),
);
const optional = fc.option(expression, { nil: null });

const definition = fc.record({
  dataType: fc.constantFrom('hash', 'json', 'set', 'sorted_set', 'stream', 'string'),
  key: optional,
  mapping: fc.constantFrom(null, mapping('a', ['b', 'c.d'], ['body', 'c.e']), mapping(['x.y', 'c'], ['a', 'c.d.e'])),
  member: argument,
  score: argument,
  value: argument,
  onUpdate: fc.constantFrom('replace', 'merge'),
  expire: fc.oneof(fc.constantFrom(null, 0, 60), expression),
  nest: fc.constantFrom(null, null, null, LINES, {
    ...LINES,
    parentKey: [{ parent: 'id', child: 'a' }],
    path: [{ kind: 'element', column: 'b' } as const],
  }),
  foreach: fc.option(fc.record({ name: fc.constantFrom('tag', 'a'), expression }), { nil: null }),
  when: optional,
  onDelete: fc.constantFrom('delete', 'keep', 'fields'),
});

function attempt(output: JobOutput, ...args: Parameters<JobOutput['write']>): TargetWrite[] | null {
  const [now, old, index, writes] = args;
  try {
    output.write(now, old, index, writes);
    return writes;
  } catch (error) {
    // A broken JSON column is told by an ExpressionError.
    if (!(error instanceof OutputRejection) && (error as Error).constructor.name !== 'ExpressionError') throw error;
    return null;
  }
}

describe('any output', () => {
  it('rejects or writes any row, and adds nothing when it rejects', () => {
    fc.assert(
      fc.property(
        definition,
        row,
        row,
        operation,
        missing,
        fc.boolean(),
        fc.boolean(),
        (options, now, before, op, lacks, isFull, isLeaving) => {
          const make = isFull ? fullImage : image;
          const { output } = world(options, { rowFormat: isFull ? 'full' : 'partial' });
          const writes: TargetWrite[] = [];
          const extra = lacks === undefined ? {} : { missing: lacks.filter((name) => !(name in now)) };
          const key = 'id' in now ? { id: now['id'] } : null;
          const state = make(op, now, { ...extra, key, isLeaving: isLeaving && op === 'd' });
          const old = op === 'u' ? make('u', before) : null;
          const columns = [...state.columns.keys()];
          if (attempt(output, state, old, 1, writes) === null) expect(writes).toEqual([]);
          expect([...state.columns.keys()]).toEqual(columns);
          for (const write of writes) {
            expect(write.key).not.toBe('');
            if ('expire' in write) expect(write.expire).toBeGreaterThanOrEqual(0);
            if (write.kind === 'remove_fields') expect(write.paths.length).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 10_000 },
    );
  });
});

/** What a target would hold: a value for every place. */
function apply(target: Map<string, string>, write: TargetWrite): void {
  const [inside, text] = placed(write);
  const place = `${write.key}/${inside}`;
  if (text === null) target.delete(place);
  else target.set(place, text);
}

/** Where in its key a write puts what; null takes it away. */
function placed(write: TargetWrite): [inside: string, text: string | null] {
  switch (write.kind) {
    case 'hash':
    case 'json':
      return ['', String(write.row.values)];
    case 'string':
      return ['', String(write.value)];
    case 'delete':
      return ['', null];
    case 'set':
      return [write.member, write.isMember ? '' : null];
    case 'sorted_set':
      return [write.member, write.score];
    case 'nest':
      return [write.path.map(stepText).join('/'), write.row === null ? null : String(write.row.values)];
    default:
      throw new Error(`unexpected ${write.kind}`);
  }
}

function stepText(step: NestStep): string {
  return typeof step === 'string' ? step : `${step.field}=${String(step.value)}`;
}

interface State {
  readonly id: number;
  readonly tier: string | null;
  readonly age: number | null;
  readonly tags: string[] | null;
}

const state = fc.record<State>({
  id: fc.constantFrom(1, 2, 3),
  tier: fc.constantFrom('gold', 'silver', null),
  age: fc.constantFrom(1, 2, null),
  tags: fc.constantFrom(['a'], ['a', 'b'], [], null),
});

const ofRow = "concat([tier || 'none', ':', id])";
const OUTPUTS = [
  ['hash', { dataType: 'hash', key: jm(ofRow) }],
  ['json', { dataType: 'json', key: jm(ofRow) }],
  ['string', { dataType: 'string', key: jm(ofRow), value: column('age') }],
  ['set', { dataType: 'set', key: jm("tier || 'none'"), member: column('id') }],
  ['set of optional members', { dataType: 'set', key: jm('id'), member: column('tier') }],
  ['sorted set', { dataType: 'sorted_set', key: jm("tier || 'none'"), member: column('id'), score: column('age') }],
  [
    'set of elements',
    { dataType: 'set', key: jm('id'), member: column('tag'), foreach: { name: 'tag', expression: jm('tags') } },
  ],
  ['hash of some rows', { dataType: 'hash', when: jm("tier == 'gold'") }],
  [
    'nest',
    {
      dataType: 'json',
      nest: {
        ...LINES,
        parentKey: [{ parent: 'group', child: 'group' }],
        path: [{ kind: 'name', name: 'rows' } as const, { kind: 'entry', column: 'id' } as const],
      },
    },
  ],
] as const;

describe('after any changes the target holds what the rows that are left would be written as', () => {
  it.each(OUTPUTS)('%s', (_, options) => {
    const { output } = world(options);
    const record = (op: 'c' | 'u' | 'd', row: State) => image(op, { ...row, group: row.tier ?? 'none' });
    const change = fc.tuple(state, fc.constantFrom('write', 'write', 'delete', 'repeat'));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const rows = new Map<number, State>();
        const target = new Map<string, string>();
        const perform = (...args: [now: ReturnType<typeof record>, old: ReturnType<typeof record> | null]) => {
          const writes: TargetWrite[] = [];
          output.write(...args, 0, writes);
          for (const write of writes) apply(target, write);
        };
        for (const [row, kind] of changes) {
          const known = rows.get(row.id);
          if (kind === 'delete') {
            if (known) perform(record('d', known), null);
            rows.delete(row.id);
            continue;
          }
          rows.set(row.id, row);
          for (let times = kind === 'repeat' ? 2 : 1; times > 0; times--) {
            perform(record(known ? 'u' : 'c', row), known ? record('u', known) : null);
          }
        }
        const expected = new Map<string, string>();
        for (const row of rows.values()) {
          const writes: TargetWrite[] = [];
          output.write(record('c', row), null, 0, writes);
          for (const write of writes) apply(expected, write);
        }
        expect([...target].sort()).toEqual([...expected].sort());
      }),
      { numRuns: 300 },
    );
  });
});
