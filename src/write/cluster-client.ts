import type { Cluster } from 'ioredis';
import { loadIoredis } from './ioredis.ts';
import type { Endpoint } from './options.ts';

/** A client of a Cluster that is not connected yet. `silenceMs`: longest time without a byte while an answer is due. */
export async function createCluster(
  { user, password, tls, cluster }: Endpoint,
  connectTimeoutMs: number,
  silenceMs: number,
): Promise<Cluster> {
  const { Cluster } = await loadIoredis();
  const client = new Cluster([...(cluster?.nodes ?? [])], {
    lazyConnect: true,
    slotsRefreshTimeout: connectTimeoutMs,
    clusterRetryStrategy: (attempt) => Math.min(50 * attempt, 2000),
    redisOptions: {
      ...(user === undefined ? {} : { username: user }),
      ...(password === undefined ? {} : { password }),
      ...(tls ? { tls } : {}),
      connectTimeout: connectTimeoutMs,
      socketTimeout: silenceMs,
      disconnectTimeout: 200,
      connectionName: 'rdi',
      protocol: 2,
      // A user may be allowed to read and write, and not to run INFO; the client would print a warning of its own.
      enableReadyCheck: false,
    },
  });
  // Errors of single nodes are repaired or come back with the commands they concern.
  client.on('error', () => {});
  client.on('node error', () => {});
  return client;
}

/** The words of an error, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
