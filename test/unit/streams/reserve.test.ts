import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { StoreError } from '../../../src/errors.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { EmbeddedStore } from '../../../src/streams/index.ts';
import { StateStore } from '../../../src/streams/state-store.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** A store whose disk is full until the reserved room is given up. */
async function onFullDisk() {
  const folder = join(tempFolder({ inMemory: true }), 'data');
  const store = await EmbeddedStore.open({
    ...{ folder, clock: systemClock, diskLimitBytes: 1e9, tailBytes: 1e6 },
    onNotice: () => {},
  });
  const reserve = join(folder, 'reserve');
  const transaction = StateStore.prototype.transaction;
  vi.spyOn(StateStore.prototype, 'transaction').mockImplementation(function (this: StateStore, change) {
    if (existsSync(reserve)) throw new StoreError('STORE_FULL', 'The disk is full', { retryable: true });
    return transaction.call(this, change);
  });
  return store;
}

test('a rejected record finds room on a full disk: settling, which frees segments, waits for it', async () => {
  const store = await onFullDisk();
  store.deadLetters.add(
    [{ stream: 'data:shop.orders', fields: { code: 'DECODE_NOT_JSON' }, entry: Buffer.alloc(0) }],
    1000,
  );
  expect(store.deadLetters.queues()).toEqual([{ stream: 'data:shop.orders', count: 1, evicted: 0 }]);
  await store.close();
});

test('the checkpoint finds room on a full disk', async () => {
  const store = await onFullDisk();
  await store.settle({ position: 0, behind: new Map(), counters: new Map() });
  await store.close();
});
