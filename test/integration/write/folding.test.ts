import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JsonText, UNAVAILABLE, type Value } from '../../../src/types.ts';
import { emitCommands, type JsonMergeWay } from '../../../src/write/commands.ts';
import { CommandWords } from '../../../src/write/encode.ts';
import type { TargetWrite } from '../../../src/write/index.ts';
import { Batch, WriteQueue } from '../../../src/write/write-queue.ts';
import { hasRedisJson, type RedisServer, startRedis } from '../../helpers/redis-server.ts';
import { rowOf } from '../../helpers/target-writes.ts';

let server: RedisServer;
let client: Redis;

beforeAll(async () => {
  server = await startRedis({ json: hasRedisJson });
  client = new Redis({ port: server.port });
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

/** The commands of one batch, each unit settled before the next of its key is sent. */
function commandsOf(writes: readonly TargetWrite[], way: JsonMergeWay): string[][] {
  const queue = new WriteQueue();
  queue.add(new Batch(writes));
  const words = new CommandWords();
  for (let [unit] = queue.peek(1); unit; [unit] = queue.peek(1)) {
    queue.take(1);
    emitCommands(unit, words, way);
    if (unit.hasExpiry) {
      unit.isWritten = true;
      emitCommands(unit, words, way);
    }
    queue.settle(unit);
  }
  return words.commands;
}

interface State {
  readonly value: unknown;
  readonly ttl: number;
}

/** What the key holds after these commands, beginning with `start`. */
async function stateAfter(key: string, start: readonly string[][], commands: readonly string[][]): Promise<State> {
  const pipeline = client.pipeline();
  for (const command of [['DEL', key], ...start, ...commands]) pipeline.call(command[0]!, command.slice(1));
  for (const [error] of (await pipeline.exec())!) if (error) throw error;
  const type = await client.type(key);
  const ttl = Math.round((await client.ttl(key)) / 10) * 10;
  if (type === 'hash') return { value: await client.hgetall(key), ttl };
  if (type === 'set') return { value: (await client.smembers(key)).sort(), ttl };
  if (type === 'zset') return { value: await client.zrange(key, '0', '-1', 'WITHSCORES'), ttl };
  if (type === 'string') return { value: await client.get(key), ttl };
  if (type === 'stream') return { value: (await client.xrange(key, '-', '+')).map(([, fields]) => fields), ttl };
  if (type === 'none') return { value: null, ttl };
  return { value: JSON.parse((await client.call('JSON.GET', key)) as string), ttl };
}

const base = { key: 'k', index: 0 };
const NATIVE: JsonMergeWay = { jsonMerge: true, nativeJsonMerge: true };
const expire = fc.option(fc.constantFrom({ expire: 100 }, { expire: 1000 }, { expire: 0 }), { nil: {}, freq: 2 });
const flag = fc.boolean();
const name = fc.constantFrom('a', 'b', 'c');
const del = fc.constant<TargetWrite>({ ...base, kind: 'delete' });

function columns(...values: Value[]): fc.Arbitrary<ReturnType<typeof rowOf>> {
  const value = fc.constantFrom<Value>(...values);
  return fc.record({ a: value, b: value, c: value }, { requiredKeys: [] }).map(rowOf);
}

const hashes: fc.Arbitrary<TargetWrite> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(columns('1', '2', null, UNAVAILABLE), flag, fc.integer({ min: 0, max: 3 }), expire)
      .map(([row, removeNulls, replace, more]) => ({
        ...base,
        kind: 'hash' as const,
        row,
        removeNulls,
        replace: replace === 0,
        ...more,
      })),
  },
  { weight: 1, arbitrary: del },
  {
    weight: 1,
    arbitrary: name.map((field) => ({
      ...base,
      kind: 'remove_fields' as const,
      type: 'hash' as const,
      paths: [[field]],
    })),
  },
);

const sets: fc.Arbitrary<TargetWrite> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(name, flag, expire)
      .map(([member, isMember, more]) => ({ ...base, kind: 'set' as const, member, isMember, ...more })),
  },
  { weight: 1, arbitrary: del },
);

const sortedSets: fc.Arbitrary<TargetWrite> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(name, fc.constantFrom('1', '2', null), expire)
      .map(([member, score, more]) => ({ ...base, kind: 'sorted_set' as const, member, score, ...more })),
  },
  { weight: 1, arbitrary: del },
);

