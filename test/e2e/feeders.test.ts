/**
 * Real Debezium Servers reading real databases into rdi: after every step the whole target is compared with what the
 * database itself answers. Debezium is started again when it stops, as a supervisor would.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMBINATIONS } from './combinations.ts';
import { changeMany, insertMany } from './load.ts';
import { startWorld, type World } from './world.ts';

const BIG = 100_000;
const LOAD = 10_000;

describe.each(COMBINATIONS)('$name', (combination) => {
  let world: World;
  let supervisor: NodeJS.Timeout;

  beforeAll(async () => {
    world = await startWorld(combination);
    supervisor = setInterval(() => {
      if (!world.feeder.process.running) void world.feeder.start();
    }, 500);
  }, 120_000);

  afterAll(async () => {
    clearInterval(supervisor);
    await world?.close();
  }, 120_000);

  const insertRows = (first: number) => world.database.run(insertMany(world.database.kind, first, LOAD));

  /** Several transactions over the same rows, one after the other. `first` is a multiple of a million, once each. */
  const changeRows = async (first: number) => {
    for (let step = 0; step < 5; step++) {
      await world.database.run(changeMany(world.database.kind, first, LOAD, first / 10_000 + step));
    }
  };
  const change = (first: number) => async () => {
    await insertRows(first);
    await changeRows(first);
  };

  test('the snapshot brings every row, every column type', () => world.expectEqual({ snapshot: true }));

  test('changes, deletes, key changes and a new column follow', async () => {
    await world.database.run(combination.liveSql);
    await world.expectEqual();
  });

  test('rdi is killed in the middle of a transaction of 100 000 rows', async () => {
    const { database, rdi } = world;
    await world.disturbInTheMiddle(
      () => database.run(insertMany(database.kind, 1_000_000, BIG)),
      BIG,
      async () => {
        await rdi.end('SIGKILL');
        await rdi.start();
      },
    );
    await world.expectEqual();
    expect(await world.target.client.dbsize()).toBeGreaterThan(BIG);
  });

  test('the target is killed in the middle', async () => {
    const { server } = world.target;
    await world.disturbInTheMiddle(change(2_000_000), LOAD, () => server.restart());
    await world.expectEqual();
  });

  test('Debezium is killed in the middle', async () => {
    await world.disturbInTheMiddle(change(3_000_000), LOAD, () => world.feeder.end('SIGKILL'));
    await world.expectEqual();
  });

  test('the database crashes in the middle', async () => {
    await insertRows(4_000_000);
    await world.database.crashAndRestart();
    await changeRows(4_000_000);
    await world.expectEqual();
  });

  test('every part is stopped and started again in the middle', async () => {
    const { rdi, feeder, target } = world;
    await world.disturbInTheMiddle(change(5_000_000), LOAD, async () => {
      // The feeder first: with rdi away, Debezium 2.5 tries to write its last position for minutes before it stops.
      await feeder.end('SIGTERM');
      expect(await rdi.end('SIGTERM')).toBe(0);
      await target.server.restart();
      await rdi.start();
    });
    await world.expectEqual();
  });
});
