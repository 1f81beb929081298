import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { Endpoint } from '../../../src/sink/index.ts';
import { EmbeddedStore } from '../../../src/streams/index.ts';
import { FaultyDisk } from '../../helpers/faulty-disk.ts';
import { seededRandom } from '../../helpers/random.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const XADD = '*5\r\n$4\r\nXADD\r\n$8\r\ndata:one\r\n$1\r\n*\r\n$3\r\nkey\r\n$1\r\n1\r\n';

const endings: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** An endpoint on a disk that can be made to fail. */
async function world() {
  const disk = new FaultyDisk(seededRandom(1));
  const store = await EmbeddedStore.open({
    folder: join(tempFolder({ inMemory: true }), 'data'),
    ...{ clock: systemClock, diskLimitBytes: 1e9, tailBytes: 1e6, disk },
    onNotice: () => {},
  });
  endings.push(() => store.close());
  const endpoint = new Endpoint({
    ...{ host: '127.0.0.1', port: 0, users: [], version: 'test', clock: systemClock, store },
    ...{ maxConnections: 100, maxFrameBytes: 1e6, maxArguments: 100, authTimeoutMs: 1000, testMode: true },
    onNotice: () => {},
  });
  await endpoint.listen();
  endings.push(() => endpoint.close());
  return { disk, endpoint };
}

/** Sends the text on a new connection; resolves to what was answered until the server closed or `quietMs` passed. */
async function ask(endpoint: Endpoint, text: string, quietMs = 150): Promise<{ answer: string; isClosed: boolean }> {
  const socket: Socket = connect(endpoint.port, '127.0.0.1');
  let answer = '';
  let isClosed = false;
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    isClosed = true;
  });
  socket.write(text);
  await new Promise((resolve) => {
    socket.once('close', resolve);
    setTimeout(resolve, quietMs);
  });
  const seen = { answer, isClosed };
  socket.destroy();
  return seen;
}

test('a client in cluster mode never sees OOM, on whichever of its connections it appends', async () => {
  const { endpoint } = await world();
  await ask(endpoint, 'CONFIG SET maxmemory 1mb\r\n');
  expect((await ask(endpoint, XADD)).answer).toMatch(/^-OOM /);
  await ask(endpoint, 'CLUSTER SLOTS\r\n');
  expect(await ask(endpoint, `PING\r\n${XADD}`)).toEqual({ answer: '', isClosed: true });
  expect((await ask(endpoint, `CLIENT SETNAME debezium:redis:sink\r\n${XADD}`)).answer).toMatch(/^\+OK\r\n-OOM /);
});

test('a client in cluster mode is cut when the disk fails under its entries', async () => {
  const { endpoint, disk } = await world();
  await ask(endpoint, 'CLUSTER SLOTS\r\n');
  disk.failures = 1;
  expect(await ask(endpoint, XADD)).toEqual({ answer: '', isClosed: true });
  disk.failures = 0;
});
