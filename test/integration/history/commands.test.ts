import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readTestFile } from '../../../src/rehearsal/test-file.ts';
import { commandBytes } from '../../helpers/bulk-strings.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { runCommand } from '../../helpers/rdi-command.ts';
import { type Rdi, startRdi } from '../../helpers/rdi-process.ts';
import { startTargetRedis, type TargetRedis } from '../../helpers/target-redis.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const folder = tempFolder();
const dir = join(folder, 'pipeline');
let target: TargetRedis;
let rdi: Rdi;
let lsn = 100_000_000;

const ORDERS = `source: {table: orders}
transform:
  - uses: add_field
    with: {field: total, expression: amount * 2, language: sql}
  - uses: filter
    with: {expression: amount > 0, language: sql}
  - uses: redis.lookup
    with: {connection: target, cmd: HGET, args: ["concat(['tier:', tier])", "'label'"], language: jmespath, field: label}
output:
  - uses: redis.write
    with: {connection: target, data_type: hash, key: {expression: "concat(['order:', ref])", language: jmespath}}
  - uses: redis.write
    with: {connection: target, data_type: set, key: {expression: "concat(['tier-orders:', tier])", language: jmespath}, args: {member: ref}}
`;

interface Row {
  readonly id: number;
  readonly ref?: string;
  readonly amount?: number;
  readonly tier?: string;
}

function change(table: string, op: string, before: Row | null, after: Row | null): Buffer {
  const source = {
    connector: 'postgresql',
    name: 'pg',
    db: 'shop',
    schema: 'public',
    table,
    lsn: lsn++,
    ts_ms: Date.now(),
  };
  const key = JSON.stringify({ id: (after ?? before)?.id });
  const value = JSON.stringify({ before, after, source, op, ts_ms: Date.now() });
  return commandBytes('XADD', `data:pg.public.${table}`, '*', 'key', key, 'value', value);
}

async function send(changes: readonly Buffer[]): Promise<void> {
  const feeder = await RawClient.connect(rdi.port);
  feeder.send(Buffer.concat(changes));
  await feeder.replies(changes.length);
  feeder.close();
  await rdi.settled(() => true, 20_000);
}

