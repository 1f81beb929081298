import { describe, expect, it } from 'vitest';
import { JsonText, NumberText } from '../../../../src/types.ts';
import { add, filter, jobOf, map, recordAfter, remove, rename, run, show } from './job-world.ts';

const PLACE = {
  id: 1,
  addr: new JsonText('{"city":"Oslo","geo":{"lat":59.9}}'),
  city: 'top',
  tags: new JsonText('["a","b"]'),
};

describe('filter', () => {
  it.each([
    ['jm: `0`', true],
    ["jm: ''", true],
    ['jm: `[]`', true],
    ['jm: `{}`', true],
    ['jm: nothing', true],
    ['jm: `false`', true],
    ['sql: 0.0', true],
    ["sql: '0'", false],
    ["jm: 'false'", false],
    ['jm: `-1`', false],
    ['sql: id = 1', false],
  ])('%s takes the record out: %s', async (text, isOut) => {
    const { filtered, writes } = await run(jobOf([filter(text)]), [{ after: { id: 1 } }]);
    expect(filtered).toEqual(isOut ? [0] : []);
    expect(writes.length).toBe(isOut ? 0 : 1);
  });

  it('rejects only the record on which it fails, and says job, block, expression and reason', async () => {
    const { rejected, writes } = await run(jobOf([filter('jm: credit > `100`')]), [
      { after: { id: 1, credit: '120.50' } },
      { after: { id: 2, credit: 200 } },
    ]);
    expect(writes.map(show)).toEqual(['json customer:id:2 id=2 credit=200']);
    expect([...rejected.keys()]).toEqual([0]);
    const rejection = rejected.get(0)!;
    expect(rejection.code).toBe('TRANSFORM_FAILED');
    expect(rejection.reason).toMatch(/^The job customers fails at transform filter: credit > `100`: .+\.$/);
    expect(rejection.origin).toEqual({ job: 'customers', step: 'transform filter', expression: 'credit > `100`' });
  });

  it('drops a delete of a row that does not pass, so that its key stays', async () => {
    const { filtered, writes } = await run(jobOf([filter("sql: tier = 'gold'")]), [
      { before: { id: 7, tier: 'silver' } },
      { before: { id: 7, tier: 'gold' } },
    ]);
    expect(filtered).toEqual([0]);
    expect(writes.map(show)).toEqual(['delete customer:id:7']);
  });
});

describe('add_field', () => {
  it('computes fields in order; later ones see earlier ones, in both languages', async () => {
    const record = await recordAfter(
      [add({ a: 'sql: id + 1', b: 'sql: a + 1', c: 'jm: [a, b]', d: 'sql: b + 1', e: 'sql: id * 2' })],
      { id: 1 },
    );
    expect(record).toBe('{"id":1,"a":2,"b":3,"c":[2,3],"d":4,"e":2}');
  });

  it('sees a field that another expression of its block names in another case', async () => {
    expect(await recordAfter([add({ total: 'sql: id + 1', twice: 'sql: TOTAL * 2' })], { id: 1 })).toBe(
      '{"id":1,"total":2,"twice":4}',
    );
  });

  it('creates the objects on the way, and replaces what is no object', async () => {
    expect(await recordAfter([add({ 'loc.zip.code': 'jm: `150`' })], { id: 1 })).toBe(
      '{"id":1,"loc":{"zip":{"code":150}}}',
    );
    expect(await recordAfter([add({ 'a.b': 'jm: id', 'n.b': 'jm: id' })], { id: 1, a: 'text', n: null })).toBe(
      '{"id":1,"a":{"b":1},"n":{"b":1}}',
    );
  });

  it('overwrites a field where it stands, with any type and null', async () => {
    expect(await recordAfter([add({ a: 'jm: [b]', b: 'jm: nope' })], { a: 1, b: 2, id: 3 })).toBe(
      '{"a":[2],"b":null,"id":3}',
    );
  });

  it('changes a nested object in the record alone, never in the value it came from', async () => {
    const record = await recordAfter([add({ copy: 'jm: addr' }), add({ 'addr.city': "jm: 'Bergen'" })], PLACE);
    expect(JSON.parse(record!)).toMatchObject({ copy: { city: 'Oslo' }, addr: { city: 'Bergen', geo: { lat: 59.9 } } });
    const literal = jobOf([add({ o: 'jm: `{"n":0}`' }), add({ 'o.n': 'jm: id' })]);
    const { records } = await run(literal, [{ after: { id: 1 } }, { after: { id: 2 } }]);
    expect([...records.values()]).toEqual(['{"id":1,"o":{"n":1}}', '{"id":2,"o":{"n":2}}']);
  });

  it('may put the record into itself without becoming endless', async () => {
    expect(await recordAfter([add({ self: 'jm: @', all: 'jm: [@]', 'self.more': 'jm: id' })], { id: 1 })).toBe(
      '{"id":1,"self":{"id":1,"more":1},"all":[{"id":1,"self":{"id":1}}]}',
    );
  });

  it('evaluates every field for every record, also after one failed', async () => {
    const block = add({ p: 'jm: json_parse(raw)', q: 'jm: upper(raw)' });
    const { rejected, records } = await run(jobOf([block]), [
      { after: { id: 1, raw: '{oops' } },
      { after: { id: 2, raw: '{}' } },
    ]);
    expect([...rejected.keys()]).toEqual([0]);
    expect(rejected.get(0)!.reason).toContain('transform add_field');
    expect(records.get(1)).toBe('{"id":2,"raw":"{}","p":{},"q":"{}"}');
  });

  it('names the failing one of several SQL fields', async () => {
    const block = add({ a: 'sql: id + 1', b: "sql: json_extract(raw, '$.x')" });
    const { rejected } = await run(jobOf([block]), [{ after: { id: 1, raw: '{oops' } }]);
    expect(rejected.get(0)!.origin?.expression).toBe("json_extract(raw, '$.x')");
  });

  it('leaves a JSON column that was only read as the text of the database', async () => {
    const { writes } = await run(jobOf([add({ t: 'jm: doc.a' })]), [
      { after: { id: 1, doc: new JsonText('{"a": 1.50 }') } },
    ]);
    expect(show(writes[0]!)).toBe('json customer:id:1 id=1 doc={"a": 1.50 } t=1.50');
  });
});

