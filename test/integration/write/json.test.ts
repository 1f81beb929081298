import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JsonText, NumberText, UNAVAILABLE, type Value } from '../../../src/types.ts';
import { emitCommands, type JsonMergeWay } from '../../../src/write/commands.ts';
import { CommandWords } from '../../../src/write/encode.ts';
import { Unit } from '../../../src/write/fold.ts';
import { type TargetWrite, Writer } from '../../../src/write/index.ts';
import { hasRedisJson, type RedisServer, redisJsonPath, startRedis, until } from '../../helpers/redis-server.ts';
import { del, hash, json } from '../../helpers/target-writes.ts';

const NATIVE: JsonMergeWay = { jsonMerge: true, nativeJsonMerge: true };
const WITHOUT_MERGE: JsonMergeWay = { jsonMerge: false, nativeJsonMerge: true };
const LEGACY: JsonMergeWay = { jsonMerge: true, nativeJsonMerge: false };

describe.runIf(hasRedisJson)('documents in a real RedisJSON', () => {
  let server: RedisServer;
  let client: Redis;
  let writer: Writer;

  beforeAll(async () => {
    server = await startRedis({ json: true });
    client = new Redis({ port: server.port });
  });
  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });
  beforeEach(async () => {
    await client.flushall();
    writer = new Writer({ connection: { host: '127.0.0.1', port: server.port } });
    await writer.connect();
  });
  afterEach(() => writer.close(500));

  async function outcomeOf(...writes: TargetWrite[]) {
    return (await writer.write(writes)).done;
  }
  async function stored(key: string): Promise<unknown> {
    const text = (await client.call('JSON.GET', key)) as string | null;
    return text === null ? null : JSON.parse(text);
  }
  async function store(key: string, value: unknown): Promise<void> {
    await client.call('JSON.SET', key, '$', JSON.stringify(value));
  }
  /** Sends one write as a target of this kind would get it. */
  async function send(write: TargetWrite, way: JsonMergeWay): Promise<void> {
    const words = new CommandWords();
    emitCommands(new Unit(write, null, 0), words, way);
    for (const command of words.commands) await client.call(command[0]!, ...command.slice(1));
  }

  it('hold null, nested values, booleans and text', async () => {
    await outcomeOf(
      json('k', { id: 1, no: null, doc: new JsonText('{"a": [1, {"b": null}]}'), ok: true, t: 'Zoë "🐟"\n' }),
    );
    expect(await stored('k')).toEqual({ id: 1, no: null, doc: { a: [1, { b: null }] }, ok: true, t: 'Zoë "🐟"\n' });
  });

  it('hold integers beyond 2^53 with all digits', async () => {
    await outcomeOf(json('k', { big: new NumberText('9007199254740993') }));
    expect(await client.call('JSON.GET', 'k')).toBe('{"big":9007199254740993}');
  });

  it('are replaced, merged, deleted', async () => {
    await store('k', { x: 1, a: 0 });
    await outcomeOf(json('k', { a: 1 }, 'merge'));
    expect(await stored('k')).toEqual({ x: 1, a: 1 });
    await outcomeOf(json('k', { a: 2 }));
    expect(await stored('k')).toEqual({ a: 2 });
    await outcomeOf(del('k'));
    expect(await stored('k')).toBeNull();
  });

  it('keep stored columns that were not delivered, also when others became null or smaller', async () => {
    await store('k', { id: 1, body: 'long', doc: { a: 1, b: 2 }, n: 5 });
    await outcomeOf(json('k', { id: 1, body: UNAVAILABLE, doc: new JsonText('{"a":1}'), n: null }));
    expect(await stored('k')).toEqual({ id: 1, body: 'long', doc: { a: 1 }, n: null });
    await outcomeOf(json('new', { id: 1, body: UNAVAILABLE }));
    expect(await stored('new')).toEqual({ id: 1 });
  });

  it('may take the place of a key of another type only after a delete', async () => {
    await client.hset('k', 'a', '1');
    const outcome = await outcomeOf(json('k', { a: 1 }, 'replace', 4));
    expect(outcome.refused).toMatchObject([{ index: 4, key: 'k', code: 'TARGET_WRONG_TYPE' }]);
    expect((await outcomeOf(json('k', { a: null }, 'merge'))).refused).toMatchObject([{ code: 'TARGET_WRONG_TYPE' }]);
    expect((await outcomeOf(json('k', { a: null, b: UNAVAILABLE }))).refused).toMatchObject([
      { code: 'TARGET_WRONG_TYPE' },
    ]);
    expect((await outcomeOf(del('k'), json('k', { a: 1 }))).refused).toEqual([]);
    expect((await outcomeOf(hash('k', { a: 1 }))).refused).toMatchObject([{ code: 'TARGET_WRONG_TYPE' }]);
  });

  it('that RedisJSON cannot take are refused one by one', async () => {
    const outcome = await outcomeOf(
      json('a', { n: 1 }, 'replace', 0),
      json('b', { n: new JsonText('{bad') }, 'replace', 1),
      json('c', { n: 1 }, 'replace', 2),
    );
    expect(outcome.refused).toMatchObject([{ index: 1, key: 'b', code: 'TARGET_REFUSED' }]);
    expect([await stored('a'), await stored('c')]).toEqual([{ n: 1 }, { n: 1 }]);
  });

  describe('merged by a target without JSON.MERGE, or as RFC 7396 says', () => {
    const stores: unknown[] = [
      undefined,
      { id: 1, email: 'x' },
      { doc: { a: 1, b: { c: 2, d: 3 } }, 'a"b\\c': 1, é: 'ü' },
      { doc: 5, list: [] },
      [1, 2],
      'text',
    ];
    const patches: Record<string, Value>[] = [
      { id: 2 },
      { email: null, id: 3 },
      { doc: new JsonText('{ "a" : null , "b" : {"c":null,"e":[{}, null, "]}"]} , "f":{"g":null} }') },
      { 'a"b\\c': 2, é: null, big: new NumberText('9007199254740993') },
      { list: new JsonText('[]'), doc: new JsonText('{}') },
      { doc: new JsonText('[{"a":null}]'), t: 'a "quoted" \\ {text}, with: [all]' },
    ];
    for (const [s, before] of stores.entries()) {
      for (const [p, patch] of patches.entries()) {
        it(`patch ${p} on document ${s} is what the RFC says, natively and by script`, async () => {
          for (const way of [NATIVE, WITHOUT_MERGE]) {
            await client.flushall();
            if (before !== undefined) await store('k', before);
            await send(json('k', patch, 'merge'), way);
            const expected = rfc7396(before, patchValue(patch));
            expect(await stored('k'), JSON.stringify(way)).toEqual(expected);
          }
        });
      }
    }

    it('keep all digits of stored and new numbers, and empty arrays', async () => {
      await client.call('JSON.SET', 'k', '$', '{"a":9007199254740993,"l":[],"o":{}}');
      await send(json('k', { b: new NumberText('9007199254740995') }, 'merge'), WITHOUT_MERGE);
      expect(await client.call('JSON.GET', 'k')).toBe('{"a":9007199254740993,"l":[],"o":{},"b":9007199254740995}');
    });
  });

  it('keep null as null in the merge of use_native_json_merge: false', async () => {
    await store('k', { id: 7, email: 'ada@x.io', doc: { a: 1, b: 2 } });
    await send(json('k', { id: 7, email: null, note: 'vip', doc: new JsonText('{"a":null}') }, 'merge'), LEGACY);
    expect(await stored('k')).toEqual({ id: 7, email: null, note: 'vip', doc: { a: null, b: 2 } });
  });

  it('written in thousands of random states end as the states in order say', async () => {
    const model = new Map<string, unknown>();
    let seed = 11;
    const random = (below: number) => {
      seed = (seed * 48271) % 2147483647;
      return seed % below;
    };
    const values: Value[] = [
      1,
      'x',
      null,
      new JsonText('{"p":1,"q":null}'),
      new JsonText('{"r":{"s":2}}'),
      UNAVAILABLE,
    ];
    const dones: Promise<unknown>[] = [];
    for (let batch = 0; batch < 40; batch++) {
      const writes = Array.from({ length: 50 }, (_, index): TargetWrite => {
        const number = random(12);
        const key = `k:${number}`;
        if (random(8) === 0) {
          model.delete(key);
          return del(key, index);
        }
        const columns: Record<string, Value> = { id: index, a: values[random(6)]!, b: values[random(6)]! };
        // Each table has one mode; a document with both would be two jobs' business.
        const mode = number % 2 === 0 ? 'merge' : 'replace';
        const delivered = patchValue(columns);
        const isPartial = Object.values(columns).includes(UNAVAILABLE);
        const before = model.get(key);
        if (mode === 'merge') model.set(key, rfc7396(before, delivered));
        else model.set(key, isPartial ? { ...(before as object | undefined), ...delivered } : delivered);
        return json(key, columns, mode, index);
      });
      dones.push((await writer.write(writes)).done);
    }
    for (const outcome of await Promise.all(dones)) expect(outcome).toMatchObject({ refused: [] });
    for (let number = 0; number < 12; number++) {
      expect(await stored(`k:${number}`), `k:${number}`).toEqual(model.get(`k:${number}`) ?? null);
    }
  });
});

