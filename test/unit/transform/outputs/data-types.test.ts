import { describe, expect, it } from 'vitest';
import { JsonText, NumberText } from '../../../../src/types.ts';
import type { HashWrite, TargetWrite } from '../../../../src/write/types.ts';
import { column, fullImage, image, jm, mapping, world } from './world.ts';

const ADA = { id: 7, fname: 'Ada', lname: 'Moss', email: 'ada@x.io', age: 36, active: true, note: null };
const REED = { ...ADA, lname: 'Reed', email: null, age: 37 };
const key = jm("'k'");

describe('a hash', () => {
  const { write } = world({ dataType: 'hash', key });

  it.each([
    ['c', false],
    ['r', true],
    ['u', true],
  ] as const)('of %s removes null columns: %s', (operation, removeNulls) => {
    expect(write(image(operation, ADA))).toEqual([{ kind: 'hash', key: 'k', row: ADA, removeNulls }]);
  });

  it('is removed by a delete', () => {
    expect(write(image('d', ADA))).toEqual([{ kind: 'delete', key: 'k' }]);
  });

  it('is made exactly the row when the job says replace', () => {
    expect(world({ key, onUpdate: 'replace' }).write(image('u', ADA))).toMatchObject([{ replace: true }]);
  });

  it('keeps what was not delivered', () => {
    const writes: TargetWrite[] = [];
    const { output } = world({ key });
    output.write(image('u', { id: 7 }, { missing: ['body'] }), null, 0, writes);
    output.write(image('u', { id: 8 }, { missing: ['body'] }), null, 1, writes);
    expect(writes).toMatchObject([
      { row: { names: ['id', 'body'], partial: true } },
      { row: { names: ['id', 'body'], partial: true } },
    ]);
    const [first, second] = writes as HashWrite[];
    expect(typeof first!.row.values[1]).toBe('symbol');
    expect(second!.row.names).toBe(first!.row.names);
  });

  it('shares its names between rows, because encoders cache by them', () => {
    for (const options of [{ key }, { key, mapping: mapping('id', 'age') }]) {
      const writes: TargetWrite[] = [];
      const { output } = world(options);
      const customer = image('c', ADA);
      for (const [index, columns] of [ADA, REED].entries()) {
        const same = { ...image('u', columns), event: customer.event };
        output.write(same, null, index, writes);
      }
      const [first, second] = writes as HashWrite[];
      expect(second!.row.names).toBe(first!.row.names);
    }
  });

  it('marks its writes with one origin', () => {
    const writes: TargetWrite[] = [];
    const { output } = world({ key });
    output.write(image('c', ADA), null, 0, writes);
    output.write(image('c', ADA), null, 1, writes);
    expect(writes[0]).toMatchObject({ index: 0, origin: { job: 'customers', step: 'output[0] redis.write' } });
    expect(writes[1]?.origin).toBe(writes[0]?.origin);
  });

  it('keeps digits, JSON as it was written and new objects as compact JSON', () => {
    const row = { real: new NumberText('100.0'), raw: new JsonText('{ "a" : 1 }'), made: { a: [1, null] } };
    expect(world({ key, mapping: mapping('real', ['raw', 'r.aw'], 'made') }).write(image('c', row))).toMatchObject([
      { row: { real: { text: '100.0' }, r: { text: '{"aw":{"a":1}}' }, made: { text: '{"a":[1,null]}' } } },
    ]);
    expect(world({ key }).write(image('c', row))).toMatchObject([
      { row: { raw: { text: '{ "a" : 1 }' }, made: { text: '{"a":[1,null]}' } } },
    ]);
  });
});

