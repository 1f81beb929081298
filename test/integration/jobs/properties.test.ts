import { join } from 'node:path';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writePipeline } from '../../helpers/job-cases.ts';
import { JobEngine } from '../../helpers/job-engine.ts';
import { type Keyspace, readKeyspace } from '../../helpers/job-keyspace.ts';
import { eventOf, type Intent, JOBS, LABELS, type RowChange, SourceModel, TABLES } from '../../helpers/job-model.ts';
import { type RedisServer, startRedis } from '../../helpers/redis-server.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const RUNS = Number(process.env['JOB_PROPERTY_RUNS'] ?? 200);
const LIMIT_MS = 30_000;

const intents: fc.Arbitrary<Intent[]> = fc.array(
  fc.record({
    table: fc.constantFrom(...TABLES),
    id: fc.integer({ min: 1, max: 4 }),
    action: fc.constantFrom('write', 'write', 'write', 'remove', 'move'),
    to: fc.integer({ min: 1, max: 4 }),
    tier: fc.constantFrom('a', 'b', null),
    rank: fc.option(fc.integer({ min: -1000, max: 1000 })),
    name: fc.option(fc.string({ unit: 'grapheme', maxLength: 6 })),
    tags: fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 3 }),
    parent: fc.integer({ min: 1, max: 4 }),
  }),
  { minLength: 1, maxLength: 60 },
);

let server: RedisServer;
let target: Redis;
let engine: JobEngine;

beforeAll(async () => {
  const folder = tempFolder({ inMemory: true });
  server = await startRedis({ json: true });
  target = new Redis({ host: '127.0.0.1', port: server.port });
  const connection = { type: 'redis', host: '127.0.0.1', port: server.port };
  writePipeline(join(folder, 'pipeline'), { jobs: JOBS, processors: {} }, { target: { connection } });
  engine = await JobEngine.start(join(folder, 'pipeline'), join(folder, 'data'));
});

afterAll(async () => {
  await engine.close();
  target.disconnect();
  await server.stop();
});

it('the target is the fold of the rows, for every data type, also after the whole log came again', async () => {
  const property = fc.asyncProperty(intents, fc.array(fc.integer({ min: 1, max: 40 })), async (done, sizes) => {
    const model = new SourceModel();
    for (const intent of done) model.apply(intent);
    const wanted = model.keyspace();
    const log = model.log();
    await target.flushall();
    await target.hset('tiers', LABELS);
    await send(model.changes, sizes);
    expectNoneRejected();
    expect(await found()).toEqual({ keys: wanted, log });
    await send(model.changes, []);
    expect(await found()).toEqual({ keys: wanted, log: [...log, ...log] });
    expectNoneRejected();
  });
  await fc.assert(property, { numRuns: RUNS, interruptAfterTimeLimit: LIMIT_MS, endOnFailure: false });
});

function expectNoneRejected(): void {
  const { rejected, reasons } = engine.outcome();
  expect(rejected, reasons.at(-1)).toBe(0);
}

/** In batches of these sizes, the rest at once. */
async function send(changes: readonly RowChange[], sizes: readonly number[]): Promise<void> {
  const events = changes.map(eventOf);
  for (const size of sizes) await engine.send(events.splice(0, size));
  await engine.send(events);
}

async function found(): Promise<{ keys: Keyspace; log: unknown }> {
  const { log, ...keys } = await readKeyspace(target);
  return { keys, log: log?.['stream'] ?? [] };
}
