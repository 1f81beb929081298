import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Random, seededRandom } from './random.ts';
import { problemsOf } from './rdi.ts';
import { acknowledge, createWorld, expectWhole, pause, type World } from './world.ts';

const DISK_MB = 24;

let world: World;
let random: Random;

beforeEach(() => {
  random = seededRandom('store full');
});

afterEach(() => world?.close());

/** Waits until the feeder gets nothing through any more for a while. */
async function stuck(limitMs = 60_000): Promise<void> {
  const { feeder } = world;
  const deadline = performance.now() + limitMs;
  for (let last = -1; last !== feeder.acknowledgedTotal; ) {
    if (performance.now() > deadline) throw new Error('The feeder is not held back.');
    last = feeder.acknowledgedTotal;
    await pause(1500);
  }
}

describe('a disk_limit with the target away', () => {
  it('holds a feeder back that asks for memory, and lets it go on once the target took the backlog', async () => {
    world = await createWorld({ random, rdi: { args: ['--disk-limit', '6mb'] }, feeder: { pauseMs: 0 } });
    const { rdi, feeder, server } = world;
    await rdi.start();
    await server.kill();
    feeder.start();
    await stuck();
    const { store, endpoint, problems } = await rdi.status();
    expect(feeder.timesFull).toBeGreaterThan(0);
    expect(feeder.timesRefused).toBe(0);
    expect(store).toMatchObject({ state: 'full' });
    expect(store.bytes).toBeLessThan(store.limitBytes);
    expect(endpoint.backpressure).toBe('full');
    expect(problems.map(({ text }) => text).join('\n')).toMatch(/store .* is full .*held back; nothing is lost/i);
    await server.restart();
    await rdi.until('room again', (status) => status.endpoint.backpressure === 'none');
    await acknowledge(feeder, 1000);
    await feeder.stop();
    expect((await expectWhole(world)).store.state).toBe('ready');
  });

  it('answers a feeder that does not ask slowly, without a silence at which it would give up', async () => {
    world = await createWorld({
      random,
      rdi: { args: ['--disk-limit', '4mb'] },
      feeder: { pauseMs: 0, asksMemory: false, batchSize: 30 },
    });
    const { rdi, feeder, server } = world;
    await rdi.start();
    await server.kill();
    feeder.start();
    await rdi.until('slow answers', ({ endpoint }) => endpoint.backpressure === 'paced', 60_000);
    const before = feeder.acknowledgedTotal;
    await pause(6000);
    expect(feeder.acknowledgedTotal - before).toBeLessThan(60);
    expect(feeder.slowestReplyMs).toBeGreaterThan(300);
    await server.restart();
    await acknowledge(feeder, 1000);
    await feeder.stop();
    await expectWhole(world);
    // Debezium's client gives a connection up after 2 s without a byte; none was.
    expect(feeder.resent).toEqual([]);
  });

  it('refuses what is beyond it, always behind a prefix, and takes the rest later', async () => {
    world = await createWorld({
      random,
      rdi: { args: ['--disk-limit', '4mb'] },
      // So large that the second one leaps over the stretch in which answers are slow.
      feeder: { pauseMs: 0, asksMemory: false, batchSize: 4000, leastBatchSize: 4000 },
    });
    const { rdi, feeder, server } = world;
    await rdi.start();
    await server.kill();
    for (let batch = 0; batch < 40 && feeder.timesRefused < 3; batch++) {
      feeder.fill();
      await feeder.sendOnce();
      expect(feeder.violations).toEqual([]);
    }
    expect(feeder.timesRefused).toBe(3);
    const { endpoint, problems } = await rdi.status();
    expect(endpoint.backpressure).toBe('refusing');
    expect(problems.map(({ text }) => text).join('\n')).toMatch(/refused with OOM, and sent again/);
    await server.restart();
    feeder.start();
    await acknowledge(feeder, 1000);
    await feeder.stop();
    await expectWhole(world);
  });

  it('still stores offsets while records are held back', async () => {
    world = await createWorld({ random, rdi: { args: ['--disk-limit', '4mb'] }, feeder: { pauseMs: 0 } });
    const { rdi, feeder, server } = world;
    await rdi.start();
    await server.kill();
    feeder.start();
    await stuck();
    expect(feeder.offsetAcknowledged).toBe(feeder.offsetSent);
    expect(feeder.offsetAcknowledged).toBeGreaterThan(0);
    await rdi.kill();
    await rdi.start();
    await stuck();
    expect((await rdi.status()).endpoint.backpressure).not.toBe('none');
    await server.restart();
    await feeder.stop();
    await expectWhole(world);
  });
});

describe('a full disk', () => {
  let disk: string;
  let why: string | undefined;

  beforeAll(async () => {
    disk = await mkdtemp(join(tmpdir(), 'rdi-disk-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', disk], { stdio: 'pipe' });
    } catch (error) {
      why = `no small disk can be mounted here: ${(error as Error).message}`;
    }
  });

  afterAll(async () => {
    if (why === undefined) execFileSync('umount', [disk], { stdio: 'pipe' });
    await rm(disk, { recursive: true, force: true });
  });

  async function begin(name: string): Promise<void> {
    const dataDir = join(disk, name);
    mkdirSync(dataDir);
    world = await createWorld({ random, rdi: { dataDir }, feeder: { pauseMs: 0 } });
    await world.rdi.start();
    world.feeder.start();
    await acknowledge(world.feeder, 500);
  }

  afterEach(() => {
    if (world && existsSync(world.rdi.dataDir)) rmSync(world.rdi.dataDir, { recursive: true, force: true });
  });

  /** Takes all room that is left on the disk; the returned function gives it back. */
  function fillUp(): () => void {
    const file = join(disk, 'ballast');
    const fd = openSync(file, 'w');
    const block = Buffer.alloc(1 << 16);
    try {
      for (;;) writeSync(fd, block);
    } catch {
      // Full, as it should be.
    }
    closeSync(fd);
    return () => rmSync(file, { force: true });
  }

  async function fullIsTold(): Promise<void> {
    const { rdi, feeder } = world;
    const words = /store .* is full/i;
    await rdi.until('the full disk to be told', (status) => words.test(problemsOf(status)), 60_000);
    expect(rdi.log()).toMatch(/The disk refused the journal \(ENOSPC\).*nothing acknowledged is lost/);
    await stuck();
    expect(feeder.timesFull + feeder.timesRefused).toBeGreaterThan(0);
  }

  it('holds the feeder back, loses nothing, and goes on once somebody made room', async ({ skip }) => {
    if (why !== undefined) skip(why);
    await begin('room');
    const giveBack = fillUp();
    await fullIsTold();
    giveBack();
    await acknowledge(world.feeder, 2000);
    await world.feeder.stop();
    await expectWhole(world);
  });

  it('that the backlog itself filled goes on once the target took the backlog', async ({ skip }) => {
    if (why !== undefined) skip(why);
    await begin('backlog');
    await world.server.kill();
    await fullIsTold();
    await world.server.restart();
    await acknowledge(world.feeder, 2000);
    await world.feeder.stop();
    await expectWhole(world);
  });

  it('does not keep rdi from stopping and starting, nor from losing nothing when it is killed', async ({ skip }) => {
    if (why !== undefined) skip(why);
    await begin('restarts');
    await world.server.kill();
    await fullIsTold();
    expect((await world.rdi.stop()).code).toBe(0);
    await world.rdi.start();
    await stuck();
    await world.rdi.kill();
    await world.rdi.start();
    await world.server.restart();
    await acknowledge(world.feeder, 2000);
    await world.feeder.stop();
    await expectWhole(world);
  });
});