describe('remove_field', () => {
  it('ignores what is not there, and never touches a namesake further up', async () => {
    expect(await recordAfter([remove('nowhere.city', 'addr.none.lat', 'city.x', 'tags')], PLACE)).toBe(
      '{"id":1,"addr":{"city":"Oslo","geo":{"lat":59.9}},"city":"top"}',
    );
  });

  it('removes inside objects', async () => {
    expect(await recordAfter([remove('addr.geo.lat', 'city', 'tags')], PLACE)).toBe(
      '{"id":1,"addr":{"city":"Oslo","geo":{}}}',
    );
  });

  it('leaves the JSON text of columns it does not touch', async () => {
    const { writes } = await run(jobOf([remove('nope.a', 'city')]), [{ after: PLACE }]);
    expect(show(writes[0]!)).toContain(`addr=${PLACE.addr.text}`);
  });
});

describe('rename_field', () => {
  it('creates all parents of the new path', async () => {
    expect(await recordAfter([rename({ 'addr.city': 'p.q.town' }), remove('tags')], PLACE)).toBe(
      '{"id":1,"addr":{"geo":{"lat":59.9}},"city":"top","p":{"q":{"town":"Oslo"}}}',
    );
  });

  it('moves a nested field to the top, and leaves a namesake there alone', async () => {
    expect(await recordAfter([rename({ 'addr.city': 'town' }), remove('tags', 'addr')], PLACE)).toBe(
      '{"id":1,"city":"top","town":"Oslo"}',
    );
  });

  it('overwrites an existing target, moves null, and ignores a missing source', async () => {
    expect(await recordAfter([rename({ a: 'b', nope: 'c' })], { a: null, b: 2, c: 3, id: 1 })).toBe(
      '{"b":null,"c":3,"id":1}',
    );
  });

  it('moves a field into itself and out of itself', async () => {
    expect(await recordAfter([rename({ a: 'a.b' })], { a: 1, id: 1 })).toBe('{"id":1,"a":{"b":1}}');
    expect(await recordAfter([add({ 'a.b': 'jm: id' }), rename({ 'a.b': 'a' })], { id: 1 })).toBe('{"id":1,"a":1}');
  });
});

describe('map', () => {
  it('makes a new row, nested, null where a field is missing; all fields see the old row', async () => {
    const block = map({ id: 'jm: id', b: 'jm: a', a: 'jm: b', n: { x: 'jm: nope', y: 'sql: id + 1' } });
    expect(await recordAfter([block], { id: 1, a: 'A', b: 'B' })).toBe('{"id":1,"b":"A","a":"B","n":{"x":null,"y":2}}');
  });

  it('takes fields of SQL alone', async () => {
    const block = map({ id: 'sql: id', i: 'sql: age / 5', r: 'sql: age / 5.0' });
    expect(await recordAfter([block], { id: 1, age: 36 })).toBe('{"id":1,"i":7,"r":7.2}');
  });

  it('takes any expression that gives an object', async () => {
    expect(await recordAfter([map('jm: merge(@, {b: a})')], { id: 1, a: 2 })).toBe('{"id":1,"a":2,"b":2}');
    const shared = jobOf([map('jm: `{"n":{"x":0}}`'), add({ 'n.x': 'jm: n.x', k: 'jm: n' })]);
    const { records } = await run(shared, [{ after: { id: 1 } }, { after: { id: 2 } }]);
    expect([...records.values()]).toEqual(Array(2).fill('{"n":{"x":0},"k":{"x":0}}'));
  });

  it('rejects a result that is no object', async () => {
    const { rejected } = await run(jobOf([map('jm: not_null(a, b)')]), [
      { after: { id: 1, a: 2 } },
      { after: { id: 2 } },
    ]);
    expect(rejected.get(0)!.reason).toContain('gives a value of type number');
    expect(rejected.get(1)!.reason).toContain('gives null');
    expect(rejected.get(1)!.origin).toMatchObject({ step: 'transform map', expression: 'not_null(a, b)' });
  });

  it('keeps the default key when it drops the primary key', async () => {
    const { writes } = await run(jobOf([map({ who: 'jm: name' })]), [{ after: { id: 7, name: 'Ada' } }]);
    expect(writes.map(show)).toEqual(['json customer:id:7 who=Ada']);
  });
});

it('keeps the digits of numbers through every block that only moves them', async () => {
  const exact = new NumberText('100.00');
  const blocks = [rename({ a: 'b' }), map({ id: 'jm: id', c: 'jm: b' }), add({ d: 'jm: c' })];
  const { writes } = await run(jobOf(blocks), [{ after: { id: new NumberText('9007199254740993'), a: exact } }]);
  expect(show(writes[0]!)).toBe('json customer:id:9007199254740993 id=9007199254740993 c=100.00 d=100.00');
});

it('rejects a record whose JSON column cannot be read, and names the block that needs it', async () => {
  const { rejected } = await run(jobOf([rename({ 'doc.a': 'b' })]), [{ after: { id: 1, doc: new JsonText('{oops') } }]);
  expect(rejected.get(0)!.reason).toMatch(/transform rename_field: .*doc/);
});
