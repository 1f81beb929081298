/** A reset under a running Debezium Server: what it knows must not come back, and its next start must bring every row. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { until } from '../helpers/processes.ts';
import { startRdi } from '../helpers/rdi-process.ts';
import { startTargetRedis } from '../helpers/target-redis.ts';
import { startDebezium } from './debezium.ts';
import { startMariadb } from './mariadb.ts';
import { startPostgresql } from './postgresql.ts';

const ARRIVAL_MS = 120_000;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of closers.splice(0).reverse()) await end();
}, 120_000);

test.each([
  { kind: 'PostgreSQL', start: startPostgresql, use: 'set search_path=shop;', create: 'create schema shop;' },
  { kind: 'MariaDB', start: startMariadb, use: 'use shop;', create: 'create database shop;' },
] as const)(
  'after a reset $kind is read from the beginning, once its feeder starts anew',
  async ({ start, use, create }) => {
    const folder = mkdtempSync(join(tmpdir(), 'rdi-reset-'));
    // PostgreSQL runs as another user and must reach its folder.
    chmodSync(folder, 0o755);
    closers.push(async () => rmSync(folder, { recursive: true, force: true }));
    const target = await startTargetRedis({ json: false });
    closers.push(target.close);
    const rdi = await startRdi({ folder, target: target.url });
    closers.push(() => rdi.end('SIGTERM'));
    const database = await start(folder);
    closers.push(database.close);
    const run = (sql: string) => database.run(`${use} ${sql}`);
    await database.run(`${create} ${use} create table item (id int primary key, name varchar(20));`);
    await run("insert into item values (1, 'one'), (2, 'two');");
    const feeder = await startDebezium({
      version: '3.6.1.Final',
      database,
      sink: { host: '127.0.0.1', port: rdi.port },
      folder,
    });
    closers.push(() => feeder.end('SIGTERM'));
    const evidence = () => `${feeder.process.log(6000)}\n${rdi.log()}`;
    const offsets = async () => {
      const response = await fetch(`${rdi.http}/api/v1/monitoring/statistics`);
      return ((await response.json()) as { offsets: object }).offsets;
    };
    const keysAre =
      (...ids: number[]) =>
      async () =>
        (await target.client.keys('*')).sort().join() === ids.map((id) => `item:id:${id}`).join();
    await until('the snapshot', keysAre(1, 2), { timeoutMs: ARRIVAL_MS, evidence });
    await run("insert into item values (3, 'three');");
    await until('the change', keysAre(1, 2, 3), { timeoutMs: ARRIVAL_MS, evidence });
    // Offsets are flushed every second; one of them at least is here, or the reset would show nothing.
    await until('the offset', async () => Object.keys(await offsets()).length > 0, { timeoutMs: 20_000, evidence });

    const reset = await fetch(`${rdi.http}/api/v2/pipelines/default/reset?flush_target=true`, { method: 'POST' });
    expect(reset.status).toBe(200);
    expect(await target.client.dbsize()).toBe(0);
    // What the running feeder sends now is from the middle of the log, and so is the offset that it keeps trying to store.
    await run("insert into item values (4, 'four'); delete from item where id = 1;");
    await sleep(6000);
    expect(await target.client.dbsize()).toBe(0);
    expect(await offsets()).toEqual({});
    expect((await rdi.status()).pipeline.awaitsFeederRestart).toBe(true);

    await feeder.end('SIGTERM');
    await feeder.start();
    await until('the new snapshot', keysAre(2, 3, 4), { timeoutMs: ARRIVAL_MS, evidence });
    expect((await rdi.status()).pipeline.awaitsFeederRestart).toBe(false);
    await run("insert into item values (5, 'five');");
    await until('live changes again', keysAre(2, 3, 4, 5), { timeoutMs: ARRIVAL_MS, evidence });
  },
  600_000,
);
