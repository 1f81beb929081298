import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { EmbeddedStore } from '../../../src/streams/index.ts';
import { MAIN_LANE } from '../../../src/transform/index.ts';
import { FATES, type Fate, PipelineWorld, type PipelineWorldOptions, TABLES } from '../../helpers/pipeline-world.ts';
import { type Random, seededRandom } from '../../helpers/random.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const folder = tempFolder({ inMemory: true });
let count = 0;
let world: PipelineWorld | undefined;

afterEach(async () => {
  await world?.stop().catch(() => {});
  world = undefined;
});

async function start(errorHandling: PipelineWorldOptions['errorHandling'], seed = 1): Promise<PipelineWorld> {
  world = new PipelineWorld({ folder: `${folder}/${++count}`, random: seededRandom(seed), errorHandling });
  await world.start();
  return world;
}

const SEEDS = Array.from({ length: Number(process.env['RDI_LONG'] ? 200 : 12) }, (_, i) => i + 1);

const STREAMS = ['a', 'b', 'c', 'other', 'lookup', 'second', 'both', 'all'] as const;

/** Sends an entry; also streams of side lanes hold some of tables that need nothing. */
function sendOne(here: PipelineWorld, random: Random, streams: readonly string[], fate: Fate): void {
  const stream = random.pick(streams);
  if (random.chance(0.2)) here.send(stream, fate, 'main');
  else here.send(stream, fate);
}

/** Takes targets and lookups away and brings them back, at random. */
function shake(here: PipelineWorld, random: Random): void {
  if (random.chance(0.15)) here.setTargetAway(random.chance(0.5), 0);
  if (random.chance(0.15)) here.setTargetAway(random.chance(0.5), 1);
  if (random.chance(0.15)) here.setLookupAway(random.chance(0.5));
}

async function restart(here: PipelineWorld, random: Random): Promise<void> {
  await here.store.flush();
  if (random.chance(0.5)) await here.stop();
  else await here.crash();
  // What is remembered of streams is a help, and nothing may depend on it.
  if (random.chance(0.3)) here.leaving.clear();
  if (random.chance(0.3)) changeJobs(here, random);
  await here.start();
  here.checkAccount();
}

/** Other jobs: tables go to other lanes, or to the main one. */
function changeJobs(here: PipelineWorld, random: Random): void {
  const lanes = new Map(TABLES.map((table) => [table as string, random.pick([MAIN_LANE, ...TABLES.slice(1)])]));
  here.laneOf = (table) => lanes.get(table) ?? MAIN_LANE;
}

test.each(SEEDS)(
  'with random outcomes, outages and restarts every entry is in exactly one place of the account (seed %i)',
  async (seed) => {
    const random = seededRandom(seed);
    const here = await start(random.pick(['dlq', 'ignore']), seed);
    for (let step = 0; step < 60; step++) {
      for (let n = random.below(12); n > 0; n--) sendOne(here, random, STREAMS, random.pick(FATES));
      shake(here, random);
      if (random.chance(0.1)) here.failingSaves = random.below(3);
      if (random.chance(0.1)) await restart(here, random);
      for (let n = random.below(6); n > 0; n--) await new Promise((resolve) => setImmediate(resolve));
    }
    here.setAllBack();
    await here.drain();
    expect(here.pending()).toBe(0);
    expect(here.batches).toBeGreaterThan(5);
    for (const which of [0, 1] as const) {
      expect(new Set(here.gotAt(which))).toEqual(new Set(here.expectedAt(which)));
    }
  },
);

test.each(SEEDS)(
  'with abort, streams stop, resume and stop again through restarts, and nothing is lost or out of order (seed %i)',
  async (seed) => {
    const random = seededRandom(1000 + seed);
    const here = await start('abort', seed);
    const bad = ['refused', 'unmapped', 'undecodable'] as const;
    const streams = ['a', 'lookup', 'second', 'all'];
    for (let step = 0; step < 60; step++) {
      for (let n = random.below(15); n > 0; n--) {
        const fate = random.chance(0.05) ? random.pick(bad) : random.pick(['written', 'tombstone', 'half'] as const);
        sendOne(here, random, streams, fate);
      }
      shake(here, random);
      if (random.chance(0.4)) for (const name of here.stopped()) await resume(here, name, random.chance(0.7));
      if (random.chance(0.12)) await restart(here, random);
      for (let n = random.below(8); n > 0; n--) await new Promise((resolve) => setImmediate(resolve));
    }
    here.setAllBack();
    for (;;) {
      await here.drain();
      const stopped = here.stopped();
      if (stopped.length === 0) break;
      for (const name of stopped) await resume(here, name, true);
    }
    expect(here.pending()).toBe(0);
    for (const stream of streams) {
      for (const which of [0, 1] as const) {
        expect(lastOccurrences(here.gotAt(which, stream))).toEqual(here.expectedAt(which, stream));
      }
    }
  },
);

