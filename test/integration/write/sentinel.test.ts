import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TargetState, Writer } from '../../../src/write/index.ts';
import { type RedisServer, startRedis, until } from '../../helpers/redis-server.ts';
import { hash } from '../../helpers/target-writes.ts';

/** A Sentinel looks at its servers every 10 s, so that a step of a failover may take twice as long. */
const PATIENCE_MS = 45_000;

let servers: RedisServer[];
let sentinel: RedisServer;
let writer: Writer;
let states: TargetState[];
const clients: Redis[] = [];

beforeEach(async () => {
  const master = await startRedis();
  const replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${master.port}`] });
  servers = [master, replica];
  sentinel = await startRedis({
    sentinel: [
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 2000',
      '',
    ].join('\n'),
  });
  const watcher = client(sentinel.port);
  const follower = client(replica.port);
  const isKnown = async () => {
    const replicas = (await watcher.call('SENTINEL', 'REPLICAS', 'main')) as unknown[];
    return replicas.length === 1 && (await follower.info('replication')).includes('master_link_status:up');
  };
  await until('the Sentinel knows the replica', isKnown, PATIENCE_MS);
  states = [];
  writer = new Writer({
    connection: { sentinel: { name: 'main', nodes: [{ host: '127.0.0.1', port: sentinel.port }] } },
    retry: { initialDelayMs: 20, maxDelayMs: 200, multiplier: 2 },
    connectTimeoutMs: 1000,
    onState: (state) => states.push(state),
  });
  await writer.connect();
});

afterEach(async () => {
  await writer.close(100);
  for (const each of clients.splice(0)) each.disconnect();
  await Promise.all([sentinel, ...servers].map((server) => server.stop()));
});

function client(port: number): Redis {
  const redis = new Redis({ port, retryStrategy: () => 50 });
  redis.on('error', () => {});
  clients.push(redis);
  return redis;
}

it('writes go to the master that the Sentinels name and follow a failover', { timeout: 180_000 }, async () => {
  expect(await writer.probe()).toMatchObject({ mode: 'sentinel' });
  await (await writer.write([hash('first', { a: 1 })])).done;
  expect(await client(servers[0]!.port).hgetall('first')).toEqual({ a: '1' });
  let isOver = false;
  const traffic = (async () => {
    let version = 0;
    while (!isOver) {
      const writes = Array.from({ length: 20 }, (_, index) => hash(`k:${index}`, { version: ++version }, index));
      await (await writer.write(writes)).done;
    }
    return version;
  })();
  const watcher = client(sentinel.port);
  // A Sentinel that has not yet heard how well its replica is refuses to promote it.
  const promote = () =>
    watcher.call('SENTINEL', 'FAILOVER', 'main').then(
      () => true,
      (error: Error) => /INPROG/.test(error.message),
    );
  await until('the Sentinel promotes the replica', promote, PATIENCE_MS);
  const promoted = client(servers[1]!.port);
  await until(
    'the replica is master',
    async () => (await promoted.info('replication')).includes('role:master'),
    PATIENCE_MS,
  );
  const demoted = client(servers[0]!.port);
  await until(
    'the master is replica',
    async () => (await demoted.info('replication')).includes('role:slave'),
    PATIENCE_MS,
  );
  await until('the writer is ready', () => writer.state.state === 'ready');
  await new Promise((resolve) => setTimeout(resolve, 200));
  isOver = true;
  const last = await traffic;
  expect(await promoted.hget('k:19', 'version')).toBe(String(last));
});

it('writes wait while the master is dead and go on at the new one', { timeout: 120_000 }, async () => {
  await servers[0]!.kill();
  const { done } = await writer.write([hash('k', { a: 1 })]);
  expect(await done).toEqual({ superseded: [], refused: [] });
  expect(await client(servers[1]!.port).hgetall('k')).toEqual({ a: '1' });
  expect(states).toContainEqual(expect.objectContaining({ state: 'waiting', code: 'TARGET_UNAVAILABLE' }));
});
