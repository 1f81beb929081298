import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JsonText, NumberText, UNAVAILABLE, type Value } from '../../../src/types.ts';
import { type TargetState, Writer, type WriterOptions } from '../../../src/write/index.ts';
import { hasRedisJson, type RedisServer, startRedis, until } from '../../helpers/redis-server.ts';
import { del, hash, json } from '../../helpers/target-writes.ts';

let server: RedisServer;
let client: Redis;
let writer: Writer;
let states: TargetState[] = [];

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
  writer = open();
  await writer.connect();
});

afterEach(() => writer.close(1000));

function open(options: Partial<WriterOptions> = {}): Writer {
  states = [];
  return new Writer({
    connection: { host: '127.0.0.1', port: server.port },
    retry: { initialDelayMs: 20, maxDelayMs: 200, multiplier: 2 },
    onState: (state) => states.push(state),
    ...options,
  });
}

/** The commands that the server executed on keys since `start`. */
async function recording(act: () => Promise<unknown>): Promise<string[][]> {
  // Without the ready check: its INFO may be answered behind the first line of MONITOR, which the client cannot take.
  const monitor = await new Redis({ port: server.port, enableReadyCheck: false }).monitor();
  const commands: string[][] = [];
  monitor.on('monitor', (_time: string, words: string[]) => commands.push(words));
  try {
    await act();
    await client.echo('done');
    await until('the monitor has shown the echo', () => commands.at(-1)?.[0] === 'echo');
  } finally {
    monitor.disconnect();
  }
  return commands.filter(
    (words) => !['echo', 'ping', 'info', 'client', 'COMMAND', 'INFO', 'CLIENT'].includes(words[0]!),
  );
}

async function outcomeOf(writes: Parameters<Writer['write']>[0]) {
  return (await writer.write(writes)).done;
}

describe('hash', () => {
  it('sets every column that is not null, in one HSET and with the values as the rules say', async () => {
    const commands = await recording(() =>
      outcomeOf([
        hash('t:id:1', {
          id: 1,
          name: 'Ada',
          note: null,
          big: new NumberText('9007199254740993'),
          price: new NumberText('100.0'),
          ok: true,
          no: false,
          doc: new JsonText('{"a":[1,2]}'),
          text: 'Zoë 🐟',
          neg: -5,
          frac: 0.5,
          empty: '',
        }),
      ]),
    );
    const said = {
      id: '1',
      name: 'Ada',
      big: '9007199254740993',
      price: '100.0',
      ok: '1',
      no: '0',
      doc: '{"a":[1,2]}',
    };
    // MONITOR shows bytes beyond ASCII as escapes.
    const rest = { text: 'Zo\\xc3\\xab \\xf0\\x9f\\x90\\x9f', neg: '-5', frac: '0.5', empty: '' };
    expect(commands[0]).toEqual(['HSET', 't:id:1', ...Object.entries({ ...said, ...rest }).flat()]);
    expect(commands.slice(1)).toEqual([['HDEL', 't:id:1', 'note']]);
    expect(await client.hgetall('t:id:1')).toMatchObject({ text: 'Zoë 🐟', empty: '', ok: '1' });
  });

  it('leaves columns alone that were not delivered, and removes those that became null', async () => {
    await outcomeOf([hash('k', { a: '1', b: '2', c: '3' })]);
    await outcomeOf([hash('k', { a: UNAVAILABLE, b: null, c: 'x' })]);
    expect(await client.hgetall('k')).toEqual({ a: '1', c: 'x' });
  });

  it('deletes the key of a row that is all null on update, and writes nothing for it on create', async () => {
    await outcomeOf([hash('u', { a: '1' })]);
    await outcomeOf([hash('u', { a: null })]);
    await outcomeOf([hash('c', { a: null }, 0, false)]);
    expect(await client.keys('*')).toEqual([]);
  });

  it('keeps a stored column when the rest of a partial row is null', async () => {
    await outcomeOf([hash('k', { a: '1', big: 'long' })]);
    await outcomeOf([hash('k', { a: null, big: UNAVAILABLE })]);
    expect(await client.hgetall('k')).toEqual({ big: 'long' });
  });
});

