/** `rdi doctor` as a command, against real targets with one thing wrong each. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import type { Diagnosis, Finding } from '../../../src/doctor/index.ts';
import { until } from '../../helpers/processes.ts';
import { runCommand } from '../../helpers/rdi-command.ts';
import { startRdi } from '../../helpers/rdi-process.ts';
import { freePort, type RedisServer, startRedis } from '../../helpers/redis-server.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
}, 60_000);

async function redis(...args: string[]): Promise<RedisServer> {
  const server = await startRedis({ args });
  closers.push(server.stop);
  return server;
}

function client(server: RedisServer): Redis {
  const connected = new Redis({ port: server.port });
  closers.push(async () => connected.disconnect());
  return connected;
}

interface Folder {
  readonly dir: string;
  readonly ports: { readonly listen: number; readonly http: number };
}

async function folder(connection: string, more = ''): Promise<Folder> {
  const dir = join(tempFolder(), 'pipeline');
  mkdirSync(dir);
  const ports = { listen: await freePort(), http: await freePort() };
  writeFileSync(join(dir, 'config.yaml'), `targets:\n  target:\n    connection: {type: redis, ${connection}}\n${more}`);
  const { listen, http } = ports;
  writeFileSync(join(dir, 'rdi.yaml'), `listen: 127.0.0.1:${listen}\nhttp: 127.0.0.1:${http}\ndata_dir: ../data\n`);
  return { dir, ports };
}

interface Examined {
  readonly code: number | null;
  readonly diagnosis: Diagnosis;
  /** Findings of a check that are not fine. */
  of(check: Finding['check']): Finding[];
  all(check: Finding['check']): Finding[];
}

async function examine(dir: string, ...args: string[]): Promise<Examined> {
  const startedAt = performance.now();
  const { code, out, err } = await runCommand(['doctor', '--dir', dir, '-o', 'json', ...args], { cwd: dir });
  expect(err).toBe('');
  expect(performance.now() - startedAt).toBeLessThan(15_000);
  const diagnosis = JSON.parse(out) as Diagnosis;
  const all = (check: Finding['check']) => diagnosis.findings.filter((finding) => finding.check === check);
  return { code, diagnosis, all, of: (check) => all(check).filter(({ severity }) => severity !== 'ok') };
}

test('a sound folder with a sound target has no errors, also while no rdi runs', async () => {
  const server = await redis('--appendonly', 'yes');
  const { dir } = await folder(`host: 127.0.0.1, port: ${server.port}`);
  const { code, diagnosis, all } = await examine(dir, '--strict');
  expect(diagnosis.findings.filter(({ severity }) => severity === 'error' || severity === 'warning')).toEqual([]);
  expect(code).toBe(0);
  for (const check of [
    'configuration',
    'target-reach',
    'target-rights',
    'target-role',
    'data-sync',
    'data-disk',
  ] as const) {
    expect([check, all(check).map(({ severity }) => severity)]).toContainEqual(check);
    expect(all(check).every(({ severity }) => severity === 'ok' || severity === 'info')).toBe(true);
  }
  expect(await client(server).dbsize()).toBe(0);
}, 60_000);

test('everything that is wrong is told at once, with what to do', async () => {
  const nobody = await freePort();
  const { dir, ports } = await folder(`host: 127.0.0.1, port: ${nobody}`);
  const other = createServer().listen(ports.listen, '127.0.0.1');
  closers.push(async () => other.close());
  const { code, of } = await examine(dir);
  expect(code).toBe(1);
  expect(of('target-reach')).toMatchObject(
    [{ severity: 'error', what: /ECONNREFUSED/, fix: /Check that it runs/ }].map(matching),
  );
  expect(of('endpoint-port')).toMatchObject([{ severity: 'warning', where: `127.0.0.1:${ports.listen}` }]);
  expect(of('api')).toMatchObject([{ severity: 'info' }]);
  writeFileSync(join(dir, 'config.yaml'), 'targets:\n  target: {conection: {}}\n');
  const broken = await examine(dir);
  expect(
    broken
      .of('configuration')
      .map(({ what }) => what)
      .join('\n'),
  ).toMatch(/config\.yaml:2:\d+.*connection/s);
}, 60_000);

function matching(expected: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(expected);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, value instanceof RegExp ? expect.stringMatching(value) : value]),
  );
}

test('a target that forgets is found: eviction, no append-only file; --strict makes warnings fail', async () => {
  const server = await redis('--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru');
  const { dir } = await folder(`host: 127.0.0.1, port: ${server.port}`);
  const { code, of } = await examine(dir);
  expect(code).toBe(0);
  expect(of('target-memory')).toMatchObject([{ severity: 'warning', fix: expect.stringContaining('noeviction') }]);
  expect(of('target-persistence')).toMatchObject([{ severity: 'warning' }]);
  expect((await examine(dir, '--strict')).code).toBe(1);
}, 60_000);

test('documents for a target without RedisJSON, and a wait for a replica that is not there, are errors', async () => {
  const server = await redis('--appendonly', 'yes');
  const settings = 'processors: {target_data_type: json, wait_enabled: true}\n';
  const { dir } = await folder(`host: 127.0.0.1, port: ${server.port}`, settings);
  const { code, of } = await examine(dir);
  expect(code).toBe(1);
  expect(of('target-json')).toMatchObject([{ severity: 'error', fix: expect.stringContaining('Redis 8') }]);
  expect(of('target-role')).toMatchObject([{ severity: 'error', what: expect.stringContaining('replica') }]);
}, 60_000);

