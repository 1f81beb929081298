import * as fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Keyspace } from '../../../src/rehearsal/index.ts';
import { keyAsJson } from '../../../src/rehearsal/stored-keys.ts';
import { JsonText, NumberText, UNAVAILABLE, type Value } from '../../../src/types.ts';
import { type TargetWrite, Writer } from '../../../src/write/index.ts';
import { comparableJson, readKeyspace } from '../../helpers/job-keyspace.ts';
import { type RedisServer, startRedis } from '../../helpers/redis-server.ts';
import { rowOf } from '../../helpers/target-writes.ts';

let server: RedisServer;
let client: Redis;

beforeAll(async () => {
  server = await startRedis({ json: true });
  client = new Redis({ port: server.port });
});

afterAll(async () => {
  client.disconnect();
  await server.stop();
});

const name = fc.constantFrom('a', 'b', 'x.y');
const key = fc.constantFrom('k', 'l');
const scalar = fc.constantFrom<Value>(1, '1', 'ä', true, new NumberText('9007199254740993'), new NumberText('100.0'));
const value = fc.oneof(
  { weight: 3, arbitrary: scalar },
  fc.constantFrom<Value>(null, new JsonText('{"m":{"n":1,"o":null},"p":[1,{}]}'), new JsonText('{"m":{"n":null}}')),
);
const columns = fc.dictionary(name, value, { minKeys: 1 });
const partialColumns = fc.dictionary(name, fc.oneof(value, fc.constant<Value>(UNAVAILABLE)), { minKeys: 1 });
const lasting = fc.option(fc.constantFrom(0, 100, 5000), { nil: undefined }).map((expire) => {
  return expire === undefined ? {} : { expire };
});
const names = fc.array(name, { minLength: 1, maxLength: 2 });
const element = fc.constantFrom<string | number>(1, '1', 2).map((no) => ({ field: 'no', value: no }));
/** Paths of jobs begin with a name, and an array stands under one. */
const steps = fc
  .array(fc.tuple(name, fc.option(element)), { minLength: 1, maxLength: 2 })
  .map((parts) => parts.flat().filter((step) => step !== null));
const index = fc.constant(0);

const write = fc.oneof(
  fc.tuple(partialColumns, fc.boolean(), fc.boolean(), key, lasting).map(([row, removeNulls, replace, to, more]) => {
    return { kind: 'hash', key: to, index: 0, row: rowOf(row), removeNulls, replace, ...more };
  }),
  fc
    .tuple(partialColumns, fc.constantFrom('replace', 'merge'), fc.array(names, { maxLength: 1 }), key, lasting)
    .map(([row, mode, keep, to, more]) => {
      const kept = mode === 'replace' && keep.length > 0 ? { keep } : {};
      return { kind: 'json', key: to, index: 0, row: rowOf(row), mode, ...kept, ...more };
    }),
  fc.record({ kind: fc.constant('delete'), key, index }),
  fc.record({ kind: fc.constant('remove_fields'), type: fc.constant('json'), paths: fc.tuple(names), key, index }),
  fc.record({
    kind: fc.constant('remove_fields'),
    type: fc.constant('hash'),
    paths: fc.tuple(fc.tuple(name)),
    key,
    index,
  }),
  fc.record({ kind: fc.constant('set'), member: name, isMember: fc.boolean(), key, index }),
  fc.record({ kind: fc.constant('sorted_set'), member: name, score: fc.constantFrom(null, '1.5', '-inf'), key, index }),
  fc.record({ kind: fc.constant('string'), value: scalar, key, index }),
  fc.tuple(steps, fc.option(columns), fc.boolean(), key, lasting).map(([path, row, createsParent, to, more]) => {
    return { kind: 'nest', key: to, index: 0, path, row: row && rowOf(row), createsParent, ...more };
  }),
) as fc.Arbitrary<TargetWrite>;

describe('a keyspace in memory', () => {
  it('holds after every write what a real target holds', { timeout: 60_000 }, async () => {
    const writer = new Writer({ connection: { host: '127.0.0.1', port: server.port } });
    await writer.connect();
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 8 }), async (writes) => {
          await client.flushall();
          const keyspace = new Keyspace();
          for (const one of writes) {
            const { refused } = await (await writer.write([one])).done;
            const refusal = keyspace.apply(one);
            expect([one, refusal !== null]).toEqual([one, refused.length > 0]);
            expect(modelOf(keyspace)).toEqual(await readKeyspace(client));
          }
        }),
        { numRuns: Number(process.env['RDI_KEYSPACE_RUNS'] ?? 300) },
      );
    } finally {
      await writer.close(500);
    }
  });
});

/** Seconds are rounded up when they are read, so that a time to live that has just begun is whole. */
function modelOf(keyspace: Keyspace): unknown {
  const keys = [...keyspace.keys].sort(([a], [b]) => (a < b ? -1 : 1));
  const found = keys.map(([name, stored]) => [name, comparableJson(keyAsJson(stored))] as const);
  return comparableScores(Object.fromEntries(found));
}

function comparableScores(found: Record<string, unknown>): unknown {
  for (const stored of Object.values(found) as { zset?: Record<string, number | string> }[]) {
    for (const [member, score] of Object.entries(stored.zset ?? {})) {
      if (score === '-inf') stored.zset![member] = Number.NEGATIVE_INFINITY;
    }
  }
  return found;
}
