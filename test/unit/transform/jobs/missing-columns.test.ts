import { describe, expect, it } from 'vitest';
import { UNAVAILABLE } from '../../../../src/types.ts';
import {
  add,
  type EventForm,
  eventOf,
  expression,
  filter,
  jobOf,
  lookup,
  map,
  output,
  remove,
  rename,
  rowOf,
  run,
  show,
  World,
} from './job-world.ts';

/** An update of which the feeder left out the unchanged column `body`. */
const UPDATE: EventForm = { op: 'u', key: { id: 1 }, after: { id: 1, title: 't2', body: UNAVAILABLE } };

const hash = (blocks: Parameters<typeof jobOf>[0], more: Parameters<typeof jobOf>[1] = {}) =>
  jobOf(blocks, { outputs: [output({ dataType: 'hash' })], ...more });

async function written(job: ReturnType<typeof jobOf>, event: EventForm = UPDATE): Promise<string[]> {
  const { writes, rejected } = await run(job, [event]);
  for (const { reason } of rejected.values()) throw new Error(reason);
  return writes.map(show);
}

async function refusal(job: ReturnType<typeof jobOf>): Promise<string> {
  const { rejected, writes } = await run(job, [UPDATE]);
  expect(writes).toEqual([]);
  return rejected.get(0)?.reason ?? 'not rejected';
}

describe('a column that was not delivered', () => {
  it('is taken from `before` where that has it', async () => {
    const event = { ...UPDATE, before: { id: 1, title: 't1', body: 'long' } };
    expect(await written(hash([add({ up: 'jm: upper(body)' })]), event)).toEqual([
      'hash customer:id:1 id=1 title=t2 body=long up=LONG',
    ]);
  });

  it('is not taken from a `before` of key columns alone, whose other columns are null', async () => {
    const event = { ...UPDATE, before: { id: 1, title: 't1', body: null } };
    expect(await written(hash([]), event)).toEqual(['hash customer:id:1 id=1 title=t2 body=?']);
  });

  it('is forgotten when a block removes or sets it: keys and documents are made as of any other row', async () => {
    const outputs = [output({ key: expression("jm: join('', ['c:', title, nick || ''])") })];
    for (const block of [remove('body'), add({ body: 'jm: title' })]) {
      const { writes, rejected } = await run(jobOf([block], { outputs }), [UPDATE]);
      expect([...rejected.values()]).toEqual([]);
      expect(writes).toMatchObject([{ kind: 'json', key: 'c:t2', mode: 'replace', row: { partial: false } }]);
    }
  });

  it('is not written', async () => {
    expect(await written(hash([add({ t: 'jm: title' })]))).toEqual(['hash customer:id:1 id=1 title=t2 t=t2 body=?']);
  });

  it.each([
    'jm: upper(body)',
    'jm: length(body)',
    'sql: body || 1',
    'sql: BODY',
    'jm: to_string(@)',
    'jm: [@]',
    'jm: {all: @}',
    "jm: not_null(body, 'x')",
  ])('leaves a field out that is made of it: %s', async (text) => {
    expect(await written(hash([add({ up: text, more: 'jm: up', t: 'jm: title' })]))).toEqual([
      'hash customer:id:1 id=1 title=t2 t=t2 body=? up=? more=?',
    ]);
  });

  it('does not touch what is made of other columns, nor what never came to read it', async () => {
    const block = add({ a: 'sql: TITLE || id', b: 'jm: title || body', c: 'sql: nope' });
    expect(await written(hash([block, remove('title')]))).toEqual(['hash customer:id:1 id=1 a=t21 b=t2 c=null body=?']);
  });

  it('leaves the whole column out where a part of it is not known', async () => {
    const blocks = [add({ 'loc.zip': 'jm: id', 'loc.city': 'jm: body', 'body.x': 'jm: id' })];
    expect(await written(hash(blocks))).toEqual(['hash customer:id:1 id=1 title=t2 body=? loc=?']);
  });

  it('is there again when a block sets it', async () => {
    expect(await written(hash([add({ body: 'jm: title' })]))).toEqual(['hash customer:id:1 id=1 title=t2 body=t2']);
  });

  it('is moved by rename_field and forgotten by remove_field', async () => {
    expect(await written(hash([rename({ body: 'text' })]))).toEqual(['hash customer:id:1 id=1 title=t2 text=?']);
    expect(await written(hash([rename({ 'body.a': 'title' })]))).toEqual(['hash customer:id:1 id=1 body=? title=?']);
    expect(await written(hash([remove('body', 'title.x')]))).toEqual(['hash customer:id:1 id=1 title=t2']);
  });

  it('leaves the fields of a map out that are made of it', async () => {
    const fields = map({ id: 'jm: id', b: 'jm: body', n: { t: 'jm: title', b: 'jm: body' }, s: 'sql: id + 1' });
    expect(await written(hash([fields]))).toEqual(['hash customer:id:1 id=1 s=2 b=? n=?']);
  });

  it('stays out of a map that takes everything, and rejects one that reads it', async () => {
    expect(await written(hash([map('jm: merge(@, {x: title})'), add({ y: 'jm: body', z: 'jm: x' })]))).toEqual([
      'hash customer:id:1 id=1 title=t2 x=t2 z=t2 body=? y=?',
    ]);
    expect(await refusal(hash([map('jm: merge(@, {x: body})')]))).toMatch(
      /transform map.*not delivered.*REPLICA IDENTITY/,
    );
  });

  it('rejects a filter and a lookup that depend on it', async () => {
    expect(await refusal(hash([filter('jm: body')]))).toMatch(/transform filter, expression body: .*not delivered/);
    const { rejected } = await run(hash([lookup('GET', ['jm: body'], 'x')]), [UPDATE], {
      lookups: new Map([['target', { read: () => Promise.reject(new Error('asked')) }]]),
    });
    expect(rejected.get(0)!.reason).toMatch(/redis\.lookup.*not delivered/);
  });

  it('rejects a key that depends on it', async () => {
    const job = hash([add({ k: 'jm: body' })], { outputs: [output({ key: expression('jm: k') })] });
    expect(await refusal(job)).toMatch(/key expression/);
  });

  it('does not disturb the events around it', async () => {
    const job = hash([add({ up: 'sql: upper(body)', n: 'sql: id + 1' })]);
    const { writes } = await run(job, [{ after: { id: 1, body: 'a' } }, UPDATE, { after: { id: 2, body: 'b' } }]);
    expect(writes.map(show)).toEqual([
      'hash customer:id:1 id=1 body=a up=A n=2',
      'hash customer:id:1 id=1 title=t2 n=2 body=? up=?',
      'hash customer:id:2 id=2 body=b up=B n=3',
    ]);
  });
});

