import { encodeXadd } from './events.ts';
import { Feeder } from './feeder.ts';
import {
  cpuMicroseconds,
  freePort,
  residentMegabytes,
  startRdi,
  status,
  temporaryFolder,
  untilDrained,
  untilReady,
} from './processes.ts';

export const SUB_BATCH = 500;
export const ROWS = 20_000;
const STREAM = 'shop.shop.orders';

export interface Throughput {
  readonly events: number;
  readonly perSecond: number;
  readonly acknowledgedPerSecond: number;
  readonly cpuMicrosecondsPerEvent: number;
  readonly peakResidentMegabytes: number;
  readonly startToReadyMs: number;
  readonly accounts: Record<string, number>;
}

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

/**
 * Sends `events` events through an rdi of its own, after one round of all rows to warm it up, and waits until all are settled.
 * `pipeline`: URL of the target, or a pipeline folder. Throws when an event was not written.
 */
export async function measureThroughput(
  pipeline: string,
  { schemas, events }: { schemas: boolean; events: number },
): Promise<Throughput> {
  const { folder, remove } = temporaryFolder();
  const addresses = { port: await freePort(), http: await freePort(), dataDir: folder };
  const rdi = startRdi(pipeline, addresses);
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
  if (totals['rejected'] !== 0 || totals['filtered'] !== 0)
    throw new Error(`not all was written: ${JSON.stringify(totals)}`);
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
