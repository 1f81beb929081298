import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { change } from '../../helpers/deploy-world.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { runCommand } from '../../helpers/rdi-command.ts';
import { type Rdi, startRdi } from '../../helpers/rdi-process.ts';
import { until } from '../../helpers/redis-server.ts';
import { startTargetRedis, type TargetRedis } from '../../helpers/target-redis.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

/** Turns a terminal red, and sets its title. */
const TABLE = '\x1b[31mévil\x1b]0;pwned\x07';
const STREAM = `data:shop.${TABLE}`;
const folder = tempFolder();
let target: TargetRedis;
let rdi: Rdi;

beforeAll(async () => {
  target = await startTargetRedis({ json: false });
  rdi = await startRdi({ folder, target: `redis://127.0.0.1:${target.server.port}` });
  const feeder = await RawClient.connect(rdi.port);
  const words = ['XADD', STREAM, '*', '{"id":2}', `{"no JSON ${TABLE}`];
  const unreadable = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('');
  feeder.send(Buffer.concat([change(TABLE, 1, TABLE), Buffer.from(`*${words.length}\r\n${unreadable}`)]));
  await feeder.replies(2);
  feeder.socket.destroy();
  await until('the records to be settled', async () => (await rdi.status()).totals.pending === 0);
});

afterAll(async () => {
  await rdi?.end('SIGKILL');
  await target?.close();
  rmSync(folder, { recursive: true, force: true });
});

const run = (...args: string[]) => runCommand(args, { env: { RDI_API_URL: rdi.http, HOME: folder } });

test.each([
  ['status', [], 0],
  ['list-dlqs', [], 0],
  ['get-dlq', [STREAM], 0],
  ['list-dlq-records', [], 0],
  ['get-dlq-record', [STREAM, '1'], 0],
  ['retry-dlq', [STREAM], 1],
  ['explain', [`${TABLE}:id:1`], 0],
  ['get-dlq', [TABLE.slice(0, -1)], 5],
  ['get-job', [TABLE], 5],
  ['use-context', [TABLE], 5],
  ['get-revision', [TABLE], 2],
  ['deploy', ['--dir', TABLE], 2],
])('%s %j ends with its code and sends no control characters of a name to the terminal', async (name, args, code) => {
  const result = await run(name, ...args);
  expect(result.err).not.toContain('INTERNAL');
  expect(result.code, result.err).toBe(code);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
  expect(result.out + result.err).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
});

test('a record that could not be decoded is shown with its reason, the code once', async () => {
  const { out } = await run('list-dlq-records', STREAM);
  expect(out.match(/DECODE_NOT_JSON/g)).toHaveLength(1);
  const [page] = JSON.parse((await run('list-dlq-records', '-o', 'json')).out);
  expect(page.records[0].reason_rejected).toMatch(/^DECODE_NOT_JSON: unexpected/);
});

test('exported records, which hold rows, can be read by their owner only', async () => {
  const file = join(folder, 'rejected.jsonl');
  expect((await run('export-dlq', '--all', '--file', file)).code).toBe(0);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});
