import { mkdirSync, readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EmbeddedStore, repairJournal } from '../../../src/streams/index.ts';
import { append, entriesOf, flip, readAll, settleFirst } from '../../helpers/damaged-journal.ts';
import { FaultyDisk } from '../../helpers/faulty-disk.ts';
import { seededRandom } from '../../helpers/random.ts';
import { pretendReserve, tempFolder } from '../../helpers/temp-folder.ts';

const HOUR_MS = 3_600_000;

/** A store with small segments and a clock that the test turns. Real files carry the time at which they were written. */
class RetainingWorld {
  readonly folder = tempFolder({ inMemory: true });
  now = Date.now();
  retention = { ms: HOUR_MS, bytes: 1e9 };
  diskLimitBytes = 2 ** 30;
  disk: FaultyDisk | undefined;
  store!: EmbeddedStore;
  count = 0;

  async open(): Promise<void> {
    mkdirSync(this.folder, { recursive: true });
    pretendReserve(this.folder);
    this.store = await EmbeddedStore.open({
      folder: this.folder,
      clock: { now: () => this.now, elapsed: () => 0 },
      diskLimitBytes: this.diskLimitBytes,
      retention: this.retention,
      tailBytes: 0,
      segmentBytes: 2000,
      blockBytes: 1024,
      ...(this.disk ? { disk: this.disk } : {}),
      onNotice: () => {},
    });
  }

  async send(count: number): Promise<void> {
    for (let i = 0; i < count; i++) append(this.store, 'orders', `entry ${this.count++}`);
    await this.store.flush();
  }

  async history(from = 0): Promise<{ texts: string[]; damaged: string[] }> {
    const damaged: string[] = [];
    const reader = this.store.historyReader(
      from,
      () => true,
      (message) => damaged.push(message),
    );
    const texts: string[] = [];
    for (let batch = await reader.next(SMALL); batch; batch = await reader.next(SMALL)) {
      for (const { bytes, start, end } of batch.entries) {
        texts.push(/entry \d+/.exec(bytes.toString('latin1', start, end))?.[0] ?? '');
      }
    }
    return { texts, damaged };
  }
}

const SMALL = { entries: 7, bytes: 500 };
const texts = (from: number, until: number) => Array.from({ length: until - from }, (_, i) => `entry ${from + i}`);

async function filledWorld(change: (world: RetainingWorld) => void = () => {}): Promise<RetainingWorld> {
  const world = new RetainingWorld();
  change(world);
  await world.open();
  for (let i = 0; i < 10; i++) await world.send(20);
  await settleFirst(world.store, 200);
  return world;
}

