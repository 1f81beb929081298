import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPipeline } from '../../../src/config/index.ts';
import { loadJobs } from '../../../src/control/load-jobs.ts';
import { findTests, loadForRehearsal, TestRunner } from '../../../src/rehearsal/index.ts';
import { configTemplate, DATABASE_TYPES, jobTemplate, MONGODB_FLAVORS, scaffold } from '../../../src/scaffold/index.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const ENDPOINT = { host: '127.0.0.1', port: 12001 };
const CASES = [
  ...DATABASE_TYPES.map((type) => ({ type, options: {} })),
  ...MONGODB_FLAVORS.map((flavor) => ({ type: 'mongodb', options: { flavor } })),
  { type: 'postgresql', options: { sourceName: 'orders-eu' } },
];

function write(files: ReadonlyMap<string, string>): string {
  const folder = tempFolder();
  for (const [name, text] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** Names and values of the lines that count. */
function settings(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

function propertiesOf(type: string, options: object = {}): string {
  return scaffold(type, { endpoint: ENDPOINT, ...options }).get('application.properties') ?? '';
}

describe.each(CASES)('$type $options', ({ type, options }) => {
  const files = scaffold(type, { endpoint: ENDPOINT, ...options });

  test('validates as it stands, with nothing to warn of', () => {
    const pipeline = loadPipeline(write(files), { env: {} });
    const { problems, notices } = loadJobs(pipeline);
    expect(problems).toEqual([]);
    expect([...pipeline.notices, ...notices].filter(({ level }) => level === 'warn')).toEqual([]);
    expect(pipeline.sources).toEqual(['sourceName' in options ? options.sourceName : type]);
  });

  test('the tests of its example job pass', async () => {
    const folder = write(files);
    const runner = new TestRunner(loadForRehearsal(folder, {}));
    const tests = findTests(folder);
    expect(tests.length).toBeGreaterThan(2);
    for (const one of tests) expect(await runner.run(one)).toMatchObject({ passed: true, differences: [] });
  });

  test('gives the reason for each setting right above it, and no line twice', () => {
    const text = files.get('application.properties');
    if (text === undefined) return;
    const lines = text.split('\n');
    const set = lines.filter((line) => /^#?[\w.]+=/.test(line));
    for (const line of set) expect(lines[lines.indexOf(line) - 1]).toMatch(/^# .*[.…)]$/);
    const names = set.map((line) => line.replace(/=.*/, ''));
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    expect(lines.filter((line) => line.length > 120)).toEqual([]);
  });

  test('holds no user and no password, only the names of variables', () => {
    for (const text of files.values()) {
      for (const [, value] of text.matchAll(/(?:user|password)\s*[:=]\s*(\S+)/gi))
        expect(value).toMatch(/^\$\{|^feeder$/);
    }
  });
});

describe('settings that damage data are not there', () => {
  const withFeeder = DATABASE_TYPES.filter((type) => propertiesOf(type) !== '');

  test.each(withFeeder)('%s', (type) => {
    const found = settings(propertiesOf(type));
    expect(found.get('debezium.format.value.replace.null.with.default')).toBe('false');
    expect(found.get('debezium.source.tombstones.on.delete')).toBe('false');
    expect(found.get('debezium.source.event.processing.failure.handling.mode')).toBe('fail');
    expect(found.get('debezium.sink.redis.message.format')).toBe('extended');
    for (const part of ['debezium.sink', 'debezium.source.offset.storage']) {
      expect(found.get(`${part}.redis.address`)).toBe('127.0.0.1:12001');
    }
    if (type !== 'mongodb') expect(found.get('debezium.source.decimal.handling.mode')).toBe('string');
  });

  test.each(['mysql', 'mariadb'])('%s keeps the digits of unsigned bigints', (type) => {
    const found = settings(propertiesOf(type));
    expect(found.get('debezium.source.bigint.unsigned.handling.mode')).toBe('precise');
    expect(found.get('debezium.format.value.decimal.format')).toBe('numeric');
    expect(found.get('debezium.format.key.decimal.format')).toBe('numeric');
  });

  test('Oracle sends the content of large columns', () => {
    expect(settings(propertiesOf('oracle')).get('debezium.source.lob.enabled')).toBe('true');
  });
});

test('a login of the endpoint stands in all connections, its password as a variable', () => {
  const found = settings(propertiesOf('mysql', { endpoint: { host: 'rdi.internal', port: 7000, user: 'feeder' } }));
  const parts = ['sink', 'source.offset.storage', 'source.schema.history.internal'];
  for (const part of parts) {
    expect(found.get(`debezium.${part}.redis.address`)).toBe('rdi.internal:7000');
    expect(found.get(`debezium.${part}.redis.user`)).toBe('feeder');
    expect(found.get(`debezium.${part}.redis.password`)).toBe(['$', '{RDI_ENDPOINT_PASSWORD}'].join(''));
  }
});

test('two sources share neither slot nor offsets nor history', () => {
  const names = ['orders-eu', 'orders-us'];
  const [eu, us] = names.map((sourceName) => settings(propertiesOf('postgresql', { sourceName })));
  for (const name of [
    'source.slot.name',
    'source.publication.name',
    'source.topic.prefix',
    'source.offset.storage.redis.key',
  ]) {
    expect(eu?.get(`debezium.${name}`)).not.toBe(us?.get(`debezium.${name}`));
  }
  expect(eu?.get('debezium.source.slot.name')).toBe('rdi_orders_eu');
});

test('Snowflake and Spanner get no properties, and are told who feeds them', () => {
  for (const type of ['snowflake', 'spanner']) {
    expect([...scaffold(type, { endpoint: ENDPOINT }).keys()]).not.toContain('application.properties');
    expect(configTemplate(type)).toContain('rdi has no collector for');
  }
});

test('what cannot be used is refused with what can', () => {
  expect(() => configTemplate('cassandra')).toThrow(/never worked as a managed source.*postgresql/);
  expect(() => configTemplate('redis')).toThrow(/write-behind/);
  expect(() => configTemplate('db2')).toThrow(/There is no database type db2.*postgresql/);
  expect(() => configTemplate('mysql', { flavor: 'mongodb-atlas' })).toThrow(/--db-flavor/);
  for (const sourceName of ['rdi', 'target', 'Orders', '1a', 'a-', 'x'.repeat(23), 'a b']) {
    expect(() => configTemplate('mysql', { sourceName })).toThrow(/--source-name/);
  }
  expect(() => scaffold('mysql', { endpoint: { host: '::1', port: 1 } })).toThrow(/--endpoint/);
});

test('the job of a named source takes rows of that source only', () => {
  expect(jobTemplate({ sourceName: 'shop' })).toContain('server_name: shop');
  expect(jobTemplate()).not.toMatch(/^ {2}server_name:/m);
});
