import { describe, expect, it } from 'vitest';
import type { BlockDefinition } from '../../../../src/transform/jobs/definition.ts';
import { analysePlace } from '../../../../src/transform/jobs/place.ts';
import { JsonText, NumberText, UNAVAILABLE, type Value } from '../../../../src/types.ts';
import {
  add,
  type Columns,
  type EventForm,
  expression,
  filter,
  jobOf,
  lookup,
  map,
  output,
  remove,
  rename,
  run,
  show,
  TABLE,
} from './job-world.ts';

describe('what the place of a row depends on', () => {
  const when = expression('jm: flag');
  it.each<[string, BlockDefinition[], string[] | null, string[] | null]>([
    ['nothing', [add({ k: 'jm: a' })], [], []],
    ['its own columns', [filter('jm: x')], ['k'], ['k']],
    ['what a field is made of', [add({ k: 'jm: concat([a, b])' })], ['k'], ['a', 'b']],
    ['a field of a field', [add({ x: 'sql: a + 1', k: 'jm: x' })], ['k'], ['a']],
    ['not a field that is set later', [add({ k: 'jm: a' }), add({ a: 'jm: c' })], ['k'], ['a']],
    ['a field made of itself', [add({ k: 'jm: upper(k)' })], ['k'], ['k']],
    ['a field and what is set inside', [add({ 'k.x': 'jm: a' })], ['k'], ['a', 'k']],
    ['what SQL names in another case', [add({ Full: 'jm: a' })], ['full'], ['a', 'full']],
    ['a dotted name', [add({ k: 'sql: `o.p`' })], ['k'], ['o', 'o.p']],
    ['anything', [add({ k: 'jm: to_string(@)' })], ['k'], null],
    ['anything an output reads', [add({ k: 'jm: a' })], null, null],
    [
      'the fields of a map',
      [map({ k: 'jm: a', o: { x: 'jm: b', y: 'jm: c' }, z: 'jm: d' })],
      ['k', 'o'],
      ['a', 'b', 'c'],
    ],
    ['nothing a map leaves', [map({ z: 'jm: d' })], ['k'], []],
    ['any column of a whole map', [map('jm: merge(@, {a: b})')], ['k'], null],
    ['the old name and the new one', [rename({ a: 'k' })], ['k'], ['a', 'k']],
    ['a removed field', [remove('k')], ['k'], ['k']],
    ['the arguments of a lookup', [lookup('HGET', ['jm: a', 'jm: b'], 'k')], ['k'], ['a', 'b']],
    ['what a lookup may leave', [lookup('GET', ['jm: a'], 'k', { when })], ['k'], ['a', 'flag', 'k']],
  ])('is %s', (_name, blocks, place, expected) => {
    const { reads } = analysePlace(blocks, [place]);
    expect(reads && [...reads].sort()).toEqual(expected);
  });

  it('asks only lookups that the place or a filter needs', () => {
    const blocks = [
      lookup('GET', ['jm: a'], 'x'),
      lookup('GET', ['jm: b'], 'y'),
      lookup('GET', ['jm: c'], 'z'),
      filter('jm: y'),
    ];
    expect([...analysePlace(blocks, [['x']]).lookups].sort()).toEqual([0, 1]);
  });
});

