import { afterEach, describe, expect, test } from 'vitest';
import { commandBytes } from '../../helpers/bulk-strings.ts';
import { type EndpointWorld, startEndpoint, storedTexts } from '../../helpers/endpoint.ts';
import type { RawClient } from '../../helpers/raw-client.ts';
import { until } from '../../helpers/redis-server.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

let world: EndpointWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

async function start(folder = tempFolder({ inMemory: true })): Promise<{ folder: string; world: EndpointWorld }> {
  world = await startEndpoint({ folder, store: { segmentBytes: 1 << 20 } });
  return { folder, world };
}

/** A feeder that has greeted as Debezium 2.6 does before a sub-batch. */
async function feeder(from: EndpointWorld, name = 'debezium:redis:sink', db = '0'): Promise<RawClient> {
  const client = await from.client();
  await client.ask('SELECT', db);
  await client.ask('PING');
  await client.ask('CLIENT', 'SETNAME', name);
  await client.ask('INFO', 'memory');
  await client.ask('PING');
  return client;
}

const xadd = (text: string, stream = 'data:orders') => commandBytes('XADD', stream, '*', 'key', text);
const pipeline = (texts: readonly string[]) => Buffer.concat(texts.map((text) => xadd(text)));
const SENT = Array.from({ length: 20 }, (_, i) => `row ${i}`);

/** Sends a pipeline, waits until it is durable, and loses the connection without having read a reply. */
async function sendAndCut(from: EndpointWorld, texts: readonly string[], name?: string, db?: string): Promise<void> {
  const client = await feeder(from, name, db);
  const before = from.store.durable;
  client.send(pipeline(texts));
  await until('all is durable', () => from.store.durable > before && from.store.appended === from.store.durable);
  client.socket.resetAndDestroy();
  await until('the connection is gone', () => from.endpoint.state.connections.length === 0);
}

async function textsOf({ store }: EndpointWorld): Promise<string[]> {
  return (await storedTexts(store)).map(({ fields }) => fields.split('\r\n')[3] ?? '');
}

async function idsOf({ store }: EndpointWorld): Promise<string[]> {
  return (await storedTexts(store)).map(({ id }) => `$${id.length}\r\n${id}\r\n`);
}

