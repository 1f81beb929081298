import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { loadInstance, readPipelineDocument } from '../../../src/config/index.ts';
import { startEngine } from '../../../src/control/engine.ts';
import { type Engine, findProblems, type StreamAccount } from '../../../src/control/index.ts';
import type { Logger } from '../../../src/observe/logger.ts';
import { commandBytes } from '../../helpers/bulk-strings.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { freePort, type RedisServer, startRedis, until } from '../../helpers/redis-server.ts';
import { pretendReserve, tempFolder } from '../../helpers/temp-folder.ts';

const ROWS = 500;
const quiet = () => {};
const logger = {
  trace: quiet,
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: quiet,
  fatal: quiet,
} as unknown as Logger;

let target: RedisServer;
let other: RedisServer;
let client: Redis;
let folder: string;
let engine: Engine | undefined;

beforeEach(async () => {
  [target, other] = await Promise.all([startRedis(), startRedis()]);
  client = new Redis({ port: target.port });
  folder = tempFolder();
  pretendReserve(join(folder, 'data'));
});

afterEach(async () => {
  await engine?.close();
  engine = undefined;
  client.disconnect();
  await Promise.all([target.stop(), other.stop()]);
});

/** Writes the pipeline folder: both servers as targets, impatient ones, and these jobs. */
function configure(jobs: Readonly<Record<string, string>>): void {
  mkdirSync(join(folder, 'jobs'), { recursive: true });
  const connection = (port: number) => `{connection: {type: redis, host: 127.0.0.1, port: ${port}}}`;
  writeFileSync(
    join(folder, 'config.yaml'),
    `targets:
  target: ${connection(target.port)}
  other: ${connection(other.port)}
processors:
  retry_initial_delay_ms: 50
  retry_max_delay_ms: 200
  advanced: {target: {socket.timeout.ms: 500}}
`,
  );
  for (const [name, text] of Object.entries(jobs)) writeFileSync(join(folder, 'jobs', `${name}.yaml`), text);
}

/** Starts the engine on the folder; resolves to the port of its endpoint. */
async function start(): Promise<number> {
  const port = await freePort();
  const flags = { listen: `127.0.0.1:${port}`, http: 'off', dataDir: join(folder, 'data') };
  const instance = loadInstance({ dir: folder, flags, env: {} });
  const start = { kind: 'folder', document: readPipelineDocument(folder), dir: folder } as const;
  engine = await startEngine({ start, instance, env: {}, logger });
  return port;
}

async function send(port: number, table: string, from: number, count: number): Promise<void> {
  const feeder = await RawClient.connect(port);
  const rows = Array.from({ length: count }, (_, i) => from + i);
  feeder.send(Buffer.concat(rows.map((id) => commandBytes('XADD', `data:shop.${table}`, '*', ...fields(table, id)))));
  await feeder.replies(count);
  feeder.close();
}

function fields(table: string, id: number): string[] {
  const source = { connector: 'mysql', name: 'shop', db: 'shop', table };
  const value = { before: null, after: { id, ref: `r${id}` }, source, op: 'c', ts_ms: 1_700_000_000_000 + id };
  return ['key', JSON.stringify({ id }), 'value', JSON.stringify(value)];
}

function account(table: string): StreamAccount {
  return engine?.snapshot().streams.find(({ name }) => name === `data:shop.${table}`) as StreamAccount;
}

const TO_OTHER = `
source: {table: copies}
output:
  - uses: redis.write
    with: {connection: other, data_type: hash}
`;
const LOOKUP = `
source: {table: looked}
transform:
  - uses: redis.lookup
    with: {connection: other, cmd: GET, args: ["concat(['name:', ref])"], language: jmespath, field: name}
output:
  - uses: redis.write
    with: {data_type: hash}
`;

