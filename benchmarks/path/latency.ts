import { connect } from 'node:net';
import { encodeCommand, encodeXadd } from './events.ts';
import { Feeder } from './feeder.ts';
import { freePort, startRdi, temporaryFolder, untilDrained, untilReady } from './processes.ts';

const TICK_MS = 5;
const WARM_UP_SHARE = 0.2;

/**
 * Time from sending an `XADD` to its key being visible in the target, at a steady rate. Each event has a key of its own; the
 * target tells when it is written (`notify-keyspace-events`), over a connection of its own.
 */
export async function measureLatency(
  redisPort: number,
  { perSecond, seconds }: { perSecond: number; seconds: number },
) {
  const { folder, remove } = temporaryFolder();
  const addresses = { port: await freePort(), http: await freePort(), dataDir: folder };
  const sentAt = new Map<string, number>();
  const delays: number[] = [];
  const watcher = connect({ port: redisPort, host: '127.0.0.1' });
  let rest = '';
  watcher.on('data', (chunk: Buffer) => {
    const now = performance.now();
    const text = rest + chunk.toString('latin1');
    const lines = text.split('\r\n');
    rest = lines.pop() as string;
    for (const line of lines) {
      if (!line.startsWith('latenc:id:')) continue;
      const at = sentAt.get(line);
      if (at !== undefined) delays.push(now - at);
      sentAt.delete(line);
    }
  });
  watcher.write(encodeCommand(['CONFIG', 'SET', 'notify-keyspace-events', 'Eh']));
  watcher.write(encodeCommand(['SUBSCRIBE', '__keyevent@0__:hset']));
  const rdi = startRdi(`redis://127.0.0.1:${redisPort}`, addresses);
  await untilReady(addresses.http);
  const feeder = await Feeder.connect(addresses.port);
  const perTick = (perSecond * TICK_MS) / 1000;
  const ticks = (seconds * 1000) / TICK_MS;
  const startedAt = performance.now();
  for (let tick = 0, id = 0; tick < ticks; tick++) {
    const wait = startedAt + tick * TICK_MS - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const commands: Buffer[] = [];
    const keys: string[] = [];
    for (let i = 0; i < perTick; i++, id++) {
      const event = encodeXadd({ id, version: 0, schemas: false, stream: 'shop.shop.latenc' });
      commands.push(Buffer.from(event.toString('latin1').replace('"table":"orders"', '"table":"latenc"'), 'latin1'));
      keys.push(`latenc:id:${id}`);
    }
    const now = performance.now();
    if (tick > ticks * WARM_UP_SHARE) for (const key of keys) sentAt.set(key, now);
    await feeder.sendSubBatch(Buffer.concat(commands), perTick);
  }
  const tookMs = performance.now() - startedAt;
  await untilDrained(addresses.http);
  await new Promise((resolve) => setTimeout(resolve, 200));
  feeder.close();
  watcher.destroy();
  await rdi.end();
  remove();
  delays.sort((a, b) => a - b);
  const quantile = (share: number) => Number((delays[Math.floor(delays.length * share)] ?? Number.NaN).toFixed(2));
  return {
    perSecond: Math.round((ticks * perTick * 1000) / tookMs),
    samples: delays.length,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    p999Ms: quantile(0.999),
    maxMs: quantile(0.99999),
  };
}