describe('a mapping', () => {
  const rowOf = (items: Parameters<typeof mapping>, columns: Record<string, unknown>, missing?: string[]) => {
    const options = { key, dataType: 'json' as const, mapping: mapping(...items) };
    return world(options).write(image('u', columns, missing ? { missing } : {}))[0];
  };

  it('writes only what it lists, and null for what is not there', () => {
    expect(rowOf([['id', 'cid'], 'nope'], ADA)).toMatchObject({ row: { cid: 7, nope: null } });
  });

  it('takes JSON columns as they were written', () => {
    const raw = new JsonText('{ "n": 1.0 }');
    expect(rowOf([['raw', 'r']], { raw })).toMatchObject({ row: { r: { text: '{ "n": 1.0 }' } } });
  });

  it('reads paths, and names with dots', () => {
    const columns = { addr: { city: 'Oslo', geo: { lat: 59.9 } }, 'first.name': 'Kim' };
    expect(rowOf([['addr.geo.lat', 'lat'], ['first.name', 'n'], 'addr.none'], columns)).toMatchObject({
      row: { lat: 59.9, n: 'Kim', addr: { text: '{"none":null}' } },
    });
  });

  it('builds objects of several entries, in order of their first one', () => {
    const items = mapping('id', ['fname', 'name.first'], ['lname', 'name.last'], ['fname', 'a.b.c']);
    expect(world({ key, dataType: 'json', mapping: items }).write(image('c', ADA))).toMatchObject([
      { row: { id: 7, name: { text: '{"first":"Ada","last":"Moss"}' }, a: { text: '{"b":{"c":"Ada"}}' } } },
    ]);
  });

  it.each([
    [
      'an object over a value',
      [
        ['id', 'a'],
        ['fname', 'a.b'],
      ],
      '{"b":"Ada"}',
    ],
    [
      'an object into an object',
      [
        ['obj', 'a'],
        ['fname', 'a.x.y'],
      ],
      '{"x":{"z":1,"y":"Ada"}}',
    ],
    [
      'an object over an object',
      [
        ['fname', 'a.b'],
        ['obj', 'a'],
      ],
      '{"x":{"z":1}}',
    ],
  ] as const)('lets a later entry win: %s', (_, items, text) => {
    const columns = { ...ADA, obj: { x: { z: 1 } } };
    expect(rowOf([...items], columns)).toMatchObject({ row: { a: { text } } });
    expect(columns.obj).toEqual({ x: { z: 1 } });
  });

  it('keeps what was not delivered, inside objects too', () => {
    expect(rowOf([['body', 'b'], 'id'], { id: 7 }, ['body'])).toEqual({
      kind: 'json',
      key: 'k',
      mode: 'replace',
      row: { b: 'unavailable', id: 7 },
    });
    expect(
      rowOf(
        [
          ['body', 'text.body'],
          ['id', 'text.id'],
        ],
        { id: 7 },
        ['body'],
      ),
    ).toEqual({
      kind: 'json',
      key: 'k',
      mode: 'replace',
      row: { text: { text: '{"id":7}' } },
      keep: [['text', 'body']],
    });
  });

  it('takes every column that an update left out unnamed for not delivered', () => {
    expect(rowOf(['id', 'other'], { id: 7 }, [])).toMatchObject({ row: { id: 7, other: 'unavailable' } });
  });

  it('reads bare columns in full format, on deletes those before', () => {
    const options = { dataType: 'string' as const, key: jm("concat(['n:', values(key)[0]])"), value: column('lname') };
    const { write } = world(options, { rowFormat: 'full' });
    expect(write(fullImage('c', ADA))).toEqual([{ kind: 'string', key: 'n:7', value: 'Moss' }]);
  });
});

describe('a JSON document', () => {
  it.each(['replace', 'merge'] as const)('is written by %s', (onUpdate) => {
    const { write } = world({ dataType: 'json', key, onUpdate });
    expect(write(image('u', ADA))).toEqual([{ kind: 'json', key: 'k', row: ADA, mode: onUpdate }]);
    expect(write(image('d', ADA))).toEqual([{ kind: 'delete', key: 'k' }]);
  });
});

describe('a string', () => {
  const { write } = world({ dataType: 'string', key, value: column('email') });

  it('holds one column, and nothing when it is null', () => {
    expect(write(image('c', ADA))).toEqual([{ kind: 'string', key: 'k', value: 'ada@x.io' }]);
    expect(write(image('u', REED))).toEqual([{ kind: 'delete', key: 'k' }]);
    expect(write(image('d', ADA))).toEqual([{ kind: 'delete', key: 'k' }]);
  });

  it('stays when its value was not delivered, and is refused when it would have to move', () => {
    expect(write(image('u', { id: 7 }, { missing: ['email'] }))).toEqual([]);
    const moving = world({ dataType: 'string', key: jm('id'), value: column('email') });
    expect(() => moving.write(image('u', { id: 8 }, { missing: ['email'] }), image('u', { id: 7 }))).toThrow(
      /does not carry all that must move/,
    );
  });

  it('takes an expression for its value', () => {
    const value = { expression: jm('{n: fname}') };
    expect(world({ dataType: 'string', key, value }).write(image('c', ADA))).toMatchObject([
      { value: { text: '{"n":"Ada"}' } },
    ]);
  });
});

