import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, vi } from 'vitest';
import type { Status } from '../../src/control/status.ts';
import { type RedisServer, type RedisServerOptions, startRedis } from '../helpers/redis-server.ts';
import { BadNetwork } from './bad-network.ts';
import { Feeder, type FeederOptions } from './feeder.ts';
import { Random } from './random.ts';
import { Rdi, type RdiOptions, unbalanced } from './rdi.ts';
import { differences } from './target-checks.ts';
import { Workload } from './workload.ts';

// A world that hangs must not hold up the suite; the long test sets a limit of its own.
vi.setConfig({ testTimeout: 150_000 });

export interface WorldOptions {
  readonly random: Random;
  readonly target?: RedisServerOptions;
  /** Settings of rdi; the connection is to the target unless given. */
  readonly rdi?: Partial<RdiOptions>;
  /** Puts a bad network between rdi and its target, or between the feeder and rdi. */
  readonly network?: 'to the target' | 'from the feeder';
  readonly feeder?: Partial<FeederOptions>;
  readonly workload?: { readonly tables?: readonly string[]; readonly deletes?: boolean };
}

/** A target that keeps what it answered through any kill. */
export const KEEPS_ALL = ['--appendonly', 'yes', '--appendfsync', 'always', '--auto-aof-rewrite-percentage', '0'];

/** One target, one rdi (prepared, not started) and one feeder, in a folder of their own. */
export interface World {
  readonly folder: string;
  readonly server: RedisServer;
  readonly target: Redis;
  readonly rdi: Rdi;
  readonly feeder: Feeder;
  /** An honest one, which nothing goes through, unless asked for. */
  readonly network: BadNetwork;
  close(): Promise<void>;
}

export async function createWorld(options: WorldOptions): Promise<World> {
  const { random } = options;
  const folder = await mkdtemp(join(tmpdir(), 'rdi-fault-'));
  const server = await startRedis({ args: KEEPS_ALL, ...options.target });
  const target = clientOf(server.port);
  const before = options.network === 'to the target' ? await BadNetwork.start(server.port, random) : undefined;
  const connection = ['host: 127.0.0.1', `port: ${before?.port ?? server.port}`];
  const rdi = await Rdi.prepare({ folder, connection, ...options.rdi });
  const network = before ?? (await BadNetwork.start(rdi.port, random));
  const workload = new Workload(new Random(random.below(2 ** 31)), options.workload);
  const feederPort = options.network === 'from the feeder' ? network.port : rdi.port;
  const feeder = new Feeder({ port: feederPort, workload, random, pauseMs: 8, ...options.feeder });
  return {
    folder,
    server,
    target,
    rdi,
    feeder,
    network,
    close: async () => {
      await network.stop();
      await rdi.kill();
      target.disconnect();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function clientOf(port: number, options: { username?: string; password?: string } = {}): Redis {
  const client = new Redis({
    port,
    host: '127.0.0.1',
    retryStrategy: () => 50,
    maxRetriesPerRequest: null,
    ...options,
  });
  // Losing the server is what these tests do on purpose; the client connects again by itself.
  client.on('error', () => {});
  return client;
}

/**
 * Everything that was acknowledged is in the target and nothing else, every account adds up, and no answer was one at
 * which a Debezium would lose data. Rejected records are compared by the caller, who knows which they must be.
 */
export async function expectWhole(
  { target, feeder, rdi }: World,
  options: { rejects?: boolean } = {},
): Promise<Status> {
  const status = await rdi.drained();
  expect(feeder.violations).toEqual([]);
  expect(unbalanced(status)).toEqual([]);
  expect(status.totals.pending).toBe(0);
  for (const { name, received, deduplicated } of status.streams) {
    const sent = feeder.sent.get(name) ?? 0;
    const acknowledged = feeder.acknowledged.get(name) ?? 0;
    // What was sent again is either recognised or stored twice; nothing else may come in, and nothing may be missing.
    expect(received - deduplicated, `entries of ${name}`).toBeGreaterThanOrEqual(acknowledged);
    expect(received - deduplicated, `entries of ${name}`).toBeLessThanOrEqual(sent);
  }
  expect(status.streams.map(({ name }) => name)).toEqual(expect.arrayContaining([...feeder.acknowledged.keys()]));
  if (!options.rejects) {
    expect(await differences(target, feeder.fold.rows)).toEqual([]);
    expect(status.dlqs).toEqual([]);
  }
  return status;
}

/** Waits until the feeder got so many more records acknowledged. */
export async function acknowledge(feeder: Feeder, more: number, limitMs = 60_000): Promise<void> {
  const wanted = feeder.acknowledgedTotal + more;
  const deadline = performance.now() + limitMs;
  while (feeder.acknowledgedTotal < wanted) {
    if (performance.now() > deadline)
      throw new Error(`Only ${feeder.acknowledgedTotal} of ${wanted} records acknowledged.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
