import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/index.ts';
import { capturedTerminal } from '../../helpers/captured-terminal.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const ROOT = join(import.meta.dirname, '../../..');
const folder = tempFolder({ inMemory: true });

const JOB = `
source: {table: customer}
transform:
  - uses: redis.lookup
    with: {cmd: HGET, args: ["concat(['tier:', tier])", "'label'"], language: jmespath, field: label}
  - uses: filter
    with: {language: sql, expression: active}
`;
const CHANGE = '{"table":"customer","op":"c","key":{"id":7},"after":{"id":7,"tier":"gold","active":true,"n":100.0}}';
const SOURCE = '{"connector":"postgresql","name":"shop","db":"shop","schema":"public","table":"customer"}';
const VALUE = `{"before":null,"after":{"id":7,"tier":"gold","active":true,"n":100.0},"source":${SOURCE},"op":"c"}`;

beforeAll(() => {
  mkdirSync(join(folder, 'jobs'));
  writeFileSync(
    join(folder, 'config.yaml'),
    'targets: {target: {connection: {type: redis, host: 127.0.0.1, port: 6379}}}\n',
  );
  writeFileSync(join(folder, 'jobs/customer.yaml'), JOB);
});

async function run(events: string | Buffer, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const file = join(folder, 'events');
  writeFileSync(file, events);
  const terminal = capturedTerminal();
  return { code: await main(['dry-run', '--dir', folder, '--event', file, ...args], terminal), ...terminal.printed };
}

describe('rdi dry-run', () => {
  it('shows the record behind each block, the lookup and the commands', async () => {
    const { code, out } = await run(CHANGE, '--lookup', 'HGET tier:gold label=Best of all');
    expect(code).toBe(0);
    expect(out).toContain('1. create public.customer {"id":7}\n');
    expect(out).toMatch(/transform\[0\] redis\.lookup +{.*"label":"Best of all"}\n/);
    expect(out).toMatch(/transform\[1\] filter +{/);
    expect(out).toMatch(/lookup +HGET tier:gold label\n/);
    expect(out).toMatch(/target +HSET customer:id:7 id 7 tier gold active 1 n 100\.0 label "Best of all"\n/);
    expect(out).toMatch(/1 event, 1 command; nothing was written\.\n$/);
  });

  it('says which lookup nobody answered', async () => {
    expect((await run(CHANGE)).out).toMatch(/lookup +HGET tier:gold label +\(no reply was given/);
  });

  it.each([
    ['the short form', CHANGE],
    ['key and value', `{"key":{"id":7},"value":${VALUE}}`],
    ['key and value as texts', `{"key":"{\\"id\\":7}","value":${JSON.stringify(VALUE)}}`],
    [
      'a recorded entry',
      JSON.stringify({
        stream: 'data:x',
        fields: [
          ['key', '{"id":7}'],
          ['value', VALUE],
        ],
      }),
    ],
    ['several lines', JSON.stringify(JSON.parse(CHANGE), null, 2).replace('100', '100.0')],
    ['a list', `[\n${CHANGE}\n]`],
    ['gzip', gzipSync(CHANGE)],
  ])('understands %s', async (_about, events) => {
    const { out } = await run(events);
    expect(out).toMatch(/HSET customer:id:7 id 7 tier gold active 1 n 100\.0\n/);
  });

  it('rejects a bare value for its missing key, and shows the reason', async () => {
    expect((await run(VALUE)).out).toMatch(/rejected: .*no primary key/);
  });

  it('shows filtered events, only tables that were asked for, and at most as many as asked for', async () => {
    const filtered = CHANGE.replace('true', 'false');
    const other = CHANGE.replace('customer', 'orders');
    const report = async (...args: string[]) => {
      const { out } = await run([filtered, other, CHANGE].join('\n'), '-o', 'json', ...args);
      const { events } = JSON.parse(out) as { events: { table: string; outcome: string }[] };
      return events.map(({ table, outcome }) => `${table} ${outcome}`);
    };
    expect(await report()).toEqual(['public.customer filtered', 'public.orders written', 'public.customer written']);
    expect(await report('--table', 'Public.Customer')).toEqual(['public.customer filtered', 'public.customer written']);
    expect(await report('--limit', '1')).toEqual(['public.customer filtered']);
  });

  it('reads standard input', () => {
    const args = [join(ROOT, 'src/main.ts'), 'dry-run', '--dir', folder];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', input: CHANGE, timeout: 20_000 });
    expect(status).toBe(0);
    expect(stdout).toContain('HSET customer:id:7');
  });

  it('reads a recording of a client', async () => {
    const terminal = capturedTerminal();
    const recording = join(ROOT, 'fixtures/pg-3.6-extended-schemas/sink.client.resp.gz');
    const args = ['dry-run', '--dir', folder, '--recording', recording, '--limit', '3', '-o', 'json'];
    expect(await main(args, terminal)).toBe(0);
    expect(JSON.parse(terminal.printed.out).events).toHaveLength(3);
  });

  it.each([
    ['{"a":', /There is no event here: no valid JSON/],
    [`${CHANGE}\n{"a"`, /events:2\)/],
    ['5', /it is not a JSON object/],
    ['{"table":"t","op":"x"}', /`op` must be one of c, u, d, r/],
  ])('ends with 2 for %s', async (events, message) => {
    const { code, err } = await run(events);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  it('refuses a lookup without a reply, and an event beside a recording', async () => {
    expect(await run(CHANGE, '--lookup', 'GET x')).toMatchObject({ code: 2, err: expect.stringContaining('--lookup') });
    expect(await run(CHANGE, '--recording', 'x')).toMatchObject({ code: 2, err: expect.stringContaining('exclude') });
  });
});
