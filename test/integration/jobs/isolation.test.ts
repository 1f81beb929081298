import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type CaseEvent, writePipeline } from '../../helpers/job-cases.ts';
import { JobEngine } from '../../helpers/job-engine.ts';
import { type RedisServer, startRedis, until } from '../../helpers/redis-server.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

type Job = Readonly<Record<string, unknown>>;

const jm = (expression: string) => ({ expression, language: 'jmespath' });
const hash = (options: object = {}) => ({ uses: 'redis.write', with: { data_type: 'hash', ...options } });

let server: RedisServer;
/** The target `other`, which a test may freeze. */
let otherServer: RedisServer;
let target: Redis;
let other: Redis;
let engine: JobEngine | undefined;

beforeAll(async () => {
  server = await startRedis();
  otherServer = await startRedis();
  target = new Redis({ host: '127.0.0.1', port: server.port });
  other = new Redis({ host: '127.0.0.1', port: otherServer.port });
});

beforeEach(async () => {
  await target.flushall();
  await other.flushall();
});

afterEach(async () => {
  otherServer.thaw();
  await engine?.close();
  engine = undefined;
});

afterAll(async () => {
  target.disconnect();
  other.disconnect();
  await server.stop();
  await otherServer.stop();
});

async function start(jobs: readonly Job[]): Promise<JobEngine> {
  const folder = tempFolder({ inMemory: true });
  const connection = (port: number) => ({ connection: { type: 'redis', host: '127.0.0.1', port } });
  const targets = { target: connection(server.port), other: connection(otherServer.port) };
  writePipeline(join(folder, 'pipeline'), { jobs, processors: {} }, targets);
  engine = await JobEngine.start(join(folder, 'pipeline'), join(folder, 'data'));
  return engine;
}

function created(table: string, count: number, columns: (id: number) => object = () => ({})): CaseEvent[] {
  return Array.from({ length: count }, (_, id) => {
    const source = { name: 'rdi', db: 'shop', schema: 'public', table };
    const event = { before: null, after: { id, ...columns(id) }, op: 'c', source };
    return {
      stream: `data:rdi.public.${table}`,
      key: JSON.stringify({ id }),
      value: (ms) => JSON.stringify({ ...event, ts_ms: ms }),
    };
  });
}

it('a lookup on a target that does not answer stops its own table only, which goes on when the answers come', async () => {
  const lookup = { connection: 'other', cmd: 'GET', args: ["'label'"], language: 'jmespath', field: 'label' };
  const running = await start([
    { source: { table: 'slow' }, transform: [{ uses: 'redis.lookup', with: lookup }], output: [hash()] },
    { source: { table: 'quick' }, output: [hash({ key: jm("concat(['q:', id])") })] },
  ]);
  await other.set('label', 'found');
  await running.send([...created('slow', 1), ...created('quick', 1), ...created('plain', 1)]);
  otherServer.freeze();
  await running.post([...created('slow', 300), ...created('quick', 300), ...created('plain', 300)]);
  await until('the other tables to be written', async () => (await target.dbsize()) >= 601);
  await running.post([...created('slow', 100), ...created('quick', 400), ...created('plain', 400)]);
  await until('the other tables to be written again', async () => (await target.dbsize()) >= 801);
  expect(await target.keys('slow:*')).toHaveLength(1);
  expect(running.snapshot.totals.pending).toBe(400);
  otherServer.thaw();
  await running.settled();
  expect(await target.keys('slow:*')).toHaveLength(300);
  expect(await target.hgetall('slow:id:299')).toEqual({ id: '299', label: 'found' });
  expect(running.outcome()).toEqual({ rejected: 0, filtered: 0, reasons: [] });
});

it('a second target that does not answer stops only the tables that are written to it', async () => {
  const running = await start([
    { source: { table: 'both' }, output: [hash(), hash({ connection: 'other' })] },
    { source: { table: 'one' }, output: [hash()] },
  ]);
  await running.send([...created('both', 1), ...created('one', 1)]);
  otherServer.freeze();
  await running.post([...created('both', 200), ...created('one', 500), ...created('plain', 500)]);
  await until('the tables of the target to be written', async () => (await target.dbsize()) >= 1000);
  expect(running.snapshot.totals.pending).toBe(200);
  otherServer.thaw();
  await running.settled();
  expect(await other.dbsize()).toBe(200);
  expect(await target.dbsize()).toBe(1200);
});

it('of 2000 records of one batch each tenth fails alone, in every place where one can fail', async () => {
  const places: Readonly<Record<string, Job>> = {
    add_field: {
      transform: [{ uses: 'add_field', with: { field: 'x', ...jm('json_parse(text)') } }],
      output: [hash({ mapping: ['id'] })],
    },
    filter: { transform: [{ uses: 'filter', with: jm('length(text) > `0` && json_parse(text) == `1`') }] },
    map: { transform: [{ uses: 'map', with: jm('{id: id, x: json_parse(text)}') }] },
    'redis.lookup': {
      transform: [
        {
          uses: 'redis.lookup',
          with: {
            connection: 'other',
            cmd: 'GET',
            args: ["text == '1' && 'text' || 'list'"],
            language: 'jmespath',
            field: 'x',
          },
        },
      ],
      output: [hash({ mapping: ['id'] })],
    },
    'key expression': { output: [hash({ key: jm("text == '1' && concat(['k', id]) || ''") })] },
    score: {
      output: [
        {
          uses: 'redis.write',
          with: { data_type: 'sorted_set', key: jm("concat(['z', id])"), args: { score: 'text', member: 'id' } },
        },
      ],
    },
  };
  await other.rpush('list', 'a');
  const tables = Object.keys(places).map((_, i) => `t${i}`);
  const running = await start(Object.values(places).map((job, i) => ({ source: { table: tables[i] }, ...job })));
  const text = (id: number) => ({ text: id % 10 === 0 ? '{oops' : '1' });
  for (const [i, place] of Object.keys(places).entries()) {
    const table = `t${i}`;
    await target.flushall();
    await running.send(created(table, 2000, text));
    expect(await target.dbsize(), place).toBe(1800);
    const records = running.deadLetters(`data:rdi.public.${table}`);
    expect(records, place).toHaveLength(200);
    for (const [n, { reason_rejected, key }] of records.entries()) {
      expect(reason_rejected, place).toContain(place);
      expect(String(key)).toContain(`"id":${n * 10}`);
    }
  }
});
