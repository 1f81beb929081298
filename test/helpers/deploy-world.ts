/** An engine, a real target and a feeder, for tests of what changes while it runs. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { loadInstance, type PipelineDocument } from '../../src/config/index.ts';
import { type EngineOptions, type StartWith, startEngine } from '../../src/control/engine.ts';
import type { Engine, StreamAccount } from '../../src/control/index.ts';
import type { Logger } from '../../src/observe/logger.ts';
import { commandBytes } from './bulk-strings.ts';
import { RawClient } from './raw-client.ts';
import { freePort, type RedisServer, startRedis, until } from './redis-server.ts';
import { pretendReserve, tempFolder } from './temp-folder.ts';

const quiet = () => {};
const logger = {
  trace: quiet,
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: quiet,
  fatal: quiet,
} as unknown as Logger;

/** A create of row `id` of a table of the database `shop`, whose `ref` is `ref`. */
export function change(table: string, id: number, ref: string, op = 'c'): Buffer {
  const source = { connector: 'mysql', name: 'shop', db: 'shop', table };
  const row = { id, ref };
  const value = {
    before: op === 'd' ? row : null,
    after: op === 'd' ? null : row,
    source,
    op,
    ts_ms: 1_700_000_000_000,
  };
  const fields = ['key', JSON.stringify({ id }), 'value', JSON.stringify(value)];
  return commandBytes('XADD', `data:shop.${table}`, '*', ...fields);
}

export class DeployWorld {
  readonly folder = tempFolder();
  readonly dataDir = join(this.folder, 'data');
  target!: RedisServer;
  client!: Redis;
  port = 0;
  #engine: Engine | undefined;

  static async start(): Promise<DeployWorld> {
    const world = new DeployWorld();
    world.target = await startRedis();
    world.client = new Redis({ port: world.target.port, maxRetriesPerRequest: null });
    world.client.on('error', () => {});
    mkdirSync(world.dataDir, { recursive: true });
    pretendReserve(world.dataDir);
    world.port = await freePort();
    return world;
  }

  get engine(): Engine {
    if (this.#engine === undefined) throw new Error('the engine does not run');
    return this.#engine;
  }

  /** Texts with the target, processor properties and jobs. */
  document(processors = '', jobs: Readonly<Record<string, string>> = {}, connection = ''): PipelineDocument {
    const own = connection || `{type: redis, host: 127.0.0.1, port: ${this.target.port}}`;
    const quick = '  retry_initial_delay_ms: 50\n  retry_max_delay_ms: 200\n';
    const config = `targets:\n  target:\n    connection: ${own}\nprocessors:\n${quick}${processors}`;
    return { config, jobs, tests: {}, folder: this.folder };
  }

  async run(start: PipelineDocument | StartWith, options: Partial<EngineOptions> = {}): Promise<Engine> {
    const flags = { listen: `127.0.0.1:${this.port}`, http: 'off', dataDir: this.dataDir };
    const env = options.env ?? {};
    const instance = loadInstance({ flags, env });
    const what: StartWith = 'kind' in start ? start : { kind: 'folder', document: start, dir: 'pipeline' };
    this.#engine = await startEngine({ start: what, instance, logger, ...options, env });
    return this.#engine;
  }

  async stopEngine(): Promise<void> {
    await this.#engine?.close();
    this.#engine = undefined;
  }

  feeder(): Promise<RawClient> {
    return RawClient.connect(this.port);
  }

  /** Sends changes as one pipeline and waits until they are accepted. */
  async send(changes: readonly Buffer[]): Promise<void> {
    const feeder = await this.feeder();
    feeder.send(Buffer.concat(changes));
    for (const reply of await feeder.replies(changes.length)) {
      if (!reply.startsWith('$')) throw new Error(`XADD was answered ${reply}`);
    }
    feeder.close();
  }

  account(table: string): StreamAccount {
    const account = this.engine.snapshot().streams.find(({ name }) => name === `data:shop.${table}`);
    if (account === undefined) throw new Error(`nothing came for ${table}`);
    return account;
  }

  settled(): Promise<void> {
    return until('everything to be settled', () => this.engine.snapshot().totals.pending === 0, 20_000);
  }

  async close(): Promise<void> {
    await this.stopEngine();
    this.client.disconnect();
    await this.target.stop();
  }
}
