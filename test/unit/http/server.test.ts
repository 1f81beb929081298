import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../../src/control/index.ts';
import { type HttpServer, startHttp } from '../../../src/http/index.ts';
import { engineSnapshot, fakeEngine, streamAccount } from '../../helpers/engine-snapshot.ts';

const open: HttpServer[] = [];
const errors: Error[] = [];

async function serve(engine: Engine | undefined = fakeEngine()): Promise<string> {
  const server = await startHttp({
    host: '127.0.0.1',
    port: 0,
    engine: () => engine,
    onError: (error) => errors.push(error),
  });
  open.push(server);
  return `http://${server.address}`;
}

async function get(url: string, init?: RequestInit): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(url, init);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

afterEach(async () => {
  errors.length = 0;
  await Promise.all(open.splice(0).map((server) => server.close()));
});

describe('health', () => {
  it('says the process is alive while the engine is still starting, and that it is not ready', async () => {
    const server = await startHttp({ host: '127.0.0.1', port: 0, engine: () => undefined, onError: () => {} });
    open.push(server);
    const url = `http://${server.address}`;
    expect((await get(`${url}/livez`)).status).toBe(200);
    expect((await get(`${url}/healthz`)).body).toEqual({ status: 'alive' });
    const readiness = await get(`${url}/readyz`);
    expect(readiness.status).toBe(503);
    expect(readiness.body['reasons']).toEqual([expect.stringContaining('starting')]);
    expect((await get(`${url}/api/v2/overview`)).status).toBe(503);
    expect((await fetch(`${url}/metrics`)).status).toBe(200);
  });

  it('gives every reason why it is not ready', async () => {
    const url = await serve(fakeEngine(engineSnapshot, ['Target redis://127.0.0.1:1 cannot be reached.']));
    const { status, body } = await get(`${url}/readyz`);
    expect(status).toBe(503);
    expect(body).toEqual({ ready: false, reasons: ['Target redis://127.0.0.1:1 cannot be reached.'] });
  });

  it('is ready when the engine is', async () => {
    expect(await get(`${await serve()}/readyz`)).toEqual({ status: 200, body: { ready: true, reasons: [] } });
  });

  it('tells the state of every component when asked to be verbose', async () => {
    const { body } = await get(`${await serve()}/healthz?verbose`);
    expect(body['components']).toMatchObject({
      store: { state: 'ready' },
      endpoint: { listening: true, connections: 1 },
      'target target': { state: { state: 'ready' } },
    });
  });
});

describe('status', () => {
  it('shows every stream with exactly the accounting fields, and totals', async () => {
    const { body } = await get(`${await serve()}/api/v2/overview`);
    const fields = { received: 100, written: 70, filtered: 2, superseded: 5, deduplicated: 4, rejected: 1, skipped: 8 };
    expect(body['streams']).toEqual([expect.objectContaining({ ...fields, pending: 10 })]);
    expect(body['totals']).toMatchObject({ ...fields, pending: 10 });
    expect(body).toMatchObject({ state: 'RUNNING', ready: true, problems: [{ severity: 'warning' }] });
  });

  it('never prints a password, also when a driver quotes its URL', async () => {
    const leak = { state: 'waiting', code: 'E', message: 'connect redis://app:hunter2@h:1/p@th failed', since: 0 };
    const snapshot = engineSnapshot({
      targets: [{ name: 't', address: 'redis://app:hunter2@h:1', state: { ...leak, attempts: 1 } as never }],
      notices: ['uses rediss://:hunter2@h'],
    });
    const url = await serve(fakeEngine(() => snapshot, ['redis://app:hunter2@h is away']));
    for (const path of [
      '/api/v2/overview',
      '/readyz',
      '/healthz?verbose',
      '/metrics',
      '/api/v2/pipelines/default/dlqs',
    ]) {
      expect(await (await fetch(url + path)).text(), path).not.toContain('hunter2');
    }
  });
});

