/** Random jobs on random rows, held against what is true of every job. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LookupReader, LookupReply } from '../../../../src/transform/index.ts';
import { LookupError } from '../../../../src/transform/index.ts';
import type { BlockDefinition, JobDefinition } from '../../../../src/transform/jobs/definition.ts';
import { type ChangeEvent, JsonText, NumberText, UNAVAILABLE, type Value } from '../../../../src/types.ts';
import {
  add,
  type Columns,
  eventOf,
  expression,
  filter,
  jobOf,
  lookup,
  map,
  output,
  remove,
  rename,
  World,
} from './job-world.ts';

const RUNS = Number(process.env['RDI_FUZZ_RUNS'] ?? 1_500);

const NAMES = ['id', 'a', 'b', 'A', 'doc', 'list', 'after', 'before', 'opcode', '1', '0'];

const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(null, true, false, '', 'text', '12', '12.50', '{"x":[1]}', '{oops', UNAVAILABLE),
  fc.integer(),
  fc.constantFrom('100.00', '9007199254740993', '-0.0', '1e400').map((text) => new NumberText(text)),
  fc.constantFrom('{"a":{"b":1}}', '[1,[2]]', '{"a": 1.50 }', '{broken').map((text) => new JsonText(text)),
);

const columns: fc.Arbitrary<Columns> = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.dictionary(fc.constantFrom(...NAMES.slice(1)), value, { maxKeys: 6 }))
  .map(([id, others]) => ({ id, ...others }));

const event: fc.Arbitrary<ChangeEvent> = fc
  .record({
    op: fc.constantFrom('c' as const, 'u' as const, 'd' as const, 'r' as const),
    before: fc.option(columns),
    after: fc.option(columns),
    hasKey: fc.boolean(),
  })
  .map(({ op, before, after, hasKey }) => {
    const id = (after ?? before)?.['id'] ?? 1;
    return eventOf({ op, before, after: op === 'd' ? null : after, key: hasKey ? { id } : null });
  });

const NAME = fc.constantFrom(...NAMES);
const PATH = fc.oneof(
  NAME,
  fc.tuple(NAME, NAME).map((names) => names.join('.')),
  fc.constant('after.a.b'),
  fc.constant('x.y.z'),
);

const TEXT = fc.oneof(
  fc.constantFrom(
    'jm: @',
    'jm: [@, a]',
    'jm: {x: a, y: @}',
    'jm: merge(@, {n: a})',
    'jm: keys(@)',
    'jm: length(a)',
    'jm: concat([a, b])',
    'jm: json_parse(b)',
    'jm: doc.a',
    'jm: list[0]',
    'jm: `{"n":[1]}`',
    'jm: upper(a)',
    'jm: after',
    "jm: opcode == 'd' && before || after",
    'jm: a || b',
    'sql: a + 1',
    'sql: a || b',
    'sql: DOC',
    "sql: json_extract(b, '$.x')",
    'sql: `after.a`',
    'sql: abs(-9223372036854775808 + (a IS NULL))',
    "sql: replace(a, 't', b)",
    "jm: 'u'",
    'jm: `null`',
  ),
  NAME.map((name) => `jm: "${name}"`),
);

const cached = TEXT.map((text) => expression(text, { maxSize: 2, ttlMs: 10 }));

const block: fc.Arbitrary<BlockDefinition> = fc.oneof(
  TEXT.map(filter),
  fc.dictionary(PATH, fc.oneof(TEXT, cached), { minKeys: 1, maxKeys: 4 }).map(add),
  fc.array(PATH, { minLength: 1, maxLength: 3 }).map((paths) => remove(...paths)),
  fc.dictionary(PATH, PATH, { minKeys: 1, maxKeys: 3 }).map(rename),
  fc.dictionary(NAME, fc.oneof(TEXT, fc.dictionary(NAME, TEXT, { minKeys: 1 })), { minKeys: 1, maxKeys: 4 }).map(map),
  fc.constantFrom('jm: merge(@, {n: a})', 'jm: @', 'jm: after', 'jm: not_null(doc, list)').map(map),
  fc.tuple(TEXT, PATH, fc.boolean()).map(([text, path, isCached]) =>
    lookup('GET', [text], path, {
      lookupCache: isCached ? { maxSize: 2, ttlMs: 10 } : null,
      batch: { size: 2, timeoutMs: 1 },
    }),
  ),
);

const job: fc.Arbitrary<JobDefinition> = fc
  .record({
    blocks: fc.array(block, { maxLength: 5 }),
    rowFormat: fc.constantFrom('partial' as const, 'full' as const),
    filterRemoves: fc.boolean(),
    keys: fc.array(fc.option(TEXT), { minLength: 1, maxLength: 3 }),
    dataType: fc.constantFrom('hash' as const, 'json' as const, 'stream' as const),
  })
  .map(({ blocks, rowFormat, filterRemoves, keys, dataType }) =>
    jobOf(blocks, {
      rowFormat,
      filterRemoves,
      outputs: keys.map((key) => output({ dataType, key: key === null ? null : expression(key) })),
    }),
  );

const reader: LookupReader = {
  read: async (commands) =>
    commands.map(([, key]): LookupReply => {
      if (key === 'text') return new LookupError('ERR no');
      return key === '12' ? null : ['a', key ?? null, []];
    }),
};

const lookups = new Map([['target', reader]]);

interface Fate {
  readonly writes: string[];
  readonly isFiltered: boolean;
  readonly reason: string | undefined;
}

/** What became of each event, without what ties it to its place in the batch. */
async function fatesOf(world: World, events: readonly (ChangeEvent | null)[]): Promise<Fate[]> {
  const { writes, filtered, rejected } = await world.run(events);
  return events.map((_, i) => ({
    writes: writes.filter(({ index }) => index === i).map((write) => JSON.stringify({ ...write, index: 0 }, plain)),
    isFiltered: filtered.includes(i),
    reason: rejected.get(i)?.reason,
  }));
}

