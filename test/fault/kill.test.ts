import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Random, seededRandom } from './random.ts';
import { checkOrder, compareRows, markLife, readHashes } from './target-checks.ts';
import { type Change, Fold } from './workload.ts';
import { createWorld, expectWhole, type World } from './world.ts';

const KILLS = Number(process.env['FAULT_KILLS'] ?? 210);

/** Kills after which the target is compared in between: later changes of a row would hide a loss. */
const CHECK_EVERY = 20;

/** What the process is at when it is killed; a name stands as often as its share. */
const MOMENTS = [
  ...['starting', 'starting', 'appending', 'appending', 'appending'],
  ...['answering', 'answering', 'writing', 'writing', 'settling', 'anything', 'anything'],
] as const;

let world: World;
let random: Random;

beforeEach(async () => {
  random = seededRandom('kill -9');
  const args = ['--appendonly', 'yes', '--appendfsync', 'no', '--auto-aof-rewrite-percentage', '0'];
  world = await createWorld({ random, target: { args }, feeder: { batchSize: 400 } });
});

afterEach(() => world.close());

describe('kill -9 under load', () => {
  it(`${KILLS} times at random moments loses nothing, brings no deleted row back, lets no row go back in time`, async () => {
    const { rdi, feeder, target, server } = world;
    const hits = { notServing: 0, unanswered: 0 };
    const startedAt = performance.now();
    let startMs = 500;
    feeder.start();
    for (let kill = 0; kill < KILLS; kill++) {
      await markLife(target, kill);
      rdi.launch();
      const servedAfterMs = await liveUntil(random.pick(MOMENTS), startMs);
      if (servedAfterMs === null) hits.notServing++;
      else startMs = startMs * 0.8 + servedAfterMs * 0.2;
      if (feeder.isWaiting) hits.unanswered++;
      await rdi.kill();
      server.thaw();
      feeder.isHeld = false;
      expect(feeder.violations).toEqual([]);
      if (kill % CHECK_EVERY === CHECK_EVERY - 1) await checkBetween(kill);
    }
    await markLife(target, KILLS);
    await rdi.start();
    await feeder.stop();
    const { totals } = await expectWhole(world);
    const { violations, writes, livesThatRepeated } = checkOrder(world);
    expect(violations).toEqual([]);
    expect(rdi.log()).not.toMatch(/"level":(50|60)|bug in rdi/);
    // The kills must hit where they were meant to; otherwise all this shows nothing.
    const summary = { ...hits, livesThatRepeated, startMs: Math.round(startMs) };
    console.info(
      `${KILLS} kills in ${Math.round((performance.now() - startedAt) / 1000)} s; acknowledged ${feeder.acknowledgedTotal}, ` +
        `sub-batches sent again ${feeder.resent.length}, records recognised ${totals.deduplicated}, writes ${writes}`,
      summary,
    );
    expect(hits.notServing, 'kills before the endpoint was open').toBeGreaterThan(KILLS / 20);
    expect(hits.unanswered, 'kills with an unanswered pipeline').toBeGreaterThan(KILLS / 10);
    expect(livesThatRepeated, 'lives that began with a repetition').toBeGreaterThan(KILLS / 20);
  }, 800_000);

  it('with a feeder that does not come back leaves the acknowledged changes and a prefix of its open sub-batch', async () => {
    const { rdi, feeder, target } = world;
    const prefixes: string[] = [];
    for (let round = 0; round < 8; round++) {
      await rdi.start();
      for (let sent = 0; sent < 20; sent++) {
        feeder.fill();
        while (!(await feeder.sendOnce())) await sleep(5);
      }
      feeder.fill();
      const attempt = feeder.sendOnce();
      await pipelineReaches(0);
      await spin(random.between(0, 12));
      await rdi.kill();
      await attempt;
      await rdi.start();
      await rdi.drained();
      const stored = await prefixThatFits(feeder.fold, feeder.open);
      expect(stored, 'a state that is the acknowledged changes and a prefix of the open ones').not.toBeNull();
      prefixes.push(`${stored}/${feeder.open.length}`);
      await rdi.kill();
    }
    console.info(`stored of the open sub-batch: ${prefixes.join(' ')}`);
    await rdi.start();
    feeder.start();
    await feeder.stop();
    await expectWhole(world);

    /** How many of the open changes must be added to the acknowledged ones to give what the target holds. */
    async function prefixThatFits(acknowledged: Fold, open: readonly Change[]): Promise<number | null> {
      const found = await readHashes(target);
      const fold = new Fold(acknowledged.rows);
      if (compareRows(found, fold.rows).length === 0) return 0;
      for (const [index, change] of open.entries()) {
        fold.apply(change);
        if (compareRows(found, fold.rows).length === 0) return index + 1;
      }
      return null;
    }
  });
});

/**
 * Lets a life go on until the moment to kill it. Returns how long it took until feeders were served, in ms, or null when
 * they never were.
 */
async function liveUntil(moment: (typeof MOMENTS)[number], startMs: number): Promise<number | null> {
  const { feeder } = world;
  const { connections } = feeder;
  const startedAt = performance.now();
  const isServing = () => feeder.connections > connections;
  if (moment === 'starting') {
    await sleep(random.between(0, startMs * 1.1));
    return isServing() ? performance.now() - startedAt : null;
  }
  await happens(isServing, 30_000);
  const servedAfterMs = performance.now() - startedAt;
  await sleep(random.between(0, moment === 'anything' ? 300 : 150));
  if (moment === 'appending') {
    await pipelineReaches(0);
    await spin(random.isLucky(0.3) ? 0 : random.between(0, 4));
  } else if (moment === 'answering') {
    await pipelineReaches(1);
  } else if (moment === 'writing') {
    // What is written stays in doubt for longer than a checkpoint takes.
    world.server.freeze();
    await sleep(random.between(0, 200));
  } else if (moment === 'settling') {
    feeder.isHeld = true;
    await happens(() => feeder.open.length === 0, 5000);
    await sleep(random.between(0, 120));
  }
  return servedAfterMs;
}

/** Resolves when a pipeline was written (0), or had so many of its replies; or after a second without any. */
function pipelineReaches(answers: number): Promise<void> {
  const { feeder } = world;
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      feeder.onPipeline = () => {};
      resolve();
    };
    const timer = setTimeout(done, 1000);
    feeder.onPipeline = (answered) => {
      if (answered >= answers) done();
    };
  });
}

/** Lets everything settle and compares, then kills again. */
async function checkBetween(kill: number): Promise<void> {
  const { rdi, feeder, target } = world;
  feeder.isHeld = true;
  await markLife(target, kill + 0.5);
  await rdi.start();
  await happens(() => feeder.open.length === 0, 10_000);
  await expectWhole(world);
  await rdi.kill();
  feeder.isHeld = false;
}

/** Waits more finely than timers do; replies come within a few milliseconds. */
async function spin(ms: number): Promise<void> {
  const deadline = performance.now() + ms;
  while (performance.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
}

async function happens(isSo: () => boolean, limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!isSo()) {
    if (performance.now() > deadline)
      throw new Error(`It did not happen within ${limitMs} ms:\n${world.rdi.log(3000)}`);
    await sleep(2);
  }
}