const streams: fc.Arbitrary<TargetWrite> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(fc.integer(), columns('1', null), expire).map(([id, row, more]) => ({
      ...base,
      kind: 'stream' as const,
      row: { names: ['id', ...row.names], values: [id, ...row.values], partial: false },
      ...more,
    })),
  },
  { weight: 1, arbitrary: del },
);

const strings: fc.Arbitrary<TargetWrite> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(name, expire).map(([value, more]) => ({ ...base, kind: 'string' as const, value, ...more })),
  },
  { weight: 1, arbitrary: del },
);

const documents = columns(1, 'x', null, UNAVAILABLE, new JsonText('{"p":1,"q":null}'), new JsonText('{"r":{"s":2}}'));
const KEPT = [['c'], ['b', 'p']];

const jsons: fc.Arbitrary<TargetWrite> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(documents, fc.constantFrom('replace' as const, 'merge' as const), fc.integer({ min: 0, max: 3 }), expire)
      .map(([row, mode, special, more]) => ({
        ...base,
        kind: 'json' as const,
        row,
        mode,
        ...(special === 0 ? { keep: [...KEPT] } : {}),
        ...(special === 1 && mode === 'replace' ? { expire: 0 } : {}),
        ...more,
      })),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        fc.constantFrom<Extract<TargetWrite, { kind: 'nest' }>['path']>(
          ['c', '1'],
          ['c', '2'],
          ['c'],
          ['b', 'p', 'x'],
          ['c', { field: 'a', value: 1 }],
        ),
        fc.option(columns(1, null, 'x', new JsonText('{"n":null,"o":{}}')), { nil: null, freq: 3 }),
        fc.integer({ min: 0, max: 4 }),
        expire,
      )
      .map(([path, row, special, more]) => ({
        ...base,
        kind: 'nest' as const,
        path,
        row,
        createsParent: special !== 0,
        ...more,
      })),
  },
  { weight: 1, arbitrary: del },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom([['a']], [['b', 'p'], ['c']])
      .map((paths) => ({ ...base, kind: 'remove_fields' as const, type: 'json' as const, paths })),
  },
);

const EXPIRE = ['EXPIRE', 'k', '500'];
const FAMILIES: Record<string, { writes: fc.Arbitrary<TargetWrite>; starts: string[][][]; ways?: JsonMergeWay[] }> = {
  'hash writes': {
    writes: hashes,
    starts: [[], [['HSET', 'k', 'a', 'old', 'f', 'foreign']], [['HSET', 'k', 'a', 'old'], EXPIRE]],
  },
  'set writes': { writes: sets, starts: [[], [['SADD', 'k', 'a', 'f']], [['SADD', 'k', 'a'], EXPIRE]] },
  'sorted set writes': {
    writes: sortedSets,
    starts: [[], [['ZADD', 'k', '9', 'a', '9', 'f']], [['ZADD', 'k', '9', 'b'], EXPIRE]],
  },
  'stream writes': { writes: streams, starts: [[], [['XADD', 'k', '*', 'a', 'old'], EXPIRE]] },
  'string writes': { writes: strings, starts: [[], [['SET', 'k', 'old'], EXPIRE]] },
  ...(hasRedisJson
    ? {
        'document writes': {
          writes: jsons,
          starts: [
            [],
            [['JSON.SET', 'k', '$', '{"a":0,"f":1,"c":{"1":{"a":5,"z":null}},"b":{"p":{"x":1},"q":2}}'], EXPIRE],
            [['JSON.SET', 'k', '$', '{"c":[{"a":1,"b":{"o":1}},{"a":2}]}']],
            [['JSON.SET', 'k', '$', '7']],
          ],
          ways: [NATIVE, { jsonMerge: false, nativeJsonMerge: true }, { jsonMerge: true, nativeJsonMerge: false }],
        },
      }
    : {}),
};

describe('a batch of writes of one key ends like the same writes one by one, time to live included:', () => {
  for (const [family, { writes, starts, ways = [NATIVE] }] of Object.entries(FAMILIES)) {
    it(family, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(writes, { minLength: 2, maxLength: 7 }),
          fc.constantFrom(...starts),
          fc.constantFrom(...ways),
          async (batch, start, way) => {
            const single = batch.flatMap((write) => commandsOf([write], way));
            const folded = commandsOf(batch, way);
            expect(await stateAfter('k', start, folded)).toEqual(await stateAfter('k', start, single));
            // A batch in doubt is sent again as a whole.
            const again = await stateAfter('k', start, [...folded, ...folded]);
            expect(again.value).toEqual((await stateAfter('k', start, [...single, ...single])).value);
          },
        ),
        { numRuns: 600 },
      );
    });
  }
});