function plain(_name: string, value: unknown): unknown {
  return typeof value === 'symbol' ? 'unavailable' : value;
}

it('every event is written, filtered or rejected, whatever the job; nothing is thrown', async () => {
  await fc.assert(
    fc.asyncProperty(job, fc.array(event, { minLength: 1, maxLength: 6 }), async (job, events) => {
      for (const { writes, isFiltered, reason } of await fatesOf(new World([job], { lookups }), events)) {
        expect(
          [writes.length > 0 && reason === undefined, isFiltered, reason !== undefined].filter(Boolean).length,
        ).toBeLessThanOrEqual(1);
        if (isFiltered) expect(writes).toEqual([]);
        if (reason !== undefined) expect(reason).toMatch(/^The job customers fails at .+[.!?]$/s);
        expect(writes.join()).not.toContain('[object');
      }
    }),
    { numRuns: RUNS },
  );
});

it('one event never affects another: a batch gives what its events give one by one', async () => {
  await fc.assert(
    fc.asyncProperty(job, fc.array(event, { minLength: 2, maxLength: 5 }), async (job, events) => {
      const together = await fatesOf(new World([job], { lookups }), events);
      const world = new World([job], { lookups });
      const alone: Fate[] = [];
      for (const event of events) alone.push(...(await fatesOf(world, [event])));
      expect(together).toEqual(alone);
    }),
    { numRuns: RUNS },
  );
});

it('events are never changed', async () => {
  await fc.assert(
    fc.asyncProperty(job, event, async (job, event) => {
      const show = () => JSON.stringify(event, plain);
      const before = show();
      await new World([job], { lookups }).run([event]);
      expect(show()).toBe(before);
    }),
    { numRuns: Math.ceil(RUNS / 3) },
  );
});
