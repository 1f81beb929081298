/**
 * The whole path: events of 1.1 KB with 10 columns, 500 per pipeline, durable, into a real Redis. Everything in one run, on one
 * machine, as ratios to what `redis-benchmark` reaches with the same HSETs. Prints JSON and keeps it under
 * `benchmarks/results/`.
 *
 *   npm run bench [-- --events 300000] [--seconds 10] [--name note]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { encodeXadd, hsetArguments, valueBytes } from './events.ts';
import { Feeder } from './feeder.ts';
import { measureLatency } from './latency.ts';
import {
  cpuMicroseconds,
  freePort,
  rdiCommand,
  residentMegabytes,
  start,
  startRdi,
  status,
  temporaryFolder,
  untilDrained,
  untilReady,
} from './processes.ts';

const SUB_BATCH = 500;
const ROWS = 20_000;
const STREAM = 'shop.shop.orders';

const { values: flags } = parseArgs({
  options: {
    events: { type: 'string', default: '300000' },
    seconds: { type: 'string', default: '10' },
    name: { type: 'string', default: 'path' },
  },
});

/** Sub-batches of updates to distinct rows; sent round and round. */
function pipelines(schemas: boolean): Buffer[] {
  const result: Buffer[] = [];
  for (let first = 0; first < ROWS; first += SUB_BATCH) {
    const commands: Buffer[] = [];
    for (let id = first; id < first + SUB_BATCH; id++) {
      commands.push(encodeXadd({ id: id + 10_000, version: 1 + (first % 7), schemas, stream: STREAM }));
    }
    result.push(Buffer.concat(commands));
  }
  return result;
}

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

async function throughput(redisPort: number, schemas: boolean, events: number) {
  const { folder, remove } = temporaryFolder();
  const addresses = { port: await freePort(), http: await freePort(), dataDir: folder };
  const rdi = startRdi(`redis://127.0.0.1:${redisPort}`, addresses);
  const readyMs = await untilReady(addresses.http);
  const batches = pipelines(schemas);
  const feeder = await Feeder.connect(addresses.port);
  for (const batch of batches) await feeder.sendSubBatch(batch, SUB_BATCH);
  await untilDrained(addresses.http);
  const before = (await status(addresses.http)).totals['received'] as number;
  const cpuBefore = cpuMicroseconds(rdi.pid);
  const startedAt = performance.now();
  for (let sent = 0, i = 0; sent < events; sent += SUB_BATCH, i++) {
    await feeder.sendSubBatch(batches[i % batches.length] as Buffer, SUB_BATCH);
  }
  const acknowledgedMs = performance.now() - startedAt;
  const totals = await untilDrained(addresses.http);
  const totalMs = performance.now() - startedAt;
  const cpu = cpuMicroseconds(rdi.pid) - cpuBefore;
  const handled = (totals['received'] as number) - before;
  const { peak } = residentMegabytes(rdi.pid);
  feeder.close();
  await rdi.end();
  remove();
  return {
    events: handled,
    perSecond: Math.round((handled / totalMs) * 1000),
    acknowledgedPerSecond: Math.round((handled / acknowledgedMs) * 1000),
    cpuMicrosecondsPerEvent: Number((cpu / handled).toFixed(2)),
    peakResidentMegabytes: Math.round(peak),
    startToReadyMs: Math.round(readyMs),
    accounts: totals,
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

async function main(): Promise<void> {
  const redisPort = await freePort();
  const redisFolder = temporaryFolder();
  const redis = start('redis-server', [
    '--port',
    String(redisPort),
    '--save',
    '',
    '--dir',
    redisFolder.folder,
    '--loglevel',
    'warning',
  ]);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const events = Number(flags.events);
  try {
    const before = ceiling(redisPort);
    const plain = await throughput(redisPort, false, events);
    const withSchemas = await throughput(redisPort, true, events);
    const after = ceiling(redisPort);
    const ceilingPerSecond = Math.round((before.perSecond + after.perSecond) / 2);
    const latency = await measureLatency(redisPort, { perSecond: 5000, seconds: Number(flags.seconds) });
    const result = {
      at: new Date().toISOString(),
      command: `npm run bench -- --events ${events} --seconds ${flags.seconds}`,
      commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
      node: process.version,
      measured: rdiCommand()
        .flat()
        .map((part) => path.basename(part))
        .join(' '),
      cpu: `${os.cpus().length} × ${os.cpus()[0]?.model}`,
      payload: { valueBytes: valueBytes(), columns: 10, perPipeline: SUB_BATCH, rows: ROWS },
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
    const text = `${JSON.stringify({ ...result, targets: judge(result) }, null, 2)}\n`;
    const folder = path.join(import.meta.dirname, '../results');
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, `${flags.name}.json`), text);
    process.stdout.write(text);
  } finally {
    await redis.end();
    redisFolder.remove();
  }
}

await main();