describe('a sub-batch sent again after a cut', () => {
  test('is stored once and answered with the ids it got at first', async () => {
    const { world: here } = await start();
    await sendAndCut(here, SENT);
    const ids = await idsOf(here);
    const again = await feeder(here);
    again.send(pipeline(SENT));
    expect(await again.replies(20)).toEqual(ids);
    expect(await textsOf(here)).toEqual(SENT);
    expect(here.store.stream(0, 'data:orders')).toMatchObject({ appended: 20, deduplicated: 20 });
  });

  test('of which only a first part had arrived is completed', async () => {
    const { world: here } = await start();
    await sendAndCut(here, SENT.slice(0, 7));
    const again = await feeder(here);
    again.send(pipeline(SENT));
    const replies = await again.replies(20);
    expect(replies).toEqual(await idsOf(here));
    expect(await textsOf(here)).toEqual(SENT);
    expect(here.store.stream(0, 'data:orders').deduplicated).toBe(7);
  });

  test('is recognised again and again, each time one entry further', async () => {
    const { world: here } = await start();
    for (const length of [1, 2, 10, 20]) await sendAndCutAgain(here, SENT.slice(0, length), length);
    expect(await textsOf(here)).toEqual(SENT);
  });

  test('is recognised in any chunks', async () => {
    const { world: here } = await start();
    await sendAndCut(here, SENT);
    const again = await feeder(here);
    const bytes = pipeline(SENT);
    for (let at = 0; at < bytes.length; at += 37) {
      again.send(bytes.subarray(at, at + 37));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await again.replies(20);
    expect(await textsOf(here)).toEqual(SENT);
  });

  test('is recognised after a restart of rdi, and in a database other than 0', async () => {
    for (const db of ['0', '3']) {
      const { folder, world: first } = await start();
      await sendAndCut(first, SENT, undefined, db);
      await first.close();
      const { world: here } = await start(folder);
      const again = await feeder(here, undefined, db);
      again.send(pipeline(SENT));
      expect(await again.replies(20)).toEqual(await idsOf(here));
      expect(await textsOf(here)).toEqual(SENT);
      await here.close();
      world = undefined;
    }
  });

  test('that lay in two segments is stored once or twice after a restart, never in part', async () => {
    const { folder, world: first } = await start();
    const large = SENT.map((text) => text + 'x'.repeat(100_000));
    await sendAndCut(first, large);
    expect(first.store.segments).toBeGreaterThan(1);
    await first.close();
    const { world: here } = await start(folder);
    const again = await feeder(here);
    again.send(pipeline(large));
    await again.replies(20);
    expect([20, 40]).toContain((await textsOf(here)).length);
  });

  test('that is shorter is stored again, and answered without waiting for more', async () => {
    const { world: here } = await start();
    await sendAndCut(here, SENT);
    const again = await feeder(here);
    const startedAt = performance.now();
    again.send(pipeline(SENT.slice(0, 5)));
    await again.replies(5);
    expect(performance.now() - startedAt).toBeLessThan(3000);
    expect(await textsOf(here)).toEqual([...SENT, ...SENT.slice(0, 5)]);
    expect(here.store.stream(0, 'data:orders').deduplicated).toBe(0);
  });

  test.each([0, 1, 10, 19])('that differs in entry %i is stored whole', async (index) => {
    const { world: here } = await start();
    await sendAndCut(here, SENT);
    const other = SENT.map((text, i) => (i === index ? 'other' : text));
    const again = await feeder(here);
    again.send(pipeline(other));
    await again.replies(20);
    expect(await textsOf(here)).toEqual([...SENT, ...other]);
  });

  test('that differs in its stream only is stored whole', async () => {
    const { world: here } = await start();
    await sendAndCut(here, ['same']);
    const again = await feeder(here);
    again.send(xadd('same', 'data:customers'));
    await again.reply();
    expect((await storedTexts(here.store)).map(({ stream }) => stream)).toEqual(['data:orders', 'data:customers']);
  });

  test('followed at once by another command is answered before it', async () => {
    const { world: here } = await start();
    await sendAndCut(here, SENT);
    const again = await feeder(here);
    again.send(Buffer.concat([pipeline(SENT.slice(0, 3)), commandBytes('WAIT', '1', '1000')]));
    expect((await again.replies(4)).at(-1)).toBe(':1\r\n');
    expect(await textsOf(here)).toEqual([...SENT, ...SENT.slice(0, 3)]);
  });

  test('cut again in the middle of the comparison loses nothing', async () => {
    const { world: here } = await start();
    await sendAndCut(here, SENT);
    const second = await feeder(here);
    second.send(pipeline(SENT).subarray(0, 300));
    second.socket.resetAndDestroy();
    const third = await feeder(here);
    third.send(pipeline(SENT));
    await third.replies(20);
    expect(await textsOf(here)).toEqual(SENT);
  });
});

describe('the same entries are stored again', () => {
  test('when the feeder had gone on to another command before: it had all answers', async () => {
    const { world: here } = await start();
    const first = await feeder(here);
    first.send(pipeline(SENT));
    await first.replies(20);
    await first.ask('PING');
    first.socket.resetAndDestroy();
    const again = await feeder(here);
    again.send(pipeline(SENT));
    await again.replies(20);
    expect(await textsOf(here)).toEqual([...SENT, ...SENT]);
  });

  test('when they come twice on one connection', async () => {
    const { world: here } = await start();
    const one = await feeder(here);
    for (let i = 0; i < 2; i++) {
      one.send(pipeline(SENT));
      await one.replies(20);
    }
    expect(await textsOf(here)).toEqual([...SENT, ...SENT]);
  });

  test.each([
    ['by a client of another name', 'other', '0'],
    ['by a client without a name', '', '0'],
    ['in another database', 'debezium:redis:sink', '3'],
  ])('when they come %s', async (_what, name, db) => {
    const { world: here } = await start();
    await sendAndCut(here, SENT);
    const other = await feeder(here, name, db);
    other.send(pipeline(SENT));
    await other.replies(20);
    expect(await textsOf(here)).toEqual([...SENT, ...SENT]);
  });
});

async function sendAndCutAgain(from: EndpointWorld, texts: readonly string[], total: number): Promise<void> {
  const client = await feeder(from);
  client.send(pipeline(texts));
  await until('all has come', () => from.store.stream(0, 'data:orders').appended >= total);
  await client.replies(texts.length);
  client.socket.resetAndDestroy();
  await until('the connection is gone', () => from.endpoint.state.connections.length === 0);
}