/** Lets the stream go on, after the entry at which it stands was cured. */
async function resume(here: PipelineWorld, name: string, cure: boolean): Promise<void> {
  const stream = here.store.stream(0, name);
  const stopped = here.checkpoint.behind(stream)?.stopped;
  if (!stopped) return;
  if (cure) here.cured.add(/\S+$/.exec(stopped.reason)?.[0] ?? '');
  here.setAllBack();
  expect(await here.pipeline.resume(stream)).toBe(true);
}

/** What a target holds in the end: of repeated writes the last one counts. */
function lastOccurrences(texts: readonly string[]): string[] {
  return texts.filter((text, i) => texts.lastIndexOf(text) === i);
}

test('a stream that stops lets the others go on, and takes up where it stopped', async () => {
  const here = await start('abort');
  for (let i = 0; i < 30; i++) {
    here.send('a', i === 10 ? 'refused' : 'written');
    here.send('b', 'written');
  }
  await here.drain();
  expect(here.stopped()).toEqual(['a']);
  const counters = (name: string) => here.checkpoint.counters(here.store.stream(0, name)).written;
  expect([counters('a'), counters('b'), here.pending()]).toEqual([10, 30, 20]);
  expect(await here.pipeline.resume(here.store.stream(0, 'b'))).toBe(false);
  await resume(here, 'a', true);
  await here.drain();
  expect([counters('a'), counters('b'), here.pending()]).toEqual([30, 30, 0]);
});

test('of a stream that stops at an entry that cannot be understood nothing behind it is written', async () => {
  const here = await start('abort');
  for (let i = 0; i < 40; i++) here.send('a', i === 10 ? 'undecodable' : 'written');
  await here.drain();
  expect(here.written).toHaveLength(10);
});

test('of a stream that stops at an entry whose job fails nothing behind it is written, in side lanes neither', async () => {
  const here = await start('abort');
  for (const stream of ['a', 'all']) {
    for (let i = 0; i < 40; i++) here.send(stream, i === 10 ? 'unmapped' : 'written');
  }
  await here.drain();
  expect(here.stopped().toSorted()).toEqual(['a', 'all']);
  expect(here.written).toHaveLength(20);
  expect(here.targets[1].written).toHaveLength(10);
});

test('two streams that stopped at different places catch up together, also over a restart', async () => {
  const here = await start('abort');
  for (let i = 0; i < 40; i++) {
    here.send('a', i === 5 ? 'undecodable' : 'written');
    here.send('b', i === 20 ? 'unmapped' : 'written');
    here.send('c', 'written');
  }
  await here.drain();
  expect(here.stopped().toSorted()).toEqual(['a', 'b']);
  await here.stop();
  await here.start();
  expect(here.stopped().toSorted()).toEqual(['a', 'b']);
  for (const name of ['b', 'a']) await resume(here, name, true);
  await here.crash();
  await here.start();
  for (const name of here.stopped()) await resume(here, name, true);
  await here.drain();
  expect(here.pending()).toBe(0);
});

test('while a lookup and the second target are away, all streams that need neither are written and settled', async () => {
  const here = await start('dlq');
  here.setTargetAway(true, 1);
  here.setLookupAway(true);
  for (let i = 0; i < 60; i++) for (const stream of ['a', 'lookup', 'second', 'all']) here.send(stream, 'written');
  for (let i = 0; i < 60; i++) here.send('a', 'written');
  await here.store.flush();
  const settled = (name: string) => here.checkpoint.counters(here.store.stream(0, name)).written;
  await expect.poll(() => settled('a')).toBe(120);
  expect([settled('lookup'), settled('second'), settled('all')]).toEqual([0, 0, 0]);
  expect(here.pipeline.isDrained).toBe(false);
  here.setLookupAway(false);
  await expect.poll(() => settled('lookup')).toBe(60);
  expect([settled('second'), settled('all')]).toEqual([0, 0]);
  here.setTargetAway(false, 1);
  await here.drain();
  expect(here.pending()).toBe(0);
  for (const stream of ['second', 'all']) expect(here.gotAt(1, stream)).toEqual(here.expectedAt(1, stream));
});

