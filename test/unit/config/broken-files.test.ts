// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are those of the configuration.
import { describe, expect, it } from 'vitest';
import { loadPipeline } from '../../../src/config/index.ts';
import { folderWith, pipelineText, problemLines, variable } from './files.ts';

interface Case {
  readonly name: string;
  readonly text: string;
  readonly jobs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** What must be shown, `config.yaml:` left out. */
  readonly lines: readonly string[];
}

/** A target whose connection has these lines. */
const connection = (...lines: string[]) =>
  ['targets:', '  target:', '    connection:', ...lines.map((line) => `      ${line}`), ''].join('\n');
const plain = ['type: redis', 'host: h', 'port: 6379'];
const source = (...lines: string[]) =>
  pipelineText(['sources:', '  shop:', ...lines.map((line) => `    ${line}`), ''].join('\n'));

const yamlCases: Case[] = [
  {
    name: 'a tab as indentation',
    text: 'targets:\n\ttarget: {}\n',
    lines: ['2:1: not valid YAML: a tab cannot be used for indentation; use blanks'],
  },
  {
    name: 'a key that is there twice',
    text: 'metadata: {}\nmetadata: {}\n',
    lines: ['2:1: not valid YAML: the same key is there twice'],
  },
  {
    name: 'a quote that is not closed',
    text: 'metadata:\n  name: "x\n',
    lines: ['3:1: not valid YAML: a character is missing: a closing quote, a comma, a bracket, or the blank after `:`'],
  },
  {
    name: 'a second `: ` in a line',
    text: 'metadata:\n  name: a: b\n',
    lines: ['2:9: not valid YAML: a second `: ` in one line; text that holds `: ` needs quotes'],
  },
  {
    name: 'an alias without anchor',
    text: 'metadata:\n  name: *nobody\n',
    lines: ['2:9: not valid YAML: `*` refers to an anchor that is not there; text that begins with `*` needs quotes'],
  },
  {
    name: 'a tag',
    text: 'metadata:\n  name: !x y\n',
    lines: ['2:9: not valid YAML: the tag is not known; text that begins with `!` needs quotes'],
  },
  {
    name: 'a second document',
    text: 'metadata: {}\n---\nmetadata: {}\n',
    lines: ['2:1: not valid YAML: a second document begins here; only one is allowed per file'],
  },
  {
    name: 'a map as key',
    text: 'metadata:\n  ? {a: b}\n  : 1\n',
    lines: ['2:5: a key must be plain text, not a map or list'],
  },
  {
    name: 'the key __proto__',
    text: 'targets:\n  __proto__: {}\n',
    lines: ['2:3: the key `__proto__` is not allowed'],
  },
  {
    name: 'aliases that multiply',
    text: `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefghi'.replaceAll(/./g, (c) => `${c}: &${c} [${`*${String.fromCharCode(c.charCodeAt(0) - 1)}, `.repeat(9)}]\n`)}`,
    lines: ['1:1: not usable as YAML: it is nested too deeply, or its aliases multiply'],
  },
  {
    name: 'nesting without end',
    text: '['.repeat(5000),
    lines: ['1:1: not usable as YAML: it is nested too deeply, or its aliases multiply'],
  },
  {
    name: 'an anchor that holds itself',
    text: 'metadata: &m\n  name: *m\n',
    lines: ['1:1: not usable as YAML: it is nested too deeply, or its aliases multiply'],
  },
  { name: 'a list instead of a map', text: '- targets\n', lines: ['1:1: the file must be a map, not a list'] },
  { name: 'a word instead of a map', text: 'targets\n', lines: ['1:1: the file must be a map, not this text'] },
];

