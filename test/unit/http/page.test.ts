import { gunzipSync, gzipSync } from 'node:zlib';
import { fastify } from 'fastify';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FastifyInstance } from '../../../src/http/api.ts';
import { addPage } from '../../../src/http/page.ts';

const files = vi.hoisted(() => ({ current: [] as { name: string; gzipped: Buffer }[] }));
vi.mock('../../../src/http/page-files.ts', () => ({ readPageFiles: async () => files.current }));

let app: FastifyInstance;

beforeEach(() => {
  const file = (name: string, text: string) => ({ name, gzipped: gzipSync(text) });
  files.current = [file('index.html', '<!doctype html>'), file('assets/a-1.js', 'export {}')];
  app = fastify();
  addPage(app);
});

afterEach(() => app.close());

test('the page comes compressed where that is understood, and as it is elsewhere', async () => {
  const packed = await app.inject({ url: '/', headers: { 'accept-encoding': 'br, gzip' } });
  expect(packed.headers['content-encoding']).toBe('gzip');
  expect(gunzipSync(packed.rawPayload).toString()).toBe('<!doctype html>');
  for (const accepted of ['', 'identity', 'gzip;q=0']) {
    const plain = await app.inject({ url: '/', headers: { 'accept-encoding': accepted } });
    expect([accepted, plain.headers['content-encoding'], plain.payload]).toEqual([
      accepted,
      undefined,
      '<!doctype html>',
    ]);
  }
});

test('a browser that has a file is told that it still holds', async () => {
  const first = await app.inject('/assets/a-1.js');
  expect(first.headers['cache-control']).toContain('immutable');
  const again = await app.inject({ url: '/assets/a-1.js', headers: { 'if-none-match': `W/${first.headers.etag}` } });
  expect([again.statusCode, again.payload]).toEqual([304, '']);
  expect((await app.inject('/')).headers['cache-control']).toBe('no-cache');
});

test('the page may load nothing from elsewhere, run no inline script, and be framed by nobody', async () => {
  const policy = `${(await app.inject('/')).headers['content-security-policy']}`;
  for (const rule of ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]) {
    expect(policy.split('; ')).toContain(rule);
  }
  expect(policy).not.toMatch(/unsafe|\*|data:/);
});

test('a file that the page has not is 404, wherever its path leads', async () => {
  for (const path of ['/assets/b.js', '/assets/../index.html', '/assets/%2e%2e/index.html', '/assets/']) {
    expect([path, (await app.inject(path)).statusCode]).toEqual([path, 404]);
  }
});

test('without a built page the answer says how to build it, and the page is there once it was', async () => {
  const built = files.current;
  files.current = [];
  const answer = await app.inject('/');
  expect([answer.statusCode, answer.payload]).toEqual([404, expect.stringContaining('./scripts/build')]);
  files.current = built;
  expect((await app.inject('/')).statusCode).toBe(200);
});
