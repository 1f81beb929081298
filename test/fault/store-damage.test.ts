import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../helpers/redis-server.ts';
import { type Random, seededRandom } from './random.ts';
import { acknowledge, createWorld, expectWhole, pause, type World } from './world.ts';

let world: World;
let random: Random;

beforeEach(() => {
  random = seededRandom('store damage');
});

afterEach(() => world.close());

function lastSegment(): string {
  const { journalFolder } = world.rdi;
  return join(journalFolder, readdirSync(journalFolder).sort().at(-1) as string);
}

function bytesAtRandom(length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}

function overwrite(file: string, at: number, bytes: Buffer): void {
  const fd = openSync(file, 'r+');
  writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
}

describe('a torn tail', () => {
  it('is cut off at the start: what was acknowledged is there, what was not is taken when it is sent again', async () => {
    world = await createWorld({ random, feeder: { batchSize: 150 } });
    const { rdi, feeder, server } = world;
    // Nothing may be settled meanwhile: the target would know of entries that this test takes away.
    await server.kill();
    for (let round = 0; round < 8; round++) {
      await rdi.start();
      for (let batch = 0; batch < 5; batch++) {
        feeder.fill();
        while (!(await feeder.sendOnce())) await pause(5);
      }
      const acknowledgedBytes = statSync(lastSegment()).size;
      feeder.fill();
      const attempt = feeder.sendOnce();
      const whole = [...feeder.open];
      await pause(random.between(0, 20));
      await rdi.kill();
      const isAcknowledged = await attempt;
      const file = lastSegment();
      const size = statSync(file).size;
      if (!isAcknowledged) truncateSync(file, acknowledgedBytes + random.below(size - acknowledgedBytes + 1));
      if (random.isLucky(0.6)) writeFileSync(file, bytesAtRandom(1 + random.below(5000)), { flag: 'a' });
      expect(feeder.open.length === 0 || feeder.open.length === whole.length).toBe(true);
    }
    await rdi.start();
    expect(rdi.log()).toMatch(/Cut \d+ bytes of a torn tail off the journal; none of them had been acknowledged/);
    await server.restart();
    feeder.start();
    await feeder.stop();
    await expectWhole(world);
  });
});

describe('a damaged middle', () => {
  it('stops the start, naming file, byte and the repair command, and changes nothing', async () => {
    world = await createWorld({ random });
    const { rdi, feeder, server } = world;
    await server.kill();
    await rdi.start();
    feeder.start();
    await acknowledge(feeder, 2000);
    await feeder.stop();
    await rdi.kill();
    const file = lastSegment();
    const size = statSync(file).size;
    const at = Math.floor(size * random.between(0.2, 0.6));
    const original = readFileSync(file).subarray(at, at + 16);
    overwrite(file, at, bytesAtRandom(16));
    const damagedFile = readFileSync(file);
    rdi.launch();
    expect(await rdi.exited()).toBeGreaterThan(0);
    const said = rdi.log(2500);
    expect(said).toContain('STORE_DAMAGED');
    expect(said).toContain(file);
    const named = Number(/ at byte (\d+)/.exec(said)?.[1]);
    expect(named).toBeLessThanOrEqual(at + 16);
    expect(named).toBeGreaterThan(at - 4000);
    expect(said).toMatch(/rdi repair --data-dir/);
    expect(said).not.toMatch(/^\s+at .*\.ts:\d+/m);
    expect(readFileSync(file).equals(damagedFile)).toBe(true);
    // With the bytes back in place nothing is missing.
    overwrite(file, at, Buffer.from(original));
    await server.restart();
    await rdi.start();
    await expectWhole(world);
  });

  it('that a running rdi meets stops the writing, says where, and still keeps what feeders send', async () => {
    world = await createWorld({ random, rdi: { args: ['--max-buffered', '1mb'] }, feeder: { pauseMs: 0 } });
    const { rdi, feeder, server } = world;
    await server.kill();
    await rdi.start();
    feeder.start();
    // Far more than stays in memory, so that the engine must read it back from disk.
    await acknowledge(feeder, 25_000);
    await feeder.stop();
    const file = lastSegment();
    const at = Math.floor(statSync(file).size * 0.6);
    const original = readFileSync(file).subarray(at, at + 16);
    overwrite(file, at, bytesAtRandom(16));
    await server.restart();
    await rdi.until('the damage to be told', ({ store }) => store.state === 'failed', 60_000);
    const { store, ready } = await rdi.status();
    expect(ready).toBe(false);
    expect(store.message).toMatch(/damaged in .*\.journal at byte \d+/);
    expect(store.message).toMatch(/rdi repair/);
    feeder.start();
    await acknowledge(feeder, 500);
    await feeder.stop();
    await rdi.kill();
    overwrite(file, at, Buffer.from(original));
    await rdi.start();
    await expectWhole(world);
  });
});

describe('a second process on the same folder', () => {
  it('is refused with a clear message, while the first one goes on', async () => {
    world = await createWorld({ random });
    const { rdi, feeder, folder } = world;
    await rdi.start();
    feeder.start();
    await acknowledge(feeder, 300);
    const logFile = join(folder, 'second.log');
    const second = rdi.another(logFile, [await freePort(), await freePort()]);
    expect(await second.exited).toBeGreaterThan(0);
    expect(second.log()).toMatch(/STORE_LOCKED/);
    expect(second.log()).toMatch(/Another process uses the data folder .*Stop it first, or .*--data-dir/);
    expect(second.log()).not.toMatch(/^\s+at .*\.ts:\d+/m);
    await acknowledge(feeder, 300);
    await feeder.stop();
    await expectWhole(world);
  });
});

describe('a clock that is set back', () => {
  it('while rdi runs, and while it does not, never makes an id smaller', async () => {
    const preload = join(import.meta.dirname, 'shifted-clock.ts');
    world = await createWorld({ random });
    const { rdi, feeder } = world;
    const offsets = join(world.folder, 'clock-offset');
    writeFileSync(offsets, '0');
    rdi.setEnvironment({ NODE_OPTIONS: `--import ${pathToFileURL(preload)}`, CLOCK_OFFSET_FILE: offsets });
    await rdi.start();
    feeder.start();
    await acknowledge(feeder, 300);
    for (const hours of [-1, -30, 2, -2]) {
      writeFileSync(offsets, String(hours * 3_600_000));
      await rdi.until('the clock to be elsewhere', (status) => {
        return Math.abs(status.takenAt - Date.now() - hours * 3_600_000) < 60_000;
      });
      await acknowledge(feeder, 300);
      await rdi.kill();
      await rdi.start();
      await acknowledge(feeder, 300);
    }
    await feeder.stop();
    // The feeder notes an id that does not grow.
    await expectWhole(world);
  });
});
