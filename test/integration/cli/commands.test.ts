import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { change } from '../../helpers/deploy-world.ts';
import { Process } from '../../helpers/processes.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { runCommand } from '../../helpers/rdi-command.ts';
import { type Rdi, startRdi } from '../../helpers/rdi-process.ts';
import { freePort, until } from '../../helpers/redis-server.ts';
import { startTargetRedis, type TargetRedis } from '../../helpers/target-redis.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

/** One rdi with one pipeline; the tests follow each other, as a person's day does. */
const folder = tempFolder();
const dir = join(folder, 'pipeline');
const MAIN = join(import.meta.dirname, '../../../src/main.ts');
const STREAM = 'data:shop.orders';
let target: TargetRedis;
let rdi: Rdi;

/** Rejects every order whose `ref` is not a number. */
const jobText = (prefix: string, expression: string) =>
  `name: orders\nsource: {table: orders}\ntransform:\n  - uses: add_field\n    with: {field: twice, expression: ${expression}, language: sql}\n` +
  `output:\n  - uses: redis.write\n    with: {data_type: hash, key: {expression: "'${prefix}:' || id", language: sql}}\n`;
const BROKEN = 'no_such_function_on(ref)';
const STRICT = "CASE WHEN ref = 'bad' THEN json(ref) ELSE ref END";

function writePipeline(job: string): void {
  mkdirSync(join(dir, 'jobs'), { recursive: true });
  const connection = `{type: redis, host: 127.0.0.1, port: ${target.server.port}, password: ''}`.replace(
    ", password: ''",
    '',
  );
  writeFileSync(join(dir, 'config.yaml'), `targets:\n  target:\n    connection: ${connection}\n`);
  writeFileSync(join(dir, 'jobs', 'orders.yaml'), job);
}

beforeAll(async () => {
  target = await startTargetRedis({ json: false });
  writePipeline(jobText('order', STRICT));
  rdi = await startRdi({ folder, args: ['--dir', dir] });
});

afterAll(async () => {
  await rdi?.end('SIGKILL');
  await target?.close();
  rmSync(folder, { recursive: true, force: true });
});

const run = (...args: string[]) => runCommand(args, { env: { RDI_API_URL: rdi.http, HOME: folder } });

async function ok(...args: string[]): Promise<string> {
  const { code, out, err } = await run(...args);
  expect(code, err).toBe(0);
  return out;
}

async function send(...commands: Buffer[]): Promise<void> {
  const feeder = await RawClient.connect(rdi.port);
  feeder.send(Buffer.concat(commands));
  await feeder.replies(commands.length);
  feeder.socket.destroy();
}

describe('looking', () => {
  test('info, list, get, status, describe show the running pipeline', async () => {
    expect(await ok('info')).toMatch(/^rdi \d+\.\d+\.\d+ at http:/);
    expect(await ok('list')).toMatch(/default +yes +started +yes/);
    expect(await ok('get', 'default')).toMatch(/default +yes +started/);
    const status = await ok('status');
    for (const section of ['Targets', 'Jobs', 'Components', 'Statistics', 'Account', 'Feeders', 'Store']) {
      expect(status).toContain(`\n${section}\n`);
    }
    expect(JSON.parse(await ok('describe', '-o', 'json'))).toMatchObject({ current: true, state: 'STARTED' });
    expect(await ok('list', '-o', 'yaml')).toMatch(/^- /);
  });

  test('jobs are listed, shown, and given back as they were deployed', async () => {
    expect(await ok('list-jobs')).toMatch(/orders +orders +1 +1 +target/);
    expect(await ok('get-job', 'orders.yaml')).toMatch(/orders +orders +1 +1 +target/);
    expect(await ok('describe-job', 'orders')).toMatch(/add_field[\s\S]*redis\.write +target +hash/);
    expect(await ok('describe-job', 'orders', '-o', 'yaml')).toBe(jobText('order', STRICT));
    expect((await run('get-job', 'nothing')).code).toBe(5);
  });

  test('figures of components', async () => {
    expect(await ok('list-metric-collections')).toContain('processor');
    expect(await ok('get-metric-collection', 'processor')).toContain('Metric');
    expect((await run('get-metric-collection', 'nothing')).code).toBe(5);
  });

  test('a pipeline of another name is not found: 5', async () => {
    for (const command of ['get', 'status', 'start', 'stop']) expect((await run(command, 'other')).code).toBe(5);
  });
});

