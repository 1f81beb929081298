import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { change } from '../../helpers/deploy-world.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { runCommand } from '../../helpers/rdi-command.ts';
import { type Rdi, startRdi } from '../../helpers/rdi-process.ts';
import { startTargetRedis, type TargetRedis } from '../../helpers/target-redis.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

/** The commands that no other test of a running rdi needs. */
const folder = tempFolder();
const dir = join(folder, 'pipeline');
let target: TargetRedis;
let rdi: Rdi;

beforeAll(async () => {
  target = await startTargetRedis({ json: false });
  mkdirSync(join(dir, 'jobs'), { recursive: true });
  const connection = `{type: redis, host: 127.0.0.1, port: ${target.server.port}}`;
  const processors = 'processors: {error_handling: abort}\n';
  writeFileSync(join(dir, 'config.yaml'), `targets:\n  target:\n    connection: ${connection}\n${processors}`);
  rdi = await startRdi({ folder, args: ['--dir', dir] });
});

afterAll(async () => {
  await rdi?.end('SIGKILL');
  await target?.close();
  rmSync(folder, { recursive: true, force: true });
});

const run = (...args: string[]) => runCommand(args, { env: { RDI_API_URL: rdi.http, HOME: folder, KNOWN: 'x' } });

test('completion and help speak of every command', async () => {
  const script = await run('completion', 'bash');
  expect(script).toMatchObject({ code: 0 });
  const { code, out } = await run('help');
  expect(code).toBe(0);
  const commands = [...out.matchAll(/^ {2}([a-z]+-[a-z-]+)/gm)].map(([, name]) => name as string);
  expect(commands.length).toBeGreaterThan(25);
  for (const name of commands) expect(script.out, name).toContain(name);
  expect(await run('help', 'retry-dlq')).toMatchObject({ code: 0, err: '', out: expect.stringContaining('--reason') });
}, 60_000);

test('contexts are described and deleted', async () => {
  expect(await run('set-context', 'here', '--api-url', rdi.http)).toMatchObject({ code: 0 });
  expect((await run('describe-context', 'here', '-o', 'json')).out).toContain(rdi.http);
  expect(await run('delete-all-contexts', '--force')).toMatchObject({ code: 0 });
  expect(await run('describe-context', 'here')).toMatchObject({ code: 5 });
});

test('a secret that nobody has set or asked for is not found', async () => {
  for (const command of ['describe-secret', 'get-secret']) {
    const { code, out, err } = await run(command, 'TARGET_DB_PASSWORD');
    expect({ code, out }, command).toEqual({ code: 5, out: '' });
    expect(err).toContain('TARGET_DB_PASSWORD');
  }
});

test('a dry run needs no running rdi', async () => {
  const job = join(dir, 'jobs', 'tried.yaml');
  writeFileSync(job, 'source: {table: orders}\noutput:\n  - uses: redis.write\n    with: {data_type: hash}\n');
  const event = join(folder, 'event.json');
  writeFileSync(
    event,
    JSON.stringify({ op: 'c', before: null, after: { id: 7, ref: 'x' }, source: { table: 'orders' } }),
  );
  const { code, out } = await runCommand(['dry-run', '--dir', dir, '--event', event], { env: { HOME: folder } });
  expect({ code, out }).toMatchObject({ code: 0 });
  rmSync(job);
});

test('a stopped stream is resumed, and one that is not stopped says so', async () => {
  const feeder = await RawClient.connect(rdi.port);
  feeder.send(change('orders', 1, 'x'));
  await feeder.reply();
  feeder.close();
  await rdi.settled(({ totals }) => totals.received > 0, 10_000);
  const { code, err } = await run('resume', 'orders');
  expect(code).toBe(1);
  expect(err).toContain('not stopped');
});
