import { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JsonText, type Row } from '../../../src/types.ts';
import { type TargetState, type TargetWrite, Writer } from '../../../src/write/index.ts';
import { hasRedisJson, type RedisServer, startRedis, until } from '../../helpers/redis-server.ts';
import { del, hash, json, rowOf } from '../../helpers/target-writes.ts';

const SLOTS = 16384;
let servers: RedisServer[];
let clients: Redis[];
let reader: Cluster;
let writer: Writer;
let states: TargetState[];

beforeAll(async () => {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '5000', '--cluster-config-file', 'nodes.conf'];
  servers = await Promise.all(
    [1, 2, 3].map(() => startRedis({ json: hasRedisJson, args: [...args, '--appendonly', 'yes'] })),
  );
  clients = servers.map((server) => new Redis({ port: server.port, retryStrategy: () => 50 }));
  for (const client of clients) client.on('error', () => {});
  const share = Math.ceil(SLOTS / 3);
  for (const [number, client] of clients.entries()) {
    const last = Math.min((number + 1) * share, SLOTS) - 1;
    await client.call('CLUSTER', 'ADDSLOTSRANGE', String(number * share), String(last));
    if (number > 0) await client.call('CLUSTER', 'MEET', '127.0.0.1', String(servers[0]!.port));
  }
  await until('the cluster is ready', allReady, 50_000);
  reader = new Cluster(nodes());
});

afterAll(async () => {
  reader?.disconnect();
  for (const client of clients ?? []) client.disconnect();
  await Promise.all((servers ?? []).map((server) => server.stop()));
});

beforeEach(async () => {
  states = [];
  writer = new Writer({
    connection: { cluster: { nodes: nodes() } },
    retry: { initialDelayMs: 20, maxDelayMs: 200, multiplier: 2 },
    onState: (state) => states.push(state),
  });
  await writer.connect();
});

afterEach(async () => {
  await writer.close(500);
  await Promise.all(clients.map((client) => client.flushall()));
});

function nodes() {
  return servers.map((server) => ({ host: '127.0.0.1', port: server.port }));
}

async function allReady(): Promise<boolean> {
  const infos = await Promise.all(clients.map((client) => client.cluster('INFO')));
  return infos.every((info) => info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3'));
}

async function outcomeOf(writes: Parameters<Writer['write']>[0]) {
  return (await writer.write(writes)).done;
}

/** Rising versions of a few keys with deletes between them, and what must be there at the end. */
async function load(until: () => boolean, keys = 60): Promise<Map<string, number>> {
  const versions = new Map<string, number>();
  const dones: Promise<unknown>[] = [];
  for (let version = 0; !until(); ) {
    const writes = Array.from({ length: 50 }, (_, index) => {
      const key = `k:${(version * 7) % keys}`;
      version++;
      if (version % 17 === 0) {
        versions.delete(key);
        return del(key, index);
      }
      versions.set(key, version);
      return hash(key, { version, gone: version % 2 ? 'x' : null }, index);
    });
    dones.push((await writer.write(writes)).done);
  }
  await Promise.all(dones);
  return versions;
}

async function expectContent(versions: ReadonlyMap<string, number>): Promise<void> {
  const keys = (await Promise.all(clients.map((client) => client.keys('k:*')))).flat();
  expect(keys.sort()).toEqual([...versions.keys()].sort());
  for (const [key, version] of versions) {
    expect(await reader.hgetall(key)).toEqual({ version: String(version), ...(version % 2 ? { gone: 'x' } : {}) });
  }
}

describe('a cluster', () => {
  it('gets every write at the node of its key', async () => {
    await expectContent(await load(countdown(40)));
    expect((await Promise.all(clients.map((client) => client.dbsize()))).every((size) => size > 0)).toBe(true);
    expect(await writer.probe()).toMatchObject({ mode: 'cluster', json: hasRedisJson });
  });

  it('refuses single records for good reasons', async () => {
    await reader.rpush('list', 'x');
    const outcome = await outcomeOf([hash('a', { n: 1 }, 0), hash('list', { n: 1 }, 1), del('none', 2)]);
    expect(outcome.refused).toMatchObject([{ index: 1, key: 'list', code: 'TARGET_WRONG_TYPE' }]);
  });

  it.runIf(hasRedisJson)('gets documents, by script too', async () => {
    await outcomeOf([json('j', { a: 1, b: null, c: new JsonText('{"d":null}') }, 'merge'), json('r', { a: null })]);
    expect(await reader.call('JSON.GET', 'j')).toBe('{"a":1,"c":{}}');
    expect(await reader.call('JSON.GET', 'r')).toBe('{"a":null}');
  });

  it('may move slots while it is written to', async () => {
    const ids = await Promise.all(clients.map(async (client) => (await client.call('CLUSTER', 'MYID')) as string));
    let isMoved = false;
    const traffic = load(() => isMoved);
    const [from, to] = [clients[0]!, clients[1]!];
    for (let number = 0; number < 60; number++) {
      const slot = (await from.call('CLUSTER', 'KEYSLOT', `k:${number}`)) as number;
      if (slot >= Math.ceil(SLOTS / 3)) continue;
      await to.call('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', ids[0]!);
      await from.call('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', ids[1]!);
      const keys = (await from.call('CLUSTER', 'GETKEYSINSLOT', String(slot), '100')) as string[];
      for (const key of keys) await from.call('MIGRATE', '127.0.0.1', String(servers[1]!.port), key, '0', '5000');
      await new Promise((resolve) => setTimeout(resolve, 5));
      for (const client of [to, from, clients[2]!])
        await client.call('CLUSTER', 'SETSLOT', String(slot), 'NODE', ids[1]!);
    }
    isMoved = true;
    await expectContent(await traffic);
  });

  it('with a node that is killed and restarted ends with every last state', async () => {
    let isOver = false;
    const traffic = load(() => isOver);
    for (let round = 0; round < 2; round++) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      await servers[2]!.kill();
      await new Promise((resolve) => setTimeout(resolve, 300));
      await servers[2]!.restart();
      await until('the cluster is ready again', () => allReady().catch(() => false), 40_000);
    }
    isOver = true;
    await expectContent(await traffic);
    await until('ready', () => writer.state.state === 'ready');
  });
});

