import { mkdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OUTCOME } from '../../../src/checkpoint/index.ts';
import { HistoryDesk } from '../../../src/control/history-desk.ts';
import type { BatchReport } from '../../../src/pipeline.ts';
import { EmbeddedStore } from '../../../src/streams/index.ts';
import type { StreamEntry } from '../../../src/types.ts';
import { bulkStrings } from '../../helpers/bulk-strings.ts';
import { pretendReserve, tempFolder } from '../../helpers/temp-folder.ts';

let now = 1_000_000;
let store: EmbeddedStore;
let desk: HistoryDesk;

beforeEach(async () => {
  const folder = tempFolder({ inMemory: true });
  mkdirSync(folder, { recursive: true });
  pretendReserve(folder);
  now = 1_000_000;
  store = await EmbeddedStore.open({
    folder,
    clock: { now: () => now, elapsed: () => 0 },
    diskLimitBytes: 2 ** 30,
    retention: { ms: 1e9, bytes: 1e9 },
    tailBytes: 0,
    segmentBytes: 2000,
    blockBytes: 1024,
    onNotice: () => {},
  });
  desk = new HistoryDesk({ store: () => store, current: () => null });
});
afterEach(async () => {
  desk.close();
  await store.close();
});

async function send(stream: string, ...values: string[]): Promise<void> {
  for (const value of values) {
    const key = stream.includes('heartbeat') ? '{"serverName":"s"}' : '{"id":1}';
    const bytes = bulkStrings('key', key, 'value', value);
    store.append(store.stream(0, stream), 0, false, bytes, 0, bytes.length, 4);
    now += 1000;
  }
  await store.flush();
}

const event = (id: number) =>
  `{"before":null,"after":{"id":${id}},"op":"c","source":{"connector":"mysql","name":"s","db":"d","table":"t"}}`;
const idOf = ({ bytes, start, end }: StreamEntry) =>
  /"after":\{"id":(\d+)\}/.exec(bytes.toString('utf8', start, end))?.[1];

test('entries begin at the first that arrived at a moment, of one stream or of all, and say when the oldest arrived', async () => {
  for (let i = 0; i < 40; i++) await send(i % 2 === 0 ? 'even' : 'odd', event(i));
  const read = async (options: Parameters<HistoryDesk['entries']>[0]) => {
    const ids: (string | undefined)[] = [];
    for await (const entry of desk.entries(options)) ids.push(idOf(entry));
    return ids;
  };
  expect(await read({})).toHaveLength(40);
  expect(desk.since).toBe(1_000_000);
  expect(await read({ fromMs: 1_000_000 + 35_000 })).toEqual(['35', '36', '37', '38', '39']);
  expect(await read({ fromMs: 1_000_000 + 35_000, stream: 'odd' })).toEqual(['35', '37', '39']);
  let progress = 0;
  await read({
    onProgress: (share) => {
      progress = share;
    },
  });
  expect(progress).toBe(1);
});

test('recent changes come newest first, heartbeats and tombstones left out', async () => {
  await send('orders', event(1), event(2), 'default', event(3), 'default', 'default');
  await send('__debezium-heartbeat.s', ...Array.from({ length: 100 }, (_, i) => `{"ts_ms":${i}}`));
  expect((await desk.recent({ limit: 2 })).map(idOf)).toEqual(['3', '2']);
  expect((await desk.recent({ limit: 10, stream: 'orders' })).map(idOf)).toEqual(['3', '2', '1']);
  expect(await desk.recent({ limit: 10, stream: 'nothing' })).toEqual([]);
});

/** What the path tells of a settled batch; its bytes are used again right after. */
function settle(count: number, size = 10): void {
  const bytes = Buffer.alloc(size, 'x');
  const stream = store.stream(0, 'orders');
  const entries = Array.from({ length: count }, (_, i) => ({
    ...{ stream, ms: 1, seq: i, position: i, bytes, start: 0, end: size, fieldCount: 2 },
  }));
  const passage = { entries, events: entries.map(() => null), outcomes: new Uint8Array(count).fill(OUTCOME.written) };
  desk.settled({ passage } as unknown as BatchReport);
  bytes.fill('y');
}

test('a follower gets what is settled from then on with bytes of its own, and ends with its signal', async () => {
  settle(1);
  const ending = new AbortController();
  const following = desk.follow(ending.signal);
  const first = following.next();
  settle(2);
  const { value } = await first;
  expect(value).toMatchObject({ outcome: 'written', entry: { seq: 0, start: 0, end: 10 } });
  expect(String(value?.entry.bytes)).toBe('xxxxxxxxxx');
  expect((await following.next()).value?.entry.seq).toBe(1);
  const last = following.next();
  ending.abort();
  expect(await last).toEqual({ done: true, value: undefined });
});

test('what a slow follower cannot take is left out instead of being kept', async () => {
  const ending = new AbortController();
  const following = desk.follow(ending.signal);
  const first = following.next();
  for (let i = 0; i < 100; i++) settle(100);
  await first;
  let count = 1;
  const rest = (async () => {
    for await (const _ of following) count++;
  })();
  await new Promise((resolve) => setTimeout(resolve, 50));
  ending.abort();
  await rest;
  expect(count).toBeGreaterThan(900);
  expect(count).toBeLessThanOrEqual(1001);
  const large = desk.follow(new AbortController().signal);
  const taken = large.next();
  for (let i = 0; i < 20; i++) settle(1, 1 << 20);
  expect((await taken).value?.entry.bytes).toHaveLength(1 << 20);
  let held = 0;
  while (
    await Promise.race([large.next().then(() => true), new Promise<false>((resolve) => setTimeout(resolve, 30, false))])
  )
    held++;
  expect(held).toBeLessThanOrEqual(8);
});