const keyCases: Case[] = [
  {
    name: 'a misspelled section',
    text: 'target:\n  target: {}\n',
    lines: ['1:1: unknown key `target`; did you mean `targets`?'],
  },
  {
    name: 'a misspelled key',
    text: connection('type: redis', 'hots: h', 'host: h', 'port: 1'),
    lines: ['5:7: unknown key `hots` in `targets.target.connection`; did you mean `host`?'],
  },
  {
    name: 'a dash for an underscore',
    text: pipelineText('processors:\n  read-batch-size: 5\n'),
    lines: ['5:3: unknown key `read-batch-size` in `processors`; did you mean `read_batch_size`?'],
  },
  {
    name: 'a key nobody could guess',
    text: pipelineText('metadata:\n  owner: me\n'),
    lines: ['5:3: unknown key `owner` in `metadata`; known are `name`, `description`, `revision`, `tags`'],
  },
  {
    name: 'the sections of 2023',
    text: 'connections: {}\napplier: {}\n',
    lines: [
      '1:1: unknown key `connections`: this section of the 2023 format is now `targets`',
      '2:1: unknown key `applier`: this section of the 2023 format is now `processors`',
    ],
  },
  {
    name: 'a key of a table',
    text: source('connection: { type: mysql }', 'tables:', '  shop.orders: { column: [a] }'),
    lines: ['8:22: unknown key `column` in `sources.shop.tables.shop.orders`; did you mean `columns`?'],
  },
  {
    name: 'a key of another database',
    text: source('connection: { type: mongodb, connection_string: m, host: h }'),
    lines: [
      '6:56: unknown key `host` in `sources.shop.connection`; known are `type`, `connection_string`, `user`, `password`, `database`',
    ],
  },
];

const valueCases: Case[] = [
  {
    name: 'a number out of range',
    text: connection('type: redis', 'host: h', 'port: 65536'),
    lines: ['6:13: `targets.target.connection.port` must be a whole number from 1 to 65535, not 65536'],
  },
  {
    name: 'a fraction',
    text: pipelineText('processors:\n  read_batch_size: 1.5\n'),
    lines: ['5:20: `processors.read_batch_size` must be a whole number of at least 1, not 1.5'],
  },
  {
    name: 'a number in quotes',
    text: connection('type: redis', 'host: h', 'port: "6379"'),
    lines: ['6:13: `targets.target.connection.port` must be a whole number from 1 to 65535, not "6379"'],
  },
  {
    name: 'a number where text belongs',
    text: connection('type: redis', 'host: 5', 'port: 6379'),
    lines: ['5:13: `targets.target.connection.host` must be text, not 5; put it in quotes'],
  },
  {
    name: 'a secret that is no text',
    text: connection(...plain, 'password: 123456'),
    lines: ['7:17: `targets.target.connection.password` must be text, not a number; put it in quotes'],
  },
  {
    name: 'a misspelled word',
    text: pipelineText('processors:\n  target_data_type: jsno\n'),
    lines: ['5:21: `processors.target_data_type` must be one of `hash`, `json`, not "jsno"; did you mean `json`?'],
  },
  {
    name: 'a key without value',
    text: connection('type: redis', 'host:', 'port: 6379'),
    lines: ['5:7: `targets.target.connection.host` has no value; it must be text'],
  },
  { name: 'a section without value', text: 'targets:\n', lines: ['1:1: `targets` has no value; it must be a map'] },
  {
    name: 'a map where text belongs',
    text: pipelineText('metadata:\n  name: { a: 1 }\n'),
    lines: ['5:3: `metadata.name` must be text of at most 100 characters, not a map'],
  },
  {
    name: 'text that is too long',
    text: pipelineText(`metadata:\n  name: ${'n'.repeat(101)}\n`),
    lines: [`5:9: \`metadata.name\` must be text of at most 100 characters, not "${'n'.repeat(56)}…`],
  },
  {
    name: 'repeated and malformed tags',
    text: pipelineText('metadata:\n  tags: [a, a, -b]\n'),
    lines: [
      '5:3: `metadata.tags` must be a list without repetitions',
      '5:16: `metadata.tags[2]` must be at most 50 letters, digits, `.`, `-`, `_`, with a letter or digit at both ends, not "-b"',
    ],
  },
  {
    name: 'an unknown database',
    text: source('connection: { type: postgres }'),
    lines: [
      '6:25: `sources.shop.connection.type` must be one of `mariadb`, `mysql`, `oracle`, `postgresql`, `sqlserver`, `mongodb`, `spanner`, `snowflake`, not "postgres"',
    ],
  },
  {
    name: 'a missing key',
    text: source('connection: { type: mongodb }'),
    lines: ['6:5: `sources.shop.connection.connection_string` is missing; it must be text'],
  },
  {
    name: 'no tables',
    text: source('connection: { type: mysql }', 'tables: {}'),
    lines: ['7:5: `sources.shop.tables` must be a map with at least one entry'],
  },
  {
    name: 'a list as connector property',
    text: source('connection: { type: mysql }', 'advanced: { source: { a.b: [1] } }'),
    lines: ['7:27: `sources.shop.advanced.source.a.b` must be text, a number, `true` or `false`, not a list'],
  },
  {
    name: 'a value of an advanced group',
    text: pipelineText('processors:\n  advanced:\n    target: { retry.backoff.multiplier: 0.5 }\n'),
    lines: ['6:41: `processors.advanced.target.retry.backoff.multiplier` must be a number of at least 1, not 0.5'],
  },
];

