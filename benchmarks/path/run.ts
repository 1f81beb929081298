/**
 * The whole path: events of 1.1 KB with 10 columns, 500 per pipeline, durable, into a real Redis. Everything in one run, on one
 * machine, as ratios to what `redis-benchmark` reaches with the same HSETs. Prints JSON and keeps it under
 * `benchmarks/results/`.
 *
 *   npm run bench [-- --events 300000] [--seconds 10] [--rounds 3] [--only path|jobs] [--name note]
 *
 * What jobs cost beside the plain path is measured in rounds (see jobs.ts) and kept in a file of its own.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { hsetArguments, valueBytes } from './events.ts';
import { judgeJobs, measureJobs } from './jobs.ts';
import { measureLatency } from './latency.ts';
import { freePort, rdiCommand, start, temporaryFolder } from './processes.ts';
import { measureThroughput, ROWS, SUB_BATCH } from './throughput.ts';

const REDIS_JSON = path.join(import.meta.dirname, '../../.cache/redis-json/rejson.so');

const { values: flags } = parseArgs({
  options: {
    events: { type: 'string', default: '300000' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    name: { type: 'string', default: 'path' },
  },
});

/** HSETs per second of the same row by `redis-benchmark`: what the target can take when nobody does anything else. */
function ceiling(redisPort: number): { perSecond: number; command: string } {
  const args = ['-p', String(redisPort), '-n', '300000', '-c', '4', '-P', '125', '-r', String(ROWS), '--csv'];
  const command = ['HSET', 'orders:id:__rand_int__', ...hsetArguments()];
  const output = execFileSync('redis-benchmark', [...args, ...command], { encoding: 'utf8' });
  const last = output.trim().split('\n').pop() as string;
  return {
    perSecond: Number(/"([\d.]+)"/.exec(last.replace(/^"(?:[^"\\]|\\.)*",/, ''))?.[1]),
    command: `redis-benchmark ${args.join(' ')} HSET …`,
  };
}

interface Measured {
  readonly plain: {
    cpuMicrosecondsPerEvent: number;
    ratio: number;
    peakResidentMegabytes: number;
    startToReadyMs: number;
  };
  readonly latency: { p99Ms: number };
}

/** The figures that the project means to reach on two cores; a busy machine misses them, so a miss is no failure. */
function judge({ plain, latency }: Measured): Record<string, string> {
  const verdict = (value: number, isReached: boolean, target: string) =>
    `${value} ${isReached ? 'reaches' : 'MISSES'} ${target}`;
  return {
    cpuMicrosecondsPerEvent: verdict(plain.cpuMicrosecondsPerEvent, plain.cpuMicrosecondsPerEvent <= 12, 'at most 12'),
    ratio: verdict(plain.ratio, plain.ratio >= 0.35, 'at least 0.35'),
    p99Ms: verdict(latency.p99Ms, latency.p99Ms <= 20, 'at most 20'),
    peakResidentMegabytes: verdict(plain.peakResidentMegabytes, plain.peakResidentMegabytes <= 200, 'at most 200'),
    startToReadyMs: verdict(plain.startToReadyMs, plain.startToReadyMs <= 500, 'at most 500'),
  };
}

/** Where and how it was measured. */
function circumstances(more: string) {
  return {
    at: new Date().toISOString(),
    command: `npm run bench -- --events ${flags.events} ${more}`,
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
    node: process.version,
    measured: rdiCommand()
      .flat()
      .map((part) => path.basename(part))
      .join(' '),
    cpu: `${os.cpus().length} × ${os.cpus()[0]?.model}`,
    payload: { valueBytes: valueBytes(), columns: 10, perPipeline: SUB_BATCH, rows: ROWS },
  };
}

/** Prints a result and keeps it. */
function keep(name: string, result: object): void {
  const text = `${JSON.stringify(result, null, 2)}\n`;
  const folder = path.join(import.meta.dirname, '../results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${name}.json`), text);
  process.stdout.write(text);
}

async function benchPath(redisPort: number, events: number): Promise<void> {
  const target = `redis://127.0.0.1:${redisPort}`;
  const before = ceiling(redisPort);
  const plain = await measureThroughput(target, { schemas: false, events });
  const withSchemas = await measureThroughput(target, { schemas: true, events });
  const after = ceiling(redisPort);
  const ceilingPerSecond = Math.round((before.perSecond + after.perSecond) / 2);
  const latency = await measureLatency(redisPort, { perSecond: 5000, seconds: Number(flags.seconds) });
  const result = {
    ...circumstances(`--seconds ${flags.seconds}`),
    ceiling: {
      perSecond: ceilingPerSecond,
      before: before.perSecond,
      after: after.perSecond,
      command: before.command,
    },
    plain: { ...plain, ratio: Number((plain.perSecond / ceilingPerSecond).toFixed(3)) },
    withSchemas: { ...withSchemas, ratio: Number((withSchemas.perSecond / ceilingPerSecond).toFixed(3)) },
    latency,
  };
  keep(flags.name, { ...result, targets: judge(result) });
}

async function benchJobs(redisPort: number, events: number, hasJson: boolean): Promise<void> {
  const rounds = Number(flags.rounds);
  const jobs = await measureJobs(redisPort, { events, rounds, hasJson });
  const name = flags.name === 'path' ? 'jobs' : `${flags.name}-jobs`;
  keep(name, { ...circumstances(`--rounds ${rounds} --only jobs`), ...jobs, targets: judgeJobs(jobs) });
}

async function main(): Promise<void> {
  const redisPort = await freePort();
  const redisFolder = temporaryFolder();
  const hasJson = existsSync(REDIS_JSON);
  const places = ['--port', String(redisPort), '--save', '', '--dir', redisFolder.folder, '--loglevel', 'warning'];
  const redis = start('redis-server', [...places, ...(hasJson ? ['--loadmodule', REDIS_JSON] : [])]);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const events = Number(flags.events);
  try {
    if (flags.only !== 'jobs') await benchPath(redisPort, events);
    if (flags.only !== 'path') await benchJobs(redisPort, events, hasJson);
  } finally {
    await redis.end();
    redisFolder.remove();
  }
}

await main();