test('while the default target is away, streams for the other one alone are written', async () => {
  const here = await start('dlq');
  here.setTargetAway(true, 0);
  for (let i = 0; i < 30; i++) for (const stream of ['second', 'a']) here.send(stream, 'written');
  await here.store.flush();
  await expect.poll(() => here.targets[1].written.length).toBe(30);
  expect(here.checkpoint.counters(here.store.stream(0, 'a')).written).toBe(0);
});

test('after a restart a stream whose target is still away keeps nobody waiting, not even for its own backlog', async () => {
  const here = await start('dlq');
  here.setTargetAway(true, 1);
  for (let i = 0; i < 300; i++) here.send('second', 'written');
  for (let i = 0; i < 300; i++) here.send('a', 'written');
  await here.store.flush();
  const written = () => here.checkpoint.counters(here.store.stream(0, 'a')).written;
  await expect.poll(written).toBe(300);
  await here.checkpoint.flush();
  here.failingSaves = Number.POSITIVE_INFINITY;
  await here.crash();
  const decodedBefore = here.decoded;
  await here.start();
  // The main lane need not pass over the backlog of the other one.
  expect(here.checkpoint.main.readFrom).toBe(here.checkpoint.main.position);
  here.setTargetAway(true, 1);
  here.send('a', 'written');
  await here.store.flush();
  await expect.poll(written).toBe(301);
  // The batches that the lane may have in flight, and the one new entry.
  expect(here.decoded - decodedBefore).toBeLessThan(5 * 7);
  here.setTargetAway(false, 1);
  await here.drain();
  expect(here.pending()).toBe(0);
  expect(new Set(here.targets[1].written)).toEqual(new Set(here.expectedAt(1)));
});

test('a stream that held other tables before is handed over behind the last of their writes, and keeps its order', async () => {
  const here = await start('dlq');
  here.setTargetAway(true, 0);
  for (let i = 0; i < 10; i++) here.send('lookup', 'written', 'main');
  for (let i = 0; i < 10; i++) here.send('lookup', 'written');
  await here.store.flush();
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  here.setTargetAway(false, 0);
  await here.drain();
  expect(here.written).toEqual(here.expectedAt(0));
});

test('a record of which one output fails is rejected once, with the job in its reason, and the other output stands', async () => {
  const here = await start('dlq');
  here.send('both', 'unmapped');
  here.send('both', 'refused');
  await here.drain();
  expect(here.targets[1].written).toEqual(['0:unmapped:both']);
  const records = here.store.deadLetters.records('both', { limit: 10, offset: 0, order: 'asc' });
  expect(records).toHaveLength(2);
  expect(records[1]?.fields).toMatchObject({
    job: 'j',
    step: 'output[0]',
    error: 'Job "j", output[0]: 1:refused:both',
    reason_rejected: 'TARGET_WRONG_TYPE: Job "j", output[0]: 1:refused:both',
    target: '1:refused:both',
  });
});

test('a rejected entry is in the dead letter queue before the checkpoint passes it', async () => {
  const here = await start('dlq');
  for (let i = 0; i < 100; i++) here.send('a', i % 3 ? 'written' : 'refused');
  await here.drain();
  await here.checkpoint.flush();
  const rejected = (position: number) =>
    here.changes.filter((one) => one.kind === 'dlq' && one.position < position).length;
  expect(here.changes.some(({ kind }) => kind === 'dlq')).toBe(true);
  for (const [i, { kind, position, records }] of here.changes.entries()) {
    if (kind !== 'checkpoint') continue;
    expect(rejected(position), `change ${i}`).toBeGreaterThan(0);
    expect(
      here.changes
        .slice(0, i)
        .filter((one) => one.kind === 'dlq')
        .at(-1)?.records,
    ).toBe(records);
  }
  expect(here.store.deadLetters.queues()).toEqual([{ stream: 'a', count: 34, evicted: 0 }]);
});

test('a crash between the dead letter queue and the checkpoint neither loses the record nor keeps it twice', async () => {
  const here = await start('dlq');
  here.failingSaves = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 10; i++) here.send('a', 'refused');
  await here.drain();
  expect(here.store.deadLetters.queues()).toMatchObject([{ count: 10 }]);
  await here.crash();
  await here.start();
  expect(here.pending()).toBe(10);
  await here.drain();
  expect(here.pending()).toBe(0);
  expect(here.store.deadLetters.queues()).toMatchObject([{ count: 10 }]);
});