test('a second target that is killed stops its own streams alone, shows in the status, and gets everything later', async () => {
  configure({ copies: TO_OTHER });
  const port = await start();
  await send(port, 'copies', 0, ROWS);
  await until('both targets work', () => account('copies').pending === 0);
  await other.kill();
  await send(port, 'copies', ROWS, ROWS);
  await send(port, 'plain', 0, ROWS);
  await until('the others flow', () => account('plain')?.written === ROWS);
  expect(await client.dbsize()).toBe(ROWS);
  expect(account('copies')).toMatchObject({ received: 2 * ROWS, written: ROWS, pending: ROWS });
  await until('the status shows it', () => engine?.ready().ready === false);
  const snapshot = engine?.snapshot();
  expect(snapshot?.targets.map(({ name, state }) => [name, state.state])).toEqual([
    ['target', 'ready'],
    ['other', 'waiting'],
  ]);
  expect(snapshot && findProblems(snapshot)[0]?.text).toContain('Target other');
  await other.restart();
  await until('the rest arrives', () => account('copies').pending === 0);
  expect(account('copies')).toMatchObject({ received: 2 * ROWS, written: 2 * ROWS });
  const reader = new Redis({ port: other.port });
  onTestFinished(() => reader.disconnect());
  expect(await reader.dbsize()).toBe(ROWS);
  expect(engine?.ready()).toEqual({ ready: true, reasons: [] });
});

test('a stop and a start while the second target is away take no longer, and lose or double nothing in the account', async () => {
  configure({ copies: TO_OTHER });
  let port = await start();
  await send(port, 'copies', 0, 10);
  await until('it works', () => account('copies').pending === 0);
  await other.kill();
  await send(port, 'copies', 10, ROWS);
  await send(port, 'plain', 0, ROWS);
  await until('the others flow', () => account('plain')?.written === ROWS);
  const before = performance.now();
  await engine?.close();
  expect(performance.now() - before).toBeLessThan(3000);
  port = await start();
  await send(port, 'plain', ROWS, ROWS);
  await until('the others flow again', () => account('plain')?.written === 2 * ROWS);
  expect(account('copies')).toMatchObject({ written: 10, pending: ROWS });
  await other.restart();
  await until('the rest arrives', () => account('copies').pending === 0);
  expect(account('copies')).toMatchObject({ received: ROWS + 10, written: ROWS + 10 });
});

test('a lookup on a frozen target stops its own table alone, and goes on when the target answers', async () => {
  configure({ looked: LOOKUP });
  const names = new Redis({ port: other.port });
  onTestFinished(() => names.disconnect());
  for (let id = 0; id < 20; id++) await names.set(`name:r${id}`, `name ${id}`);
  const port = await start();
  other.freeze();
  await send(port, 'looked', 0, 20);
  await send(port, 'plain', 0, ROWS);
  await until('the others flow', () => account('plain')?.written === ROWS);
  expect(account('looked')).toMatchObject({ written: 0, pending: 20 });
  await until('the status shows it', () => engine?.ready().ready === false);
  expect(engine?.snapshot().targets.map(({ name }) => name)).toEqual(['target', 'other']);
  other.thaw();
  await until('the lookups are answered', () => account('looked').pending === 0);
  expect(await client.hgetall('looked:id:7')).toEqual({ id: '7', ref: 'r7', name: 'name 7' });
});

test('a pipeline in which nothing goes to the default target needs none', async () => {
  configure({ all: TO_OTHER.replace('copies', '"*"') });
  writeFileSync(
    join(folder, 'config.yaml'),
    `targets: {other: {connection: {type: redis, host: 127.0.0.1, port: ${other.port}}}}\n`,
  );
  const port = await start();
  await send(port, 'copies', 0, 5);
  await until('it is written', () => account('copies')?.written === 5);
  expect(engine?.snapshot().targets.map(({ name }) => name)).toEqual(['other']);
});

test('a table without a job needs the default target, and a start without one says how to add it', async () => {
  configure({ copies: TO_OTHER });
  writeFileSync(
    join(folder, 'config.yaml'),
    `targets: {other: {connection: {type: redis, host: 127.0.0.1, port: ${other.port}}}}\n`,
  );
  await expect(start()).rejects.toThrow(/no target named `target`/);
});