describe('deploying', () => {
  test('a job with a problem is named with its place, nothing is deployed, and the exit code is 1', async () => {
    writeFileSync(join(dir, 'jobs', 'orders.yaml'), jobText('order', BROKEN));
    const { code, out, err } = await run('deploy', '--dir', dir);
    expect(code).toBe(1);
    expect(out).toBe('');
    expect(err).toMatch(new RegExp(`${dir}/jobs/orders\\.yaml:\\d+:\\d+: .*no_such_function_on`));
    expect(err).toContain('Nothing was deployed.');
    expect(JSON.parse(await ok('list-revisions', '-o', 'json'))).toHaveLength(1);
  });

  test('a dry run compares and deploys nothing', async () => {
    writeFileSync(join(dir, 'jobs', 'orders.yaml'), jobText('o', STRICT));
    const out = await ok('deploy', '--dir', dir, '--dry-run');
    expect(out).toMatch(/^jobs\/orders\.yaml \(changed\)\n@@ /);
    expect(out).toMatch(/^-.*'order:'/m);
    expect(out).toMatch(/^\+.*'o:'/m);
    expect(out).toContain('nothing was deployed');
    expect(JSON.parse(await ok('list-revisions', '-o', 'json'))).toHaveLength(1);
  });

  test('a deployment changes the running pipeline, and a rollback brings the old one back', async () => {
    const { code, out, err } = await run('deploy', '--dir', dir, '--note', 'shorter keys');
    expect(code, err).toBe(0);
    expect(err).toContain('INFO - Reading orders.yaml job\n');
    expect(out).toMatch(/Revision 2 is in force\.\n.*\nTask `deploy` completed successfully\.\n$/);
    await send(change('orders', 1, 'one'));
    await rdi.settled(({ totals }) => totals.written === 1, 20_000);
    expect(await target.client.hget('o:1', 'ref')).toBe('one');
    expect(await ok('list-revisions')).toMatch(/2 .*deploy +yes +shorter keys[\s\S]*1 .*run +-/);
    expect(await ok('get-revision', '1')).toContain("'order:'");
    expect((await run('get-revision', '99')).code).toBe(5);
    expect(await ok('rollback', '1')).toContain('Revision 3 is in force.');
    expect((await run('rollback', '99')).code).toBe(5);
    expect(await ok('deploy', '--dir', dir, '-o', 'json').then(JSON.parse)).toMatchObject({ revision: { number: 4 } });
    expect(await ok('set', '--dir', dir)).toContain('Nothing differs from revision 4');
  });

  test('without a running rdi a dry run checks the folder by itself', async () => {
    const alone = (...args: string[]) =>
      runCommand(['deploy', '--dir', dir, '--dry-run', ...args, '--api-url', 'http://127.0.0.1:9'], {});
    const good = await alone();
    expect(good.code, good.err).toBe(0);
    expect(good.err).toContain('not compared');
    writeFileSync(join(dir, 'jobs', 'broken.yaml'), jobText('x', BROKEN).replaceAll('orders', 'lines'));
    const bad = await alone('-o', 'json');
    rmSync(join(dir, 'jobs', 'broken.yaml'));
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.out)).toMatchObject({ problems: [{ file: join(dir, 'jobs', 'broken.yaml') }] });
  });
});

