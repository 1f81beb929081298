/**
 * The demonstration: starts a Redis and rdi in a temporary folder, replays one recording through the real endpoint, and
 * shows what came out. Everything it starts it ends, also when it is interrupted.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { EngineSnapshot } from '../../src/control/types.ts';
import { bold, dim, showAccount, showNext, showRows, showTables } from './demo-view.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const MAIN = join(ROOT, 'src/main.ts');
const PATIENCE_MS = 45_000;

const recording = process.argv[2] ?? 'pg-3.6-extended-schemas';
const recordingFolder = join(ROOT, 'fixtures', recording);
if (!existsSync(join(recordingFolder, 'sink.client.resp.gz'))) {
  console.error(`error: fixtures/${recording} is no recording that can be replayed. fixtures/README.md lists them.`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'rdi-demo-'));
const children: ChildProcess[] = [];
let client: Redis | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void endAll().then(() => process.exit(130)));

const startedAt = performance.now();
try {
  await demonstrate();
} catch (error) {
  console.error(`\nerror: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await endAll();
}

async function demonstrate(): Promise<void> {
  console.log(bold('\nrdi keeps Redis in step with a relational database\n'));

  const redisPort = await freePort();
  start(
    'redis-server',
    ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--dir', folder],
    'redis.log',
  );
  const redis = new Redis({ port: redisPort, host: '127.0.0.1', maxRetriesPerRequest: null });
  client = redis;
  redis.on('error', () => {});
  await waitFor('redis-server', async () => (await redis.ping()) === 'PONG');
  const redisVersion = /redis_version:(\S+)/.exec(await redis.info('server'))?.[1];
  progress(1, `Target: a real Redis ${redisVersion} on port ${redisPort}, empty`);

  const [endpoint, http] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const flags = ['--target', `redis://127.0.0.1:${redisPort}`, '--listen', endpoint, '--http', http];
  const rdiStartedAt = performance.now();
  const rdi = start(process.execPath, [MAIN, 'run', ...flags, '--data-dir', join(folder, 'data')], 'rdi.log');
  await waitFor('rdi', async () => (await fetch(`http://${http}/readyz`)).ok, rdi);
  progress(2, `rdi: ready after ${Math.round(performance.now() - rdiStartedAt)} ms, no configuration file`);
  console.log(dim(`      rdi run ${flags.slice(0, 2).join(' ')}`));

  progress(3, `Feeder: what a real Debezium Server sent, byte for byte (fixtures/${recording})`);
  const files = readdirSync(recordingFolder).filter((name) => name.endsWith('.client.resp.gz'));
  const paths = files.map((name) => join('fixtures', recording, name));
  console.log(dim(`      rdi replay fixtures/${recording}/*.client.resp.gz --to ${endpoint}`));
  execFileSync(process.execPath, [MAIN, 'replay', ...paths, '--to', endpoint], { cwd: ROOT, stdio: 'inherit' });

  const status = await settled(http, rdi);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  progress(4, `Settled: every change is in Redis, ${seconds} s after the start of this demonstration\n`);

  const tablesAgree = await showTables(ROOT, recording, redis, status);
  await showRows(ROOT, recording, redis);
  const balanced = showAccount(status.totals);
  if (!tablesAgree || !balanced)
    throw new Error('the target does not hold what the source holds; this is a bug in rdi.');
  showNext(recording);
}

async function settled(http: string, rdi: ChildProcess): Promise<EngineSnapshot> {
  let status: EngineSnapshot | undefined;
  await waitFor(
    'the last change to be written',
    async () => {
      status = (await (await fetch(`http://${http}/api/v2/overview`)).json()) as EngineSnapshot;
      return status.totals.pending === 0 && status.totals.received > 0;
    },
    rdi,
  );
  if (!status) throw new Error('rdi did not tell its status.');
  return status;
}

function progress(number: number, text: string): void {
  console.log(`${bold(`[${number}/4]`)} ${text}`);
}

function start(command: string, args: readonly string[], logName: string): ChildProcess {
  const log = openSync(join(folder, logName), 'a');
  const child = spawn(command, [...args], { stdio: ['ignore', log, log], cwd: folder });
  closeSync(log);
  children.push(child);
  return child;
}

/** Asks until the answer is true; says what the process wrote when it ended or time is over. */
async function waitFor(what: string, isThere: () => Promise<boolean>, child?: ChildProcess): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline && (child === undefined || child.exitCode === null)) {
    if (await isThere().catch(() => false)) return;
    await sleep(20);
  }
  const log = join(folder, 'rdi.log');
  const evidence = child && existsSync(log) ? `\n${readFileSync(log, 'utf8').slice(-2000)}` : '';
  throw new Error(`waited in vain for ${what}.${evidence}`);
}

/** Ends what is running, the feeder's side first, and removes the folder. */
async function endAll(): Promise<void> {
  // It would try to reach a Redis that is gone for ever, and keep this process alive.
  client?.disconnect();
  for (const child of children.reverse()) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(killer);
  }
  rmSync(folder, { recursive: true, force: true });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
