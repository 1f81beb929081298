import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Process } from '../../helpers/processes.ts';
import { type Rdi, startRdi } from '../../helpers/rdi-process.ts';
import { freePort, type RedisServer, startRedis, until } from '../../helpers/redis-server.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');

let redis: RedisServer;
let folder: string;

beforeAll(async () => {
  redis = await startRedis({ args: ['--requirepass', 'hunter2'] });
  folder = tempFolder();
});
afterAll(() => redis.stop());

function writePipeline(dir: string): void {
  mkdirSync(join(dir, 'jobs'), { recursive: true });
  writeFileSync(
    join(dir, 'config.yaml'),
    `# ours\ntargets:\n  target:\n    connection: {type: redis, host: 127.0.0.1, port: ${redis.port}, password: hunter2}\n`,
  );
  writeFileSync(
    join(dir, 'jobs', 'orders.yaml'),
    'source: {table: orders}\noutput:\n  - uses: redis.write\n    with: {connection: target, data_type: hash}\n',
  );
}

describe('a running rdi over its API', () => {
  let rdi: Rdi;

  async function call(method: string, path: string, body?: unknown) {
    const response = await fetch(`${rdi.http}/api/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text();
    expect(text).not.toContain('hunter2');
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  }

  async function finished(id: string) {
    let action = { status: 'pending' };
    await until('the action to end', async () => {
      action = (await call('GET', `v1/actions/${id}`)).body;
      return action.status === 'completed' || action.status === 'failed';
    });
    return action;
  }

  beforeAll(async () => {
    const dir = join(folder, 'pipeline');
    writePipeline(dir);
    rdi = await startRdi({ folder, args: ['--dir', dir] });
  });
  afterAll(() => rdi.end('SIGTERM'));

  it('shows its configuration without secrets', async () => {
    const { body } = await call('GET', 'v1/pipelines');
    expect(body.config.targets.target.connection).toMatchObject({ port: redis.port, password: '********' });
    expect(body.config.jobs).toMatchObject([{ name: 'orders' }]);
  });

  it('reaches the target with what it shows, and says why when a password is wrong', async () => {
    const { config } = (await call('GET', 'v1/pipelines')).body;
    const good = await call('POST', 'v1/pipelines/targets/dry-run', { targets: config.targets });
    expect(good.body.targets.target).toEqual({ status: 'success' });
    const connection = { ...config.targets.target.connection, password: 'wrong' };
    const bad = await call('POST', 'v1/pipelines/targets/dry-run', { targets: { target: connection } });
    expect(bad.body.targets.target).toMatchObject({ status: 'failed' });
    const same = { ...config.targets.target.connection, db: 1 };
    const masked = await call('POST', 'v1/pipelines/target/dry-run', same);
    expect(masked.body).toEqual({ connected: true, error: '' });
  });

  it('takes a changed configuration back, keeps secret and comments, and goes on writing', async () => {
    const { config } = (await call('GET', 'v1/pipelines')).body;
    const { body } = await call('POST', 'v1/pipelines', { ...config, processors: { read_batch_size: 77 } });
    expect(await finished(body.action_id)).toMatchObject({ status: 'completed' });
    const revisions = (await call('GET', 'v2/pipelines/default/revisions')).body;
    expect(revisions).toHaveLength(2);
    const current = revisions.find(({ isCurrent }: { isCurrent: boolean }) => isCurrent);
    const { document } = (await call('GET', `v2/pipelines/default/revisions/${current.number}`)).body;
    expect(document.config).toContain('# ours');
    expect(document.config).toContain('read_batch_size: 77');
    const again = await call('POST', 'v1/pipelines/targets/dry-run', { targets: config.targets });
    expect(again.body.targets.target).toEqual({ status: 'success' });
    expect((await call('GET', 'v2/pipelines/default/status')).body).toMatchObject({ status: 'started', current: true });
  });

  it('stops, starts, and rolls back', async () => {
    expect((await call('POST', 'v2/pipelines/default/stop')).body).toMatchObject({ active: false, status: 'stopped' });
    expect((await call('POST', 'v2/pipelines/default/start')).body).toMatchObject({ active: true, status: 'started' });
    const { status, body } = await call('POST', 'v2/pipelines/default/revisions/1/rollback');
    expect(status).toBe(201);
    expect(body.revision).toMatchObject({ origin: 'rollback', isCurrent: true });
    expect((await call('GET', 'v1/pipelines')).body.config).not.toHaveProperty('processors');
  });

  it('changes by merge patch, several at once, none of which is lost', async () => {
    const sizes = [1, 2, 3].map((step) =>
      call('PUT', `v1/pipelines/processors/${PROPS[step - 1]}`, { value: step * 100 }),
    );
    for (const { body } of await Promise.all(sizes)) await finished(body.action_id);
    expect((await call('GET', 'v2/pipelines/default')).body.config.processors).toEqual({
      read_batch_size: 100,
      write_batch_size: 200,
      dlq_max_messages: 300,
    });
  });

  it('refuses a wrong configuration with its places, and keeps what runs', async () => {
    const config = { targets: { target: { connection: { type: 'redis', host: 'h' } } }, proccessors: {} };
    const { status, body } = await call('PUT', 'v2/pipelines/default', { config });
    expect(status).toBe(422);
    expect(body.errors.map(({ message }: { message: string }) => message).join()).toContain(
      'did you mean `processors`',
    );
    expect((await call('GET', 'v2/pipelines/default')).body.config).toHaveProperty('processors');
    expect(await call('GET', 'v2/pipelines/other')).toMatchObject({
      status: 404,
      body: { detail: expect.stringContaining('"other"') },
    });
  });

  it('is undeployed', async () => {
    expect((await call('DELETE', 'v2/pipelines/default')).status).toBe(204);
    expect((await call('GET', 'v2/pipelines')).body).toEqual([]);
    const created = await call('POST', 'v2/pipelines', {
      config: { targets: { target: { connection: { type: 'redis', host: '127.0.0.1', port: redis.port } } } },
    });
    expect(created).toMatchObject({ status: 201, body: { name: 'default', active: true } });
  });
});

const PROPS = ['read_batch_size', 'write_batch_size', 'dlq_max_messages'];

it('a login is asked for when one is configured', async () => {
  const [listen, http] = [await freePort(), await freePort()];
  const args = ['run', '--target', `redis://:hunter2@127.0.0.1:${redis.port}`, '--listen', `127.0.0.1:${listen}`];
  args.push('--http', `127.0.0.1:${http}`, '--data-dir', join(folder, 'login'));
  const env = { RDI_HTTP_USER: 'ops', RDI_HTTP_PASSWORD: 'geheim' };
  const options = { logFile: join(folder, 'login.log'), env };
  const binary = process.env['RDI_BINARY'];
  const rdi = binary ? new Process(binary, args, options) : new Process(process.execPath, [MAIN, ...args], options);
  try {
    const url = `http://127.0.0.1:${http}`;
    await until('rdi to be ready', () =>
      fetch(`${url}/readyz`).then(
        ({ ok }) => ok,
        () => !rdi.running,
      ),
    );
    expect((await fetch(`${url}/api/v2/overview`)).status).toBe(401);
    const login = await fetch(`${url}/api/v1/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'ops', password: 'geheim' }),
    });
    const { access_token: token } = (await login.json()) as { access_token: string };
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${url}/api/v2/overview`, { headers })).status).toBe(200);
    expect((await fetch(`${url}/metrics`, { headers })).status).toBe(200);
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    expect(rdi.log()).not.toContain('geheim');
  } finally {
    await rdi.end('SIGTERM', 20_000);
  }
});