test('a store that cannot take the checkpoint now gets it later, and the account stays right meanwhile', async () => {
  const here = await start('dlq');
  here.failingSaves = 2;
  for (let i = 0; i < 50; i++) here.send('a', 'written');
  await here.drain();
  await expect.poll(() => here.checkpoint.failure, { timeout: 5000 }).toContain('full');
  await expect.poll(() => here.store.checkpoint.position, { timeout: 5000 }).toBe(here.store.durable);
  await expect.poll(() => here.checkpoint.failure, { timeout: 5000 }).toBeNull();
  await here.crash();
  await here.start();
  expect(here.pending()).toBe(0);
});

test('a store that cannot take a rejected record now holds the batch back, and takes it later', async () => {
  const here = await start('dlq');
  here.failingRecords = 2;
  for (let i = 0; i < 5; i++) here.send('a', 'refused');
  await here.store.flush();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(here.pending()).toBe(5);
  await here.drain();
  expect(here.store.deadLetters.queues()).toMatchObject([{ count: 5 }]);
});

test('a stop while the target is away settles nothing that it did not take, and the next start writes it', async () => {
  const here = await start('dlq');
  here.setTargetAway(true);
  for (let i = 0; i < 40; i++) here.send('a', 'written');
  await here.store.flush();
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(here.pending()).toBe(40);
  expect(here.pipeline.inFlightEntries).toBeLessThanOrEqual(4 * 7);
  await here.crash();
  await here.start();
  await here.drain();
  expect(here.pending()).toBe(0);
});

test('resuming when the path has ended answers no instead of never', async () => {
  const here = await start('abort');
  here.send('a', 'refused');
  await here.drain();
  const stream = here.store.stream(0, 'a');
  here.pipeline.stop();
  await here.running;
  expect(await here.pipeline.resume(stream)).toBe(false);
});

test('segments are deleted when the lanes are through with them, and stay while one of them is not', async () => {
  const here = await start('dlq');
  here.setTargetAway(true, 1);
  here.send('second', 'written');
  for (let i = 0; i < 500; i++) here.send('a', 'written');
  await here.store.flush();
  await expect.poll(() => here.checkpoint.counters(here.store.stream(0, 'a')).written).toBe(500);
  await here.checkpoint.flush();
  const kept = here.store.segments;
  expect(kept).toBeGreaterThan(5);
  here.setTargetAway(false, 1);
  await here.drain();
  await here.checkpoint.flush();
  expect(here.store.segments).toBeLessThan(3);
});

test('segments whose entries are all settled are deleted, those of a stopped stream stay', async () => {
  const here = await start('abort');
  for (let i = 0; i < 500; i++) here.send('a', 'written');
  await here.drain();
  await here.checkpoint.flush();
  expect(here.store.segments).toBeLessThan(3);
  here.send('b', 'refused');
  for (let i = 0; i < 500; i++) here.send('a', 'written');
  await here.drain();
  await here.checkpoint.flush();
  const kept = here.store.segments;
  expect(kept).toBeGreaterThan(5);
  await resume(here, 'b', true);
  await here.drain();
  await here.checkpoint.flush();
  expect(here.store.segments).toBeLessThan(kept);
});

test('after a restart a lane that is slow to read finds its place, whatever the others have settled and deleted meanwhile', async () => {
  const here = await start('dlq');
  here.setTargetAway(true, 1);
  here.send('second', 'written');
  here.send('lookup', 'written');
  for (let i = 0; i < 500; i++) here.send('a', 'written');
  await here.store.flush();
  await expect.poll(() => here.pending()).toBe(1);
  await here.checkpoint.flush();
  await here.crash();
  const { release, hold } = heldReaders('laneReader');
  // The lane of `second` is made first.
  hold(1);
  await here.start();
  await expect.poll(() => here.checkpoint.counters(here.store.stream(0, 'second')).written).toBe(1);
  here.send('lookup', 'written');
  await here.store.flush();
  await expect.poll(() => here.store.segments).toBeLessThan(3);
  release();
  await Promise.race([here.drain(), here.running]);
  expect(here.pending()).toBe(0);
});

