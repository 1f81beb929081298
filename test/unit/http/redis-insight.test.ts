import { afterEach, describe, expect, it } from 'vitest';
import { fakeEngine } from '../../helpers/engine-snapshot.ts';
import { FakePipeline } from '../../helpers/fake-pipeline.ts';
import { type Answer, serve, type TestServer } from '../../helpers/http-server.ts';

const open: TestServer[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function insight(pipeline = new FakePipeline(), login = { user: 'default', password: 'geheim' }) {
  const server = await serve({ ...fakeEngine(), pipeline }, { login });
  open.push(server);
  const { body } = await server.call('POST', '/api/v1/login', { username: login.user, password: login.password });
  const headers = { authorization: `Bearer ${body.access_token}` };
  const call = (method: string, path: string, sent?: unknown) => server.call(method, `/api/v1/${path}`, sent, headers);
  /** Polls as Redis Insight does, in shorter steps. */
  const finished = async ({ body: { action_id: id } }: Answer) => {
    for (let i = 0; i < 100; i++) {
      const { body: action } = await call('GET', `actions/${id}`);
      if (action.status === 'completed' || action.status === 'failed') return action;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error('the action does not end');
  };
  return { server, call, finished, token: body.access_token as string };
}

describe('Redis Insight', () => {
  it('reads when its token ends from the token', async () => {
    const { token } = await insight();
    const claims = JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString('utf8'));
    expect(claims.exp - Date.now() / 1000).toBeGreaterThan(3500);
    expect(claims.exp - claims.iat).toBe(3600);
  });

  it('takes a server without login for one in development: 404 at login, and everything else is served', async () => {
    const server = await serve();
    open.push(server);
    expect(await server.call('POST', '/api/v1/login', { username: 'a', password: 'b' })).toMatchObject({ status: 404 });
    const headers = { authorization: 'Bearer e30.e30.x' };
    expect(await server.call('GET', '/api/v1/pipelines', undefined, headers)).toMatchObject({ status: 200 });
  });

  it('sends back what it was given, with one change, and nothing else changes: comments and secrets stay', async () => {
    const pipeline = new FakePipeline();
    const { call, finished } = await insight(pipeline);
    const { body } = await call('GET', 'pipelines');
    expect(body.config.targets.target.connection.password).toBe('********');
    expect(body.config.jobs).toEqual([expect.objectContaining({ name: 'orders', source: { table: 'orders' } })]);
    const { jobs, ...config } = body.config;
    config.processors.read_batch_size = 600;
    expect(await finished(await call('POST', 'pipelines', { ...config, jobs }))).toMatchObject({ status: 'completed' });
    expect(pipeline.document?.config).toMatch(/password: "?hunter2"? +# a secret/);
    expect(pipeline.document?.config).toContain('# where rows go');
    expect(pipeline.document?.config).toContain('read_batch_size: 600');
    expect(pipeline.document?.jobs['orders.yaml']).toContain('# orders that are paid');
  });

  it('adds a job, which gets a file of its name, and removes one', async () => {
    const pipeline = new FakePipeline();
    const { call, finished } = await insight(pipeline);
    const { body } = await call('GET', 'pipelines');
    const job = {
      name: 'all items',
      source: { table: 'items' },
      output: [{ uses: 'redis.write', with: { connection: 'target' } }],
    };
    await finished(await call('POST', 'pipelines', { config: { ...body.config, jobs: [job] } }));
    expect(Object.keys(pipeline.document?.jobs ?? {})).toEqual(['all_items.yaml']);
    expect((await call('GET', 'pipelines')).body.config.jobs).toEqual([job]);
  });

  it('is told at once what is wrong with a configuration, and nothing is deployed', async () => {
    const pipeline = new FakePipeline();
    const { call } = await insight(pipeline);
    const { status, body } = await call('POST', 'pipelines', {
      targets: { target: { connection: { type: 'mysql' } } },
    });
    expect(status).toBe(422);
    expect(body.errors[0]).toMatchObject({ code: 'validation_error', details: { file: 'config.yaml' } });
    expect(pipeline.revisions()).toHaveLength(1);
  });

  it('starts, stops and resets by actions', async () => {
    const pipeline = new FakePipeline();
    const { call, finished } = await insight(pipeline);
    for (const verb of ['stop', 'start', 'reset']) {
      expect(await finished(await call('POST', `pipelines/${verb}`, {}))).toMatchObject({ status: 'completed' });
    }
    expect(pipeline.calls).toEqual(['stop', 'start', 'reset']);
  });

  it('learns why an action failed', async () => {
    class Broken extends FakePipeline {
      override async stop(): Promise<void> {
        throw new Error('secret detail');
      }
    }
    const { server, call, finished } = await insight(new Broken());
    const action = await finished(await call('POST', 'pipelines/stop'));
    expect(action).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('Internal error') } });
    expect(server.errors.map(({ message }) => message)).toEqual(['secret detail']);
  });

  it('gets templates, schemas, functions and strategies', async () => {
    const { call } = await insight();
    expect((await call('GET', 'pipelines/config/templates/ingest/mysql')).body.template).toContain('type: mysql');
    expect(await call('GET', 'pipelines/config/templates/ingest/dbase')).toMatchObject({ status: 501 });
    expect((await call('GET', 'pipelines/jobs/templates/ingest')).body.template).toContain('source:');
    expect((await call('GET', 'pipelines/config/schemas')).body.properties).toHaveProperty('targets');
    expect((await call('GET', 'pipelines/jobs/schemas')).body.properties).toHaveProperty('source');
    expect((await call('GET', 'pipelines/jobs/functions')).body.concat).toMatchObject({
      arguments: [{ type: 'array' }],
    });
    expect((await call('GET', 'pipelines/strategies')).body.strategies[0].databases).toContain('postgresql');
  });

  it('tries a job on sample rows: the rows as they come out, the commands by connection', async () => {
    const { call } = await insight();
    const job = {
      name: 'trial',
      source: { table: 'orders' },
      transform: [
        { uses: 'filter', with: { language: 'jmespath', expression: 'paid' } },
        { uses: 'add_field', with: { field: 'total', language: 'jmespath', expression: "concat([price, ' EUR'])" } },
      ],
      output: [{ uses: 'redis.write', with: { connection: 'target', data_type: 'hash' } }],
    };
    const rows = [
      { id: 1, price: '5', paid: true },
      { id: 2, price: '6', paid: false },
    ];
    const { status, body } = await call('POST', 'pipelines/jobs/dry-run', { job, input_data: rows });
    expect(status).toBe(200);
    expect(body.transformation).toEqual([{ id: 1, price: '5', paid: true, total: '5 EUR' }]);
    expect(body.output).toEqual([
      { connection: 'target', commands: [expect.stringMatching(/^HSET orders:id:1 .*"5 EUR"/)] },
    ]);
    const wrong = { ...job, transform: [{ uses: 'filtr', with: {} }] };
    const refused = await call('POST', 'pipelines/jobs/dry-run', { job: wrong, input_data: rows });
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ code: 'job_validation_error' }] } });
  });

  it('is told why a target cannot be reached, and that sources cannot be tested', async () => {
    const { call } = await insight();
    const targets = { target: { connection: { type: 'redis', host: '127.0.0.1', port: 1 } } };
    const { body } = await call('POST', 'pipelines/targets/dry-run', { targets });
    expect(body.targets.target).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('127.0.0.1:1') },
    });
    expect(await call('POST', 'pipelines/sources/dry-run', {})).toMatchObject({ status: 405 });
  });

  it('finds version, state and statistics', async () => {
    const { call } = await insight();
    expect((await call('GET', 'status')).body).toMatchObject({
      components: { processor: { version: '0.1.0', status: 'ready' } },
      pipelines: { default: { status: 'ready', state: 'cdc' } },
    });
    expect((await call('GET', 'monitoring/statistics')).body).toMatchObject({
      connections: { target: { host: '127.0.0.1', port: 6379, password: '***', status: 'connected' } },
      data_streams: {
        totals: { total: 100, pending: 10 },
        streams: { '{rdi}:shop.orders': { total: 100, inserted: 60 } },
      },
      processing_performance: { total_batches: 2, batch_size_avg: 25, transform_time_avg: 2.5, rec_per_sec_avg: 3125 },
      rdi_pipeline_status: { rdi_version: '0.1.0', run_status: 'running', sync_mode: 'STREAMING' },
      clients: { 3: { id: '3', addr: '127.0.0.1:50000', user: 'debezium' } },
      offsets: {},
      snapshot_status: 'completed',
    });
  });
});
