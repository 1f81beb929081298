import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { EmbeddedStore } from '../../../src/streams/index.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const COUNTERS = { filtered: 0, superseded: 0, rejected: 0, skipped: 0, inserted: 0, updated: 0, deleted: 0 };

test.each([
  ['many small entries', 1_000_000, 1000],
  ['one entry of nearly the limit', 10_000_000, 9_000_000],
])(
  'a store filled with %s takes entries again when all are settled, also after a restart',
  async (_what, limit, size) => {
    const folder = join(tempFolder({ inMemory: true }), 'data');
    const options = { folder, clock: systemClock, diskLimitBytes: limit, tailBytes: 1e6, onNotice: () => {} };
    let store = await EmbeddedStore.open(options);
    const stream = store.stream(0, 'data:shop.orders');
    const body = Buffer.from(`$${size}\r\n${'x'.repeat(size)}\r\n`);
    while (store.pressure === 'none') {
      store.append(stream, 0, false, body, 0, body.length, 1);
      await store.flush();
    }
    const counters = new Map([[stream, { ...COUNTERS, written: stream.appended }]]);
    await store.settle({ position: store.durable, behind: new Map(), counters });
    expect(store.pressure).toBe('none');
    await store.close();
    store = await EmbeddedStore.open(options);
    expect(store.pressure).toBe('none');
    await store.close();
  },
);

test('a stopped stream counts with all that is kept for it', async () => {
  const folder = join(tempFolder({ inMemory: true }), 'data');
  const store = await EmbeddedStore.open({
    ...{ folder, clock: systemClock, diskLimitBytes: 1_000_000, tailBytes: 1e6 },
    onNotice: () => {},
  });
  const stream = store.stream(0, 'data:shop.orders');
  const body = Buffer.from(`$1000\r\n${'x'.repeat(1000)}\r\n`);
  while (store.pressure === 'none') {
    store.append(stream, 0, false, body, 0, body.length, 1);
    await store.flush();
  }
  const stopped = { reason: 'DECODE_NOT_JSON', entryId: '1-0', since: 1 };
  const behind = new Map([[stream, { position: 0, stopped }]]);
  await store.settle({ position: store.durable, behind, counters: new Map() });
  expect(store.pressure).toBe('full');
  await store.close();
});
