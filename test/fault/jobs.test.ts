import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readKeyspace } from '../helpers/job-keyspace.ts';
import { JOBS, LABELS, SourceModel } from '../helpers/job-model.ts';
import { until } from '../helpers/processes.ts';
import { Feeder } from './feeder.ts';
import { JobWorkload, writeJobs } from './job-world.ts';
import { Random, seededRandom } from './random.ts';
import { unbalanced } from './rdi.ts';
import type { Workload } from './workload.ts';
import { createWorld, type World } from './world.ts';

const KILLS = Number(process.env['FAULT_JOB_KILLS'] ?? 16);

/** Kills after which the target is compared in between: later changes of a row would hide a loss. */
const CHECK_EVERY = 8;

let world: World;
let random: Random;

beforeEach(async () => {
  random = seededRandom('kill -9 with jobs');
  world = await createWorld({ random, target: { json: true } });
  writeJobs(world.folder, JOBS);
});

afterEach(() => world.close());

it(`with jobs of every data type, ${KILLS} kills at random moments leave the target as the fold of the rows`, async () => {
  const { rdi, target, server } = world;
  await target.hset('tiers', LABELS);
  const model = new SourceModel();
  const workload = new JobWorkload(model, new Random(random.below(2 ** 31)));
  const feeder = new Feeder({ port: rdi.port, workload: workload as unknown as Workload, random, pauseMs: 8 });
  let repetitions = 0;
  feeder.start();
  for (let kill = 0; kill < KILLS; kill++) {
    await rdi.start();
    await sleep(random.between(0, 400));
    if (random.isLucky(0.4)) {
      // What is written stays in doubt until after the kill.
      server.freeze();
      await sleep(random.between(0, 150));
    }
    await rdi.kill();
    server.thaw();
    if (kill % CHECK_EVERY !== CHECK_EVERY - 1) continue;
    await compare();
    await rdi.kill();
    feeder.isHeld = false;
  }
  await compare();
  await feeder.stop();
  expect(feeder.violations).toEqual([]);
  expect(rdi.log()).not.toMatch(/"level":(50|60)|bug in rdi/);
  console.info(`${KILLS} kills, ${feeder.acknowledgedTotal} changes, ${repetitions} entries of the stream came again`);
  expect(feeder.acknowledgedTotal).toBeGreaterThan(KILLS * 20);
  expect(repetitions, 'entries that came again: without them the kills show nothing').toBeGreaterThan(0);

  /** Lets everything settle and compares; the feeder is held then. */
  async function compare(): Promise<void> {
    feeder.isHeld = true;
    await rdi.start();
    await until('the open sub-batch to be acknowledged', () => feeder.open.length === 0, {
      timeoutMs: 20_000,
      everyMs: 5,
    });
    const status = await rdi.drained();
    expect(unbalanced(status)).toEqual([]);
    expect(status.totals.rejected).toBe(0);
    const { log, ...keys } = await readKeyspace(target);
    expect(keys).toEqual(model.keyspace());
    repetitions = countRepetitions((log?.['stream'] ?? []) as LogEntry[], model.log());
  }
});

type LogEntry = Readonly<Record<string, string>>;

/** Entries beyond the wanted ones. Throws unless all of these are there in order. */
function countRepetitions(found: readonly LogEntry[], wanted: readonly LogEntry[]): number {
  let next = 0;
  for (const { id, op_code } of found) {
    const due = wanted[next];
    if (due && due['id'] === id && due['op_code'] === op_code) next++;
  }
  expect(next, 'entries of the stream in order').toBe(wanted.length);
  return found.length - wanted.length;
}
