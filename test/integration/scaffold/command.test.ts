/** `rdi scaffold` as a command. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DATABASE_TYPES } from '../../../src/scaffold/index.ts';
import { runCommand } from '../../helpers/rdi-command.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

test('without --dir it prints config.yaml, as RDI does, and writes nothing', async () => {
  const cwd = tempFolder();
  const { code, out, err } = await runCommand(['scaffold', '--db-type', 'mysql'], { cwd });
  expect(code).toBe(0);
  expect(out).toMatch(/^# A pipeline folder for MySQL/);
  expect(err).toContain('application.properties');
  expect(readdirSync(cwd)).toEqual([]);
}, 30_000);

test.each(DATABASE_TYPES)(
  'a folder for %s passes rdi validate and rdi test as it stands',
  async (type) => {
    const dir = join(tempFolder(), 'new', 'pipeline');
    const { code, out } = await runCommand(['scaffold', '--db-type', type, '--dir', dir]);
    expect(code).toBe(0);
    expect(out).toContain(join(dir, 'config.yaml'));
    expect(existsSync(join(dir, 'application.properties'))).toBe(type !== 'snowflake' && type !== 'spanner');
    if (!existsSync(join(dir, 'application.properties'))) expect(out).toContain('rdi has no collector');
    expect(await runCommand(['validate', '--dir', dir])).toMatchObject({ code: 0 });
    const tested = await runCommand(['test', '--dir', dir]);
    expect(tested).toMatchObject({ code: 0, out: expect.stringContaining('3 tests passed') });
  },
  60_000,
);

test('it overwrites nothing, and names what is in the way; --force does', async () => {
  const dir = tempFolder();
  writeFileSync(join(dir, 'config.yaml'), 'mine');
  const args = ['scaffold', '--db-type', 'postgresql', '--dir', dir];
  const refused = await runCommand(args);
  expect(refused).toMatchObject({ code: 2, err: expect.stringMatching(/config\.yaml.*Nothing was written.*--force/) });
  expect(readdirSync(dir)).toEqual(['config.yaml']);
  expect(readFileSync(join(dir, 'config.yaml'), 'utf8')).toBe('mine');
  expect((await runCommand([...args, '--force'])).code).toBe(0);
  expect(readFileSync(join(dir, 'config.yaml'), 'utf8')).not.toBe('mine');
}, 60_000);

test('the address and the user of the endpoint are filled in, also from the variables of rdi run', async () => {
  const preview = ['scaffold', '--db-type', 'mariadb', '--preview', 'debezium/application.properties'];
  const given = await runCommand([...preview, '--endpoint', 'rdi.internal:7000', '--endpoint-user', 'feeder']);
  expect(given.out).toContain('\ndebezium.sink.redis.address=rdi.internal:7000\n');
  expect(given.out).toContain('\ndebezium.source.schema.history.internal.redis.user=feeder\n');
  const env = { RDI_LISTEN: '0.0.0.0:7001', RDI_ENDPOINT_PASSWORD: 'hunter2' };
  const fromVariables = await runCommand(preview, { env });
  expect(fromVariables.out).toContain('\ndebezium.sink.redis.address=127.0.0.1:7001\n');
  expect(fromVariables.out).toContain('\ndebezium.sink.redis.user=default\n');
  expect(fromVariables.out).not.toContain('hunter2');
  expect((await runCommand([...preview, '--listen', '10.0.0.9:7002'])).out).toContain('=10.0.0.9:7002\n');
}, 60_000);

test.each([
  [['--db-type', 'cassandra'], /--db-type.*never worked|never worked.*--db-type/],
  [['--db-type', 'mysql', '--strategy', 'write_behind'], /no write-behind/],
  [['--db-type', 'mysql', '--preview', 'x.yaml'], /no file x\.yaml.*jobs\/orders\.yaml/],
  [['--db-type', 'mysql', '--endpoint', 'nonsense'], /--endpoint.*host:port/],
  [['--db-type', 'mysql', '--source-name', 'Shop'], /--source-name/],
  [[], /--db-type/],
])(
  'what cannot be done is explained: %s',
  async (args, expected) => {
    expect(await runCommand(['scaffold', ...args])).toMatchObject({ code: 2, err: expect.stringMatching(expected) });
  },
  30_000,
);
