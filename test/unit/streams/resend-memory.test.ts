import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { EmbeddedStore } from '../../../src/streams/index.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const ORIGIN = 77;

function open(folder: string): Promise<EmbeddedStore> {
  return EmbeddedStore.open({
    folder: join(folder, 'data'),
    clock: systemClock,
    diskLimitBytes: 20e9,
    tailBytes: 16e6,
    onNotice: () => {},
  });
}

/** A folder whose newest sub-batch has so many entries of so many bytes. */
async function folderWith(entries: number, bytes: number): Promise<string> {
  const folder = tempFolder({ inMemory: true });
  const store = await open(folder);
  const [mine, other] = [store.stream(0, 'data:shop.orders'), store.stream(0, 'data:shop.items')];
  const body = Buffer.from(`$${bytes}\r\n${'x'.repeat(bytes)}\r\n`);
  for (let i = 0; i < entries; i++) {
    store.append(mine, ORIGIN, i === 0, body, 0, body.length, 1);
    if (i % 10 === 0) store.append(other, 0, false, body, 0, body.length, 1);
  }
  await store.flush();
  await store.close();
  return folder;
}

test('after a restart the last sub-batch of 2048 entries is read for comparison with little memory', async () => {
  const store = await open(await folderWith(2048, 1100));
  const stored = await store.subBatches.stored(ORIGIN);
  expect(stored).toHaveLength(2048);
  expect(stored.every(({ stream, fieldCount }) => stream.name === 'data:shop.orders' && fieldCount === 1)).toBe(true);
  const memory = new Set(stored.map(({ bytes }) => bytes.buffer));
  expect([...memory].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(8 << 20);
  await store.close();
});

test('a sub-batch that is too large to compare is stored again rather than held in memory', async () => {
  const store = await open(await folderWith(80, 1 << 20));
  expect(await store.subBatches.stored(ORIGIN)).toEqual([]);
  await store.close();
});