it('takes every kind of write in a cluster, many of one key and with times to live', async () => {
  const writes = Array.from({ length: 300 }, (_, index): TargetWrite[] => [
    { kind: 'set', key: `s:${index % 3}`, index, member: `${index}`, isMember: true, expire: 100 },
    { kind: 'set', key: `s:${index % 3}`, index, member: `${index - 30}`, isMember: false, expire: 100 },
    { kind: 'sorted_set', key: 'z', index, member: `${index % 7}`, score: `${index}` },
    { kind: 'stream', key: 'x', index, row: rowOf({ index }) },
    { kind: 'string', key: `g:${index % 5}`, index, value: index },
  ]).flat();
  const exact: TargetWrite = {
    kind: 'hash',
    key: 'h',
    index: 0,
    row: rowOf({ b: 2 }),
    removeNulls: true,
    replace: true,
  };
  const { refused } = await outcomeOf([...writes, hash('h', { a: 1 }), exact]);
  expect(refused).toEqual([]);
  expect([await reader.scard('s:0'), await reader.ttl('s:0'), await reader.zcard('z')]).toEqual([10, 100, 7]);
  const entries = await reader.xrange('x', '-', '+');
  expect(entries.map(([, fields]) => Number(fields[1]))).toEqual(Array.from({ length: 300 }, (_, index) => index));
  expect([await reader.get('g:4'), await reader.hgetall('h')]).toEqual(['299', { b: '2' }]);
});

it.runIf(hasRedisJson)('nests rows in a cluster, and sets no time to live where a write is refused', async () => {
  const nest = (id: number, row: Row | null): TargetWrite => {
    return { kind: 'nest', key: 'doc', index: id, path: ['lines', `${id}`], row, createsParent: true };
  };
  await outcomeOf(
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((id) => [nest(id, rowOf({ id, no: null })), nest(id - 1, null)]),
  );
  expect(await reader.call('JSON.GET', 'doc')).toBe('{"lines":{"9":{"id":9}}}');
  const outcome = await outcomeOf([{ kind: 'set', key: 'doc', index: 4, member: 'a', isMember: true, expire: 1 }]);
  expect(outcome.refused).toMatchObject([{ index: 4, code: 'TARGET_WRONG_TYPE' }]);
  expect(await reader.ttl('doc')).toBe(-1);
});

it('a cluster with another password is waited for, with the state refused', async () => {
  const guarded = await startRedis({ args: ['--cluster-enabled', 'yes', '--requirepass', 'right'] });
  const refused = new Writer({
    connection: { cluster: { nodes: [{ host: '127.0.0.1', port: guarded.port }] }, password: 'wrong' },
    connectTimeoutMs: 1000,
  });
  try {
    await refused.connect();
    expect(refused.state).toMatchObject({ state: 'refused', code: 'TARGET_AUTH' });
  } finally {
    await refused.close(50);
    await guarded.stop();
  }
});

it('a cluster that is not there is waited for, and close does not wait for it', async () => {
  const away = new Writer({
    connection: { cluster: { nodes: [{ host: '127.0.0.1', port: 1 }] } },
    connectTimeoutMs: 300,
  });
  await away.connect();
  expect(away.state).toMatchObject({ state: 'waiting', code: 'TARGET_UNAVAILABLE' });
  await away.close(50);
});

function countdown(from: number): () => boolean {
  let left = from;
  return () => left-- <= 0;
}
