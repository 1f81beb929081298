/**
 * The feeder settings that `rdi scaffold` writes, used as a person would use them: only where the database is gets edited.
 * Values that other settings damage must arrive equal to what the database itself says.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { until } from '../helpers/processes.ts';
import { runCommand } from '../helpers/rdi-command.ts';
import { startRdi } from '../helpers/rdi-process.ts';
import { freePort } from '../helpers/redis-server.ts';
import { startTargetRedis, type TargetRedis } from '../helpers/target-redis.ts';
import type { Database } from './database.ts';
import { launchDebezium } from './debezium.ts';
import { MARIADB_PASSWORD, MARIADB_USER, startMariadb } from './mariadb.ts';
import { startPostgresql } from './postgresql.ts';

const ARRIVAL_MS = 180_000;

interface Case {
  readonly type: 'postgresql' | 'mariadb';
  readonly start: (folder: string) => Promise<Database>;
  readonly login: { readonly SOURCE_DB_USERNAME: string; readonly SOURCE_DB_PASSWORD: string };
  readonly edits: Readonly<Record<string, string>>;
  /** Table and rows, and a view `expected` that says each column as it must arrive. */
  readonly sql: string;
}

const LIVE = `
insert into prices (id, amount) values (3, 0.10);
update prices set note = null, amount = -99999999.99 where id = 2;
delete from prices where id = 1;
`;

const CASES: readonly Case[] = [
  {
    type: 'postgresql',
    start: startPostgresql,
    login: { SOURCE_DB_USERNAME: 'postgres', SOURCE_DB_PASSWORD: 'unused' },
    edits: { 'debezium.source.database.dbname': 'shopdb' },
    sql: `
create extension hstore; create schema shop;
create table prices (id bigint primary key, amount numeric(12,2), wide numeric(30,10), note varchar(20) default 'none',
  made timestamp(6), seen timestamptz, on_day date, is_on boolean default true);
insert into prices values
  (1, 12345678.90, 12345678901234567890.0123456789, null, '2024-02-29 13:45:30.123456', '2024-02-29 11:45:30.123456+00', '2024-02-29', null),
  (2, -0.01, -0.0000000001, 'x', '1969-12-31 23:59:59.999999', '1969-12-31 23:59:59.999999+00', '1969-12-31', false),
  (9223372036854775807, null, null, null, null, null, null, null);
create view shop.expected as select id::text, amount::text, wide::text, note,
  (extract(epoch from made) * 1000000)::bigint::text as made,
  to_char(seen at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as seen,
  (on_day - date '1970-01-01')::text as on_day, is_on::int::text from public.prices;`,
  },
  {
    type: 'mariadb',
    start: startMariadb,
    login: { SOURCE_DB_USERNAME: MARIADB_USER, SOURCE_DB_PASSWORD: MARIADB_PASSWORD },
    edits: {},
    sql: `
create database shop; use shop;
create table prices (id bigint unsigned primary key, amount decimal(12,2), wide decimal(30,10), note varchar(20) default 'none',
  made datetime(6), seen timestamp(6) null, on_day date, many bigint unsigned default 7);
insert into prices values
  (1, 12345678.90, 12345678901234567890.0123456789, null, '2024-02-29 13:45:30.123456', '2024-02-29 11:45:30.123456', '2024-02-29', null),
  (2, -0.01, -0.0000000001, 'x', '1969-12-31 23:59:59.999999', null, '1969-12-31', 18446744073709551615),
  (18446744073709551615, null, null, null, null, null, null, 9223372036854775808);
create view expected as select cast(id as char) as id, amount, wide, note,
  timestampdiff(microsecond, '1970-01-01', made) as made, date_format(seen, '%Y-%m-%dT%H:%i:%s.%fZ') as seen,
  datediff(on_day, '1970-01-01') as on_day, many from prices;`,
  },
];

const COLUMNS = {
  postgresql: ['id', 'amount', 'wide', 'note', 'made', 'seen', 'on_day', 'is_on'],
  mariadb: ['id', 'amount', 'wide', 'note', 'made', 'seen', 'on_day', 'many'],
};

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of closers.splice(0).reverse()) await end();
}, 120_000);

/** What must be in the target, from the database's own words; a NULL is no field. */
async function expectedKeys(database: Database): Promise<Record<string, Record<string, string>>> {
  const types = new Map(COLUMNS[database.kind].map((column) => [column, 'text']));
  const rows = await database.rows(new Map([['expected', { name: 'expected', key: ['id'], types }]]));
  return Object.fromEntries(
    rows.map(({ row }) => {
      const columns = Object.entries(row).filter((entry): entry is [string, string] => entry[1] !== null);
      return [`prices:id:${row['id']}`, Object.fromEntries(columns)];
    }),
  );
}

async function foundKeys({ client }: TargetRedis): Promise<Record<string, Record<string, string>>> {
  const keys = await client.keys('*');
  return Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await client.hgetall(key)])));
}

test.each(CASES)(
  'every row of $type arrives as it is, with the scaffolded settings',
  async (one) => {
    const folder = mkdtempSync(join(tmpdir(), 'rdi-scaffold-'));
    // PostgreSQL runs as another user and must reach its folder.
    chmodSync(folder, 0o755);
    closers.push(async () => rmSync(folder, { recursive: true, force: true }));
    const target = await startTargetRedis({ json: false });
    closers.push(target.close);
    const rdi = await startRdi({ folder, target: target.url });
    closers.push(() => rdi.end('SIGTERM'));
    const database = await one.start(folder);
    closers.push(database.close);
    await database.run(one.sql);

    const dir = join(folder, 'pipeline');
    const args = ['scaffold', '--db-type', one.type, '--dir', dir, '--endpoint', `127.0.0.1:${rdi.port}`];
    expect(await runCommand(args)).toMatchObject({ code: 0, err: '' });
    const edits = { ...one.edits, 'debezium.source.database.port': String(database.port) };
    const feeder = launchDebezium({
      version: '3.6.1.Final',
      folder,
      properties: edit(readFileSync(join(dir, 'application.properties'), 'utf8'), edits),
      // Its health page is the only thing of the test's: several suites may run on one machine.
      env: { ...one.login, QUARKUS_HTTP_PORT: String(await freePort()) },
    });
    closers.push(() => feeder.end('SIGTERM'));

    const evidence = () => `${feeder.process.log(6000)}\n${rdi.log()}`;
    const arrived = async () => {
      const [expected, found] = [await expectedKeys(database), await foundKeys(target)];
      return Object.keys(expected).sort().join() === Object.keys(found).sort().join();
    };
    await until('the snapshot', arrived, { timeoutMs: ARRIVAL_MS, evidence });
    expect(await foundKeys(target)).toEqual(await expectedKeys(database));

    await database.run(one.type === 'mariadb' ? `use shop; ${LIVE}` : LIVE);
    await until('the changes', arrived, { timeoutMs: ARRIVAL_MS, evidence });
    await rdi.settled(() => true, 10_000);
    expect(await foundKeys(target)).toEqual(await expectedKeys(database));

    const status = await rdi.status();
    expect(status.warnings).toEqual([]);
    expect(status.totals.rejected).toBe(0);
  },
  400_000,
);

function edit(properties: string, edits: Readonly<Record<string, string>>): string {
  let text = properties;
  for (const [name, value] of Object.entries(edits)) {
    const line = `\n${name}=`;
    expect(text).toContain(line);
    text = text.replace(new RegExp(`\n${name.replaceAll('.', '\\.')}=.*`), `${line}${value}`);
  }
  return text;
}