describe('a batch', () => {
  it('folds states of one key into one write and reports the earlier entries as superseded', async () => {
    const commands = await recording(async () => {
      const outcome = await outcomeOf([
        hash('k', { a: '1', b: '1' }, 0),
        hash('other', { a: '1' }, 1),
        hash('k', { a: '2', b: null }, 2),
        del('gone', 3),
        hash('k', { a: '3', b: UNAVAILABLE }, 4),
      ]);
      expect(outcome).toEqual({ superseded: [0, 2], refused: [] });
    });
    expect(commands).toEqual([
      ['HSET', 'k', 'a', '3'],
      ['HDEL', 'k', 'b'],
      ['HSET', 'other', 'a', '1'],
      ['DEL', 'gone'],
    ]);
  });

  it('writes a row that was deleted and inserted again without any old field', async () => {
    await outcomeOf([hash('k', { a: '1', old: '1' })]);
    await outcomeOf([del('k', 0), hash('k', { a: '2' }, 1, false)]);
    expect(await client.hgetall('k')).toEqual({ a: '2' });
  });

  it('refuses only the writes that the target will never take, each with what, where and how to fix', async () => {
    await client.rpush('list', 'x');
    const outcome = await outcomeOf([
      hash('a', { n: 1 }, 0),
      hash('list', { n: 1 }, 1),
      hash('list', { n: 2 }, 2),
      hash('b', { n: 1 }, 3),
    ]);
    expect(outcome.superseded).toEqual([]);
    expect(outcome.refused.map(({ index, key, code }) => ({ index, key, code }))).toEqual([
      { index: 1, key: 'list', code: 'TARGET_WRONG_TYPE' },
      { index: 2, key: 'list', code: 'TARGET_WRONG_TYPE' },
    ]);
    expect(outcome.refused[0]!.reason).toMatch(/^HSET on "list" found a key that is not a hash .*Delete the key, or/);
    expect((await client.keys('*')).sort()).toEqual(['a', 'b', 'list']);
  });

  it('of ten thousand random states ends with what the states in order say', async () => {
    const model = new Map<string, Record<string, string>>();
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 48271) % 2147483647;
      return seed % below;
    };
    const dones: Promise<unknown>[] = [];
    for (let batch = 0; batch < 50; batch++) {
      const writes = Array.from({ length: 200 }, (_, index) => {
        const key = `k:${random(60)}`;
        if (random(5) === 0) {
          model.delete(key);
          return del(key, index);
        }
        const columns: Record<string, Value> = {
          a: String(random(1000)),
          b: random(3) === 0 ? null : String(random(9)),
          c: random(3) === 0 ? UNAVAILABLE : 'c',
        };
        const state = { ...(model.get(key) ?? {}) } as Record<string, string>;
        for (const [name, value] of Object.entries(columns)) {
          if (value === null) delete state[name];
          else if (typeof value === 'string') state[name] = value;
        }
        model.set(key, state);
        return hash(key, columns, index);
      });
      dones.push((await writer.write(writes)).done);
    }
    await Promise.all(dones);
    for (let number = 0; number < 60; number++) {
      expect(await client.hgetall(`k:${number}`)).toEqual(model.get(`k:${number}`) ?? {});
    }
  });

  it('larger than the byte limit of a pipeline arrives whole', async () => {
    await writer.close(100);
    writer = open({ maxBytesPerPipeline: 1000 });
    await writer.connect();
    const long = 'ü'.repeat(70_000);
    await outcomeOf(Array.from({ length: 30 }, (_, index) => hash(`k${index}`, { long, n: index }, index)));
    expect(await client.dbsize()).toBe(30);
    expect(await client.hget('k29', 'long')).toBe(long);
  });
});

describe('limits and life', () => {
  it('takes in no more batches than allowed, in the order of the calls', async () => {
    await writer.close(100);
    writer = open({ maxBatchesInFlight: 2 });
    const entered: number[] = [];
    const calls = [0, 1, 2, 3, 4].map(async (number) => {
      const { done } = await writer.write([hash('k', { number })]);
      entered.push(number);
      return done;
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(entered).toEqual([0, 1]);
    await writer.connect();
    await Promise.all(calls);
    expect(entered).toEqual([0, 1, 2, 3, 4]);
    expect(await client.hget('k', 'number')).toBe('4');
  });

  it('rejects what is not settled at the deadline with a retryable error', async () => {
    const away = open({ connection: { host: '127.0.0.1', port: 1 } });
    await away.connect();
    expect(away.state).toMatchObject({ state: 'waiting', code: 'TARGET_UNAVAILABLE' });
    const { done } = await away.write([hash('k', { a: 1 })]);
    await Promise.all([away.close(50), expect(done).rejects.toMatchObject({ retryable: true })]);
    await expect(away.write([])).rejects.toMatchObject({ code: 'TARGET_UNAVAILABLE' });
  });

  it('writes what was handed over before the deadline', async () => {
    const { done } = await writer.write([hash('k', { a: 1 })]);
    await writer.close(1000);
    expect(await done).toEqual({ superseded: [], refused: [] });
  });

  it('says what the target is', async () => {
    expect(await writer.probe()).toEqual({
      redisVersion: (await client.info('server')).match(/redis_version:(\S+)/)![1],
      mode: 'standalone',
      json: hasRedisJson,
      jsonMerge: hasRedisJson,
      maxmemoryPolicy: 'noeviction',
    });
    expect(writer.state).toEqual({ state: 'ready' });
  });

  it('selects the database of the URL', async () => {
    await writer.close(100);
    writer = open({ connection: { url: `redis://127.0.0.1:${server.port}/3` } });
    await writer.connect();
    await outcomeOf([hash('k', { a: 1 })]);
    await client.select(3);
    expect(await client.hgetall('k')).toEqual({ a: '1' });
    await client.select(0);
  });
});

it('waits, saying so, while documents are to be written and there is no RedisJSON', async () => {
  const plain = await startRedis();
  const waiting = open({ connection: { host: '127.0.0.1', port: plain.port } });
  try {
    await waiting.connect();
    const { done } = await waiting.write([json('k', { a: 1 })]);
    await until('it says so', () => 'code' in waiting.state && waiting.state.code === 'TARGET_NO_JSON');
    expect(waiting.state).toMatchObject({ state: 'waiting' });
    await Promise.all([waiting.close(10), expect(done).rejects.toMatchObject({ retryable: true })]);
  } finally {
    await plain.stop();
  }
});
