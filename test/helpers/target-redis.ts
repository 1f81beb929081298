/** The target Redis of the slow suites: a real `redis-server` with its own folder, that can be killed and come back. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, Process, until } from './processes.ts';

const REDIS_JSON = join(import.meta.dirname, '../../.cache/redis-json/rejson.so');

export interface TargetRedis {
  readonly port: number;
  readonly url: string;
  readonly client: Redis;
  /** Kills it, and starts it again on the same port with what its append-only file holds. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function startTargetRedis(folder: string, options: { json?: boolean } = {}): Promise<TargetRedis> {
  const port = await freePort();
  const dir = join(folder, 'target');
  mkdirSync(dir, { recursive: true });
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', dir];
  args.push('--appendonly', 'yes', '--appendfsync', 'always');
  if (options.json) {
    const module = process.env['RDI_TEST_REJSON'] ?? REDIS_JSON;
    if (!existsSync(module)) throw new Error(`RedisJSON is not at ${module}. Run ./scripts/test, which fetches it.`);
    args.push('--loadmodule', module);
  }
  const logFile = join(folder, 'target.log');
  const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, maxRetriesPerRequest: null });
  // Losing the server is what some tests do on purpose; the client connects again by itself.
  client.on('error', () => {});
  let server: Process;
  const start = async () => {
    server = new Process('redis-server', args, { logFile });
    const answers = async () => (await client.ping()) === 'PONG' && server.running;
    await until('redis-server to answer', answers, { timeoutMs: 15_000, evidence: () => server.log() });
  };
  await start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    client,
    kill: async () => {
      await server.end('SIGKILL');
    },
    start,
    close: async () => {
      client.disconnect();
      await server.end('SIGTERM');
    },
  };
}
