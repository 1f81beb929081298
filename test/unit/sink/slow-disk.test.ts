import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { Endpoint } from '../../../src/sink/index.ts';
import { type Disk, localDisk } from '../../../src/streams/disk.ts';
import { EmbeddedStore } from '../../../src/streams/index.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const ENTRIES = 100;
const ENTRY_BYTES = 1 << 20;

/** A disk whose syncs wait for the gate to open. */
function gatedDisk(folder: string): { disk: Disk; open: () => void } {
  const disk = localDisk(folder);
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  return {
    open,
    disk: {
      ...disk,
      open(name, mode) {
        const file = disk.open(name, mode);
        return {
          write: (buffers, position) => file.write(buffers, position),
          datasync: async () => {
            await gate;
            await file.datasync();
          },
          read: (buffer, offset, length, position) => file.read(buffer, offset, length, position),
          truncate: (size) => file.truncate(size),
          close: () => file.close(),
        };
      },
    },
  };
}

const until = async (isTrue: () => boolean): Promise<void> => {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
};

test('a large pipeline waits at a disk that hangs, not in memory; other clients are served; all of it is answered then', async () => {
  const folder = tempFolder({ inMemory: true });
  const { disk, open } = gatedDisk(join(folder, 'journal'));
  const store = await EmbeddedStore.open({
    ...{ folder: join(folder, 'data'), clock: systemClock, diskLimitBytes: 1e9, tailBytes: 1e6, disk },
    onNotice: () => {},
  });
  const endpoint = new Endpoint({
    ...{ host: '127.0.0.1', port: 0, users: [], version: 'test', clock: systemClock, store },
    ...{ maxConnections: 10, maxFrameBytes: 1e8, maxArguments: 100, authTimeoutMs: 1000, testMode: false },
    onNotice: () => {},
  });
  await endpoint.listen();
  const feeder = connect(endpoint.port, '127.0.0.1');
  let replies = '';
  feeder.on('data', (chunk) => {
    replies += chunk.toString('latin1');
  });
  const value = 'x'.repeat(ENTRY_BYTES);
  for (let i = 0; i < ENTRIES; i++) {
    feeder.write(`*5\r\n$4\r\nXADD\r\n$8\r\ndata:one\r\n$1\r\n*\r\n$3\r\nkey\r\n$${ENTRY_BYTES}\r\n${value}\r\n`);
  }
  await until(() => store.appended >= 32 << 20);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(store.appended).toBeLessThan(40 << 20);
  expect(replies).toBe('');

  const other = connect(endpoint.port, '127.0.0.1');
  let answer = '';
  other.on('data', (chunk) => {
    answer += chunk.toString('latin1');
  });
  other.write('PING\r\n');
  await until(() => answer === '+PONG\r\n');

  open();
  await until(() => (replies.match(/\d+-\d+\r\n/g) ?? []).length === ENTRIES);
  feeder.destroy();
  other.destroy();
  await endpoint.close();
  await store.close();
});
