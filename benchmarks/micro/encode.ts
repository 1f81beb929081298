/**
 * What a 10-field HSET costs us, against an ioredis pipeline in the same run: encoding alone, and CPU of this process for
 * writing into a real `redis-server` with every reply read. Prints JSON; the ratios are what counts.
 *
 *     node benchmarks/micro/encode.ts
 */
import { cpus } from 'node:os';
import type { Row } from '../../src/types.ts';
import { emitCommands } from '../../src/write/commands.ts';
import { CommandBuffer } from '../../src/write/encode.ts';
import { Unit } from '../../src/write/fold.ts';
import { type HashWrite, Writer } from '../../src/write/index.ts';
import { startRedis } from '../../test/helpers/redis-server.ts';

const PIPELINE = 200;
const WARM_UP = 100;
const ROUNDS = 1000;
const NAMES = ['id', 'order_number', 'customer', 'email', 'status', 'currency', 'total', 'created', 'paid', 'note'];

/**
 * Rows of about 1 KB in ten columns, as a shop would have them. They come out of JSON, as a decoder's do: strings put
 * together from pieces are stored as trees in V8, and reading those would be measured instead.
 */
function rowOf(number: number): Row {
  const values = [
    ...[number, `ORD-2024-${number}`, `Customer Number ${number}`, `customer${number}@mail.example.com`, 'shipped'],
    ...['EUR', '1234.50', 1_700_000_000_000_000 + number, true, 'note text '.repeat(80)],
  ];
  return { names: NAMES, values: JSON.parse(JSON.stringify(values)), partial: false };
}

const writes: HashWrite[] = Array.from({ length: PIPELINE }, (_, index) => ({
  kind: 'hash',
  key: JSON.parse(`"orders:id:${index}"`),
  index,
  row: rowOf(index),
  removeNulls: true,
}));

interface Cost {
  readonly microsecondsPerWrite: number;
  readonly cpuMicrosecondsPerWrite: number;
}

async function measure(round: () => unknown): Promise<Cost> {
  for (let count = 0; count < WARM_UP; count++) await round();
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let count = 0; count < ROUNDS; count++) await round();
  const elapsed = performance.now() - start;
  const used = process.cpuUsage(cpu);
  const total = ROUNDS * PIPELINE;
  return {
    microsecondsPerWrite: round2((elapsed * 1000) / total),
    cpuMicrosecondsPerWrite: round2((used.user + used.system) / total),
  };
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Building the units and their bytes, nothing sent. */
function encodeOnly(): Promise<Cost> {
  const buffer = new CommandBuffer(1024 * 1024);
  const way = { jsonMerge: true, nativeJsonMerge: true };
  return measure(() => {
    buffer.length = 0;
    for (const write of writes) emitCommands(new Unit(write, null, 0), buffer, way);
  });
}

async function ourWriter(port: number): Promise<Cost> {
  const writer = new Writer({ connection: { host: '127.0.0.1', port } });
  await writer.connect();
  const cost = await measure(async () => (await writer.write(writes)).done);
  await writer.close(1000);
  return cost;
}

async function ioredisPipeline(port: number): Promise<Cost> {
  // Loaded last: from then on all reading of strings in this process is slower (see `src/write/ioredis.ts`).
  const { Redis } = await import('ioredis');
  const redis = new Redis({ port, host: '127.0.0.1' });
  const cost = await measure(async () => {
    const pipeline = redis.pipeline();
    for (const { key, row } of writes) {
      const words: (string | number)[] = [];
      row.names.forEach((name, index) => {
        const value = row.values[index] as string | number | boolean;
        words.push(name, typeof value === 'boolean' ? Number(value) : value);
      });
      pipeline.hset(key, ...words);
    }
    for (const [error] of (await pipeline.exec())!) if (error) throw error;
  });
  redis.disconnect();
  return cost;
}

const server = await startRedis();
try {
  const encode = await encodeOnly();
  const writer = await ourWriter(server.port);
  const ioredis = await ioredisPipeline(server.port);
  const result = {
    benchmark: 'micro/encode',
    command: 'node benchmarks/micro/encode.ts',
    node: process.version,
    cpu: cpus()[0]?.model,
    payload: { fields: NAMES.length, bytesPerWrite: 1000, writesPerPipeline: PIPELINE, pipelines: ROUNDS },
    encode,
    writer,
    ioredis,
    ioredisToWriterCpu: round2(ioredis.cpuMicrosecondsPerWrite / writer.cpuMicrosecondsPerWrite),
  };
  console.log(JSON.stringify(result, null, 2));
} finally {
  await server.stop();
}