describe('with a retention', () => {
  test('settled entries stay readable, in order, until their segment is old enough', async () => {
    const world = await filledWorld();
    expect((await world.history()).texts).toEqual(texts(0, 200));
    world.now += HOUR_MS - 1000;
    await world.send(20);
    await settleFirst(world.store, 20);
    expect((await world.history()).texts).toEqual(texts(0, 220));
    world.now += 2000;
    await world.send(60);
    await settleFirst(world.store, 60);
    const left = (await world.history()).texts;
    expect(left).toEqual(texts(280 - left.length, 280));
    expect(left.length).toBeLessThan(120);
    await world.store.close();
  });

  test('entries that are not settled stay, however old and however many', async () => {
    const world = await filledWorld((one) => {
      one.retention = { ms: 1000, bytes: 3000 };
    });
    for (let i = 0; i < 5; i++) await world.send(20);
    world.now += 2 * HOUR_MS;
    await settleFirst(world.store, 30);
    await world.send(20);
    expect((await readAll(world.store)).texts).toEqual(texts(230, 320));
    await world.store.close();
  });

  test('what is too old goes also while nothing happens', async () => {
    const world = await filledWorld((one) => {
      one.retention = { ms: 50, bytes: 1e9 };
    });
    world.now += 1000;
    await expect.poll(() => world.store.segments, { timeout: 5000 }).toBe(1);
    await world.store.close();
  });

  test('a restart keeps it and goes on where it was', async () => {
    const world = await filledWorld();
    await world.send(5);
    await world.store.close();
    await world.open();
    expect((await readAll(world.store)).texts).toEqual(texts(200, 205));
    expect((await world.history()).texts).toEqual(texts(0, 205));
    world.now += 2 * HOUR_MS;
    await settleFirst(world.store, 5);
    expect((await world.history()).texts.length).toBeLessThan(60);
    await world.store.close();
  });

  test('a start without it deletes what it kept', async () => {
    const world = await filledWorld();
    await world.store.close();
    world.retention = { ms: 0, bytes: 0 };
    await world.open();
    await world.send(1);
    await settleFirst(world.store, 1);
    expect(world.store.segments).toBeLessThanOrEqual(2);
    await world.store.close();
  });

  test('settled entries are no reason to hold feeders back, and leave when others need their room', async () => {
    const world = await filledWorld((one) => {
      one.diskLimitBytes = 40_000;
      one.retention = { ms: HOUR_MS, bytes: 20_000 };
    });
    expect(world.store.pressure).toBe('none');
    expect(world.store.bytes).toBeGreaterThan(10_000);
    for (let i = 0; i < 14; i++) await world.send(20);
    await expect.poll(async () => (await world.history()).texts.length, { timeout: 5000 }).toBeLessThan(320);
    expect((await readAll(world.store)).texts).toEqual(texts(200, 480));
    await world.store.close();
  });

  test('a disk that refuses to write gets all of it', async () => {
    const disk = new FaultyDisk(seededRandom(3));
    const world = await filledWorld((one) => {
      one.disk = disk;
    });
    expect(world.store.segments).toBeGreaterThan(5);
    disk.refuses = (operation) => operation === 'write';
    append(world.store, 'orders', 'entry 200');
    await expect.poll(() => world.store.segments, { timeout: 5000 }).toBe(1);
    disk.refuses = () => false;
    await world.store.close();
  });

  test('damage in it is told and passed by, and hinders neither a start nor the entries that are needed', async () => {
    const world = await filledWorld();
    await world.send(5);
    await world.store.close();
    const entry = entriesOf(world.folder)[30]!;
    flip(entry.file, entry.offset + 45, 1);
    await world.open();
    expect((await readAll(world.store)).texts).toEqual(texts(200, 205));
    const { texts: read, damaged } = await world.history();
    expect(read).toEqual([...texts(0, 30), ...texts(31, 205)]);
    expect(damaged).toEqual([expect.stringContaining(`${entry.file} from byte ${entry.offset} on`)]);
    await world.store.close();
    const clock = { now: () => world.now, elapsed: () => 0 };
    expect(await repairJournal({ folder: world.folder, apply: false, clock })).toMatchObject({ damaged: [] });
  });

  test('a segment of it that was cut short or is gone costs what was in it, and nothing else', async () => {
    const world = await filledWorld();
    await world.store.close();
    const names = readdirSync(join(world.folder, 'journal')).sort();
    truncateSync(join(world.folder, 'journal', names[1]!), 500);
    truncateSync(join(world.folder, 'journal', names[2]!), 0);
    await world.open();
    const { texts: read, damaged } = await world.history();
    expect(damaged).toHaveLength(2);
    expect(read.length).toBeGreaterThan(100);
    expect(read.at(-1)).toBe('entry 199');
    await world.store.close();
  });

  test('segments that are deleted under a reader are passed by', async () => {
    const world = await filledWorld();
    const reader = world.store.historyReader(
      0,
      () => true,
      () => {},
    );
    await reader.next(SMALL);
    world.now += 2 * HOUR_MS;
    await world.send(20);
    await settleFirst(world.store, 20);
    let last = '';
    for (let batch = await reader.next(SMALL); batch; batch = await reader.next(SMALL)) {
      const { bytes, start, end } = batch.entries.at(-1) ?? {};
      if (bytes) last = /entry \d+/.exec(bytes.toString('latin1', start, end))?.[0] ?? '';
    }
    expect(last).toBe('entry 219');
    await world.store.close();
  });
});