describe('in the full format', () => {
  const full = (blocks: Parameters<typeof jobOf>[0]) => hash(blocks, { rowFormat: 'full' });

  it('only what is made of the column is left out', async () => {
    const block = add({
      'after.up': 'jm: upper(after.body)',
      'after.sq': 'sql: upper(`after.body`)',
      'after.t': 'sql: upper(`AFTER.title`)',
      'after.op': 'jm: opcode',
      'after.all': "sql: json_extract(after, '$.body')",
      'after.row': 'jm: after',
      tmp: 'jm: after',
    });
    expect(await written(full([block]))).toEqual([
      'hash customer:id:1 id=1 title=t2 t=T2 op=u body=? up=? sq=? all=? row=?',
    ]);
  });

  it('a map may pass the rows on', async () => {
    expect(await written(full([map({ after: 'jm: after', opcode: 'jm: opcode' })]))).toEqual([
      'hash customer:id:1 id=1 title=t2 body=?',
    ]);
    expect(await written(full([map({ after: { i: 'jm: after.id', b: 'jm: after.body' } })]))).toEqual([
      'hash customer:id:1 i=1 b=?',
    ]);
  });

  it('an `after` that is made of the column rejects', async () => {
    expect(await refusal(full([add({ after: 'jm: {x: after.body}' })]))).toContain('not delivered');
  });
});

it('takes a row that brought only what changed for one that may lack any column', async () => {
  const after = rowOf({ 'address.city': 'Oslo', note: null }, true);
  const event = { ...eventOf({ op: 'u', key: { id: 1 }, after: {} }), after };
  const { writes } = await new World([hash([add({ city: 'jm: "address.city"', nick: 'jm: upper(name)' })])]).run([
    event,
  ]);
  expect(writes.map(show)).toEqual(['hash customer:id:1 address.city=Oslo note=null city=Oslo']);
});

describe('a row that brought only what changed', () => {
  const event = { ...eventOf({ op: 'u', key: { id: 1 }, after: {} }), after: rowOf({ x: 1 }, true) };

  it('may lack any column also after a column that it lacks was renamed', async () => {
    const mapping = ['c', 'x'].map((name) => ({ source: [name], alias: [name] }));
    const job = jobOf([rename({ a: 'b' })], { outputs: [output({ dataType: 'hash', onUpdate: 'merge', mapping })] });
    const { writes } = await new World([job]).run([event]);
    expect(writes.map(show)).toEqual(['hash customer:id:1 c=? x=1']);
  });

  it('does not replace the hash, unless a mapping says which fields it has', async () => {
    const replacing = output({ dataType: 'hash', onUpdate: 'replace' });
    const mapping = ['c', 'x'].map((name) => ({ source: [name], alias: [name] }));
    const whole = await new World([jobOf([], { outputs: [replacing] })]).run([event]);
    expect(whole.writes[0]).not.toHaveProperty('replace');
    const mapped = await new World([jobOf([], { outputs: [{ ...replacing, mapping }] })]).run([event]);
    expect(mapped.writes).toMatchObject([{ replace: true, row: { names: ['c', 'x'], partial: true } }]);
  });
});