test('a replica is named with its master; a node of a Cluster is told apart', async () => {
  const master = await redis();
  const replica = await redis('--replicaof', '127.0.0.1', String(master.port));
  const info = async () => /master_link_status:up/.test(await client(replica).info('replication'));
  await until('the replica to follow', info, { timeoutMs: 20_000 });
  const found = await examine((await folder(`host: 127.0.0.1, port: ${replica.port}`)).dir);
  expect(found.of('target-role')).toMatchObject([
    { severity: 'error', fix: expect.stringContaining(`:${master.port}`) },
  ]);

  const node = await redis('--cluster-enabled', 'yes');
  const single = await examine((await folder(`host: 127.0.0.1, port: ${node.port}`)).dir);
  expect(
    single
      .of('target-role')
      .map(({ what }) => what)
      .join(),
  ).toMatch(/node of a Redis Cluster.*not complete/s);
  const dir = join(tempFolder(), 'cluster');
  mkdirSync(dir);
  const text = `targets:\n  target: {connection: {type: redis, cluster: {nodes: ["127.0.0.1:${node.port}"]}}}\n`;
  writeFileSync(join(dir, 'config.yaml'), text);
  const cluster = await examine(dir);
  expect(cluster.of('target-role')).toMatchObject([{ what: expect.stringContaining('cluster_state:fail') }]);
}, 90_000);

test('a user who may not do all that is needed is found, without a secret in any finding', async () => {
  const server = await redis('--appendonly', 'yes');
  const password = 'n0t-t0-be-seen';
  const acl = client(server);
  await acl.call('ACL', 'SETUSER', 'writer', 'on', `>${password}`, '~*', '+@all', '-hdel', '-del');
  const { dir } = await folder(`host: 127.0.0.1, port: ${server.port}, user: writer, password: ${password}`);
  const { code, of, diagnosis } = await examine(dir);
  expect(code).toBe(1);
  expect(of('target-rights')).toMatchObject([
    { severity: 'error', what: expect.stringMatching(/HDEL, DEL/), fix: expect.stringContaining('+hdel +del') },
  ]);
  expect(JSON.stringify(diagnosis)).not.toContain(password);

  await acl.call('ACL', 'SETUSER', 'writer', '-acl', '-info', '+hdel', '+del');
  const silent = await examine(dir);
  expect(silent.of('target-rights')).toMatchObject([{ severity: 'info' }]);
  expect(silent.of('target-reach')).toMatchObject([{ severity: 'info', fix: expect.stringContaining('+info') }]);

  await acl.call('ACL', 'SETUSER', 'writer', 'resetpass', '>another');
  const refused = await examine(dir);
  expect(refused.of('target-reach')).toMatchObject([{ severity: 'error', what: expect.stringContaining('WRONGPASS') }]);
  expect(JSON.stringify(refused.diagnosis)).not.toContain(password);
}, 60_000);

test('of a running rdi it judges feeders, what they send, and rejected records', async () => {
  const server = await redis('--appendonly', 'yes');
  const { dir } = await folder(`host: 127.0.0.1, port: ${server.port}`);
  const base = tempFolder();
  const rdi = await startRdi({ folder: base, args: ['--dir', dir] });
  closers.push(() => rdi.end('SIGKILL'));
  const alone = await examine(dir, '--api-url', rdi.http);
  expect(alone.of('feeder')).toMatchObject([{ severity: 'warning', fix: expect.stringContaining('rdi scaffold') }]);

  const feeder = new Redis({ port: rdi.port, connectionName: 'debezium:redis:sink' });
  closers.push(async () => feeder.disconnect());
  await feeder.xadd('data:shop.orders', '*', 'key', '{"id":1}', 'value', 'no json');
  await until('the record to be rejected', async () => (await rdi.status()).totals.rejected === 1, {
    timeoutMs: 15_000,
  });
  const { of, all, code } = await examine(dir, '--api-url', rdi.http);
  expect(code).toBe(0);
  expect(all('feeder')).toMatchObject([{ severity: 'ok', what: expect.stringContaining('debezium:redis:sink') }]);
  expect(of('dlq')).toMatchObject([{ severity: 'warning' }]);
  expect(of('feeder-state')).toMatchObject([{ severity: 'warning', fix: expect.stringContaining('offset.storage') }]);

  await feeder.hset('metadata:shop:offsets', 'f', '{}');
  expect((await examine(dir, '--api-url', rdi.http)).of('feeder-state')).toEqual([]);
  const elsewhere = await examine(dir, '--api-url', `http://127.0.0.1:${await freePort()}`);
  expect(elsewhere.of('api')).toMatchObject([{ severity: 'error' }]);
}, 90_000);

test('a data folder that another process uses is named with that process', async () => {
  const server = await redis();
  const base = tempFolder();
  const rdi = await startRdi({ folder: base, target: `redis://127.0.0.1:${server.port}` });
  closers.push(() => rdi.end('SIGKILL'));
  const { dir } = await folder(`host: 127.0.0.1, port: ${server.port}`);
  writeFileSync(
    join(dir, 'rdi.yaml'),
    `listen: 127.0.0.1:${await freePort()}\nhttp: off\ndata_dir: ${join(base, 'data')}\n`,
  );
  const { of } = await examine(dir);
  expect(of('data-folder')).toMatchObject([
    { severity: 'warning', what: expect.stringMatching(/process \d+ uses it/) },
  ]);
}, 60_000);