// biome-ignore lint/suspicious/noExplicitAny: what the server answers is what the tests find out
async function call(method: string, path: string, body?: unknown): Promise<{ status: number; body: any }> {
  const response = await fetch(`${rdi.http}/api/v2/pipelines/default/${path}`, {
    method,
    signal: AbortSignal.timeout(20_000),
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: response.status, body: await response.json() };
}

beforeAll(async () => {
  target = await startTargetRedis({ json: false });
  await target.client.hset('tier:gold', 'label', 'Best');
  await target.client.set('tier:broken', 'no hash');
  mkdirSync(join(dir, 'jobs'), { recursive: true });
  writeFileSync(
    join(dir, 'config.yaml'),
    `targets:\n  target:\n    connection: {type: redis, host: 127.0.0.1, port: ${target.server.port}}\n`,
  );
  writeFileSync(join(dir, 'jobs/orders.yaml'), ORDERS);
  rdi = await startRdi({
    folder,
    args: ['--dir', dir, '--retention', '1h', '--retention-size', '1gb', '--disk-limit', '2gb'],
  });
  const first: Row = { id: 1, ref: 'A', amount: 5, tier: 'gold' };
  const moved: Row = { id: 1, ref: 'B', amount: 6, tier: 'gold' };
  await send([change('orders', 'c', null, first), change('customers', 'c', null, { id: 1 })]);
  await send([change('orders', 'u', first, moved)]);
  await send([
    change('orders', 'd', moved, null),
    change('orders', 'c', null, { id: 2, ref: 'A', amount: 7, tier: 'gold' }),
  ]);
  await send([change('orders', 'c', null, { id: 3, ref: 'A', amount: -1, tier: 'gold' })]);
});
afterAll(async () => {
  await rdi?.end('SIGTERM');
  await target?.close();
});

test('explain shows each event that touched a key, oldest first, and what the key is now', async () => {
  const { code, out: stdout } = await runCommand(['explain', 'order:A', '--api-url', rdi.http]);
  expect(code, stdout).toBe(0);
  const events = stdout.split('\n\n');
  expect(events).toHaveLength(4);
  expect(events[0]).toMatch(/create public\.orders \{"id":1\}/);
  expect(events[0]).toMatch(/source +lsn 0\/5F5E100/);
  expect(events[0]).toMatch(/revision 1 in force/);
  expect(events[0]).toMatch(/add_field +\{"id":1,"ref":"A","amount":5,"tier":"gold","total":10\}/);
  expect(events[0]).toMatch(/redis\.lookup +.*"label":"Best"/);
  expect(events[0]).not.toMatch(/filter/);
  expect(events[0]).toMatch(/lookup +HGET tier:gold label/);
  expect(events[0]).toMatch(/command +HSET order:A id 1 ref A amount 5 tier gold total 10 label Best/);
  expect(events[0]).not.toMatch(/tier-orders/);
  expect(events[1]).toMatch(/update/);
  expect(events[1]).toMatch(/command +DEL order:A/);
  expect(events[2]).toMatch(/create public\.orders \{"id":2\}/);
  expect(events[3]).toMatch(/order:A in target: hash/);
  expect(events[3]).toContain('"amount":"7"');
  expect(events[3]).toContain('3 events touched it, of 6 entries');
});

test('explain counts members of sets, deletes and keys of tables without a job; JSON holds the same', async () => {
  const json = async (...args: string[]) => {
    const { code, out: stdout } = await runCommand(['explain', ...args, '-o', 'json', '--api-url', rdi.http]);
    return { code, ...JSON.parse(stdout) };
  };
  const members = await json('tier-orders:gold');
  expect(members.events.map(({ op }: { op: string }) => op)).toEqual(['c', 'u', 'd', 'c']);
  expect(members.now).toMatchObject({ type: 'set', value: '["A"]', is_cut: false });
  const deleted = await json('order:B');
  expect(deleted.events.map(({ op }: { op: string }) => op)).toEqual(['u', 'd']);
  expect(deleted).toMatchObject({ code: 0, now: { type: 'none' } });
  const customer = await json('customers:id:1');
  expect(customer.events).toMatchObject([
    { job: null, outcome: 'written', commands: [{ words: ['HSET', 'customers:id:1', 'id', '1'] }] },
  ]);
  expect(await json('nothing:1')).toMatchObject({ code: 5, events: [], now: { type: 'none' } });
  expect(await json('order:A', '--since', '0ms')).toMatchObject({ events: [] });
});

test('explain refuses a target that is not there, and a moment that is none', async () => {
  expect(await runCommand(['explain', 'x', '--target', 'other', '--api-url', rdi.http])).toMatchObject({ code: 5 });
  const { code, err: stderr } = await runCommand(['explain', 'x', '--since', 'soon', '--api-url', rdi.http]);
  expect([code, stderr]).toEqual([1, expect.stringContaining('"soon" is no moment')]);
});

test('explain as deployed sends each event through the jobs that were in force', async () => {
  const config = `targets:\n  target:\n    connection: {type: redis, host: 127.0.0.1, port: ${target.server.port}}\n`;
  const deployed = await call('POST', 'revisions', {
    document: { config, jobs: { 'orders.yaml': ORDERS.replace('amount * 2', 'amount * 3') } },
  });
  expect(deployed.status, JSON.stringify(deployed.body)).toBe(201);
  const run = (...args: string[]) => runCommand(['explain', 'order:A', ...args, '--api-url', rdi.http]);
  expect((await run()).out).toContain('total 15 label Best');
  expect((await run('--as-deployed')).out).toContain('total 10 label Best');
});

test('trace shows the way of each record as it is settled, and ends with the times', async () => {
  const tracing = runCommand([
    'trace',
    '--max-change-records',
    '3',
    '--timeout',
    '15',
    '--stream',
    'orders',
    '--api-url',
    rdi.http,
  ]);
  let isOver = false;
  void tracing.then(() => {
    isOver = true;
  });
  for (let id = 10; !isOver && id < 200; id++) {
    await send([
      change('customers', 'c', null, { id }),
      change('orders', 'c', null, { id, ref: `T${id}`, amount: id, tier: 'gold' }),
    ]);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { code, out: stdout, err: stderr } = await tracing;
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('Trace started');
  const [first = '', , , totals] = stdout.split('\n\n');
  const prefix = /^\d+-\d+ order:T\d+ {2}/;
  for (const line of first.split('\n')) expect(line).toMatch(prefix);
  const lines = first.split('\n').map((line) => line.replace(prefix, ''));
  expect(lines[0]).toMatch(/^changed in the source at .* \(\+0 ms\)$/);
  expect(lines[1]).toMatch(/^arrived at .* \(\+\d+ ms\)$/);
  expect(lines[2]).toMatch(/^raw record: key \{"id":\d+\} value \{"before":null/);
  expect(lines[3]).toMatch(/^create in stream data:pg\.public\.orders, table public\.orders/);
  expect(lines[4]).toBe('job orders');
  expect(lines.filter((line) => line.startsWith('after transform['))).toHaveLength(3);
  expect(lines.filter((line) => line.startsWith('command for target: '))).toHaveLength(2);
  expect(lines.at(-2)).toBe('written');
  expect(lines.at(-1)).toMatch(/^end of processing at/);
  expect(totals).toMatch(/^3 records, 0 rejected\. From change to settled: at least .*, on average .*, at most /);
});

test('a trace of rejected records waits for one, says why, and ends in time', async () => {
  const tracing = runCommand(['trace', '--trace-only-rejected', '--timeout', '4', '-o', 'json', '--api-url', rdi.http]);
  let isOver = false;
  void tracing.then(() => {
    isOver = true;
  });
  for (let id = 300; !isOver && id < 500; id++) {
    await send([change('orders', 'c', null, { id, ref: 'R', amount: 1, tier: 'broken' })]);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const { code, out: stdout } = await tracing;
  expect(code).toBe(0);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line): { record?: unknown; totals?: unknown } => JSON.parse(line));
  expect(lines.length).toBeGreaterThan(1);
  expect(lines[0]?.record).toMatchObject({ outcome: 'rejected', reason: expect.stringContaining('WRONGTYPE') });
  expect(lines.at(-1)?.totals).toMatchObject({ records: lines.length - 1, rejected: lines.length - 1 });
});

test('a recent event can be picked and a job tried on it; the test of it is one', async () => {
  await send([change('orders', 'c', null, { id: 900, ref: 'P', amount: 4, tier: 'gold' })]);
  const { body: listed } = await call('GET', 'events?stream=orders&limit=3');
  expect(listed.events).toHaveLength(3);
  expect(listed.events[0]).toMatchObject({
    stream: 'data:pg.public.orders',
    table: 'public.orders',
    op: 'c',
    after: '{"id":900,"ref":"P","amount":4,"tier":"gold"}',
    raw_key: '{"id":900}',
  });
  expect((await call('GET', 'events?limit=1000')).body.events.length).toBeGreaterThan(6);
  const { stream, entry_id } = listed.events[0];
  const job = ORDERS.replace('amount * 2', 'amount * 10');
  const { status, body } = await call('POST', 'jobs/try', { job, name: 'orders.yaml', event: { stream, entry_id } });
  expect(status, JSON.stringify(body)).toBe(200);
  expect(body.problems).toEqual([]);
  expect(body.result).toMatchObject({ job: 'orders', outcome: 'written' });
  expect(body.result.commands[0].words).toEqual(
    'HSET order:P id 900 ref P amount 4 tier gold total 40 label Best'.split(' '),
  );
  expect(await target.client.hget('order:P', 'total')).toBe('12');
  const [read] = readTestFile('tried.yaml', body.test);
  expect(read!.lookups).toEqual([{ command: ['HGET', 'tier:gold', 'label'], reply: 'Best', error: null }]);
  mkdirSync(join(dir, 'jobs/tests'), { recursive: true });
  writeFileSync(join(dir, 'jobs/tests/tried.yaml'), body.test);
  writeFileSync(join(dir, 'jobs/orders.yaml'), job);
  const run = await runCommand(['test', '--dir', dir]);
  expect(run.code, run.out).toBe(0);
});

test('a trial tells what is wrong with a job, with its place, and of an event that is not there', async () => {
  const raw = { raw_key: '{"id":1}', raw_value: '{"id":1}' };
  const wrong = await call('POST', 'jobs/try', {
    job: ORDERS.replace('add_field', 'add_fild'),
    name: 'orders',
    event: raw,
  });
  expect(wrong.body).toMatchObject({ problems: [{ file: 'jobs/orders.yaml', line: 3 }], result: null, test: null });
  const gone = { stream: 'orders', entry_id: '1-0' };
  expect((await call('POST', 'jobs/try', { job: ORDERS, name: 'orders', event: gone })).status).toBe(404);
  const record = { dlq: { stream: 'orders', id: '1-1' } };
  expect((await call('POST', 'jobs/try', { job: ORDERS, name: 'orders', event: record })).status).toBe(404);
});
