import { afterEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../../src/control/index.ts';
import { fakeEngine } from '../../helpers/engine-snapshot.ts';
import { serve, type TestServer } from '../../helpers/http-server.ts';

const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

/** An engine that nothing passes through; tells of each who follows. */
function quietEngine(onFollow: () => void): Engine {
  const engine = fakeEngine();
  const follow = async function* (signal: AbortSignal): AsyncGenerator<never> {
    onFollow();
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  };
  return { ...engine, history: { ...engine.history, follow } } as Engine;
}

describe('traces at the same time', () => {
  it('are refused when there are too many, whichever way they are asked for, and let in when others are over', async () => {
    let followers = 0;
    const server = await serve(
      quietEngine(() => {
        followers++;
      }),
    );
    open.push(server);
    const clients = Array.from({ length: 10 }, () => new AbortController());
    for (const { signal } of clients) {
      // Nothing is answered before the first record.
      void fetch(`${server.url}/api/v2/pipelines/default/traces`, {
        method: 'POST',
        body: '{"timeout": 60}',
        headers: { 'content-type': 'application/json' },
        signal,
      }).catch(() => {});
    }
    await expect.poll(() => followers).toBe(10);
    const start = async (timeout: number) => (await server.call('POST', '/api/v1/trace/start', { timeout })).status;
    for (let i = 0; i < 6; i++) expect(await start(1)).toBe(200);
    expect(await start(1)).toBe(429);
    expect((await server.call('POST', '/api/v2/pipelines/default/traces', {})).status).toBe(429);
    expect((await server.call('GET', '/api/v2/pipelines/default/explain?key=a')).status).toBe(429);
    for (const client of clients) client.abort();
    await expect.poll(() => start(60)).toBe(200);
  });
});