describe('DLQ', () => {
  it('lists how many records each stream has', async () => {
    const { body } = await get(`${await serve()}/api/v2/pipelines/default/dlqs`);
    expect(body).toEqual({ 'data:{rdi}:shop.orders': { total_count: 1, evicted: 0 } });
  });

  it('finds records by full name, DLQ name, name without prefix, and table name', async () => {
    const url = await serve();
    for (const name of ['data:{rdi}:shop.orders', 'dlq:data:{rdi}:shop.orders', '{rdi}:shop.orders', 'orders']) {
      const { body } = await get(`${url}/api/v2/pipelines/default/dlqs/${encodeURIComponent(name)}/records`);
      expect(body['records'], name).toHaveLength(1);
    }
  });

  it('pages', async () => {
    const { body } = await get(`${await serve()}/api/v2/pipelines/default/dlqs/orders/records?offset=1`);
    expect(body['records']).toEqual([]);
  });

  it.each(['limit=0', 'limit=1001', 'limit=x', 'offset=-1', 'sort_order=up'])(
    'refuses %s with a reason',
    async (query) => {
      const { status, body } = await get(`${await serve()}/api/v2/pipelines/default/dlqs/orders/records?${query}`);
      expect(status).toBe(400);
      expect(body['detail']).toContain(query.split('=')[0]);
    },
  );

  it('answers 404 for a stream that does not exist', async () => {
    expect((await get(`${await serve()}/api/v2/pipelines/default/dlqs/nothing/records`)).status).toBe(404);
  });
});

describe('resume', () => {
  const stopped = streamAccount({ stopped: { reason: 'no key', entryId: '1-0', since: 1 } });

  it('lets a stopped stream go on', async () => {
    const url = await serve(fakeEngine(() => engineSnapshot({ streams: [stopped] })));
    const { status, body } = await get(`${url}/api/v2/pipelines/default/streams/orders/resume`, { method: 'POST' });
    expect(status).toBe(200);
    expect(body).toEqual({ stream: 'data:{rdi}:shop.orders', resumed: true });
  });

  it('says when the stream is not stopped, or not there', async () => {
    const url = await serve();
    expect((await get(`${url}/api/v2/pipelines/default/streams/orders/resume`, { method: 'POST' })).status).toBe(409);
    expect((await get(`${url}/api/v2/pipelines/default/streams/other/resume`, { method: 'POST' })).status).toBe(404);
  });

  it('is refused to pages of a web browser, by origin and by a rebound host name', async () => {
    const url = await serve();
    const init = { method: 'POST', headers: { origin: 'http://evil.example' } };
    expect((await get(`${url}/api/v2/pipelines/default/streams/orders/resume`, init)).status).toBe(403);
    expect(await rawStatus(url, 'evil.example')).toBe(403);
    expect(await rawStatus(url, 'localhost:80')).toBe(200);
  });
});

/** `fetch` sets `Host` itself, so this one request is written by hand. */
async function rawStatus(url: string, host: string): Promise<number> {
  const { get: httpGet } = await import('node:http');
  return new Promise((resolve, reject) => {
    httpGet(`${url}/livez`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).on('error', reject);
  });
}

describe('errors', () => {
  it('hide stack traces and reach the log', async () => {
    const url = await serve(
      fakeEngine(() => {
        throw new Error('secret detail');
      }),
    );
    const { status, body } = await get(`${url}/api/v2/overview`);
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('secret detail');
    expect(errors.map(({ message }) => message)).toEqual(['secret detail']);
  });

  it('name the path that is not served', async () => {
    expect((await get(`${await serve()}/nowhere?x=1`)).body).toEqual({ detail: 'Nothing is served at GET /nowhere.' });
  });

  it('name address and flag when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const attempt = startHttp({ host: '127.0.0.1', port, engine: () => undefined, onError: () => {} });
    await expect(attempt).rejects.toThrow(new RegExp(`127.0.0.1:${port}: another program.*--http`));
    other.close();
  });
});
