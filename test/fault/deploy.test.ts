import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readKeyspace } from '../helpers/job-keyspace.ts';
import { JOBS, LABELS, SourceModel } from '../helpers/job-model.ts';
import { until } from '../helpers/processes.ts';
import { Feeder } from './feeder.ts';
import { JobWorkload, writeJobs } from './job-world.ts';
import { Random, seededRandom } from './random.ts';
import { unbalanced } from './rdi.ts';
import type { Workload } from './workload.ts';
import { createWorld, type World } from './world.ts';

const ROUNDS = Number(process.env['FAULT_DEPLOY_ROUNDS'] ?? 10);

let world: World;
let random: Random;

beforeEach(async () => {
  random = seededRandom('deployments and kills');
  world = await createWorld({ random, target: { json: true } });
  writeJobs(world.folder, JOBS);
});

afterEach(() => world.close());

/** A lookup whose result nothing uses: what is written stays the same, and the job's streams go to another lane. */
const LOOKUP = {
  uses: 'redis.lookup',
  with: { connection: 'target', cmd: 'GET', args: ["'nothing'"], language: 'jmespath', field: 'unused' },
};
const FORGET = { uses: 'remove_field', with: { field: 'unused' } };

/** The same jobs in other words and other lanes, with other batches. */
function variant(config: string): unknown {
  const batch = `  read_batch_size: ${random.pick([50, 500, 2000])}\n`;
  const jobs = JOBS.map((job) => {
    const { table, row_format } = job['source'] as { table: string; row_format?: string };
    // A parent's document depends on the order of its changes and its children's, which holds within one lane only.
    const mayDetour = row_format === undefined && table !== 'parent' && table !== 'child';
    const detours = mayDetour && random.isLucky(0.4);
    const transform = [...((job['transform'] as unknown[] | undefined) ?? []), ...(detours ? [LOOKUP, FORGET] : [])];
    return transform.length === 0 ? job : { ...job, transform };
  });
  const texts = Object.fromEntries(jobs.map((job, i) => [`job${i}.yaml`, stringify(job)]));
  return { document: { config: `${config}${batch}`, jobs: texts, tests: {}, folder: world.folder } };
}

it(`${ROUNDS} rounds of deployments, stops and starts, each ended by a kill, leave the target as the fold of the rows`, async () => {
  const { rdi, target } = world;
  await target.hset('tiers', LABELS);
  const config = readFileSync(join(world.folder, 'pipeline', 'config.yaml'), 'utf8');
  const model = new SourceModel();
  const workload = new JobWorkload(model, new Random(random.below(2 ** 31)));
  const feeder = new Feeder({ port: rdi.port, workload: workload as unknown as Workload, random, pauseMs: 8 });
  let deployments = 0;
  feeder.start();
  for (let round = 0; round < ROUNDS; round++) {
    await rdi.start();
    for (let i = 0; i < 4; i++) {
      const call = post('/revisions', variant(config)).then((status) => expect(status).toBe(201));
      const seen = call.then(
        () => ++deployments,
        (error: unknown) => {
          // Only a kill may cut an answer off.
          if (rdi.isRunning) throw error;
        },
      );
      if (i < 3) await seen;
      else seen.catch(() => {});
      if (random.isLucky(0.3)) await post('/stop').then(() => post('/start'));
      await sleep(random.between(0, 80));
    }
    await rdi.kill();
    if (round % 5 !== 4) continue;
    await compare();
    await rdi.kill();
    feeder.isHeld = false;
  }
  await feeder.stop();
  expect(feeder.violations).toEqual([]);
  expect(deployments).toBeGreaterThan(ROUNDS * 2);
  expect(feeder.acknowledgedTotal).toBeGreaterThan(ROUNDS * 20);

  async function post(path: string, body?: unknown): Promise<number> {
    const response = await fetch(`${rdi.http}/api/v2/pipelines/default${path}`, {
      method: 'POST',
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      signal: AbortSignal.timeout(20_000),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.status;
  }

  async function compare(): Promise<void> {
    feeder.isHeld = true;
    await rdi.start();
    const isAcknowledged = () => feeder.open.length === 0;
    await until('the open sub-batch to be acknowledged', isAcknowledged, { timeoutMs: 20_000, everyMs: 5 });
    await post('/start');
    const status = await rdi.drained();
    expect(unbalanced(status)).toEqual([]);
    expect(status.totals.rejected).toBe(0);
    const { log: _log, ...keys } = await readKeyspace(target);
    expect(keys).toEqual(model.keyspace());
  }
});