const ruleCases: Case[] = [
  {
    name: 'a target without connection',
    text: 'targets:\n  target: {}\n',
    lines: ['2:3: `targets.target.connection` is missing; it must be a map'],
  },
  {
    name: 'an empty connection',
    text: 'targets:\n  target:\n    connection: {}\n',
    lines: [
      '3:5: `type` is missing; it must be `redis`',
      '3:5: `host` is missing; a target needs `host` and `port`, or a `url`',
      '3:5: `port` is missing; a target needs `host` and `port`, or a `url`',
    ],
  },
  {
    name: 'a key without certificate',
    text: connection(...plain, 'key: client.key'),
    lines: ['7:7: `key` needs `cert`', '7:7: `client.key` cannot be read: there is no such file'],
  },
  {
    name: 'a certificate in the file',
    text: connection(...plain, 'cacert: "-----BEGIN CERTIFICATE-----"'),
    lines: ['7:7: the path of a PEM file is needed here, not its content'],
  },
  {
    name: 'two ways to the target',
    text: connection(...plain, 'url: redis://h'),
    lines: ['5:7: `host` cannot stand beside `url`', '6:7: `port` cannot stand beside `url`'],
  },
  {
    name: 'a url of something else',
    text: connection('url: http://h'),
    lines: [
      '4:12: `targets.target.connection.url` must be a url such as `redis://127.0.0.1:6379`, `rediss://…` or `unix:///path/to/socket`, not this text',
    ],
  },
  {
    name: 'a switched-off TLS with certificates',
    text: connection(...plain, 'tls: false', 'cacert: nowhere.crt'),
    lines: [
      '7:7: `tls: false` contradicts `cacert`, which switches TLS on',
      '8:7: `nowhere.crt` cannot be read: there is no such file',
    ],
  },
  {
    name: 'a Sentinel without nodes',
    text: connection('type: redis', 'sentinel: { name: m, nodes: [] }'),
    lines: ['5:28: `targets.target.connection.sentinel.nodes` must be a list with at least one entry'],
  },
  {
    name: 'a node without port',
    text: connection('cluster: { nodes: [a] }'),
    lines: [
      '4:26: `targets.target.connection.cluster.nodes[0]` must be `host:port`, for example `10.0.0.5:6379`, not "a"',
    ],
  },
  {
    name: 'a collector that does not fit',
    text: source('type: flink', 'connection: { type: mysql }'),
    lines: ['7:25: a source of type `flink` does not capture `mysql`'],
  },
  {
    name: 'an external source with more',
    text: source('type: external', 'connection: { type: mysql }', 'tables: { a: }'),
    lines: [
      '7:5: `sources.shop.connection` cannot stand in a source of type `external`, which somebody else feeds',
      '8:5: `sources.shop.tables` cannot stand in a source of type `external`, which somebody else feeds',
    ],
  },
  {
    name: 'a source without connection',
    text: source('type: cdc'),
    lines: ['5:3: `sources.shop.connection` is missing'],
  },
  {
    name: 'a key column that is not captured',
    text: source('connection: { type: mysql }', 'tables: { a.b: { columns: [x], keys: [x, y] } }'),
    lines: ['7:46: the key column `y` must be in `columns`, too'],
  },
  {
    name: 'lists of another database',
    text: source('connection: { type: mysql }', 'schemas: [a]'),
    lines: ['7:5: `sources.shop.schemas` does not exist for `mysql`; use `databases`'],
  },
  {
    name: 'columns for MongoDB',
    text: source('connection: { type: mongodb, connection_string: m }', 'tables: { a.b: { columns: [x] } }'),
    lines: ['7:22: `columns` does not exist for `mongodb`; use `exclude_columns`'],
  },
];