describe('stopping', () => {
  test('nothing is written while the pipeline is stopped, and everything after its start', async () => {
    expect(await ok('stop')).toBe('Pipeline default is stopped.\n');
    expect(await ok('list')).toMatch(/default +no +stopped +yes/);
    await send(change('orders', 2, 'two'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await target.client.exists('o:2')).toBe(0);
    expect(await ok('start')).toBe('Pipeline default is started.\n');
    await rdi.settled(({ totals }) => totals.received === 2, 20_000);
    expect(await target.client.hget('o:2', 'ref')).toBe('two');
  });

  test('single sources are refused, because feeders are started by themselves: 2', async () => {
    expect((await run('stop', '--source', 'shop')).code).toBe(2);
  });
});

describe('rejected records', () => {
  test('are listed, shown, corrected, retried, exported and dropped', async () => {
    expect(await ok('list-dlqs')).toBe('No record was rejected.\n');
    await send(...[10, 11, 12].map((id) => change('orders', id, 'bad')));
    await rdi.settled(({ totals }) => totals.rejected === 3, 20_000);
    expect(await ok('list-dlqs')).toMatch(/data:shop\.orders +3 +0/);
    expect(await ok('get-dlq', 'orders')).toMatch(/data:shop\.orders +3 +0/);
    const { records } = JSON.parse(await ok('list-dlq-records', 'orders', '--sort-order', 'asc', '-o', 'json'));
    expect(records).toHaveLength(3);
    expect(records[0]).toMatchObject({ opcode: 'create', job: 'orders', key: '{"id":10}' });
    expect(await ok('get-rejected', '--max-records', '1')).toContain('reason_rejected');
    const ids = records.map((record: Record<string, string>) => record['__dlq_stream_entry_id']);
    const shown = await ok('get-dlq-record', 'orders', ids[0]);
    expect(shown).toMatch(/newer value +no/);
    expect(shown).toContain('"ref": "bad"');

    const again = await run('retry-dlq', 'orders');
    expect(again.code, again.err).toBe(1);
    expect(again.out).toMatch(/^Retried 3 records: 0 written, 0 filtered, 0 superseded, 3 still rejected\./);

    const value = JSON.parse(
      (JSON.parse(await ok('get-dlq-record', 'orders', ids[0], '-o', 'json')) as { raw_value: string }).raw_value,
    );
    const corrected = JSON.stringify({ ...value, after: { ...value.after, ref: 'good' } });
    expect(await ok('edit-dlq-record', 'orders', ids[0], '--value', corrected)).toContain('is changed');
    expect((await run('edit-dlq-record', 'orders', ids[0], '--value', '{')).code).toBe(2);
    const one = JSON.parse(await ok('replay-dlq', 'orders', '--id', ids[0], '-o', 'json'));
    expect(one).toMatchObject({ written: 1, kept: 0 });
    expect(await target.client.hget('o:10', 'ref')).toBe('good');

    const file = join(folder, 'rejected.jsonl');
    expect(await ok('export-dlq', '--all', '--file', file)).toContain('Wrote 2 records');
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).stream)).toEqual([STREAM, STREAM]);
    expect((await run('export-dlq', '--all', '--file', file)).code).toBe(2);
    expect((await ok('export-dlq', 'orders', '--id', `${ids[1]},${ids[2]}`)).trim().split('\n')).toHaveLength(2);

    const unasked = await run('drop-dlq', 'orders');
    expect(unasked.code).toBe(2);
    expect(unasked.err).toContain('--force');
    expect(await ok('drop-dlq', 'orders', '--id', ids[1], '--force')).toBe('Dropped 1 record.\n');
    expect(await ok('get-dlq', 'orders')).toMatch(/data:shop\.orders +1 +0/);
    expect((await run('list-dlq-records', 'nothing')).code).toBe(5);
    expect((await run('get-dlq-record', 'orders', '1-1')).code).toBe(5);
    expect((await run('retry-dlq')).code).toBe(2);
  });

  test('can be corrected in an editor; numbers beyond 2^53 keep their digits', async () => {
    const big = change('orders', 13, 'bad').toString().replaceAll('"id":13', '"id":9007199254740993');
    await send(respWith(big));
    await rdi.settled(({ totals }) => totals.rejected >= 2, 20_000);
    const { records } = JSON.parse(await ok('list-dlq-records', 'orders', '-o', 'json'));
    const id = records[0]['__dlq_stream_entry_id'];
    const editor = join(folder, 'editor.sh');
    writeFileSync(editor, '#!/bin/sh\nsed -i \'s/"bad"/"edited"/\' "$1"\n');
    chmodSync(editor, 0o755);
    const edit = (env: Record<string, string>) =>
      runCommand(['edit-dlq-record', 'orders', id], { env: { RDI_API_URL: rdi.http, ...env } });
    expect((await edit({})).err).toContain('EDITOR');
    expect((await edit({ EDITOR: 'true' })).out).toBe('Nothing was changed.\n');
    const edited = await edit({ EDITOR: editor });
    expect(edited.code, edited.err).toBe(0);
    await ok('retry-dlq', 'orders', '--id', id);
    expect(await target.client.hget('o:9007199254740993', 'ref')).toBe('edited');
  });
});

