import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpOptions } from '../../../src/http/index.ts';
import { Login } from '../../../src/http/login.ts';
import { fakeEngine } from '../../helpers/engine-snapshot.ts';
import { serve, type TestServer } from '../../helpers/http-server.ts';

const open: TestServer[] = [];
const login = { user: 'ops', password: 'geheim' };

async function start(options: Partial<HttpOptions>): Promise<TestServer> {
  const server = await serve(fakeEngine(), options);
  open.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

/** The answer to a request whose target is sent as it stands: `fetch` would tidy it. */
async function rawAnswer(url: string, target: string): Promise<string> {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.end(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  return text(socket);
}

const CLOSED = [
  '/api/v2/overview',
  '/api/v1/pipelines',
  '/api/v1/me',
  '/api/nothing',
  '/metrics',
  '/processor/metrics',
  '/healthz?verbose',
];
const OPEN = ['/livez', '/healthz', '/readyz', '/api/v2/info', '/api/openapi.json', '/api/docs', '/'];

describe('with a login', () => {
  it.each(CLOSED)('%s needs a token', async (path) => {
    const server = await start({ login });
    const { status, body, headers } = await server.call('GET', path);
    expect(status).toBe(401);
    expect(body.detail).toContain('/api/v1/login');
    expect(headers.get('www-authenticate')).toBe('Bearer');
    const token = (await server.call('POST', '/api/v1/login', { username: 'ops', password: 'geheim' })).body
      .access_token;
    const answer = await server.call('GET', path, undefined, { authorization: `Bearer ${token}` });
    expect(answer.status).toBe(path === '/api/nothing' ? 404 : 200);
  });

  it.each(OPEN)('%s is open', async (path) => {
    expect((await (await start({ login })).call('GET', path)).status).not.toBe(401);
  });

  it('an encoded path is no way around it', async () => {
    const server = await start({ login });
    for (const path of [
      '/%6detrics',
      '/metrics/',
      '//metrics',
      '/api/v2/%6fverview',
      '/api/v2/overview/',
      '/%61pi/v2/overview',
    ]) {
      expect([401, 404], path).toContain((await server.call('GET', path)).status);
    }
  });

  it.each(['/healthz??&verbose', '/healthz#verbose', '/healthz?&verbose', '/healthz?%76erbose'])(
    'the details of %s are not open, however the query is written',
    async (target) => {
      const { url } = await start({ login });
      expect(await rawAnswer(url, target)).toMatch(/^HTTP\/1\.1 401 /);
    },
  );

  it('metrics are open where that is wanted', async () => {
    const server = await start({ login, openMetrics: true });
    expect((await server.call('GET', '/metrics')).status).toBe(200);
    expect((await server.call('GET', '/api/v2/overview')).status).toBe(401);
  });

  it('refuses a body before it reads it', async () => {
    const server = await start({ login });
    const { status } = await server.call('POST', '/api/v1/pipelines', { text: 'x'.repeat(1_000_000) });
    expect(status).toBe(401);
  });

  it('tells who somebody is, and takes the token of the configuration', async () => {
    const server = await start({ login, token: 'scraper-token' });
    const headers = { authorization: 'Bearer scraper-token' };
    expect((await server.call('GET', '/metrics', undefined, headers)).status).toBe(200);
    expect((await server.call('GET', '/api/v1/me', undefined, headers)).body).toEqual({ sub: 'token' });
  });
});

describe('tokens', () => {
  it('end after an hour, and are good for one key and user only', async () => {
    let now = 1_795_000_000_000;
    const clock = { now: () => now } as ConstructorParameters<typeof Login>[1];
    const jwtKey = 'k'.repeat(32);
    const one = new Login({ login, jwtKey }, clock);
    const token = `Bearer ${await one.issue('ops', 'geheim', 'a')}`;
    expect(await one.identify(token)).toMatchObject({ sub: 'ops' });
    expect(await new Login({ login, jwtKey }, clock).identify(token)).toMatchObject({ sub: 'ops' });
    expect(await new Login({ login }, clock).identify(token)).toBeNull();
    expect(await new Login({ login: { ...login, user: 'other' }, jwtKey }, clock).identify(token)).toBeNull();
    now += 3_599_000;
    expect(await one.identify(token)).not.toBeNull();
    now += 2000;
    expect(await one.identify(token)).toBeNull();
  });

  it('without a signature, or with another algorithm, are none', async () => {
    const one = new Login({ login });
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = part({ sub: 'ops', exp: 4_000_000_000 });
    for (const alg of ['none', 'HS512', 'HS256']) {
      expect(await one.identify(`Bearer ${part({ alg })}.${claims}.`)).toBeNull();
    }
    for (const header of [undefined, '', 'Bearer', 'Bearer x', 'Basic b3BzOmdlaGVpbQ==']) {
      expect(await one.identify(header)).toBeNull();
    }
  });
});

describe('wrong logins', () => {
  it('are refused without saying what was wrong; after five the caller must wait, longer each time', async () => {
    let now = 0;
    const one = new Login({ login }, { now: () => now } as ConstructorParameters<typeof Login>[1]);
    const attempt = (user = 'ops', password = 'wrong', caller = 'a') =>
      one.issue(user, password, caller).then(
        () => 200,
        (error: { status: number }) => error.status,
      );
    expect(await attempt('nobody', 'geheim')).toBe(401);
    for (let i = 0; i < 4; i++) expect(await attempt()).toBe(401);
    expect(await attempt('ops', 'geheim')).toBe(429);
    expect(await attempt('ops', 'geheim', 'b')).toBe(200);
    now += 1001;
    expect(await attempt()).toBe(401);
    now += 1001;
    expect(await attempt('ops', 'geheim')).toBe(429);
    now += 1000;
    expect(await attempt('ops', 'geheim')).toBe(200);
    expect(await attempt()).toBe(401);
    expect(await attempt('ops', 'geheim')).toBe(200);
  });
});
