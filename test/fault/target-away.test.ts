import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Status } from '../../src/control/status.ts';
import { type Random, seededRandom } from './random.ts';
import { problemsOf } from './rdi.ts';
import { acknowledge, createWorld, expectWhole, pause, type World, type WorldOptions } from './world.ts';

const DEADLINE = ['--shutdown-deadline', '5s'];

let world: World;
let random: Random;

beforeEach(() => {
  random = seededRandom('target away');
});

afterEach(() => world.close());

/** A world under load, with some records written already. */
async function begin(options: Partial<WorldOptions> = {}): Promise<void> {
  world = await createWorld({ random, ...options, rdi: { args: DEADLINE, ...options.rdi } });
  await world.rdi.start();
  world.feeder.start();
  await acknowledge(world.feeder, 500);
}

/** Waits until the status tells of the trouble, and takes records meanwhile. */
async function troubleIsTold(words: RegExp): Promise<Status> {
  const { rdi, feeder } = world;
  const isTold = (status: Status) => status.state === 'ERROR' && words.test(problemsOf(status));
  await rdi.until(`the status to say ${words}`, isTold, 20_000);
  const status = await rdi.status();
  expect(status.ready).toBe(false);
  expect(problemsOf(status)).toContain('Nothing is lost');
  await acknowledge(feeder, 300);
  return status;
}

async function endWhole(): Promise<void> {
  await acknowledge(world.feeder, 300);
  await world.feeder.stop();
  const status = await expectWhole(world);
  expect(status.targets[0]?.state).toEqual({ state: 'ready' });
  expect(status).toMatchObject({ ready: true, reasons: [], problems: [] });
}

/** Ways in which a target can be away, and how it comes back. */
const ABSENCES: readonly {
  name: string;
  words: RegExp;
  leave: () => Promise<unknown>;
  comeBack: () => Promise<unknown>;
}[] = [
  {
    name: 'killed',
    words: /cannot be reached|broke/,
    leave: () => world.server.kill(),
    comeBack: () => world.server.restart(),
  },
  {
    name: 'out of memory',
    words: /OOM command not allowed/,
    leave: () => world.target.config('SET', 'maxmemory', '1mb'),
    comeBack: () => world.target.config('SET', 'maxmemory', '0'),
  },
  {
    name: 'made a replica',
    words: /READONLY/,
    leave: () => world.target.replicaof('127.0.0.1', '1'),
    comeBack: () => world.target.replicaof('NO', 'ONE'),
  },
];

describe.each(ABSENCES)('a target that is $name', ({ words, leave, comeBack }) => {
  it('is waited for, with words in the status, while records are taken; everything arrives once it is back', async () => {
    await begin();
    await leave();
    await troubleIsTold(words);
    await comeBack();
    await endWhole();
  });

  it('does not hold up SIGTERM, and after the next start everything arrives', async () => {
    await begin();
    await leave();
    await troubleIsTold(words);
    const { rdi } = world;
    const { code, ms } = await rdi.stop();
    expect(code).toBe(0);
    expect(ms).toBeLessThan(8000);
    expect(rdi.log(6000)).toMatch(/received \d+ = .* \+ pending [1-9]/);
    await rdi.start();
    await troubleIsTold(words);
    await comeBack();
    await endWhole();
  });
});

describe('a target', () => {
  it('that is killed and restarted again and again ends with everything', async () => {
    await begin();
    for (let round = 0; round < 8; round++) {
      await pause(random.between(0, 400));
      await world.server.kill();
      await pause(random.between(0, 600));
      await world.server.restart();
    }
    await endWhole();
  });

  it('that freezes for 5 s gets everything when it thaws', async () => {
    await begin();
    world.server.freeze();
    await pause(5000);
    await acknowledge(world.feeder, 200);
    world.server.thaw();
    await endWhole();
  });

  it('that is frozen does not hold up SIGTERM', async () => {
    await begin();
    world.server.freeze();
    await acknowledge(world.feeder, 500);
    const { code, ms } = await world.rdi.stop();
    expect(code).toBe(0);
    expect(ms).toBeLessThan(8000);
    world.server.thaw();
    await world.rdi.start();
    await endWhole();
  });

  it('that is not there at the start is waited for', async () => {
    world = await createWorld({ random });
    await world.server.kill();
    await world.rdi.start();
    world.feeder.start();
    await troubleIsTold(/cannot be reached/);
    await world.server.restart();
    await endWhole();
  });
});
