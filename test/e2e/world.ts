/** Everything one combination needs, started together: database, Debezium Server, rdi, target Redis. */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { compareKeyspace } from '../helpers/compare-keyspace.ts';
import { expectedRows } from '../helpers/expected-rows.ts';
import { until } from '../helpers/processes.ts';
import { type Rdi, startRdi, unbalanced } from '../helpers/rdi-process.ts';
import { startTargetRedis, type TargetRedis } from '../helpers/target-redis.ts';
import type { Combination } from './combinations.ts';
import type { Database } from './database.ts';
import { type Feeder, startDebezium } from './debezium.ts';
import { marker } from './load.ts';

export interface World {
  readonly database: Database;
  readonly rdi: Rdi;
  readonly target: TargetRedis;
  readonly feeder: Feeder;
  /** Runs `disturb` when a fifth of `rows` changes has been received by rdi since `change` began. */
  disturbInTheMiddle(change: () => Promise<void>, rows: number, disturb: () => Promise<void>): Promise<void>;
  /** Waits until every change made so far is in the target, then compares the target with the database, all of it. */
  expectEqual(options?: { snapshot?: boolean }): Promise<void>;
  close(): Promise<void>;
}

/** Longer than Debezium 2.5 may take to stop after its sink went away, so that its supervisor can start it again. */
const ARRIVAL_MS = 300_000;

export async function startWorld(combination: Combination): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'rdi-e2e-'));
  // PostgreSQL runs as another user and must reach its folder.
  chmodSync(folder, 0o755);
  const closers: (() => Promise<unknown>)[] = [
    async () => {
      keepLogs(folder, combination.name);
      rmSync(folder, { recursive: true, force: true });
    },
  ];
  const close = async () => {
    for (const end of closers.reverse()) await end();
  };
  try {
    const target = await startTargetRedis({ json: false });
    closers.push(target.close);
    const rdi = await startRdi({ folder, target: target.url });
    closers.push(() => rdi.end('SIGTERM'));
    const database = await combination.startDatabase(folder);
    closers.push(database.close);
    await database.run(combination.schemaSql);
    await database.run(combination.rowsSql);
    const feeder = await startDebezium({
      version: combination.version,
      database,
      sink: { host: '127.0.0.1', port: rdi.port },
      folder,
      settings: combination.properties,
    });
    closers.push(() => feeder.end('SIGTERM'));
    const parts = { database, rdi, target, feeder };
    return { ...parts, close, ...actions(parts, combination) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What the parts wrote stays in `.cache/results/logs` until the next run. */
function keepLogs(folder: string, name: string): void {
  const kept = join(import.meta.dirname, '../../.cache/results/logs', name.replaceAll(' ', '-'));
  mkdirSync(kept, { recursive: true });
  for (const file of readdirSync(folder)) {
    if (file.endsWith('.log')) copyFileSync(join(folder, file), join(kept, file));
  }
}

type Parts = Pick<World, 'database' | 'rdi' | 'target' | 'feeder'>;

function actions({ database, rdi, target, feeder }: Parts, combination: Combination) {
  let lastMarker = 90_000_000;

  const received = async () => (await rdi.status().catch(() => undefined))?.totals.received ?? 0;

  return {
    disturbInTheMiddle: async (change: () => Promise<void>, rows: number, disturb: () => Promise<void>) => {
      const before = await received();
      const changing = change();
      const isInTheMiddle = async () => (await received()) >= before + rows / 5;
      await Promise.all([
        changing,
        until('the changes to arrive', isInTheMiddle, {
          timeoutMs: ARRIVAL_MS,
          everyMs: 20,
          evidence: () => feeder.process.log(),
        }).then(disturb),
      ]);
    },

    expectEqual: async (options: { snapshot?: boolean } = {}) => {
      // A marker that is there before the snapshot begins would be read in the middle of it.
      const hasBegun = async () => (await received()) > 0;
      await until('the snapshot to begin', hasBegun, {
        timeoutMs: ARRIVAL_MS,
        evidence: () => feeder.process.log(6000),
      });
      const last = marker(lastMarker++);
      await database.run(last.sql);
      const isThere = async () => (await target.client.exists(last.key)) === 1;
      await until('the last change to reach the target', isThere, {
        timeoutMs: ARRIVAL_MS,
        evidence: () => `${feeder.process.log(6000)}\n${rdi.log()}`,
      });
      const status = await rdi.settled(() => true, ARRIVAL_MS);
      expect(unbalanced(status)).toEqual([]);
      const settings = {
        ...combination.expected,
        unreliable: [
          ...(combination.expected.unreliable ?? []),
          ...(options.snapshot ? combination.unreliableInSnapshot : []),
        ],
      };
      const shapes = options.snapshot ? withoutNewColumn(combination) : combination.shapes;
      const rows = await database.rows(shapes);
      expect(rows.length).toBeGreaterThan(30);
      expect(await compareKeyspace(target.client, expectedRows(rows, shapes, settings), 'hash')).toEqual([]);
    },
  };
}

/** Before the live changes the column `nick` does not exist, and a query must not name it. */
function withoutNewColumn({ shapes }: Combination): Combination['shapes'] {
  const withoutNick = [...shapes].map(([name, shape]) => {
    const types = new Map([...shape.types].filter(([column]) => column !== 'nick'));
    return [name, { ...shape, types }] as const;
  });
  return new Map(withoutNick);
}
