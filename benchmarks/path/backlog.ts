/**
 * A target that stays away: feeds millions of entries, watches the memory, kills rdi with SIGKILL, and measures how long a start
 * takes with that backlog; then lets the target come and drains it. Prints JSON and keeps it under `benchmarks/results/`.
 *
 *   npm run bench:backlog [-- --entries 5000000] [--name note] [--drain]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { encodeXadd } from './events.ts';
import { Feeder } from './feeder.ts';
import {
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

const { values: flags } = parseArgs({
  options: {
    entries: { type: 'string', default: '5000000' },
    name: { type: 'string', default: 'backlog' },
    drain: { type: 'boolean', default: false },
  },
});

/** Milliseconds until the endpoint answers a PING. */
async function untilEndpointAnswers(port: number): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const answered = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1' }, () => socket.write('PING\r\n'));
      socket.once('data', () => resolve(true)).once('error', () => resolve(false));
      socket.once('data', () => socket.destroy());
    });
    if (answered) return performance.now() - startedAt;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function pipelines(): Buffer[] {
  const result: Buffer[] = [];
  for (let first = 0; first < ROWS; first += SUB_BATCH) {
    const commands: Buffer[] = [];
    for (let id = first; id < first + SUB_BATCH; id++) {
      commands.push(encodeXadd({ id: id + 10_000, version: 1, schemas: false, stream: 'shop.shop.orders' }));
    }
    result.push(Buffer.concat(commands));
  }
  return result;
}

async function main(): Promise<void> {
  const entries = Number(flags.entries);
  const { folder, remove } = temporaryFolder();
  const redisPort = await freePort();
  const addresses = { port: await freePort(), http: await freePort(), dataDir: folder };
  const target = `redis://127.0.0.1:${redisPort}`;
  let rdi = startRdi(target, addresses, ['--disk-limit', '40gb']);
  await untilEndpointAnswers(addresses.port);
  const feeder = await Feeder.connect(addresses.port);
  const batches = pipelines();
  const memory: { entries: number; residentMegabytes: number }[] = [];
  const startedAt = performance.now();
  for (let sent = 0, i = 0; sent < entries; sent += SUB_BATCH, i++) {
    await feeder.sendSubBatch(batches[i % batches.length] as Buffer, SUB_BATCH);
    if (sent % Math.floor(entries / 10) < SUB_BATCH) {
      memory.push({ entries: sent, residentMegabytes: Math.round(residentMegabytes(rdi.pid).now) });
      process.stderr.write(`${sent} entries, ${memory.at(-1)?.residentMegabytes} MB\n`);
    }
  }
  const fedMs = performance.now() - startedAt;
  const peak = Math.round(residentMegabytes(rdi.pid).peak);
  await rdi.end('SIGKILL');
  rdi = startRdi(target, addresses, ['--disk-limit', '40gb']);
  const restartMs = await untilEndpointAnswers(addresses.port);
  await untilReady(addresses.http, '/healthz');
  const { totals } = await status(addresses.http);
  const result: Record<string, unknown> = {
    at: new Date().toISOString(),
    command: `npm run bench:backlog -- --entries ${entries}${flags.drain ? ' --drain' : ''}`,
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
    node: process.version,
    measured: rdiCommand()
      .flat()
      .map((part) => path.basename(part))
      .join(' '),
    cpu: `${os.cpus().length} × ${os.cpus()[0]?.model}`,
    fedPerSecond: Math.round((entries / fedMs) * 1000),
    memory,
    peakResidentMegabytes: peak,
    restartToEndpointMs: Math.round(restartMs),
    pendingAfterRestart: totals['pending'],
    residentMegabytesAfterRestart: Math.round(residentMegabytes(rdi.pid).now),
  };
  if (flags.drain) {
    const redisFolder = temporaryFolder();
    const redis = start('redis-server', ['--port', String(redisPort), '--save', '', '--dir', redisFolder.folder]);
    const drainStart = performance.now();
    result['afterDrain'] = await untilDrained(addresses.http);
    result['drainedPerSecond'] = Math.round((entries / (performance.now() - drainStart)) * 1000);
    result['peakResidentMegabytesDraining'] = Math.round(residentMegabytes(rdi.pid).peak);
    await redis.end();
    redisFolder.remove();
  }
  await rdi.end('SIGKILL');
  remove();
  const text = `${JSON.stringify(result, null, 2)}\n`;
  const results = path.join(import.meta.dirname, '../results');
  mkdirSync(results, { recursive: true });
  writeFileSync(path.join(results, `${flags.name}.json`), text);
  process.stdout.write(text);
}

await main();
