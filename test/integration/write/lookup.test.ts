import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { LookupError } from '../../../src/transform/index.ts';
import { TargetLookup, type TargetState } from '../../../src/write/index.ts';
import { type RedisServer, startRedis, until } from '../../helpers/redis-server.ts';

let server: RedisServer;
let client: Redis;
let lookup: TargetLookup;
let states: TargetState['state'][];
const never = new AbortController().signal;

beforeEach(async () => {
  server = await startRedis();
  client = new Redis({ port: server.port, retryStrategy: () => 50 });
  client.on('error', () => {});
  states = [];
  lookup = open();
});

afterEach(async () => {
  lookup.close();
  client.disconnect();
  await server.stop();
});

function open(password?: string): TargetLookup {
  return new TargetLookup({
    connection: { port: server.port, ...(password === undefined ? {} : { password }) },
    retry: { initialDelayMs: 20, maxDelayMs: 200, multiplier: 2 },
    connectTimeoutMs: 1000,
    socketTimeoutMs: 300,
    onState: ({ state }) => void states.push(state),
  });
}

test('replies come in the order of the commands: texts, integers, nulls, lists, and the errors of single commands', async () => {
  await client.set('text', 'é');
  await client.hset('hash', { a: '1', b: '2' });
  const replies = await lookup.read(
    [['GET', 'text'], ['GET', 'hash'], ['HGETALL', 'hash'], ['GET', 'nothing'], ['HLEN', 'hash'], ['FOO']],
    never,
  );
  expect(replies[0]).toBe('é');
  expect((replies[1] as LookupError).text).toMatch(/^WRONGTYPE/);
  expect(replies[1]).toBeInstanceOf(LookupError);
  expect(replies.slice(2, 5)).toEqual([['a', '1', 'b', '2'], null, 2]);
  expect((replies[5] as LookupError).text).toMatch(/^ERR unknown command/);
  expect(lookup.state).toEqual({ state: 'ready' });
});

test('thousands of commands in one call are all answered, each with its own reply', async () => {
  const keys = Array.from({ length: 5000 }, (_, i) => `k${i}`);
  await client.mset(...keys.flatMap((key) => [key, `value of ${key}`]));
  const replies = await lookup.read(
    keys.map((key) => ['GET', key]),
    never,
  );
  expect(replies).toEqual(keys.map((key) => `value of ${key}`));
});

test('a target that is killed is waited for, and everything asked again', async () => {
  await client.set('a', '1');
  await lookup.connect();
  await server.kill();
  const reading = lookup.read([['GET', 'a']], never);
  await until('the state shows it', () => lookup.state.state === 'waiting');
  await server.restart();
  expect(await reading).toEqual([null]);
  expect(lookup.state).toEqual({ state: 'ready' });
});

test('a target that nobody asks shows that it is gone, and that it is back', async () => {
  await lookup.connect();
  await server.kill();
  await until('it is gone', () => lookup.state.state === 'waiting');
  await server.restart();
  await until('it is back', () => lookup.state.state === 'ready');
});

test('a frozen target is waited for, through timeouts, until it answers again', async () => {
  await client.set('a', '1');
  await lookup.connect();
  server.freeze();
  const reading = lookup.read([['GET', 'a']], never);
  await until('the state shows it', () => lookup.state.state === 'waiting', 10_000);
  server.thaw();
  expect(await reading).toEqual(['1']);
  expect(lookup.state).toEqual({ state: 'ready' });
});

test('a target that is busy, or asks for a password, is waited for; the record is not to blame', async () => {
  await client.config('SET', 'requirepass', 'secret');
  lookup.close();
  states = [];
  lookup = open('wrong');
  const reading = lookup.read([['PING']], never);
  await until('the state shows it', () => lookup.state.state === 'refused');
  await client.config('SET', 'requirepass', 'wrong');
  expect(await reading).toEqual(['PONG']);
  expect(states.at(-1)).toBe('ready');
});

test('the end of the pipeline ends a lookup that waits, with its reason', async () => {
  await lookup.connect();
  server.freeze();
  const ending = new AbortController();
  const reading = lookup.read([['GET', 'a']], ending.signal);
  setTimeout(() => ending.abort(new Error('stopped')), 50);
  await expect(reading).rejects.toThrow('stopped');
  await expect(lookup.read([['GET', 'a']], ending.signal)).rejects.toThrow('stopped');
});

test('in a Cluster each lookup goes to the node of its key, and an error stays with its command', async () => {
  // A node that has met no other one does not know its own address.
  const announce = ['--cluster-announce-ip', '127.0.0.1'];
  const node = await startRedis({
    args: ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf', ...announce],
  });
  const admin = new Redis({ port: node.port });
  onTestFinished(async () => {
    admin.disconnect();
    await node.stop();
  });
  await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await until('the cluster is ready', async () => String(await admin.call('CLUSTER', 'INFO')).includes('state:ok'));
  await admin.set('a', '1');
  await admin.hset('b', 'f', 'v');
  const there = new TargetLookup({
    connection: { cluster: { nodes: [{ host: '127.0.0.1', port: node.port }] } },
    retry: { initialDelayMs: 20, maxDelayMs: 200, multiplier: 2 },
    connectTimeoutMs: 5000,
    socketTimeoutMs: 1000,
    onState: () => {},
  });
  const replies = await there.read(
    [
      ['GET', 'a'],
      ['HGETALL', 'b'],
      ['GET', 'b'],
      ['GET', 'c'],
    ],
    never,
  );
  expect(replies).toEqual(['1', ['f', 'v'], expect.any(LookupError), null]);
  expect(there.state).toEqual({ state: 'ready' });
  there.close();
});