test('the main lane does not go on through the backlog of a stream that left it while it caught up', async () => {
  const { release, hold } = heldReaders('reader');
  const here = await start('abort');
  here.send('b', 'refused', 'main');
  for (let i = 0; i < 20; i++) here.send('b', 'written', 'lookup');
  for (let i = 0; i < 500; i++) here.send('a', 'written');
  await here.drain();
  expect(here.stopped()).toEqual(['b']);
  // The main lane reads the first seven of the stream again, and nothing more for a while.
  hold(0, 1);
  await resume(here, 'b', true);
  await expect.poll(() => here.pending()).toBe(0);
  await expect.poll(() => here.store.segments).toBeLessThan(3);
  release();
  here.send('a', 'written');
  await Promise.race([here.drain(), here.running]);
  expect(here.pending()).toBe(0);
});

test('the path is not over before a lane that was stopped at a lookup has settled what its target still takes', async () => {
  const here = await start('dlq');
  const settled = () => here.checkpoint.counters(here.store.stream(0, 'lookup')).written;
  here.setTargetAway(true);
  for (let i = 0; i < 7; i++) here.send('lookup', 'written');
  await here.store.flush();
  await expect.poll(() => here.targets[0].goOn.length).toBe(1);
  here.setLookupAway(true);
  for (let i = 0; i < 7; i++) here.send('lookup', 'written');
  await here.store.flush();
  await expect.poll(() => here.pipeline.inFlightEntries).toBe(14);
  here.pipeline.stop();
  here.setLookupAway(false);
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  here.setTargetAway(false);
  await here.running;
  await here.pipeline.over;
  expect(settled()).toBe(7);
});

test('a lane that fails ends the others, and the path is not over before they have settled what their target takes', async () => {
  const here = await start('dlq');
  here.setTargetAway(true, 0);
  for (let i = 0; i < 7; i++) here.send('a', 'written');
  await here.store.flush();
  await expect.poll(() => here.targets[0].goOn.length).toBe(1);
  vi.spyOn(here.checkpoint, 'handOver').mockImplementation(() => {
    throw new Error('it fails');
  });
  here.send('second', 'written');
  await here.store.flush();
  await expect(here.running).rejects.toThrow('it fails');
  setTimeout(() => here.setTargetAway(false, 0), 20);
  await here.pipeline.over;
  expect(here.checkpoint.counters(here.store.stream(0, 'a')).written).toBe(7);
  await here.checkpoint.flush();
  await here.store.close();
});

test('while a stream stands, stopped or before a lane that waits, memory of what the others settled is used again', async () => {
  const released: number[] = [];
  const make = EmbeddedStore.prototype.reader;
  const spy = vi.spyOn(EmbeddedStore.prototype, 'reader').mockImplementation(function (this: EmbeddedStore, ...args) {
    const reader = make.apply(this, args);
    const { release } = reader;
    reader.release = (position) => {
      released.push(position);
      release?.(position);
    };
    return reader;
  });
  onTestFinished(() => spy.mockRestore());
  const here = await start('abort');
  here.setTargetAway(true, 1);
  here.send('b', 'refused');
  here.send('second', 'written');
  await here.store.flush();
  await expect.poll(() => here.targets[1].goOn.length).toBe(1);
  here.send('c', 'written', 'second');
  for (let i = 0; i < 100; i++) here.send('a', 'written');
  await here.store.flush();
  await expect.poll(() => here.pending()).toBe(3);
  expect([...here.checkpoint.main.behind.keys()].map(({ name }) => name)).toEqual(['b', 'c']);
  expect(released.at(-1)).toBe(here.checkpoint.main.position);
});

/** Lets readers of this kind wait before they read, by the order in which they are made, after so many reads more. */
function heldReaders(kind: 'reader' | 'laneReader') {
  const { promise, resolve } = Promise.withResolvers<void>();
  const left = new Map<number, number>();
  let count = 0;
  const make = EmbeddedStore.prototype[kind] as EmbeddedStore['reader'];
  const spy = vi.spyOn(EmbeddedStore.prototype, kind).mockImplementation(function (this: EmbeddedStore, ...args) {
    const reader = make.apply(this, args as Parameters<typeof make>);
    if (kind === 'reader' && args[2] !== true) return reader;
    const which = count++;
    const { next } = reader;
    reader.next = async (...limits) => {
      const reads = left.get(which);
      if (reads === 0) await promise;
      else if (reads !== undefined) left.set(which, reads - 1);
      return next(...limits);
    };
    return reader;
  } as EmbeddedStore['reader']);
  onTestFinished(() => spy.mockRestore());
  return { hold: (which: number, reads = 0) => void left.set(which, reads), release: resolve };
}
