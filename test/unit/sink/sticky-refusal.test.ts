import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { Endpoint } from '../../../src/sink/index.ts';
import { EmbeddedStore } from '../../../src/streams/index.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

/** Longer than the rest after which a feeder of Debezium 1.9.0, which sends nothing else, is taken to try again. */
const REST_MS = 400;

let store: EmbeddedStore;
let endpoint: Endpoint;
const sockets: Socket[] = [];

beforeAll(async () => {
  store = await EmbeddedStore.open({
    folder: join(tempFolder({ inMemory: true }), 'data'),
    clock: systemClock,
    diskLimitBytes: 1e9,
    tailBytes: 1e6,
    onNotice: () => {},
  });
  endpoint = new Endpoint({
    ...{ host: '127.0.0.1', port: 0, users: [], version: 'test', clock: systemClock, store },
    ...{ maxConnections: 100, maxFrameBytes: 1e6, maxArguments: 100, authTimeoutMs: 1000, testMode: true },
    onNotice: () => {},
  });
  await endpoint.listen();
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await endpoint.close();
  await store.close();
});

/** A client that sends texts and reads one line of reply at a time; a bulk string counts as its second line. */
async function client() {
  const socket = connect(endpoint.port, '127.0.0.1').setNoDelay(true);
  sockets.push(socket);
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  const line = async (): Promise<string> => {
    while (!text.includes('\r\n')) await pause(2);
    const [first] = text.split('\r\n');
    text = text.slice((first as string).length + 2);
    return (first as string).startsWith('$') ? line() : (first as string);
  };
  return { send: (part: string) => socket.write(part, 'latin1'), line };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const xadd = (id: number) => `*5\r\n$4\r\nXADD\r\n$8\r\ndata:one\r\n$1\r\n*\r\n$3\r\nkey\r\n$1\r\n${id}\r\n`;
const ID = /^\d+-\d+$/;

async function limit(text: '1mb' | '0'): Promise<void> {
  const admin = await client();
  admin.send(`CONFIG SET maxmemory ${text}\r\n`);
  expect(await admin.line()).toBe('+OK');
}

test('a pipeline that stalls in the middle of a command stays refused to its end', async () => {
  const feeder = await client();
  await limit('1mb');
  feeder.send(xadd(1) + xadd(2).slice(0, 30));
  expect(await feeder.line()).toMatch(/^-OOM /);
  await limit('0');
  await pause(REST_MS);
  feeder.send(xadd(2).slice(30) + xadd(3));
  expect(await feeder.line()).toMatch(/^-OOM /);
  expect(await feeder.line()).toMatch(/^-OOM /);
  feeder.send(`PING\r\n${xadd(1)}`);
  expect(await feeder.line()).toBe('+PONG');
  expect(await feeder.line()).toMatch(ID);
});

test('a feeder that separates its pipelines is refused until it does, however long it rests', async () => {
  const feeder = await client();
  feeder.send(`${xadd(1)}PING\r\n`);
  expect(await feeder.line()).toMatch(ID);
  expect(await feeder.line()).toBe('+PONG');
  await limit('1mb');
  feeder.send(xadd(2));
  expect(await feeder.line()).toMatch(/^-OOM /);
  await limit('0');
  await pause(REST_MS);
  feeder.send(xadd(3));
  expect(await feeder.line()).toMatch(/^-OOM /);
});

test('a feeder that sends nothing but XADD is heard again after its retry delay, also when a chunk ends in its first command', async () => {
  const feeder = await client();
  await limit('1mb');
  feeder.send(xadd(1));
  expect(await feeder.line()).toMatch(/^-OOM /);
  await limit('0');
  await pause(REST_MS);
  feeder.send(xadd(1).slice(0, 30));
  await pause(20);
  feeder.send(xadd(1).slice(30) + xadd(2));
  expect(await feeder.line()).toMatch(ID);
  expect(await feeder.line()).toMatch(ID);
});
