import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JobCase, readJobCases, writePipeline } from '../../helpers/job-cases.ts';
import { JobEngine, judgePipeline } from '../../helpers/job-engine.ts';
import { expectedKeyspace, readKeyspace } from '../../helpers/job-keyspace.ts';
import { TargetMonitor } from '../../helpers/job-monitor.ts';
import { type RedisServer, startRedis } from '../../helpers/redis-server.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const cases = readJobCases();
const groups = [...new Set(cases.map(({ group }) => group))];

let server: RedisServer;
let target: Redis;
/** The other target of the cases that have one: another database of the same server. */
let other: Redis;
let monitor: TargetMonitor;
const folder = tempFolder({ inMemory: true });

beforeAll(async () => {
  server = await startRedis({ json: true });
  target = new Redis({ host: '127.0.0.1', port: server.port });
  other = new Redis({ host: '127.0.0.1', port: server.port, db: 1 });
  monitor = await TargetMonitor.start(server.port, target);
});

afterAll(async () => {
  monitor.close();
  target.disconnect();
  other.disconnect();
  await server.stop();
});

it('every case has an id of its own', () => {
  const ids = cases.map(({ id }) => id);
  expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
  expect(ids.filter((id) => !id.startsWith('O'))).toHaveLength(141);
});

for (const group of groups) {
  describe(group, () => {
    const chosen = cases.filter((one) => one.group === group);
    it.for(chosen.map((one) => [`${one.id} ${one.about}`, one] as const))('%s', ([, one]) =>
      one.deployError === null ? run(one) : refuse(one),
    );
  });
}

function refuse(one: JobCase): void {
  const dir = pipelineOf(one);
  const { problems } = judgePipeline(dir);
  expect(problems.join('\n')).toContain(one.deployError);
  for (const problem of problems) expect(problem).toMatch(/\.yaml:\d+:\d+: /);
}

/** Change by change first, so that the commands of the last one are known; then all of them at once. */
async function run(one: JobCase): Promise<void> {
  const dir = pipelineOf(one);
  const { problems, notices } = judgePipeline(dir);
  expect(problems).toEqual([]);
  if (one.notice !== null) expect(notices.join('\n')).toContain(one.notice);
  const engine = await JobEngine.start(dir, join(folder, one.id));
  try {
    await prepare(one);
    for (const event of one.events.slice(0, -1)) await engine.send([event]);
    await monitor.take();
    await engine.send(one.events.slice(-1));
    const commands = await monitor.take();
    await compare(one, engine);
    if (one.commands) expect(commands).toEqual(one.commands);
    await prepare(one);
    await engine.send(one.events);
    await compare(one, engine);
    if (one.warning !== null) expect(engine.warnings.join('\n')).toContain(one.warning);
  } finally {
    await engine.close();
  }
}

function pipelineOf(one: JobCase): string {
  const dir = join(folder, 'pipeline');
  const connection = { type: 'redis', host: '127.0.0.1', port: server.port };
  const targets = { target: { connection }, ...(one.other ? { other: { connection: { ...connection, db: 1 } } } : {}) };
  writePipeline(dir, one, targets);
  return dir;
}

async function prepare({ pre }: JobCase): Promise<void> {
  await target.flushall();
  for (const [command = '', ...words] of pre) await target.call(command, ...words);
}

async function compare(one: JobCase, engine: JobEngine): Promise<void> {
  const { rejected, filtered, reasons } = engine.outcome();
  const found = await readKeyspace(target, one.ignore);
  const wanted = { keys: expectedKeyspace(one.keys, found), rejected: one.rejected, filtered: one.filtered };
  expect({ keys: found, rejected, filtered }, reasons.join('\n')).toEqual(wanted);
  if (one.reason !== null) expect(reasons.join('\n')).toContain(one.reason);
  const elsewhere = await readKeyspace(other, one.ignore);
  expect(elsewhere).toEqual(expectedKeyspace(one.other ?? {}, elsewhere));
}
