import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Dlq } from '../../../src/dlq/index.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { EmbeddedStore } from '../../../src/streams/index.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

test('a rejected record of 200 MB is kept whole, shown cut, and does not hold the path back', async () => {
  const store = await EmbeddedStore.open({
    folder: join(tempFolder({ inMemory: true }), 'data'),
    ...{ clock: systemClock, diskLimitBytes: 1e9, tailBytes: 1e6 },
    onNotice: () => {},
  });
  const dlq = new Dlq({
    store: store.deadLetters,
    maxRecords: 10,
    now: () => 0,
    onStoreFailed: (error) => {
      throw error;
    },
  });
  const size = 200_000_000;
  const head = Buffer.from(`$3\r\nkey\r\n$8\r\n{"id":7}\r\n$5\r\nvalue\r\n$${size}\r\n`);
  const bytes = Buffer.concat([head, Buffer.alloc(size, '"'), Buffer.from('\r\n')]);
  const stream = { number: 1, db: 0, name: 'data:shop.orders' };
  const entry = { stream, ms: 5, seq: 0, position: 0, bytes, start: 0, end: bytes.length, fieldCount: 4 };
  const rejection = { code: 'DECODE_NOT_JSON', reason: 'too long' };
  await dlq.settle([{ entry, rejection, event: null }], [], new AbortController().signal);
  const [record] = store.deadLetters.records('data:shop.orders', { limit: 1, offset: 0, order: 'asc' });
  expect(record?.fields['raw_key']).toBe('{"id":7}');
  expect(record?.fields['raw_value']).toHaveLength(1 << 20);
  expect(record?.fields['cut']).toBe(`only the first ${1 << 20} of ${size} bytes are shown; the whole entry is kept`);
  const original = store.deadLetters.original('data:shop.orders', record?.id ?? '');
  expect(original?.equals(bytes)).toBe(true);
  await store.close();
});
