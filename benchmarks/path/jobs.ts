/**
 * What jobs cost: the plain path and one run for each job, on the same events into the same Redis. Rounds are interleaved, and
 * of each variant the cheapest round counts: whatever else the machine does can only make a round dearer.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { STATUSES } from './events.ts';
import { rdiCommand, temporaryFolder } from './processes.ts';
import { measureThroughput, type Throughput } from './throughput.ts';

/** Of three compiled expressions over the plain path, CPU µs per event. */
const EXPRESSIONS_AT_MOST = 4;

/** What is there only when the job ran, so that no run without it is taken for a cheap one: a key, and a field of it. */
const TRACES: Readonly<Record<string, readonly [key: string, field: string]>> = {
  jmespath: ['orders:id:10001', 'contact'],
  sql: ['orders:id:10001', 'contact'],
  lookup: ['orders:id:10001', 'label'],
  nest: ['customer:id:10001', 'orders'],
};

/** The jobs by name; each is one file of `jobs/`. */
const JOBS: Readonly<Record<string, string>> = {
  jmespath: `
source: {table: orders}
transform:
  - uses: add_field
    with:
      fields:
        - {field: contact, language: jmespath, expression: "concat([customer_name, ' <', email, '>'])"}
        - {field: is_large, language: jmespath, expression: "quantity > \`25\`"}
        - {field: state, language: jmespath, expression: "upper(status)"}
`,
  sql: `
source: {table: orders}
transform:
  - uses: add_field
    with:
      fields:
        - {field: contact, language: sql, expression: "customer_name || ' <' || email || '>'"}
        - {field: is_large, language: sql, expression: "quantity > 25"}
        - {field: state, language: sql, expression: "upper(status)"}
`,
  lookup: `
source: {table: orders}
transform:
  - uses: redis.lookup
    with:
      cmd: HGET
      args: ["concat(['status:', status])", "'label'"]
      language: jmespath
      field: label
`,
  nest: `
source: {table: orders}
output:
  - uses: redis.write
    with:
      data_type: json
      on_update: merge
      nest: {parent: {table: customer}, parent_key: id, nesting_key: quantity, path: $.orders, structure: map}
`,
};

export interface JobCosts {
  readonly rounds: number;
  readonly plain: Throughput;
  /** Against the plain run of the same rounds; a job that cannot run here says why. */
  readonly jobs: Readonly<Record<string, (Throughput & { readonly moreCpuMicrosecondsPerEvent: number }) | string>>;
}

export async function measureJobs(
  redisPort: number,
  { events, rounds, hasJson }: { events: number; rounds: number; hasJson: boolean },
): Promise<JobCosts> {
  const { folder, remove } = temporaryFolder();
  const redis = new Redis({ port: redisPort });
  const names = Object.keys(JOBS).filter((name) => name !== 'nest' || hasJson);
  const best = new Map<string, Throughput>();
  try {
    for (const name of names) writePipeline(path.join(folder, name), redisPort, JOBS[name] as string);
    for (let round = 0; round < rounds; round++) {
      for (const name of ['plain', ...names]) {
        await redis.flushall();
        await Promise.all(STATUSES.map((status) => redis.hset(`status:${status}`, 'label', `Order is ${status}`)));
        const pipeline = name === 'plain' ? `redis://127.0.0.1:${redisPort}` : path.join(folder, name);
        const measured = await measureThroughput(pipeline, { schemas: false, events });
        await checkTrace(redis, name);
        const known = best.get(name)?.cpuMicrosecondsPerEvent ?? Number.POSITIVE_INFINITY;
        if (measured.cpuMicrosecondsPerEvent < known) best.set(name, measured);
      }
    }
  } finally {
    redis.disconnect();
    remove();
  }
  const plain = best.get('plain') as Throughput;
  const jobs: Record<string, (Throughput & { moreCpuMicrosecondsPerEvent: number }) | string> = {};
  for (const name of Object.keys(JOBS)) {
    const cost = best.get(name);
    jobs[name] = cost
      ? { ...cost, moreCpuMicrosecondsPerEvent: difference(cost, plain) }
      : 'not measured: no RedisJSON';
  }
  return { rounds, plain, jobs };
}

async function checkTrace(redis: Redis, name: string): Promise<void> {
  const [key, field] = TRACES[name] ?? [];
  if (key === undefined || field === undefined) return;
  const type = await redis.type(key);
  const found = type === 'hash' ? await redis.hget(key, field) : await redis.call('JSON.TYPE', key, field);
  if (found === null)
    throw new Error(`the job ${name} left no ${field} in ${key}: is ${rdiCommand().flat().join(' ')} up to date?`);
}

/** The figures that the project means to reach; a busy machine misses them, so a miss is no failure. */
export function judgeJobs({ jobs }: JobCosts): Record<string, string> {
  const verdicts: Record<string, string> = {};
  for (const name of ['jmespath', 'sql']) {
    const cost = jobs[name];
    if (cost === undefined || typeof cost === 'string') continue;
    const more = cost.moreCpuMicrosecondsPerEvent;
    verdicts[name] =
      `${more < 0 ? '' : '+'}${more} µs ${more <= EXPRESSIONS_AT_MOST ? 'reaches' : 'MISSES'} at most ${EXPRESSIONS_AT_MOST}`;
  }
  return verdicts;
}

function difference(cost: Throughput, plain: Throughput): number {
  return Number((cost.cpuMicrosecondsPerEvent - plain.cpuMicrosecondsPerEvent).toFixed(2));
}

function writePipeline(folder: string, redisPort: number, job: string): void {
  mkdirSync(path.join(folder, 'jobs'), { recursive: true });
  const connection = `{type: redis, host: 127.0.0.1, port: ${redisPort}}`;
  writeFileSync(path.join(folder, 'config.yaml'), `targets:\n  target:\n    connection: ${connection}\n`);
  writeFileSync(path.join(folder, 'jobs', 'orders.yaml'), job);
}