describe('an update', () => {
  const byTier = (blocks: BlockDefinition[] = []) =>
    jobOf(blocks, { outputs: [output({ key: expression("jm: concat([tier, ':', id])") })] });
  const writes = async (
    job: ReturnType<typeof jobOf>,
    before: Parameters<typeof run>[1][0]['before'],
    after: typeof before,
  ) => (await run(job, [{ before: before!, after: after! }])).writes.map(({ kind, key }) => `${kind} ${key}`);

  it('that changes the key removes what was under the old one', async () => {
    expect(await writes(byTier(), { id: 7, tier: 'gold' }, { id: 7, tier: 'silver' })).toEqual([
      'delete gold:7',
      'json silver:7',
    ]);
  });

  it('finds the old key through the blocks', async () => {
    const job = byTier([rename({ level: 'tier' }), add({ tier: 'sql: upper(tier)' })]);
    expect(await writes(job, { id: 7, level: 'a' }, { id: 7, level: 'b' })).toEqual(['delete A:7', 'json B:7']);
    expect(await writes(job, { id: 7, level: 'a' }, { id: 7, level: 'A' })).toEqual(['json A:7']);
  });

  it('that changes other columns does not run the blocks on the row before', async () => {
    let evaluations = 0;
    const counted = { ...expression('jm: tier'), evaluate: () => ++evaluations };
    await writes(byTier([add({ x: counted })]), { id: 7, tier: 'a', n: 1 }, { id: 7, tier: 'a', n: 2 });
    expect(evaluations).toBe(1);
    await writes(byTier([add({ x: counted })]), { id: 7, tier: 'a', n: 1 }, { id: 7, tier: 'b', n: 1 });
    expect(evaluations).toBe(3);
  });

  it('removes nothing where the row before was filtered or fails', async () => {
    const before = { id: 7, tier: 'a' };
    expect(await writes(byTier([filter("jm: tier == 'b'")]), before, { id: 7, tier: 'b' })).toEqual(['json b:7']);
    const failing = byTier([add({ x: 'jm: json_parse(tier)' })]);
    expect(await writes(failing, before, { id: 7, tier: '1' })).toEqual(['json 1:7']);
  });

  it.each<[Value, Value, boolean]>([
    [new NumberText('1.0'), new NumberText('1.0'), false],
    [new NumberText('1.0'), new NumberText('1.00'), true],
    [new JsonText('[1]'), new JsonText('[1]'), false],
    [new JsonText('[1]'), new JsonText('[2]'), true],
    ['x', UNAVAILABLE, false],
  ])('compares columns by what was written: %j, %j', async (old, now, isChanged) => {
    let evaluations = 0;
    const counted = { ...expression('jm: v'), evaluate: () => ++evaluations };
    const job = jobOf([add({ k: counted })], { outputs: [output({ key: expression('jm: k') })] });
    await run(job, [{ before: { id: 1, v: old }, after: { id: 1, v: now } }]);
    expect(evaluations).toBe(isChanged ? 2 : 1);
  });

  it('compares by name when the columns of the table changed', async () => {
    expect(await writes(byTier(), { tier: 'a', id: 7 }, { id: 7, more: 1, tier: 'a' })).toEqual(['json a:7']);
    expect(await writes(byTier(), { tier: 'a', id: 7 }, { id: 7, more: 1, tier: 'b' })).toEqual([
      'delete a:7',
      'json b:7',
    ]);
  });

  it('without the row before is warned of once per table, unless the key column alone says the place', async () => {
    const event = { op: 'u' as const, after: { id: 7, tier: 'a' } };
    const { warnings } = await run(byTier(), [event, event]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/rdi\.shop\.public\.customer.*REPLICA IDENTITY FULL/);
    const byId = jobOf([], { outputs: [output({ key: expression("jm: concat(['c:', id])") })] });
    expect((await run(byId, [event])).warnings).toEqual([]);
    expect((await run(jobOf([]), [event])).warnings).toEqual([]);
  });
});

describe('filter_removes', () => {
  const gold = (more: Parameters<typeof jobOf>[1] = {}) =>
    jobOf([filter("sql: tier = 'gold'"), add({ up: 'jm: upper(tier)' })], { filterRemoves: true, ...more });
  const GOLD = { id: 7, tier: 'gold' };
  const SILVER = { id: 7, tier: 'silver' };

  it('removes a row that stops passing, from where it was', async () => {
    const job = gold({ outputs: [output({ key: expression("jm: concat([up, ':', id])") })] });
    const { writes, filtered } = await run(job, [{ before: GOLD, after: SILVER }]);
    expect(writes.map(show)).toEqual(['delete GOLD:7']);
    expect(filtered).toEqual([]);
  });

  it('removes what it may have left where the row before is not known', async () => {
    const events = [
      { op: 'u' as const, after: SILVER },
      { op: 'r' as const, after: SILVER },
    ];
    const { writes } = await run(gold(), events);
    expect(writes.map(show)).toEqual(['delete customer:id:7', 'delete customer:id:7']);
  });

  it('does nothing for rows that did not pass before either, nor for new ones', async () => {
    const { writes, filtered } = await run(gold(), [{ before: SILVER, after: SILVER }, { after: SILVER }]);
    expect({ writes, filtered }).toEqual({ writes: [], filtered: [0, 1] });
  });

  it('lets every delete through, also one that a filter cannot judge', async () => {
    const job = jobOf([filter("jm: contains(tier, 'gold')")], { filterRemoves: true });
    const { writes, rejected } = await run(job, [{ before: SILVER }, { op: 'd', key: { id: 8 } }]);
    expect([...rejected]).toEqual([]);
    expect(writes.map(show)).toEqual(['delete customer:id:7', 'delete customer:id:8']);
  });

  it('says nothing in streams of rows that leave', async () => {
    const job = gold({ outputs: [output({ dataType: 'stream', key: expression("jm: 's'") })] });
    const { writes, filtered } = await run(job, [
      { before: GOLD, after: SILVER },
      { before: SILVER },
      { before: GOLD },
    ]);
    expect(writes.map(show)).toEqual(['stream s id=7 tier=gold up=GOLD op_code=d']);
    expect(filtered).toEqual([0, 1]);
  });

  it('is off unless asked for', async () => {
    const { writes, filtered } = await run(gold({ filterRemoves: false }), [{ before: GOLD, after: SILVER }]);
    expect({ writes, filtered }).toEqual({ writes: [], filtered: [0] });
  });

  it('works in the full format', async () => {
    const job = jobOf([filter("jm: after.tier == 'gold'")], {
      filterRemoves: true,
      rowFormat: 'full',
      outputs: [
        output({ dataType: 'set', key: expression("jm: concat(['t:', after.tier])"), member: { column: ['id'] } }),
      ],
    });
    const { writes } = await run(job, [{ before: GOLD, after: SILVER }]);
    expect(writes.map(show)).toEqual(['remove t:gold 7']);
  });
});

