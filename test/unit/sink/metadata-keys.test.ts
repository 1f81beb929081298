import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { Endpoint } from '../../../src/sink/index.ts';
import { EmbeddedStore } from '../../../src/streams/index.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

let store: EmbeddedStore;
let endpoint: Endpoint;

beforeAll(async () => {
  store = await EmbeddedStore.open({
    folder: join(tempFolder({ inMemory: true }), 'data'),
    ...{ clock: systemClock, diskLimitBytes: 1e9, tailBytes: 1e6 },
    onNotice: () => {},
  });
  endpoint = new Endpoint({
    ...{ host: '127.0.0.1', port: 0, users: [], version: 'test', clock: systemClock, store },
    ...{ maxConnections: 10, maxFrameBytes: 1e6, maxArguments: 100, authTimeoutMs: 1000, testMode: false },
    onNotice: () => {},
  });
  await endpoint.listen();
});

afterAll(async () => {
  await endpoint.close();
  await store.close();
});

/** Sends commands on a new connection and resolves to everything that is answered until `QUIT` closes it. */
async function ask(...commands: string[]): Promise<string> {
  const socket = connect(endpoint.port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
  });
  socket.write([...commands, 'QUIT', ''].join('\r\n'));
  await new Promise((resolve) => socket.once('close', resolve));
  return answer;
}

test('an XADD to the key of the offsets does not keep the offsets from being stored', async () => {
  await ask('HSET metadata:debezium:offsets a 1');
  expect(await ask('XADD metadata:debezium:offsets * key value')).toMatch(/^\$\d+\r\n\d+-\d+\r\n/);
  expect(await ask('HSET metadata:debezium:offsets a 2')).toBe(':0\r\n+OK\r\n');
  expect(await ask('HGETALL metadata:debezium:offsets')).toBe('*2\r\n$1\r\na\r\n$1\r\n2\r\n+OK\r\n');
});

test('what a sink appends goes to the target whatever its stream is called', async () => {
  await ask('CLIENT SETNAME debezium:redis:sink', 'XADD metadata:orders * key value');
  expect(store.find(0, 'metadata:orders')?.appended).toBe(1);
  await ask('CLIENT SETNAME debezium:schema_history', 'XADD metadata:debezium:schema_history * schema value');
  expect(store.find(0, 'metadata:debezium:schema_history')).toBeUndefined();
  expect(store.metadata.length(0, 'metadata:debezium:schema_history')).toBe(1);
});