/** The command again with lengths that fit. */
function respWith(text: string): Buffer {
  const words = text.split('\r\n').filter((line, index) => index > 0 && !/^\$\d+$/.test(line) && line !== '');
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return Buffer.from(`*${words.length}\r\n${parts.join('')}`);
}

describe('what earlier versions had', () => {
  test('an exporter serves the metrics on a port of its own until it is told to end', async () => {
    const port = await freePort();
    const args = ['monitor', '--api-url', rdi.http, '--exporter-port', String(port), '--collect-interval', '1'];
    const binary = process.env['RDI_BINARY'];
    const log = { logFile: join(folder, 'monitor.log') };
    const monitor = binary ? new Process(binary, args, log) : new Process(process.execPath, [MAIN, ...args], log);
    try {
      const read = () => fetch(`http://127.0.0.1:${port}/metrics`).then((answer) => answer.text());
      await until('the exporter serves', async () => (await read().catch(() => '')).includes('rdi_incoming_entries'));
      expect((await fetch(`http://127.0.0.1:${port}/other`)).status).toBe(404);
    } finally {
      expect(await monitor.end('SIGINT', 10_000)).toBe(130);
    }
  });

  test('the configuration of the store is only looked at', async () => {
    for (const name of ['configure', 'config-rdi', 'configure-rdi']) {
      const { code, out, err } = await run(name, '--rdi-host', 'old', '--rdi-port', '12001');
      expect(code, err).toBe(0);
      expect(out).toContain('is ready');
      expect(err).toContain('--rdi-host, --rdi-port: without effect');
    }
  });
});

describe('what cannot be undone', () => {
  test('is refused without --force where nobody can be asked, and nothing happens', async () => {
    for (const args of [['reset'], ['delete'], ['flush-target'], ['reset', '--force', '--pause-for-confirmation']]) {
      const { code, err } = await run(...args);
      expect(code, args.join(' ')).toBe(2);
      expect(err).toContain('--force');
    }
    expect(await target.client.exists('o:1')).toBe(1);
  });

  test('a table can be forgotten by itself', async () => {
    const out = await ok('reset', '--table', 'orders', '--force');
    expect(out).toMatch(/^Forgot \d+ rejected records? of data:shop\.orders\.\n/);
    expect((await run('reset', '--table', 'nothing', '--force')).code).toBe(5);
  });

  test('a target is emptied, a pipeline reset and deleted', async () => {
    expect(await ok('flush-target', 'target', '--force')).toBe('Target target is empty.\n');
    expect(await target.client.dbsize()).toBe(0);
    await target.client.set('of somebody else', '1');
    expect(await ok('reset', '-f', '--rdi-host', 'old')).toContain('is reset');
    expect(await target.client.dbsize()).toBe(1);
    expect(await ok('reset', '--force', '--flush-target')).toContain('is reset');
    expect(await target.client.dbsize()).toBe(0);
    expect((await rdi.status()).totals.received).toBe(0);
    expect(await ok('delete', '--force')).toBe('Pipeline default is deleted.\n');
    expect((await rdi.status()).pipeline).toMatchObject({ isActive: false, jobs: [] });
    expect(await ok('deploy', '--dir', dir)).toContain('is in force');
    expect((await rdi.status()).pipeline).toMatchObject({ isDeployed: true, isActive: true });
    expect(await ok('deploy', '--empty')).toContain('completed successfully');
    expect((await rdi.status()).pipeline.isActive).toBe(false);
  });
});

describe('places of running rdis', () => {
  test('are kept by name, used, and forgotten', async () => {
    const home = tempFolder();
    const at = (...args: string[]) => runCommand(args, { env: { HOME: home } });
    expect((await at('set-context', 'here', '--api-url', rdi.http)).code).toBe(0);
    expect((await at('use-context', 'here')).code).toBe(0);
    expect((await at('list')).code).toBe(0);
    expect((await at('--context', 'here', 'list-jobs')).code).toBe(0);
    expect((await at('list', '--context', 'there')).code).toBe(5);
    expect((await at('list-contexts')).out).toMatch(/\* +here +http:/);
    expect((await at('delete-context', 'here', '-f')).code).toBe(0);
    expect((await at('list', '--api-url', 'http://127.0.0.1:9')).code).toBe(3);
    expect(existsSync(join(home, '.redis-di'))).toBe(true);
    rmSync(home, { recursive: true });
  });
});
