import { describe, expect, test } from 'vitest';
import type { BehindStream, StoredStream, StreamCounters, StreamStore } from '../../../src/streams/index.ts';
import type { StreamEntry } from '../../../src/types.ts';
import { bulkStrings } from '../../helpers/bulk-strings.ts';

/** A place where a kind of store can be opened, closed, and opened again. */
export interface StorePlace {
  open(): Promise<StreamStore>;
}

const PLENTY = { entries: 1_000_000, bytes: 1 << 30 };

/** The promises of {@link StreamStore}, for any implementation of it. */
export function describeStreamStore(kind: string, newPlace: () => StorePlace): void {
  const withStore = async (use: (store: StreamStore, place: StorePlace) => Promise<void>) => {
    const place = newPlace();
    const store = await place.open();
    try {
      await use(store, place);
    } finally {
      await store.close();
    }
  };
  const reopened = async (store: StreamStore, place: StorePlace, use: (again: StreamStore) => Promise<void>) => {
    await store.close();
    const again = await place.open();
    try {
      await use(again);
    } finally {
      await again.close();
    }
  };

  describe(`${kind}: entries`, () => {
    test('are read in the order in which they came, of all streams, byte for byte', () =>
      withStore(async (store) => {
        const sent: string[] = [];
        for (let i = 0; i < 500; i++) sent.push(append(store, `s${i % 7}`, `entry ${i} ${'\r\n'.repeat(i % 5)}`));
        await durable(store);
        expect((await read(store)).map(textOf)).toEqual(sent);
      }));

    test('of no bytes, and of many, are kept', () =>
      withStore(async (store) => {
        const stream = store.stream(0, 'data:s');
        store.append(stream, 0, false, Buffer.alloc(0), 0, 0, 0);
        append(store, 'data:s', 'x'.repeat(5 << 20));
        store.append(stream, 0, false, Buffer.alloc(0), 0, 0, 0);
        await durable(store);
        const entries = await read(store);
        expect(entries.map(({ start, end, fieldCount }) => [end - start, fieldCount])).toEqual([
          [0, 0],
          [bulkStrings('value', 'x'.repeat(5 << 20)).length, 2],
          [0, 0],
        ]);
      }));

    test('have ids that grow in each stream; an id that was asked for is kept when it does', () =>
      withStore(async (store) => {
        const stream = store.stream(0, 'data:s');
        const bytes = bulkStrings('a', 'b');
        const ids: [number, number][] = [];
        for (const asked of [undefined, [9e12, 5], [9e12, 5], [9e12, 9], [1, 1], undefined] as const) {
          store.append(stream, 0, false, bytes, 0, bytes.length, 2, asked);
          ids.push([stream.lastMs, stream.lastSeq]);
        }
        expect(ids.slice(1, 4)).toEqual([
          [9e12, 5],
          [9e12, 6],
          [9e12, 9],
        ]);
        for (const [i, [ms, seq]] of ids.entries()) {
          const [lastMs, lastSeq] = ids[i - 1] ?? [-1, 0];
          expect(ms > lastMs || (ms === lastMs && seq > lastSeq)).toBe(true);
        }
      }));

    test('are seen by a reader only when they are durable', () =>
      withStore(async (store) => {
        append(store, 'data:s', 'a');
        expect(await read(store)).toEqual([]);
        await durable(store);
        expect(await read(store)).toHaveLength(1);
      }));

    test('keep their bytes while the store goes on, whoever has read them', () =>
      withStore(async (store) => {
        for (let i = 0; i < 50; i++) append(store, 'data:s', `first ${i}`);
        await durable(store);
        const entries = await read(store);
        const before = entries.map(textOf);
        for (let i = 0; i < 5000; i++) append(store, 'data:s', `then ${i} ${'x'.repeat(1000)}`);
        await durable(store);
        expect(entries.map(textOf)).toEqual(before);
      }));

    test('of one name in two databases are two streams; a stream is one object', () =>
      withStore(async (store, place) => {
        expect(store.stream(0, 'data:s')).toBe(store.stream(0, 'data:s'));
        expect(store.stream(0, 'data:s')).not.toBe(store.stream(3, 'data:s'));
        append(store, 'data:s', 'zero');
        const three = store.stream(3, 'data:s');
        const bytes = bulkStrings('value', 'three');
        store.append(three, 0, false, bytes, 0, bytes.length, 2);
        await durable(store);
        await reopened(store, place, async (again) => {
          const entries = await read(again);
          expect(entries.map(({ stream }) => [stream.db, stream.name])).toEqual([
            [0, 'data:s'],
            [3, 'data:s'],
          ]);
          expect(entries[1]?.stream).toBe(again.stream(3, 'data:s'));
        });
      }));

    test('count as appended and pending until they are settled', () =>
      withStore(async (store, place) => {
        for (let i = 0; i < 10; i++) append(store, i % 2 ? 'a' : 'b', `${i}`);
        await durable(store);
        const [a, b] = [store.stream(0, 'a'), store.stream(0, 'b')];
        expect([a.appended, store.pendingCount(a)]).toEqual([5, 5]);
        const entries = await read(store);
        await settle(store, entries, 4);
        expect([store.pendingCount(a), store.pendingCount(b)]).toEqual([3, 3]);
        expect(await textsOf(store.pending(a))).toEqual(['5', '7', '9']);
        await reopened(store, place, async (again) => {
          const stream = again.stream(0, 'a');
          expect([stream.appended, again.pendingCount(stream)]).toEqual([5, 3]);
          expect(await textsOf(again.pending(stream))).toEqual(['5', '7', '9']);
        });
      }));
  });

  describe(`${kind}: readers`, () => {
    test('hand out at most what was asked for, and at least one entry', () =>
      withStore(async (store) => {
        for (let i = 0; i < 10; i++) append(store, 'data:s', 'x'.repeat(1000));
        await durable(store);
        const reader = store.reader(0, () => true, false);
        expect((await reader.next({ entries: 3, bytes: 1 << 20 }))?.entries).toHaveLength(3);
        expect((await reader.next({ entries: 3, bytes: 1 }))?.entries.length).toBe(1);
        const rest = await reader.next({ entries: 100, bytes: 3000 });
        expect(rest?.entries.length).toBeGreaterThan(1);
        expect(rest?.entries.length).toBeLessThan(6);
      }));

    test('stop at a position, go back, pass by what is not wanted, and wait for more', () =>
      withStore(async (store) => {
        for (let i = 0; i < 6; i++) append(store, i % 2 ? 'odd' : 'even', `${i}`);
        await durable(store);
        const all = await read(store);
        const reader = store.reader(0, ({ name }) => name === 'odd', false);
        const first = await reader.next(PLENTY, all[2]!.position);
        expect(first?.entries.map(textOf)).toEqual(['1']);
        expect(reader.position).toBe(all[2]!.position);
        expect(await reader.next(PLENTY, all[2]!.position)).toBeNull();
        expect((await reader.next(PLENTY))?.entries.map(textOf)).toEqual(['3', '5']);
        expect(await reader.next(PLENTY)).toBeNull();
        const arrived = store.arrival(reader.position);
        append(store, 'odd', '7');
        await arrived;
        expect((await reader.next(PLENTY))?.entries.map(textOf)).toEqual(['7']);
        reader.seek(all[3]!.position);
        expect((await reader.next(PLENTY))?.entries.map(textOf)).toEqual(['3', '5', '7']);
      }));

    test('that waits is woken when the store closes', () =>
      withStore(async (store) => {
        const arrived = store.arrival(store.durable);
        await store.close();
        await arrived;
      }));
  });

  describe(`${kind}: settling`, () => {
    test('a restart goes on where the checkpoint stands, and repeats what was not settled', () =>
      withStore(async (store, place) => {
        for (let i = 0; i < 20; i++) append(store, 'data:s', `${i}`);
        await durable(store);
        await settle(store, await read(store), 8);
        await reopened(store, place, async (again) => {
          const entries = await read(again, again.checkpoint.position);
          expect(entries.map(textOf)).toEqual(Array.from({ length: 12 }, (_, i) => `${i + 8}`));
          const stream = again.stream(0, 'data:s');
          expect(again.checkpoint.counters.get(stream)).toEqual(countersOf(8));
          append(again, 'data:s', 'new');
          await durable(again);
          expect((await read(again, again.checkpoint.position)).map(textOf).at(-1)).toBe('new');
        });
      }));

    test('what is settled is given up; ids and counts go on all the same, also when nothing is left', () =>
      withStore(async (store, place) => {
        let last = [0, 0];
        for (let round = 0; round < 5; round++) {
          for (let i = 0; i < 200; i++) append(store, 'data:s', 'x'.repeat(10_000));
          await durable(store);
          await settle(store, await read(store, store.checkpoint.position));
          last = [store.stream(0, 'data:s').lastMs, store.stream(0, 'data:s').lastSeq];
        }
        await reopened(store, place, async (again) => {
          const stream = again.stream(0, 'data:s');
          expect([stream.appended, again.pendingCount(stream)]).toEqual([1000, 0]);
          append(again, 'data:s', 'new');
          expect(stream.lastMs > last[0]! || stream.lastSeq > last[1]!).toBe(true);
          await durable(again);
          expect((await read(again, again.checkpoint.position)).map(textOf)).toEqual(['new']);
        });
      }));

    test('a stream that is behind keeps its entries, its reason and its place, while the others are given up', () =>
      withStore(async (store, place) => {
        for (let i = 0; i < 400; i++) append(store, i % 2 ? 'stuck' : 'fine', `${i} ${'x'.repeat(10_000)}`);
        await durable(store);
        const entries = await read(store);
        const stuck = store.stream(0, 'stuck');
        const behind: BehindStream = {
          position: entries[5]!.position,
          stopped: { reason: 'ß', entryId: '1-2', since: 77 },
        };
        await settle(store, entries, 400, new Map([[stuck, behind]]), new Map([[stuck, 2]]));
        await reopened(store, place, async (again) => {
          const stream = again.stream(0, 'stuck');
          expect(again.checkpoint.behind).toEqual(new Map([[stream, behind]]));
          expect(again.pendingCount(stream)).toBe(198);
          const texts = await textsOf(again.pending(stream));
          expect(texts).toHaveLength(198);
          expect(texts[0]?.split(' ')[0]).toBe('5');
          expect(await textsOf(again.pending(again.stream(0, 'fine')))).toEqual([]);
          const caughtUp = { position: behind.position, stopped: null };
          await again.settle({ ...again.checkpoint, behind: new Map([[stream, caughtUp]]) });
          expect(again.checkpoint.behind.get(stream)).toEqual(caughtUp);
          await again.settle({ ...again.checkpoint, behind: new Map() });
          expect(again.checkpoint.behind.size).toBe(0);
        });
      }));
  });

  describe(`${kind}: metadata`, () => {
    test('fields of hashes are set, read back and kept, byte for byte, apart for each database', () =>
      withStore(async (store, place) => {
        const { metadata } = store;
        const value = Buffer.from([0, 255, 13, 10]);
        const field = 'f\xff\0';
        expect(
          metadata.setFields(0, 'h', [
            [field, value],
            ['g', Buffer.alloc(0)],
          ]),
        ).toBe(2);
        expect(
          metadata.setFields(0, 'h', [
            [field, value],
            ['new', value],
          ]),
        ).toBe(1);
        metadata.setFields(1, 'h', [['g', Buffer.from('one')]]);
        await store.sync();
        expect(metadata.synced).toBe(metadata.changed);
        await reopened(store, place, async (again) => {
          expect(new Map(again.metadata.fields(0, 'h'))).toEqual(
            new Map([
              [field, value],
              ['g', Buffer.alloc(0)],
              ['new', value],
            ]),
          );
          expect(again.metadata.field(0, 'h', 'g')).toEqual(Buffer.alloc(0));
          expect(again.metadata.field(0, 'h', 'none')).toBeNull();
          expect(again.metadata.fields(1, 'h')).toEqual([['g', Buffer.from('one')]]);
          expect(again.metadata.fields(0, 'none')).toEqual([]);
        });
      }));

    test('streams are appended to with growing ids, and read forwards, backwards and in parts', () =>
      withStore(async (store, place) => {
        const ids = Array.from({ length: 700 }, (_, i) =>
          store.metadata.append(0, 'h', bulkStrings('schema', `${i}`), 2),
        );
        await reopened(store, place, async ({ metadata }) => {
          const [low, high]: [number, number][] = [
            [0, 0],
            [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
          ];
          const idsOf = (from: [number, number], to: [number, number], reverse: boolean) =>
            [...metadata.range(0, 'h', from, to, reverse)].map(({ id }) => id);
          expect(metadata.length(0, 'h')).toBe(700);
          expect(new Set(ids).size).toBe(700);
          expect(idsOf(low!, high!, false)).toEqual(ids);
          expect(idsOf(low!, high!, true)).toEqual(ids.toReversed());
          const pair = (at: number) => ids[at]!.split('-').map(Number) as [number, number];
          expect(idsOf(pair(10), pair(600), false)).toEqual(ids.slice(10, 601));
          expect(idsOf(pair(10), pair(600), true)).toEqual(ids.slice(10, 601).toReversed());
          expect(metadata.count(0, 'h', pair(10), pair(600))).toBe(591);
          const [first] = metadata.range(0, 'h', pair(5), high!, false);
          expect(first).toEqual({ id: ids[5], fields: bulkStrings('schema', '5'), fieldCount: 2 });
          expect(metadata.append(0, 'h', bulkStrings('schema', 'new'), 2) > ids.at(-1)!).toBe(true);
        });
      }));

    test('keys are listed with their types, and can be deleted', () =>
      withStore(async ({ metadata }) => {
        metadata.setFields(0, 'hash', [['f', Buffer.from('v')]]);
        metadata.append(0, 'stream', bulkStrings('a', 'b'), 2);
        expect(metadata.keys(0).toSorted((a, b) => a.key.localeCompare(b.key))).toEqual([
          { key: 'hash', type: 'hash' },
          { key: 'stream', type: 'stream' },
        ]);
        expect([metadata.type(0, 'hash'), metadata.type(0, 'stream'), metadata.type(1, 'hash')]).toEqual([
          'hash',
          'stream',
          null,
        ]);
        expect([metadata.delete(0, 'hash'), metadata.delete(0, 'hash'), metadata.delete(0, 'stream')]).toEqual([
          true,
          false,
          true,
        ]);
        expect(metadata.keys(0)).toEqual([]);
      }));
  });

  describe(`${kind}: dead letter queues`, () => {
    test('keep the newest records up to the cap, each queue its own, and count what they evicted', () =>
      withStore(async (store, place) => {
        const record = (stream: string, i: number) => ({
          stream,
          fields: { reason_rejected: `größe ${i}` },
          entry: Buffer.from([i, 0, 255]),
        });
        for (let i = 0; i < 25; i++) store.deadLetters.add([record('data:a', i)], 10);
        store.deadLetters.add(
          [1, 2, 3].map((i) => record('data:b', i)),
          10,
        );
        await store.sync();
        await reopened(store, place, async ({ deadLetters }) => {
          expect(deadLetters.queues()).toEqual([
            { stream: 'data:a', count: 10, evicted: 15 },
            { stream: 'data:b', count: 3, evicted: 0 },
          ]);
          const reasons = (order: 'asc' | 'desc', limit: number, offset: number) =>
            deadLetters.records('data:a', { order, limit, offset }).map(({ fields }) => fields['reason_rejected']);
          expect(reasons('asc', 100, 0)).toEqual(Array.from({ length: 10 }, (_, i) => `größe ${i + 15}`));
          expect(reasons('desc', 2, 3)).toEqual(['größe 21', 'größe 20']);
          const ids = deadLetters
            .records('data:a', { order: 'asc', limit: 100, offset: 0 })
            .map(({ id }) => Number(id));
          expect(ids).toEqual(ids.toSorted((a, b) => a - b));
          expect(deadLetters.original('data:a', String(ids[0]))).toEqual(Buffer.from([15, 0, 255]));
          expect(deadLetters.original('data:b', String(ids[0]))).toBeNull();
          expect(deadLetters.records('none', { order: 'asc', limit: 1, offset: 0 })).toEqual([]);
        });
      }));

    test('take several records at once, more than the cap', () =>
      withStore(async ({ deadLetters }) => {
        deadLetters.add(
          Array.from({ length: 30 }, (_, i) => ({ stream: 's', fields: { i: `${i}` }, entry: Buffer.alloc(0) })),
          5,
        );
        expect(deadLetters.queues()).toEqual([{ stream: 's', count: 5, evicted: 25 }]);
      }));
  });
}

/** Appends an entry with one field `value`; returns its text. */
function append(store: StreamStore, stream: string, text: string): string {
  const bytes = bulkStrings('value', text);
  const position = store.append(store.stream(0, stream), 0, false, bytes, 0, bytes.length, 2);
  expect(position).toBeGreaterThanOrEqual(0);
  return text;
}

async function durable(store: StreamStore): Promise<void> {
  while (store.durable < store.appended) await store.arrival(store.durable);
}

async function read(store: StreamStore, from = 0): Promise<StreamEntry[]> {
  const reader = store.reader(from, () => true, false);
  const entries: StreamEntry[] = [];
  for (let batch = await reader.next(PLENTY); batch; batch = await reader.next(PLENTY)) entries.push(...batch.entries);
  return entries;
}

async function textsOf(entries: AsyncIterable<StreamEntry>): Promise<string[]> {
  const texts: string[] = [];
  for await (const entry of entries) texts.push(textOf(entry));
  return texts;
}

function textOf({ bytes, start, end }: StreamEntry): string {
  const text = bytes.toString('utf8', start, end);
  return text.slice(text.indexOf('\r\n', 13) + 2, -2);
}

/** Settles the first so many entries as written, on top of what was settled before. */
async function settle(
  store: StreamStore,
  entries: readonly StreamEntry[],
  count = entries.length,
  behind: ReadonlyMap<StoredStream, BehindStream> = new Map(),
  counts: ReadonlyMap<StoredStream, number> = new Map(),
): Promise<void> {
  const counters = new Map<StoredStream, StreamCounters>();
  for (const stream of store.streams()) {
    const before = store.checkpoint.counters.get(stream)?.written ?? 0;
    const settled = entries.slice(0, count).filter((entry) => entry.stream === stream).length;
    counters.set(stream, countersOf(before + (counts.get(stream) ?? settled)));
  }
  await store.settle({ position: entries[count]?.position ?? store.durable, behind, counters });
}

function countersOf(written: number): StreamCounters {
  return { written, filtered: 0, superseded: 0, rejected: 0, skipped: 0, inserted: 0, updated: 0, deleted: 0 };
}
