import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type CaseEvent, Digits, type ExpectedKeys } from '../../helpers/job-cases.ts';
import { JobEngine, judgePipeline } from '../../helpers/job-engine.ts';
import { expectedKeyspace, readKeyspace } from '../../helpers/job-keyspace.ts';
import { type RedisServer, startRedis } from '../../helpers/redis-server.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { examplesOf, page, ROOT, writeExample } from '../../unit/docs/examples.ts';

/** A test of jobs as `rdi test` reads it, as far as the documentation makes use of it. */
interface JobTest {
  readonly name: string;
  readonly given: readonly GivenEvent[];
  readonly keys?: Readonly<Record<string, Record<string, unknown>>>;
  readonly lookups?: readonly { readonly command: readonly string[]; readonly reply: string }[];
  readonly expect: {
    readonly keys?: Readonly<Record<string, Record<string, unknown>>>;
    readonly rejected?: number | readonly string[];
    readonly filtered?: number;
  };
}

interface GivenEvent {
  readonly table: string;
  readonly op: string;
  readonly key: unknown;
  readonly before?: unknown;
  readonly after?: unknown;
}

let server: RedisServer;
let target: Redis;
const folder = tempFolder({ inMemory: true });

beforeAll(async () => {
  server = await startRedis({ json: true });
  target = new Redis({ port: server.port });
});

afterAll(async () => {
  target.disconnect();
  await server.stop();
});

describe('docs/jobs.md', () => {
  test.for(examplesOf(page('jobs.md')).map((example) => [example.line, example] as const))(
    'the example in line %i does in a real Redis what the page says',
    async ([line, example]) => {
      const dir = join(folder, `line-${line}`);
      writeExample(example, dir);
      await runFolder(dir);
    },
  );
});

test('examples/jobs does in a real Redis what its job tests say', async () => {
  const dir = join(folder, 'examples');
  cpSync(join(ROOT, 'examples/jobs'), dir, { recursive: true });
  await runFolder(dir);
});

/** Runs every job test of a pipeline folder through the engine. Nothing is said against it but what holds for every stream. */
async function runFolder(dir: string): Promise<void> {
  const config = join(dir, 'config.yaml');
  writeFileSync(config, readFileSync(config, 'utf8').replace('port: 6379', `port: ${server.port}`));
  const { problems, notices } = judgePipeline(dir);
  const unexpected = notices.filter((notice) => !notice.includes('and a stream keeps both'));
  expect({ problems, unexpected }).toEqual({ problems: [], unexpected: [] });
  const engine = await JobEngine.start(dir, `${dir}-data`);
  try {
    const files = readdirSync(join(dir, 'jobs/tests')).map((file) => join(dir, 'jobs/tests', file));
    for (const file of files) {
      for (const one of parse(readFileSync(file, 'utf8')) as JobTest[]) await runTest(one, engine);
    }
  } finally {
    await engine.close();
  }
}

async function runTest(one: JobTest, engine: JobEngine): Promise<void> {
  await target.flushall();
  for (const [key, value] of Object.entries(one.keys ?? {})) await store(key, value);
  const asked = await prepareLookups(one);
  await engine.send(one.given.map(changeOf));
  const found = await readKeyspace(target, asked);
  const { rejected, filtered, reasons } = engine.outcome();
  const { keys } = one.expect;
  if (keys) expect(found, one.name).toEqual(expectedKeyspace(asExpected(keys), found));
  const wanted = one.expect.rejected ?? 0;
  expect(rejected, reasons.join('\n')).toBe(typeof wanted === 'number' ? wanted : wanted.length);
  for (const reason of typeof wanted === 'number' ? [] : wanted) expect(reasons.join('\n')).toContain(reason);
  if (one.expect.filtered !== undefined) expect(filtered).toBe(one.expect.filtered);
}

async function store(key: string, value: Record<string, unknown>): Promise<void> {
  if (value['hash']) await target.hset(key, value['hash'] as Record<string, string>);
  else if (value['json']) await target.call('JSON.SET', key, '$', JSON.stringify(value['json']));
  else throw new Error(`no example begins with a key like ${JSON.stringify(value)}`);
}

/** Puts into the target what the lookups will find there. Resolves with the keys. */
async function prepareLookups({ lookups = [] }: JobTest): Promise<string[]> {
  return Promise.all(
    lookups.map(async ({ command: [name, key = '', field = ''], reply }) => {
      if (name !== 'HGET') throw new Error(`no example looks something up with ${name}`);
      await target.hset(key, field, reply);
      return key;
    }),
  );
}

function changeOf({ table, op, key, before = null, after = null }: GivenEvent): CaseEvent {
  const source = { name: 'shop', db: 'shop', schema: 'public', table };
  const value = (ms: number) => JSON.stringify({ before, after, op, source, ts_ms: ms });
  return { stream: `shop.public.${table}`, key: JSON.stringify(key), value };
}

function asExpected(keys: Readonly<Record<string, Record<string, unknown>>>): ExpectedKeys {
  const withDigits = Object.entries(keys).map(([key, { ttl, ...value }]) => {
    return [key, ttl === undefined ? value : { ...value, ttl: new Digits(String(ttl)) }];
  });
  return Object.fromEntries(withDigits) as ExpectedKeys;
}
