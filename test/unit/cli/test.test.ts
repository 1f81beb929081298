import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/index.ts';
import { capturedTerminal } from '../../helpers/captured-terminal.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const ROOT = join(import.meta.dirname, '../../..');
const EXAMPLE = join(ROOT, 'examples/jobs');
const parent = tempFolder({ inMemory: true });
const folder = join(parent, 'pipeline');
const tests = join(folder, 'jobs/tests');

/** The expectation of the second test is wrong on purpose. */
const FAILING = `
- name: an order becomes a document
  given: [{table: orders, op: c, key: {order_id: 1}, after: {order_id: 1, customer_id: 7, status: paid, total: "1.00"}}]
  expect:
    keys:
      orders:order_id:1: {json: {order_id: 1, customer_id: 7, status: paid, total: "1.00"}}
      orders:changes: {stream: [{order_id: 1, new_status: paid, op_code: c}]}
- name: a customer has another name
  given: [{table: customer, op: c, key: {id: 7}, after: {id: 7, fname: ada, lname: moss, email: a@x, credit: "1", active: true}}]
  expect:
    keys: {customer:id:7: {hash: {name: Bob Moss}}}
    commands: [[DEL, x]]
`;

beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  cpSync(EXAMPLE, folder, { recursive: true });
});

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const terminal = capturedTerminal();
  return { code: await main(['test', '--dir', folder, ...args], terminal), ...terminal.printed };
}

describe('rdi test', () => {
  it('passes for the example folder, as a process of its own', () => {
    const args = [join(ROOT, 'src/main.ts'), 'test', '--dir', EXAMPLE];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/\d+ tests passed\n$/);
  });

  it('shows what differs and what became of each event, and ends with 1', async () => {
    writeFileSync(join(tests, 'wrong.yaml'), FAILING);
    const { code, out } = await run();
    expect(code).toBe(1);
    expect(out).toContain('✓ an order becomes a document\n');
    expect(out).toContain('✗ a customer has another name  (line 8)');
    expect(out).toMatch(/-\s+name: "Bob Moss"/);
    expect(out).toMatch(/\+\s+name: "Ada Moss"/);
    expect(out).toMatch(/- DEL x/);
    expect(out).toMatch(/transform\[1\] add_field\s+{.*"name":"Ada Moss"/);
    expect(out).toMatch(/1 test failed, \d+ passed\n$/);
    expect(out).not.toContain('create public.orders');
  });

  it('shows events of tests that passed when asked to', async () => {
    expect((await run('--trace')).out).toMatch(/target +ZADD customers:by-credit 120\.50 7/);
  });

  it('prints everything as JSON, and writes JUnit XML', async () => {
    writeFileSync(join(tests, 'wrong.yaml'), FAILING);
    const junit = join(folder, 'junit.xml');
    const { code, out } = await run('-o', 'json', '--junit', junit);
    expect(code).toBe(1);
    const report = JSON.parse(out);
    expect(report).toMatchObject({ failed: 1 });
    expect(report.tests.find(({ passed }: { passed: boolean }) => !passed)).toMatchObject({
      name: 'a customer has another name',
      differences: [{ of: 'keys' }, { of: 'commands of the last change' }],
      events: [{ op: 'c', outcome: 'written', job: 'customers' }],
    });
    expect(readFileSync(junit, 'utf8')).toMatch(/<testsuites tests="\d+" failures="1"/);
  });

  it('needs no variables of the environment', async () => {
    const config = join(folder, 'config.yaml');
    const text = readFileSync(config, 'utf8').replace(
      'port: 6379',
      `port: \${NO_SUCH_PORT}\n      password: \${NO_SUCH}`,
    );
    writeFileSync(config, text);
    const { code, err } = await run();
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  it.each([
    [
      'a wrong test file',
      'tests/wrong.yaml',
      '- {name: x, gvien: []}',
      /wrong\.yaml:1:13: `gvien` .*did you mean `given`/,
    ],
    ['a wrong job', 'wrong.yaml', 'source: {table: x}\ntransfrom: []\n', /wrong\.yaml:2:1: .*transfrom/],
    [
      'a missing recording',
      'tests/wrong.yaml',
      '- {name: x, given: [{recorded: no}], expect: {filtered: 0}}',
      /ENOENT/,
    ],
    [
      'a job that is wrong with the settings of a test',
      'tests/w.yaml',
      '- {name: x, config: {keytemplate: a}, given: [], expect: {filtered: 0}}',
      /did you mean `key_template`/,
    ],
  ])('ends with 2 for %s', async (_about, name, text, message) => {
    writeFileSync(join(folder, 'jobs', name), text);
    const { code, out, err } = await run();
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
  });

  it('does not pass for a folder without tests', async () => {
    rmSync(tests, { recursive: true });
    const { code, err } = await run();
    expect(code).toBe(2);
    expect(err).toContain('There are no job tests');
  });

  it('runs recorded traffic through the jobs', async () => {
    rmSync(tests, { recursive: true });
    cpSync(join(EXAMPLE, 'jobs/tests'), tests, { recursive: true });
    const recorded = join(ROOT, 'fixtures/pg-3.6-extended/sink.client.resp.gz');
    const test = { name: 'x', given: [{ recorded, tables: ['Odd Table-1'], limit: 1 }] };
    const keys = { 'Odd Table-1:the Id:1': { hash: { 'the Id': 1, 'unit price': 'BGU=', näme: 'ä', select: 1 } } };
    writeFileSync(join(tests, 'recorded.yaml'), JSON.stringify([{ ...test, expect: { keys } }]));
    expect((await run()).out).toMatch(/recorded\.yaml\n {2}✓ x\n/);
  });
});
