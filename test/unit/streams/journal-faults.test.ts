import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { JournalWorld } from '../../helpers/journal-world.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const folder = tempFolder({ inMemory: true });
let count = 0;

function newWorld(segmentBytes = 500): JournalWorld {
  return new JournalWorld({
    folder: `${folder}/${++count}`,
    seed: count,
    segmentBytes,
    blockBytes: 4096,
    tailBytes: 0,
  });
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets the journal try again after a failure. */
async function mend(world: JournalWorld): Promise<void> {
  world.disk.failures = 0;
  world.disk.refuses = () => false;
  await world.turns(20);
  await vi.advanceTimersByTimeAsync(20_000);
  await world.flush();
}

test.each(['kill', 'power'] as const)(
  'a %s while a segment is being made keeps the counts of streams of which all is settled',
  async (kind) => {
    for (let turns = 0; turns < 16; turns++) {
      const world = newWorld();
      await world.open();
      world.append('orders', 600);
      await world.turns(1);
      world.append('orders', 600);
      for (let i = 0; i < turns; i++) {
        await world.turns(1);
        while (world.store.durable > 700 && (await world.read()));
        await world.settle(true);
      }
      await world.crash(kind);
      await world.reopen();
      await world.close();
    }
  },
);

test('segments that were taken back and cannot be removed are gone before anything is written behind them', async () => {
  const world = newWorld();
  await world.open();
  world.append('orders', 100);
  await world.flush();
  // The group spans three segments; the last one cannot be written, and none can be removed at first.
  let creations = 0;
  world.disk.refuses = (operation) => operation === 'remove' || (operation === 'create' && ++creations === 3);
  for (let i = 0; i < 4; i++) world.append('orders', 600);
  await world.turns(40);
  expect(creations).toBeGreaterThanOrEqual(3);
  await mend(world);
  // As long as what was taken back, so that its end is where the old segments begin.
  for (let i = 0; i < 4; i++) world.append('orders', 600);
  await world.flush();
  for (const kind of ['kill', 'power'] as const) {
    await world.crash(kind);
    await world.reopen();
  }
  while (await world.read());
  await world.close();
});

test.each(['write', 'sync', 'create', 'directory'] as const)(
  'while the disk refuses %s, appends are refused, and afterwards they work',
  async (operation) => {
    const world = newWorld();
    await world.open();
    world.append('orders', 10);
    await world.flush();
    world.disk.refuses = (one) => one === operation;
    world.append('orders', 700);
    world.append('orders', 700);
    await world.turns(20);
    expect(world.store.pressure).toBe('refusing');
    const stream = world.store.stream(0, 'orders');
    expect(world.store.append(stream, 0, true, Buffer.from('x'), 0, 1, 1)).toBe(-1);
    await vi.advanceTimersByTimeAsync(2000);
    expect(world.store.pressure, 'still refused').toBe('refusing');
    await mend(world);
    expect(world.store.pressure).toBe('none');
    world.append('orders', 10);
    await world.flush();
    expect(world.unsettled).toHaveLength(2);
    await world.close();
  },
);

test('closing while the disk refuses leaves nothing running and loses nothing that was acknowledged', async () => {
  const world = newWorld();
  await world.open();
  world.append('orders', 10);
  await world.flush();
  world.disk.failures = 1;
  world.append('orders', 10);
  await world.close();
  expect(vi.getTimerCount()).toBe(0);
  await world.reopen();
  expect(world.unsettled.length).toBeGreaterThanOrEqual(1);
  await world.close();
});
