import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JsonText, NumberText, UNAVAILABLE, type Value } from '../../../src/types.ts';
import { emitCommands, type JsonMergeWay } from '../../../src/write/commands.ts';
import { CommandWords } from '../../../src/write/encode.ts';
import { Unit } from '../../../src/write/fold.ts';
import { type PipelineReport, type TargetWrite, Writer } from '../../../src/write/index.ts';
import type { NestStep } from '../../../src/write/types.ts';
import { hasRedisJson, type RedisServer, startRedis } from '../../helpers/redis-server.ts';
import { del, hash, json, rowOf } from '../../helpers/target-writes.ts';

const WAYS: Record<string, JsonMergeWay> = {
  natively: { jsonMerge: true, nativeJsonMerge: true },
  'by script': { jsonMerge: false, nativeJsonMerge: true },
};
const LEGACY: JsonMergeWay = { jsonMerge: true, nativeJsonMerge: false };

let server: RedisServer;
let client: Redis;
let writer: Writer;
let reports: PipelineReport[];

beforeAll(async () => {
  server = await startRedis({ json: hasRedisJson });
  client = new Redis({ port: server.port });
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});
beforeEach(async () => {
  await client.flushall();
  reports = [];
  writer = new Writer({
    connection: { host: '127.0.0.1', port: server.port },
    onPipeline: (report) => reports.push(report),
  });
  await writer.connect();
});
afterEach(() => writer.close(500));

async function outcomeOf(...writes: TargetWrite[]) {
  return (await writer.write(writes)).done;
}

function set(key: string, member: string, isMember = true, index = 0, expire?: number): TargetWrite {
  return { kind: 'set', key, index, member, isMember, ...(expire === undefined ? {} : { expire }) };
}

function score(key: string, member: string, value: string | null, index = 0): TargetWrite {
  return { kind: 'sorted_set', key, index, member, score: value };
}

function entry(key: string, columns: Record<string, Value>, index = 0): TargetWrite {
  return { kind: 'stream', key, index, row: rowOf(columns) };
}

function nest(
  key: string,
  path: readonly NestStep[],
  columns: Record<string, Value> | null,
  more: { createsParent?: boolean; index?: number; expire?: number } = {},
): TargetWrite {
  const row = columns === null ? null : rowOf(columns);
  return { kind: 'nest', key, index: 0, path, row, createsParent: true, ...more };
}

function replacing(columns: Record<string, Value>, key = 'k'): TargetWrite {
  return { kind: 'hash', key, index: 0, row: rowOf(columns), removeNulls: true, replace: true };
}

function keeping(columns: Record<string, Value>, keep: string[][]): TargetWrite {
  return { kind: 'json', key: 'k', index: 0, row: rowOf(columns), mode: 'replace', keep };
}

async function document(key: string): Promise<string | null> {
  return (await client.call('JSON.GET', key)) as string | null;
}

/** Sends one write as a target of this kind would get it. */
async function send(write: TargetWrite, way: JsonMergeWay): Promise<void> {
  const words = new CommandWords();
  emitCommands(new Unit(write, null, 0), words, way);
  for (const command of words.commands) await client.call(command[0]!, command.slice(1));
}