it.runIf(hasRedisJson)('documents wait for RedisJSON and are written when the target comes back with it', async () => {
  const server = await startRedis({ args: ['--enable-module-command', 'local'] });
  const writer = new Writer({
    connection: { host: '127.0.0.1', port: server.port },
    retry: { initialDelayMs: 10, maxDelayMs: 50, multiplier: 2 },
  });
  try {
    await writer.connect();
    const { done } = await writer.write([json('k', { a: 1 })]);
    await until('no RedisJSON', () => 'code' in writer.state && writer.state.code === 'TARGET_NO_JSON');
    const client = new Redis({ port: server.port });
    await client.call('MODULE', 'LOAD', redisJsonPath).finally(() => client.disconnect());
    expect(await done).toEqual({ superseded: [], refused: [] });
    expect(writer.state).toEqual({ state: 'ready' });
  } finally {
    await writer.close(100);
    await server.stop();
  }
});

function patchValue(columns: Record<string, Value>): Record<string, unknown> {
  const entries = Object.entries(columns).filter(([, value]) => value !== UNAVAILABLE);
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      value instanceof JsonText || value instanceof NumberText ? JSON.parse(value.text) : value,
    ]),
  );
}

/** RFC 7396, section 2. */
function rfc7396(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target);
  const result: Record<string, unknown> = isObject ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = rfc7396(result[name], value);
  }
  return result;
}
