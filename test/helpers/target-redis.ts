/** The target of the slow suites: a real `redis-server` that keeps what it acknowledged through a kill, and a client. */
import { Redis } from 'ioredis';
import { type RedisServer, startRedis } from './redis-server.ts';

export interface TargetRedis {
  readonly server: RedisServer;
  readonly url: string;
  readonly client: Redis;
  close(): Promise<void>;
}

export async function startTargetRedis(options: { json: boolean }): Promise<TargetRedis> {
  const server = await startRedis({ ...options, args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  const client = new Redis({ port: server.port, host: '127.0.0.1', maxRetriesPerRequest: null });
  // Losing the server is what some tests do on purpose; the client connects again by itself.
  client.on('error', () => {});
  return {
    server,
    url: `redis://127.0.0.1:${server.port}`,
    client,
    close: async () => {
      client.disconnect();
      await server.stop();
    },
  };
}