describe('sets, sorted sets, streams and strings', () => {
  it('hold what the writes say in order, and nothing of it counts as superseded', async () => {
    const outcome = await outcomeOf(
      set('s', 'a', true, 0),
      set('s', 'b', true, 1),
      set('s', 'a', false, 2),
      score('z', 'a', '1', 3),
      score('z', 'b', '2.5', 4),
      score('z', 'a', '-inf', 5),
      score('z', 'b', null, 6),
      entry('x', { n: 1, no: null }, 7),
      entry('x', { n: 2, big: UNAVAILABLE }, 8),
      entry('x', { n: 2, doc: new JsonText('{"a":1}') }, 9),
      { kind: 'string', key: 'g', index: 10, value: true },
    );
    expect(outcome).toEqual({ superseded: [], refused: [] });
    expect(await client.smembers('s')).toEqual(['b']);
    expect(await client.zrange('z', '0', '-1', 'WITHSCORES')).toEqual(['a', '-inf']);
    const entries = await client.xrange('x', '-', '+');
    expect(entries.map(([, fields]) => fields)).toEqual([
      ['n', '1'],
      ['n', '2'],
      ['n', '2', 'doc', '{"a":1}'],
    ]);
    expect(await client.get('g')).toBe('1');
  });

  it('report an earlier string of the same key as superseded', async () => {
    const outcome = await outcomeOf(
      { kind: 'string', key: 'g', index: 0, value: 'a', expire: 100 },
      { kind: 'string', key: 'g', index: 1, value: 'b' },
    );
    expect(outcome).toEqual({ superseded: [0], refused: [] });
    expect([await client.get('g'), await client.ttl('g')]).toEqual(['b', -1]);
  });

  it('take thousands of members of one key in few commands, over several batches in flight', async () => {
    const dones = [];
    for (let batch = 0; batch < 4; batch++) {
      const writes = Array.from({ length: 2000 }, (_, index) => [
        set('hot', `${batch}:${index}`, true, index),
        score('scores', `${index % 700}`, String(batch), index),
        entry('log', { batch, index }, index),
      ]);
      dones.push((await writer.write(writes.flat())).done);
    }
    for (const outcome of await Promise.all(dones)) expect(outcome).toEqual({ superseded: [], refused: [] });
    expect([await client.scard('hot'), await client.zcard('scores'), await client.xlen('log')]).toEqual([
      8000, 700, 8000,
    ]);
    const log = await client.xrange('log', '-', '+');
    expect(log.map(([, fields]) => Number(fields[1]) * 2000 + Number(fields[3]))).toEqual(
      Array.from({ length: 8000 }, (_, index) => index),
    );
    expect(reports.length).toBeLessThan(50);
  });

  it('are refused with the command and the type they need, for every record and its output', async () => {
    await client.rpush('k', 'x');
    const origin = { job: 'tiers', step: 'output[0] redis.write' };
    const outcome = await outcomeOf(
      { ...set('k', 'a', true, 3), origin },
      set('k', 'b', true, 4),
      hash('h', { a: 1 }, 5),
    );
    expect(outcome.refused).toMatchObject([
      {
        index: 3,
        key: 'k',
        code: 'TARGET_WRONG_TYPE',
        origin,
        reason: expect.stringMatching(/^SADD on "k" found a key that is not a set \(WRONGTYPE/),
      },
      { index: 4, key: 'k', code: 'TARGET_WRONG_TYPE' },
    ]);
    expect(outcome.refused[1]).not.toHaveProperty('origin');
    expect((await outcomeOf(score('k', 'a', '1'))).refused[0]?.reason).toMatch(
      /^ZADD on "k" found .* not a sorted set/,
    );
    expect((await outcomeOf(entry('k', { a: 1 }))).refused[0]?.reason).toMatch(/^XADD on "k" found .* not a stream/);
    expect((await outcomeOf(entry('k', { a: 1 }, 0), entry('k', { a: 2 }, 1))).refused).toHaveLength(2);
    expect(await client.hgetall('h')).toEqual({ a: '1' });
    expect((await outcomeOf({ kind: 'string', key: 'k', index: 0, value: 'over all' })).refused).toEqual([]);
  });

  it('refuse only the one that cannot be taken among many of one key', async () => {
    const outcome = await outcomeOf(
      score('z', 'a', '1', 0),
      score('z', 'b', 'many', 1),
      score('z', 'c', '3', 2),
      score('other', 'c', '3', 3),
    );
    expect(outcome).toMatchObject({ superseded: [], refused: [{ index: 1, key: 'z', code: 'TARGET_REFUSED' }] });
    expect(await client.zrange('z', '0', '-1')).toEqual(['a', 'c']);
    expect((await outcomeOf(score('z', 'd', '4'))).refused).toEqual([]);
  });
});

describe('a time to live', () => {
  it('is set by every write that has one, and left by the others', async () => {
    await outcomeOf(set('s', 'a', true, 0, 100));
    expect(await client.ttl('s')).toBeGreaterThan(98);
    await outcomeOf(set('s', 'b'));
    expect(await client.ttl('s')).toBeGreaterThan(98);
    await outcomeOf(set('s', 'c', true, 0, 1000));
    expect(await client.ttl('s')).toBeGreaterThan(998);
    expect(await client.smembers('s')).toHaveLength(3);
  });

  it('never touches a key that refused the write', async () => {
    await client.set('k', 'somebody else’s');
    const outcome = await outcomeOf(set('k', 'a', true, 0, 1), { ...hash('k', { a: 1 }, 1), expire: 1 } as TargetWrite);
    expect(outcome.refused.map(({ index }) => index)).toEqual([0, 1]);
    expect(await client.ttl('k')).toBe(-1);
  });

  it('ends where a string or a whole hash is replaced without one', async () => {
    await outcomeOf({ ...replacing({ a: 1 }), expire: 100 } as TargetWrite);
    expect(await client.ttl('k')).toBeGreaterThan(98);
    await outcomeOf(hash('k', { b: 1 }));
    expect(await client.ttl('k')).toBeGreaterThan(98);
    await outcomeOf(replacing({ a: 2 }));
    expect([await client.hgetall('k'), await client.ttl('k')]).toEqual([{ a: '2' }, -1]);
  });

  it.runIf(hasRedisJson)('of a document stays, as RedisJSON does it, unless the write takes it away', async () => {
    await outcomeOf({ ...json('k', { a: 1 }), expire: 100 } as TargetWrite);
    await outcomeOf(json('k', { a: 2 }));
    await outcomeOf(keeping({ a: 3 }, [['lines']]), nest('k', ['lines', '1'], { a: 1 }));
    expect(await client.ttl('k')).toBeGreaterThan(98);
    await outcomeOf({ ...json('k', { a: 3 }), expire: 0 } as TargetWrite);
    expect(await client.ttl('k')).toBe(-1);
    await outcomeOf(nest('k', ['lines', '1'], null, { expire: 50 }));
    expect(await client.ttl('k')).toBeGreaterThan(48);
  });
});

describe('a hash that is replaced', () => {
  it('is exactly the row, and keeps what was not delivered', async () => {
    await client.hset('k', { seen: '5', a: '0', big: 'long' });
    await outcomeOf(replacing({ a: 1, no: null, big: UNAVAILABLE, never: UNAVAILABLE }));
    expect(await client.hgetall('k')).toEqual({ a: '1', big: 'long' });
    await outcomeOf(replacing({ a: null, big: UNAVAILABLE }));
    expect(await client.hgetall('k')).toEqual({ big: 'long' });
    await outcomeOf(replacing({ a: null }));
    expect(await client.exists('k')).toBe(0);
    await outcomeOf(replacing({ a: null, big: UNAVAILABLE }));
    expect(await client.exists('k')).toBe(0);
  });

  it('may be wider than a script may unpack', async () => {
    const columns = Object.fromEntries(Array.from({ length: 9000 }, (_, index) => [`c${index}`, index]));
    await outcomeOf(hash('k', Object.fromEntries(Object.keys(columns).map((name) => [name, 'old']))));
    const row: Record<string, Value> = { ...columns };
    for (let index = 0; index < 3000; index++) row[`c${index}`] = UNAVAILABLE;
    await outcomeOf(replacing(row));
    const stored = await client.hgetall('k');
    expect([Object.keys(stored).length, stored['c2999'], stored['c3000']]).toEqual([9000, 'old', '3000']);
  });

  it('of another type is refused and stays', async () => {
    await client.sadd('k', 'x');
    expect((await outcomeOf(replacing({ a: 1 }))).refused).toMatchObject([{ code: 'TARGET_WRONG_TYPE' }]);
    expect(await client.smembers('k')).toEqual(['x']);
  });
});

describe.runIf(hasRedisJson)('a document that is replaced', () => {
  it('keeps what is stored at the kept paths, to the byte, and loses the rest', async () => {
    await client.call(
      'JSON.SET',
      'k',
      '$',
      '{"x":1,"lines":{"2":{"n":9007199254740993,"l":[],"o":{},"t":"a\\"}{\\\\"}},"home":{"places":{"3":1},"gone":2},"a":0}',
    );
    await outcomeOf(
      keeping({ a: 1, home: new JsonText('{"own":7}') }, [['lines'], ['home', 'places'], ['none', 'at', 'all']]),
    );
    expect(await document('k')).toBe(
      '{"a":1,"home":{"own":7,"places":{"3":1}},"lines":{"2":{"n":9007199254740993,"l":[],"o":{},"t":"a\\"}{\\\\"}}}',
    );
  });

  it('gives way to kept children where a column has their name', async () => {
    await client.call('JSON.SET', 'k', '$', '{"home":{"places":{"3":1}},"lines":null}');
    await outcomeOf(keeping({ home: null, lines: 5 }, [['home', 'places'], ['lines']]));
    expect(JSON.parse((await document('k'))!)).toEqual({ home: { places: { 3: 1 } }, lines: null });
    await outcomeOf(del('k'), keeping({ home: null, lines: 5 }, [['home', 'places'], ['lines']]));
    expect(JSON.parse((await document('k'))!)).toEqual({ home: null, lines: 5 });
  });

  it('keeps columns that were not delivered beside the kept paths', async () => {
    await client.call('JSON.SET', 'k', '$', '{"id":1,"body":"long","lines":{"1":{}},"doc":{"a":1,"b":2}}');
    await outcomeOf(keeping({ id: 2, body: UNAVAILABLE, doc: new JsonText('{"a":null}'), lines: 0 }, [['lines']]));
    expect(JSON.parse((await document('k'))!)).toEqual({ id: 2, body: 'long', lines: { 1: {} }, doc: { a: null } });
    await outcomeOf(del('k'));
    await outcomeOf(keeping({ id: 2, body: UNAVAILABLE }, [['lines']]));
    expect(await document('k')).toBe('{"id":2}');
  });

  it('keeps the children that came with the same batch, before and after it', async () => {
    await outcomeOf(
      nest('k', ['lines', '1'], { n: 1 }),
      keeping({ id: 1 }, [['lines']]),
      nest('k', ['lines', '2'], { n: 2 }),
      keeping({ id: 2 }, [['lines']]),
      keeping({ id: 3 }, [['lines']]),
    );
    expect(JSON.parse((await document('k'))!)).toEqual({ id: 3, lines: { 1: { n: 1 }, 2: { n: 2 } } });
  });
});

describe.runIf(hasRedisJson)('nested rows', () => {
  for (const [name, way] of Object.entries(WAYS)) {
    describe(name, () => {
      const at = ['lines', '2'];

      it('create the document and every level, and drop nulls', async () => {
        await send(nest('k', ['home', 'places', '3'], { city: 'Oslo', zip: null }), way);
        expect(await document('k')).toBe('{"home":{"places":{"3":{"city":"Oslo"}}}}');
      });

      it('are merged into what is there', async () => {
        await client.call('JSON.SET', 'k', '$', '{"id":5,"lines":{"1":{"n":1},"2":{"n":2,"x":3,"gone":4}}}');
        await send(nest('k', at, { n: 5, gone: null }), way);
        expect(JSON.parse((await document('k'))!)).toEqual({ id: 5, lines: { 1: { n: 1 }, 2: { n: 5, x: 3 } } });
      });

      it('take the place of values that are in the way', async () => {
        for (const value of ['{"lines":null}', '{"lines":7}', '{"lines":[1]}', '{"lines":{"2":"x"}}', '[1]']) {
          await client.call('JSON.SET', 'k', '$', value);
          await send(nest('k', at, { n: 1, no: null }), way);
          expect(await document('k'), value).toBe('{"lines":{"2":{"n":1}}}');
        }
      });

      it('are taken out, leaving an empty map, and what is not there is no error', async () => {
        await send(nest('k', at, null), way);
        expect(await client.exists('k')).toBe(0);
        await client.call('JSON.SET', 'k', '$', '{"lines":{"2":{"n":1}}}');
        await send(nest('k', at, null), way);
        await send(nest('k', ['none', '2'], null), way);
        expect(await document('k')).toBe('{"lines":{}}');
      });

      it('take names that paths and patches must escape', async () => {
        const names = ['a"b', 'c\\d', "it's", 'e.f', '$', '', 'ü 中 🐟', 'tab\there', '*', ']'];
        for (const first of names) {
          await client.flushall();
          await client.call('JSON.SET', 'k', '$', '{"other":1}');
          await send(nest('k', [first, 'x"y\\'], { n: 1 }), way);
          await send(nest('k', [first, 'plain'], { n: 2 }), way);
          expect(JSON.parse((await document('k'))!), first).toEqual({
            other: 1,
            [first]: { 'x"y\\': { n: 1 }, plain: { n: 2 } },
          });
          await send(nest('k', [first, 'x"y\\'], null), way);
          await send(nest('k', [first, 'plain'], null), way);
          expect(JSON.parse((await document('k'))!), first).toEqual({ other: 1, [first]: {} });
        }
      });
    });
  }

  it('store nulls in the merge of use_native_json_merge: false', async () => {
    await client.call('JSON.SET', 'k', '$', '{"lines":{"2":{"n":2,"x":3}}}');
    await send(nest('k', ['lines', '2'], { n: null }), LEGACY);
    expect(await document('k')).toBe('{"lines":{"2":{"n":null,"x":3}}}');
  });

  it('wait for no parent where they may not create one', async () => {
    const write = nest('k', ['lines', '2'], { n: 1 }, { createsParent: false, expire: 100 });
    expect(await outcomeOf(write)).toEqual({ superseded: [], refused: [] });
    expect(await client.exists('k')).toBe(0);
    await client.call('JSON.SET', 'k', '$', '{}');
    await outcomeOf(write);
    expect([await document('k'), await client.ttl('k')]).toEqual(['{"lines":{"2":{"n":1}}}', 100]);
  });

  it('find their element of an array by the exact value, else append one', async () => {
    const line = (value: Exclude<NestStep, string>['value'], columns: Record<string, Value> | null) =>
      nest('k', ['lines', { field: 'no', value }], columns);
    await outcomeOf(line(2, { no: 2, q: 1 }), line('2', { no: '2', q: 2 }), line(2, { q: 3 }));
    expect(await document('k')).toBe('{"lines":[{"no":2,"q":3},{"no":"2","q":2}]}');
    await outcomeOf(
      line(new NumberText('9007199254740993'), { q: 4 }),
      line(new NumberText('9007199254740992'), { q: 5 }),
    );
    await outcomeOf(line(new NumberText('9007199254740993'), { q: 6 }));
    // RedisJSON writes numbers in its own way; the element is the same.
    await outcomeOf(line(new NumberText('1.10'), { q: 7 }));
    await outcomeOf(line(new NumberText('1.10'), { q: 8 }), line(true, { q: 9 }), line('ü"', { q: 10 }));
    await outcomeOf(line(true, { q: 11 }), line('ü"', { q: 12 }), line(2, null), line(77, null));
    expect(await document('k')).toBe(
      '{"lines":[{"no":"2","q":2},{"no":9007199254740993,"q":6},{"no":9007199254740992,"q":5},' +
        '{"no":1.1,"q":8},{"no":true,"q":11},{"no":"ü\\"","q":12}]}',
    );
  });

  it('that leave an array and come back are appended, as they would be one by one', async () => {
    const line = (no: number, columns: Record<string, Value> | null) =>
      nest('k', ['lines', { field: 'no', value: no }], columns);
    await outcomeOf(line(1, { q: 1 }), line(2, { q: 2 }), line(3, { q: 3 }));
    await outcomeOf(line(1, null), line(1, { q: 4 }), line(2, null), line(3, { q: 5 }));
    expect(await document('k')).toBe('{"lines":[{"no":3,"q":5},{"no":1,"q":4}]}');
  });

  it('go deeper than one array, and replace what is no array', async () => {
    const at = (line: number, ...rest: NestStep[]): NestStep[] => ['lines', { field: 'no', value: line }, ...rest];
    await client.call('JSON.SET', 'k', '$', '{"lines":{"2":{}}}');
    await outcomeOf(
      nest('k', at(1, 'taxes', 'vat'), { rate: new NumberText('0.250') }),
      nest('k', at(1, 'parts', { field: 'id', value: 'a' }), { n: 1 }),
      nest('k', at(1, 'parts', { field: 'id', value: 'b' }), { n: 2 }),
      nest('k', at(1, 'parts', { field: 'id', value: 'a' }), null),
      nest('k', at(9, 'parts', { field: 'id', value: 'a' }), null),
    );
    expect(await document('k')).toBe('{"lines":[{"no":1,"taxes":{"vat":{"rate":0.25}},"parts":[{"id":"b","n":2}]}]}');
  });

  it('of one parent travel together, and leave what one after the other leaves', async () => {
    const writes = Array.from({ length: 1000 }, (_, index) =>
      nest('k', ['lines', `${index}`], { n: index }, { index }),
    );
    expect(await outcomeOf(...writes)).toEqual({ superseded: [], refused: [] });
    expect(Object.keys(JSON.parse((await document('k'))!).lines)).toHaveLength(1000);
    expect(reports.length).toBeLessThan(8);
    // Created and taken out in one batch: the parent and the map stay, as they would one by one.
    await outcomeOf(nest('new', ['lines', '1'], { n: 1 }), nest('new', ['lines', '1'], null));
    expect(await document('new')).toBe('{"lines":{}}');
    await outcomeOf(...Array.from({ length: 999 }, (_, index) => nest('k', ['lines', `${index}`], null, { index })));
    expect(await document('k')).toBe('{"lines":{"999":{"n":999}}}');
  });

  it('that are no JSON are refused alone', async () => {
    const outcome = await outcomeOf(
      nest('k', ['lines', '1'], { n: 1 }, { index: 0 }),
      nest('k', ['lines', '2'], { n: new JsonText('{bad') }, { index: 1 }),
      nest('k', ['lines', '3'], { n: 3 }, { index: 2 }),
    );
    expect(outcome).toMatchObject({ superseded: [], refused: [{ index: 1, code: 'TARGET_REFUSED' }] });
    expect(await document('k')).toBe('{"lines":{"1":{"n":1},"3":{"n":3}}}');
  });

  it('and removals of members need a document', async () => {
    await client.set('k', 'x');
    const remove: TargetWrite = { kind: 'remove_fields', key: 'k', index: 1, type: 'json', paths: [['a'], ['b"']] };
    for (const write of [nest('k', ['a', 'b'], { n: 1 }), nest('k', ['a', 'b'], null), remove]) {
      const [refused] = (await outcomeOf(write)).refused;
      expect(refused).toMatchObject({
        code: 'TARGET_WRONG_TYPE',
        reason: expect.stringContaining('not a JSON document'),
      });
    }
    await client.call('JSON.SET', 'doc', '$', '{"a":1,"b\\"":{"c":1,"d":2},"e":3}');
    await outcomeOf({ ...remove, key: 'doc', paths: [['a'], ['b"', 'c'], ['none', 'x']] });
    expect(JSON.parse((await document('doc'))!)).toEqual({ 'b"': { d: 2 }, e: 3 });
  });
});

it('fields of a hash go in the write of the same batch that sets others', async () => {
  await client.hset('k', { a: '1', b: '2' });
  const remove: TargetWrite = { kind: 'remove_fields', key: 'k', index: 0, type: 'hash', paths: [['a'], ['c']] };
  expect(await outcomeOf(hash('k', { b: 3, c: 4 }), remove)).toEqual({ superseded: [], refused: [] });
  expect(await client.hgetall('k')).toEqual({ b: '3' });
  await outcomeOf({ ...remove, paths: [['b']] }, { ...remove, paths: [['x']] });
  expect(await client.exists('k')).toBe(0);
});

it('fields that others keep in a hash survive when all columns of an output are null', async () => {
  const origin = { job: 'customers', step: 'output[0] redis.write' };
  const write = (columns: Record<string, Value>): TargetWrite => ({ ...hash('k', columns), origin }) as TargetWrite;
  await client.hset('k', { name: 'n', email: 'e' });
  await outcomeOf(write({ name: 'n2' }), write({ email: null }));
  expect(await client.hgetall('k')).toEqual({ name: 'n2' });
  await outcomeOf(write({ name: null }));
  expect(await client.exists('k')).toBe(0);
});

it.runIf(hasRedisJson).each([' a', 'a ', '\ta', ' ', '', '\ud800', '$', "']", '..a', '[*]', '\u0000'])(
  'a place named %j is found again, and no other place is taken for it',
  async (name) => {
    const others = ['a', `${name}.`];
    const wellFormed = name.toWellFormed();
    for (const way of Object.values(WAYS)) {
      await client.del('k');
      for (const place of [name, ...others]) await send(nest('k', ['m', place], { n: 1 }), way);
      await send(nest('k', ['m', name], null), way);
      const left = JSON.parse((await document('k'))!).m as object;
      expect(Object.keys(left).sort()).toEqual(others.map((place) => place.toWellFormed()).sort());
      await send(nest('k', ['m', name], { n: 1 }), way);
      await send(keeping({ a: 1 }, [['m', name]]), way);
      expect(JSON.parse((await document('k'))!)).toEqual({ a: 1, m: { [wellFormed]: { n: 1 } } });
      await send({ kind: 'remove_fields', key: 'k', index: 0, type: 'json', paths: [['m', name]] }, way);
      expect(JSON.parse((await document('k'))!)).toEqual({ a: 1, m: {} });
    }
  },
);