describe('a set', () => {
  const of = (name: string, set = "'s'") => world({ dataType: 'set', key: jm(set), member: column(name) });
  const add = (member: string, set = 's') => ({ kind: 'set', key: set, member, isMember: true });
  const remove = (member: string, set = 's') => ({ kind: 'set', key: set, member, isMember: false });

  it.each([
    ['a create adds', 'c', ADA, null, [add('Moss')]],
    ['a snapshot row adds', 'r', ADA, null, [add('Moss')]],
    ['a changed member replaces the old one', 'u', REED, ADA, [remove('Moss'), add('Reed')]],
    ['the same member is only added', 'u', { ...ADA, age: 1 }, ADA, [add('Moss')]],
    ['an update whose earlier state is not known adds', 'u', REED, null, [add('Reed')]],
    ['a delete removes', 'd', ADA, null, [remove('Moss')]],
  ] as const)('%s', (_, operation, columns, old, writes) => {
    expect(of('lname').write(image(operation, columns), old && image('u', old))).toEqual(writes);
  });

  it.each([
    ['a null member is not added', 'c', { ...ADA, email: null }, null, []],
    ['a member that becomes null is removed', 'u', REED, ADA, [remove('ada@x.io')]],
    ['a member that was null is added', 'u', ADA, REED, [add('ada@x.io')]],
    ['a null member is not removed', 'd', REED, null, []],
  ] as const)('%s', (_, operation, columns, old, writes) => {
    expect(of('email').write(image(operation, columns), old && image('u', old))).toEqual(writes);
  });

  it('loses a member that moves to another set', () => {
    const { write, output } = of('id', 'lname');
    expect(write(image('u', REED), image('u', ADA))).toEqual([remove('7', 'Moss'), add('7', 'Reed')]);
    expect(output.place).toEqual(['lname', 'id']);
  });

  it.each([
    [36, '36'],
    [new NumberText('100.0'), '100.0'],
    [false, '0'],
    ['', ''],
    [new JsonText('[ 1 ]'), '[ 1 ]'],
    [[1, 'a'], '[1,"a"]'],
  ])('shows the member %j as a hash field would', (value, member) => {
    expect(of('v').write(image('c', { id: 1, v: value }))).toEqual([add(member)]);
  });

  it('keeps a member that was not delivered, and cannot delete it', () => {
    expect(of('body').write(image('u', { id: 7 }, { missing: ['body'] }))).toEqual([]);
    expect(() => of('body').write(image('d', { id: 7 }, { missing: ['body'] }))).toThrow(/member.*column body/);
  });

  it('warns once when deletes do not carry the member', () => {
    const { write, warnings } = of('lname');
    for (let i = 0; i < 2; i++) expect(write(image('d', { id: 7 }, { before: null }))).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/customers.*customer.*column lname.*REPLICA IDENTITY/)]);
  });
});

describe('a sorted set', () => {
  const by = (score: string) =>
    world({ dataType: 'sorted_set', key: jm("'z'"), member: column('lname'), score: column(score) });
  const put = (member: string, score: string | null) => ({ kind: 'sorted_set', key: 'z', member, score });

  it.each([
    ['a create adds', 'c', ADA, null, [put('Moss', '36')]],
    ['an update moves the score', 'u', { ...ADA, age: 40 }, ADA, [put('Moss', '40')]],
    ['a changed member replaces the old one', 'u', REED, ADA, [put('Moss', null), put('Reed', '37')]],
    ['a null score removes', 'u', { ...ADA, age: null }, ADA, [put('Moss', null)]],
    ['a null score removes without an earlier state', 'u', { ...ADA, age: null }, null, [put('Moss', null)]],
    ['a null score of a changed member', 'u', { ...REED, age: null }, ADA, [put('Moss', null), put('Reed', null)]],
    ['a null member removes the old one', 'u', { ...ADA, lname: null }, ADA, [put('Moss', null)]],
    ['a delete removes, whatever the score', 'd', { ...ADA, age: 'old' }, null, [put('Moss', null)]],
  ] as const)('%s', (_, operation, columns, old, writes) => {
    expect(by('age').write(image(operation, columns), old && image('u', old))).toEqual(writes);
  });

  it('rejects a score that is not numeric', () => {
    expect(() => by('fname').write(image('c', ADA))).toThrow(/score is not numeric: the column fname/);
    expect(() => by('active').write(image('c', ADA))).toThrow(/score/);
  });

  it('keeps a score that was not delivered, and refuses a member that was not', () => {
    const { age: _, ...ageless } = ADA;
    expect(by('age').write(image('u', ageless, { missing: ['age'] }))).toEqual([]);
    const { lname: __, ...nameless } = ADA;
    expect(() => by('age').write(image('u', nameless, { missing: ['lname'] }))).toThrow(/column lname/);
  });

  it('depends on key and member, not on the score', () => {
    expect(by('age').output.place).toEqual(['lname']);
  });
});