it('an event without a row takes the row away, whatever its operation', async () => {
  const { writes } = await run(jobOf([]), [{ op: 'u', key: { id: 7 }, table: TABLE }]);
  expect(writes.map(show)).toEqual(['delete customer:id:7']);
});

it('a place is left behind also where the row before the change lacks a lookup that a block removes again', async () => {
  const reader = { read: async (commands: readonly unknown[]) => commands.map(() => 'gold') };
  const job = jobOf([lookup('GET', ['jm: to_string(id)'], 'tier'), remove('tier')], {
    outputs: [output({ key: expression("jm: join('', ['a:', email, nick || ''])") })],
  });
  const { writes } = await run(job, [{ before: { id: 1, email: 'x' }, after: { id: 1, email: 'y' } }], {
    lookups: new Map([['target', reader]]),
  });
  expect(writes.map(show)).toEqual(['delete a:x', 'json a:y id=1 email=y']);
});

it('a member is taken out also where a map makes a full record the row alone', async () => {
  const job = jobOf([map({ id: 'jm: after.id', m: 'jm: after.m' })], {
    rowFormat: 'full',
    outputs: [output({ dataType: 'set', key: expression("jm: 'ids'"), member: { column: ['m'] } })],
  });
  const { writes } = await run(job, [{ before: { id: 1, m: 'x' }, after: { id: 1, m: 'y' } }]);
  expect(writes.map(show)).toEqual(['remove ids x', 'add ids y']);
});

describe('a row that moves without a column that was not delivered', () => {
  const key = expression("jm: join('', ['a:', email])");
  const MOVED: EventForm = {
    before: { id: 1, email: 'x', big: UNAVAILABLE },
    after: { id: 1, email: 'y', big: UNAVAILABLE },
  };

  it.each(['hash', 'json'] as const)(
    'is rejected, because the column would be lost with the old %s',
    async (dataType) => {
      const { writes, rejected } = await run(jobOf([], { outputs: [output({ dataType, key })] }), [MOVED]);
      expect(writes).toEqual([]);
      expect(rejected.get(0)?.reason).toContain('does not carry all that must move');
    },
  );

  it('moves where the output does not write the column', async () => {
    const mapping = [{ source: ['id'], alias: ['id'] }];
    const { writes } = await run(jobOf([], { outputs: [output({ key, mapping })] }), [MOVED]);
    expect(writes.map(show)).toEqual(['delete a:x', 'json a:y id=1']);
  });

  it('is rejected by no place of foreach at which it stays', async () => {
    const foreach = { name: 'tag', expression: expression('jm: tags') };
    const value = { column: ['big'] };
    const job = jobOf([], { outputs: [output({ dataType: 'string', key: expression('jm: tag'), value, foreach })] });
    const tags = (text: string): Columns => ({ id: 1, tags: new JsonText(text), big: UNAVAILABLE });
    const { writes, rejected } = await run(job, [{ before: tags('["a","b"]'), after: tags('["a"]') }]);
    expect([...rejected]).toEqual([]);
    expect(writes.map(show)).toEqual(['delete b']);
  });
});
