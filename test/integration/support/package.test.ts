/** `rdi dump-support-package` as a command, on a running rdi and on one that was killed, with secrets planted everywhere. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../helpers/processes.ts';
import { type CommandOutcome, runCommand } from '../../helpers/rdi-command.ts';
import { type Rdi, startRdi } from '../../helpers/rdi-process.ts';
import { startTargetRedis, type TargetRedis } from '../../helpers/target-redis.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

/** One secret per place, with characters that other spellings change. */
const SECRETS = {
  inConfig: 'c0nfig "p/w+ö&1',
  inInstance: 'inst@nce:p/w 2%',
  inVariable: 'v@riable/p w+3=',
  inTargetUrl: 'url p@ss/4?',
  inSecretFile: 'f1le/secret 5+ß',
};
const ROW_VALUE = 'row-value-of-the-database';

const folder = tempFolder();
const pipelineDir = join(folder, 'pipeline');
const secretsDir = join(folder, 'secrets');
let target: TargetRedis;
let rdi: Rdi;

beforeAll(async () => {
  target = await startTargetRedis({ json: false });
  mkdirSync(join(pipelineDir, 'jobs', 'tests'), { recursive: true });
  mkdirSync(secretsDir);
  writeFileSync(join(secretsDir, 'SOME_PASSWORD'), `${SECRETS.inSecretFile}\n`);
  const text = (value: string) => JSON.stringify(value);
  writeFileSync(
    join(pipelineDir, 'config.yaml'),
    `targets:
  target: {connection: {type: redis, host: 127.0.0.1, port: ${target.server.port}, password: ${text(SECRETS.inConfig)}}}
  other: {connection: {url: ${text(`redis://u:${encodeURIComponent(SECRETS.inTargetUrl)}@127.0.0.1:${target.server.port}/1`)}}}
`,
  );
  writeFileSync(
    join(pipelineDir, 'rdi.yaml'),
    `endpoint: {users: [{name: feeder, password: ${text(SECRETS.inInstance)}}]}\n`,
  );
  const everySecret = Object.values(SECRETS).flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64'),
    Buffer.from(`user:${secret}`).toString('base64'),
  ]);
  const comment = everySecret.map((secret) => `# ${secret}\n`).join('');
  writeFileSync(join(pipelineDir, 'jobs', 'orders.yaml'), `${comment}source: {table: orders}\n`);
  // The target asks for no password: giving it one does no harm. The user of the URL does not exist there.
  await target.client.call('ACL', 'SETUSER', 'u', 'on', `>${SECRETS.inTargetUrl}`, '~*', '&*', '+@all');
  rdi = await startRdi({ folder, args: ['--dir', pipelineDir] });
  const feeder = new Redis({ port: rdi.port, username: 'feeder', password: SECRETS.inInstance });
  const bad = `no json: ${ROW_VALUE} ${SECRETS.inVariable}`;
  await feeder.xadd('data:shop.orders', '*', 'key', '{"id":1}', 'value', bad);
  await feeder.hset('metadata:shop:offsets', '["redis",{"server":"shop"}]', '{"lsn":97500059720,"note":"x"}');
  feeder.disconnect();
  await until('the record to be rejected', async () => (await rdi.status()).totals.rejected === 1, {
    timeoutMs: 15_000,
  });
}, 60_000);

afterAll(async () => {
  await rdi?.end('SIGKILL');
  await target?.close();
}, 60_000);

async function dump(name: string, ...args: string[]): Promise<{ result: CommandOutcome; files: Map<string, string> }> {
  const dir = join(folder, name);
  mkdirSync(dir);
  const result = await runCommand(
    ['dump-support-package', '--dir', dir, '--pipeline-dir', pipelineDir, '--data-dir', join(folder, 'data'), ...args],
    {
      cwd: folder,
      env: {
        RDI_API_URL: rdi.http,
        TARGET_DB_PASSWORD: SECRETS.inVariable,
        RDI_SECRETS_DIR: secretsDir,
      },
    },
  );
  const [archive = ''] = readdirSync(dir);
  expect(archive).toMatch(/^rdi-support-.*\.tar\.gz$/);
  expect(statSync(join(dir, archive)).mode & 0o077).toBe(0);
  execFileSync('tar', ['xzf', archive], { cwd: dir });
  const root = join(dir, archive.replace('.tar.gz', ''));
  const files = new Map<string, string>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(file.slice(root.length + 1), readFileSync(file, 'utf8'));
  }
  return { result, files };
}