const variableCases: Case[] = [
  {
    name: 'a variable that is not set',
    text: connection('type: redis', `host: "${variable('HOST')}"`, 'port: 1'),
    lines: ['5:13: the variable `HOST` is not set'],
  },
  {
    name: 'a port variable that is no number',
    text: connection('type: redis', 'host: h', `port: "${variable('PORT')}"`),
    env: { PORT: 'geheim' },
    lines: [
      `6:13: \`targets.target.connection.port\` must be a whole number from 1 to 65535, and the value of \`${variable('PORT')}\` is not`,
    ],
  },
  {
    name: 'a port variable out of range',
    text: connection('type: redis', 'host: h', `port: "${variable('PORT')}"`),
    env: { PORT: '70000' },
    lines: [
      `6:13: \`targets.target.connection.port\` must be a whole number from 1 to 65535, and the value of \`${variable('PORT')}\` is not`,
    ],
  },
  {
    name: 'a placeholder that is not closed',
    text: connection('type: redis', 'host: "a${b"', 'port: 1'),
    lines: ['5:13: a placeholder has no closing `}`; write `$${` for a literal `${`'],
  },
  {
    name: 'a placeholder that is no name',
    text: connection('type: redis', 'host: "${a b}"', 'port: 1'),
    lines: ['5:13: `${a b}` is not the name of a variable; write `$${` for a literal `${`'],
  },
  {
    name: 'an old variable',
    text: connection('type: redis', 'host: "${env:X}"', 'port: 1'),
    lines: ['5:13: the variable `REDIS_DI_X` (or `X`) is not set'],
  },
  {
    name: 'an old file',
    text: connection('type: redis', 'host: "${file:/nowhere/x}"', 'port: 1'),
    lines: ['5:13: the file `/nowhere/x` cannot be read'],
  },
  {
    name: 'an old secret',
    text: connection(...plain, 'password: "${secrets:target-password}"'),
    lines: ['7:17: the secret `TARGET_DB_PASSWORD` is not set'],
  },
];

const manyCases: Case[] = [
  {
    name: 'mistakes everywhere, in reading order',
    text: 'targets:\n  target:\n    connection:\n      typo: redis\n      port: 0\nprocessors:\n  wait_timeout: 0\nextra: 1\n',
    jobs: { 'jobs/a.yaml': 'a: [\n', 'jobs/b.yaml': '- 1\n', 'jobs/c.yaml': '' },
    lines: [
      '3:5: `type` is missing; it must be `redis`',
      '3:5: `host` is missing; a target needs `host` and `port`, or a `url`',
      '4:7: unknown key `typo` in `targets.target.connection`; did you mean `type`?',
      '5:13: `targets.target.connection.port` must be a whole number from 1 to 65535, not 0',
      '7:17: `processors.wait_timeout` must be a whole number of at least 1, not 0',
      '8:1: unknown key `extra`; known are `sources`, `targets`, `processors`, `secret-providers`, `metadata`',
      'jobs/a.yaml:2:1: not valid YAML: the indentation does not fit the lines before',
      'jobs/b.yaml:1:1: a job must be a map with `source`, `transform` and `output`',
      'jobs/c.yaml:1:1: a job must be a map with `source`, `transform` and `output`',
    ],
  },
];

function check({ text, jobs = {}, env = {}, lines }: Case): void {
  const folder = folderWith({ 'config.yaml': text, ...jobs });
  const shown = problemLines(folder, () => loadPipeline(folder, { env }));
  expect(shown).toEqual(lines.map((line) => (line.startsWith('jobs/') ? line : `config.yaml:${line}`)));
}

describe('a broken config.yaml is told with line and column', () => {
  describe('YAML', () => void it.each(yamlCases)('$name', check));
  describe('keys', () => void it.each(keyCases)('$name', check));
  describe('values', () => void it.each(valueCases)('$name', check));
  describe('rules between values', () => void it.each(ruleCases)('$name', check));
  describe('variables', () => void it.each(variableCases)('$name', check));
  describe('all at once', () => void it.each(manyCases)('$name', check));
});