describe('a stream', () => {
  const { write, output, answer } = world({ dataType: 'stream', key });

  it.each(['c', 'r', 'u', 'd'] as const)('gets an entry for %s, with the operation last', (operation) => {
    const [entry] = write(image(operation, { op_code: 'mine', ...ADA })) as { row: object }[];
    expect(entry).toEqual({ kind: 'stream', key: 'k', row: { ...ADA, op_code: operation } });
    expect(Object.keys(entry!.row).at(-1)).toBe('op_code');
  });

  it('keeps the operation with a mapping, also over an alias of that name', () => {
    const items = mapping(['fname', 'op_code'], ['id', 'a.b']);
    const [entry] = world({ dataType: 'stream', key, mapping: [items[0]!, { source: ['id'], alias: ['a.b'] }] }).write(
      image('u', ADA),
    ) as { row: object }[];
    expect(entry!.row).toEqual({ 'a.b': 7, op_code: 'u' });
  });

  it('takes no note of rows that leave by a filter, and asks for no earlier state', () => {
    expect(answer(image('d', ADA, { isLeaving: true }))).toBe(false);
    expect(write(image('d', ADA, { isLeaving: true }))).toEqual([]);
    expect(output.place).toEqual([]);
  });

  it('expires as a whole', () => {
    expect(world({ dataType: 'stream', key, expire: 60 }).write(image('c', ADA))).toMatchObject([{ expire: 60 }]);
  });
});

describe('expire', () => {
  const types = [
    ['hash', { dataType: 'hash' }],
    ['replaced hash', { dataType: 'hash', onUpdate: 'replace' }],
    ['json', { dataType: 'json' }],
    ['merged json', { dataType: 'json', onUpdate: 'merge' }],
    ['string', { dataType: 'string', value: column('fname') }],
    ['set', { dataType: 'set', member: column('id') }],
    ['sorted set', { dataType: 'sorted_set', member: column('id'), score: column('age') }],
    ['stream', { dataType: 'stream' }],
  ] as const;

  it.each(types)('of a %s is set, left out or already over', (_, options) => {
    const write = (expire: Parameters<typeof world>[0]['expire']) =>
      world({ ...options, key, expire: expire ?? null }).write(image('c', ADA));
    expect(write(100)).toMatchObject([{ key: 'k', expire: 100 }]);
    expect(write(jm('age'))).toMatchObject([{ expire: 36 }]);
    for (const never of [0, null, jm('note')]) expect(write(never)[0]).not.toHaveProperty('expire');
    const updated = world({ ...options, key, expire: jm('`null`') }).write(image('u', ADA));
    expect(updated, 'an earlier time to live ends').toMatchObject([{ key: 'k', expire: 0 }]);
    for (const over of [jm('`0`'), jm('`-5`'), jm("'0.4'")])
      expect(write(over)).toEqual([{ kind: 'delete', key: 'k' }]);
    expect(() => write(jm('fname'))).toThrow(/expire expression fname gives no number/);
  });

  it('says nothing of rows that are removed', () => {
    expect(world({ key, expire: jm('fname') }).write(image('d', ADA))).toEqual([{ kind: 'delete', key: 'k' }]);
  });
});

it('adds nothing when something fails', () => {
  const { output } = world({ dataType: 'set', key: jm('lname'), member: column('id'), expire: jm('fname') });
  const writes: TargetWrite[] = [];
  expect(() => output.write(image('u', REED), image('u', ADA), 0, writes)).toThrow(/expire/);
  expect(writes).toEqual([]);
});