/** Where a secret stands in an archive, in any of its spellings. */
function leaks(files: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  for (const [place, secret] of Object.entries(SECRETS)) {
    const url = encodeURIComponent(secret);
    const json = JSON.stringify(secret).slice(1, -1);
    const spellings = [
      secret,
      url,
      url.replaceAll('%20', '+'),
      json,
      JSON.stringify(json).slice(1, -1),
      Buffer.from(secret).toString('base64'),
      Buffer.from(`user:${secret}`).toString('base64').slice(8, 20),
      Buffer.from(secret).toString('hex'),
    ];
    for (const [file, text] of files) {
      if (spellings.some((spelling) => text.includes(spelling))) found.push(`${place} in ${file}`);
    }
  }
  return found;
}

test('of a running rdi it holds everything but secrets and rows', async () => {
  const { result, files } = await dump('running');
  expect(result).toMatchObject({ code: 0 });
  for (const name of [
    'README.txt',
    'versions.json',
    'machine.json',
    'doctor.json',
    'status.json',
    'feeders.json',
    'components.json',
    'metrics.txt',
    'log.jsonl',
    'store.json',
    'offsets.json',
    'secrets.json',
    'folder/config.yaml',
    'folder/rdi.yaml',
    'folder/jobs/orders.yaml',
    'deployed/config.yaml',
    'deployed/revisions.json',
  ]) {
    expect([...files.keys()]).toContain(name);
  }
  expect(leaks(files)).toEqual([]);
  for (const [file, text] of files) expect([file, text.includes(ROW_VALUE)]).toEqual([file, false]);
  expect(JSON.parse(files.get('offsets.json') ?? '')).toEqual([
    { key: 'metadata:shop:offsets', field: '["redis",{"server":"shop"}]', position: { lsn: 97500059720 } },
  ]);
  expect(JSON.parse(files.get('machine.json') ?? '').variables).toContain('TARGET_DB_PASSWORD');
  expect(files.get('folder/config.yaml')).toContain('********');
  expect(files.get('log.jsonl')).toContain('rdi serves feeders');
}, 60_000);

test('with --dump-rejected it holds the rejected records, and says that they are sensitive', async () => {
  const { result, files } = await dump('rejected', '--dump-rejected', '5');
  expect(result.err).toContain('HOLDS ROWS');
  expect(files.get('README.txt')).toContain('HOLDS ROWS');
  expect(files.get('rejected.jsonl')).toContain(ROW_VALUE);
  expect(leaks(files)).toEqual([]);
}, 60_000);

test('of a killed rdi it holds what folder and data folder show, and says what is missing', async () => {
  await rdi.end('SIGKILL');
  const before = readdirSync(join(folder, 'data'), { recursive: true }).sort();
  const { result, files } = await dump('killed', '--trace-timeout', '5', '--rdi-host', 'x', '--rdi-port', '1');
  expect(result.code).toBe(0);
  expect(result.err).toContain('No running rdi was asked');
  expect(files.get('README.txt')).toContain('No running rdi was asked');
  expect(JSON.parse(files.get('store.json') ?? '').dlqs).toEqual([{ stream: 'data:shop.orders', count: 1 }]);
  expect(files.get('deployed/config.yaml')).toContain('127.0.0.1');
  expect(files.get('offsets.json')).toContain('97500059720');
  expect(leaks(files)).toEqual([]);
  expect(readdirSync(join(folder, 'data'), { recursive: true }).sort()).toEqual(before);
  const records = await dump('killed-rejected', '--dump-rejected');
  expect(records.files.get('rejected.jsonl')).toContain(ROW_VALUE);
  expect(leaks(records.files)).toEqual([]);
}, 60_000);

test('a folder in which nothing can be written is named', async () => {
  const result = await runCommand(['dump-support-package', '--dir', join(folder, 'nowhere')], { cwd: folder });
  expect(result).toMatchObject({ code: 2 });
  expect(result.err).toMatch(/nowhere.*ENOENT.*--dir/);
}, 30_000);
