import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../../src/write/backoff.ts';
import { describeEndpoint, endpointOf } from '../../../src/write/options.ts';

describe('the address of the target', () => {
  it('is taken from a URL, and single fields win', () => {
    const endpoint = endpointOf({ url: 'redis://joe:s%40crt@db.example:7000/4', port: 7001 });
    expect(endpoint).toMatchObject({ host: 'db.example', port: 7001, user: 'joe', password: 's@crt', db: 4 });
    expect(describeEndpoint(endpoint)).toBe('db.example:7001');
  });

  it('is the usual one when nothing is said', () => {
    expect(endpointOf({})).toMatchObject({ host: '127.0.0.1', port: 6379, db: 0, tls: undefined });
  });

  it('may be a unix socket, an IPv6 address, a password without user', () => {
    expect(endpointOf({ url: 'unix:///run/redis.sock?db=2' })).toMatchObject({ socketPath: '/run/redis.sock', db: 2 });
    expect(endpointOf({ url: 'redis://[::1]:7000' })).toMatchObject({ host: '::1', port: 7000 });
    expect(endpointOf({ url: 'redis://:pw@h' })).toMatchObject({ user: undefined, password: 'pw' });
  });

  it('with TLS checks the name of the host unless that is switched off', () => {
    expect(endpointOf({ url: 'rediss://h' }).tls).toEqual({ servername: 'h', rejectUnauthorized: true });
    expect(endpointOf({ host: '10.0.0.1', tls: { ca: 'A' } }).tls).toEqual({ ca: 'A', rejectUnauthorized: true });
    expect(endpointOf({ tls: { verifyHostname: false } }).tls?.checkServerIdentity).toBeTypeOf('function');
  });

  for (const url of ['http://x', 'redis', 'redis://h/zero', '']) {
    it(`that cannot be read is an error that does not repeat it: "${url}"`, () => {
      expect(() => endpointOf({ url })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    });
  }

  it('of Sentinels and Clusters names all of them', () => {
    const nodes = [{ host: 'a', port: 1 }];
    expect(describeEndpoint(endpointOf({ sentinel: { name: 'm', nodes } }))).toBe('master "m" of the Sentinels a:1');
    expect(describeEndpoint(endpointOf({ cluster: { nodes } }))).toBe('cluster a:1');
  });
});

it('backs off exponentially up to the limit, spread over half of the delay', () => {
  const retry = { initialDelayMs: 100, maxDelayMs: 1000, multiplier: 2 };
  expect([1, 2, 3, 4, 5, 1000].map((attempt) => backoffMs(retry, attempt, () => 1))).toEqual([
    100, 200, 400, 800, 1000, 1000,
  ]);
  expect(backoffMs(retry, 3, () => 0)).toBe(200);
});
