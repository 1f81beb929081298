// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are those of the configuration.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeTarget, loadPipeline, pipelineForTarget, requireTarget } from '../../../src/config/index.ts';
import type { LoadedPipeline, TargetConnection } from '../../../src/config/types.ts';
import { formatProblem } from '../../../src/errors.ts';
import { makeCertificate } from './certificates.ts';
import { configError, folderWith, pipelineText } from './files.ts';

function load(text: string, env: Record<string, string> = {}, others: Record<string, string> = {}): LoadedPipeline {
  return loadPipeline(folderWith({ 'config.yaml': text, ...others }), { env });
}

function connectionOf(lines: string, env: Record<string, string> = {}): TargetConnection | undefined {
  return load(`targets:\n  target:\n    connection: { ${lines} }\n`, env).targets['target'];
}

const settingsOf = (processors: string) => load(pipelineText(`processors:\n${processors}`)).settings;
const noticesOf = (pipeline: LoadedPipeline) =>
  pipeline.notices.map((notice) =>
    formatProblem({ ...notice, file: notice.file.replace(/^.*\/(?=config.yaml|jobs)/, '') }),
  );

describe('a pipeline folder', () => {
  it('without config.yaml is refused with the folder and the smallest valid file', () => {
    const folder = folderWith({});
    const error = configError(() => loadPipeline(folder, { env: {} }));
    expect(error.code).toBe('CONFIG_NOT_FOUND');
    expect(error.message).toContain(`the folder ${folder} has no config.yaml`);
    const smallest = error.message.slice(error.message.indexOf('targets:'));
    expect(load(smallest).targets).toEqual({ target: { host: '127.0.0.1', port: 6379 } });
  });

  it('that is not there is refused with its name', () => {
    const error = configError(() => loadPipeline('/nowhere/at/all', { env: {} }));
    expect(error.message).toContain('there is no folder /nowhere/at/all');
  });

  it('with an empty file is a cleared pipeline, which cannot run', () => {
    const pipeline = load('');
    expect(pipeline.targets).toEqual({});
    expect(noticesOf(pipeline)).toEqual([
      'config.yaml:1:1: there is no target named `target`: the pipeline is valid, but nothing can run without one',
    ]);
    expect(configError(() => requireTarget(pipeline)).message).toMatch(/no target named `target`.*config\.yaml/);
  });

  it('reads every job file, and nothing else that lies beside them', () => {
    const pipeline = load(
      pipelineText(''),
      {},
      {
        'jobs/a.yaml': 'source:\n  table: t\n',
        'jobs/b.yml': 'x: 1\n',
        'jobs/.hidden.yaml': '{',
        'jobs/README.md': '{',
        'jobs/c.yaml.example': '{',
        'jobs/tests/t.yaml': '{',
      },
    );
    expect(pipeline.jobs.map((job) => job.content)).toEqual([{ source: { table: 't' } }, { x: 1 }]);
    expect(pipeline.jobs[0]?.locate(['source', 'table'])).toEqual({ line: 2, col: 10 });
    expect(noticesOf(pipeline)).toEqual([]);
  });

  it('names the tables that its sources list, without their schemas', () => {
    const source = (tables: string) =>
      `{connection: {type: postgresql, host: h, port: 1, database: d, user: u, password: p}, tables: ${tables}}`;
    const text = pipelineText(
      `sources:\n  a: ${source('{public.t: {}, u: {}}')}\n  b: ${source('{d.s.t: {}, s.v: {}}')}\n`,
    );
    expect(load(text).tables).toEqual(['t', 'u', 'v']);
    expect(load(text).sources).toEqual(['a', 'b']);
  });

  it('is frozen all the way down', () => {
    const pipeline = load(pipelineText('metadata: { tags: [a] }\n'));
    const write = (change: () => void) => expect(change).toThrow(TypeError);
    write(() => Object.assign(pipeline, { dir: 'x' }));
    write(() => Object.assign(pipeline.settings.retry, { multiplier: 9 }));
    write(() => Object.assign(pipeline.targets, { target: {} }));
    write(() => (pipeline.notices as unknown[]).push(1));
  });
});

describe('processor values', () => {
  it.each([
    ['{schema}.{table}:{key}', true],
    ['app:{server_name}:{db}:{key}', true],
    ['{key}', true],
    ['{table}', false],
    ['{tabel}:{key}', false],
    ['{table:{key}', false],
    ['{key}}', false],
    ['""', false],
  ])('make default keys of the template %s: %s', (template, isValid) => {
    const text = pipelineText(
      `processors:\n  key_template: ${template === '""' ? template : JSON.stringify(template)}\n`,
    );
    if (isValid) expect(load(text).settings.keyTemplate).toBe(template);
    else
      expect(configError(() => load(text)).message).toContain(
        'config.yaml:5:17: `processors.key_template` must be text with `{key}`',
      );
  });

  it('switch on what goes beyond RDI, which is off otherwise', () => {
    const { settings, sources, tables } = load(
      pipelineText(
        'sources: {a: {type: external}, b: {type: external}}\nprocessors: {filter_removes: true, strict_keys: true}\n',
      ),
    );
    expect(settings).toMatchObject({ filterRemoves: true, strictKeys: true });
    expect(sources).toEqual(['a', 'b']);
    expect(tables).toEqual([]);
  });

  it('have the defaults of RDI', () => {
    expect(load(pipelineText('')).settings).toEqual({
      onReject: 'continue',
      readBatchSize: 2000,
      writeBatchSize: 200,
      retry: { maxAttempts: 5, initialDelayMs: 1000, maxDelayMs: 10_000, multiplier: 2 },
      wait: { enabled: false, timeoutMs: 1000, retry: true, retryDelayMs: 1000 },
      targetConnectTimeoutMs: 2000,
      targetSocketTimeoutMs: 10_000,
      targetDataType: 'hash',
      jsonUpdateStrategy: 'replace',
      nativeJsonMerge: true,
      keyTemplate: '{table}:{key}',
      filterRemoves: false,
      strictKeys: false,
      errorHandling: 'dlq',
      dlqMaxMessages: 1000,
      streamPattern: undefined,
      logLevel: undefined,
    });
    expect(load(pipelineText('processors:\n')).settings).toEqual(load(pipelineText('')).settings);
  });

  it('of an advanced group win over the property of the same meaning, with a notice', () => {
    const pipeline = load(
      pipelineText(`processors:
  read_batch_size: 10
  write_batch_size: 9
  retry_initial_delay_ms: 11
  retry_max_delay_ms: 12
  retry_max_attempts: 13
  wait_enabled: false
  wait_timeout: 14
  retry_on_replica_failure: true
  dlq_max_messages: 15
  target_data_type: hash
  json_update_strategy: replace
  error_handling: abort
  read_batch_timeout_ms: 16
  advanced:
    source: { batch.size: 100, batch.timeout.ms: 116, stream.name.pattern: "s*" }
    target:
      batch.size: 90
      retry.initial.delay.ms: 111
      retry.max.delay.ms: 112
      retry.max.attempts: 113
      retry.backoff.multiplier: 3
      connection.timeout.ms: 120
      socket.timeout.ms: 121
      wait.enabled: true
      wait.write.timeout.ms: 114
      wait.retry.enabled: false
      wait.retry.delay.ms: 122
    dlq: { max.len: 115 }
    processor: { default.data.type: json, default.json.update.strategy: merge, dlq.enabled: false }
`),
    );
    expect(pipeline.settings).toMatchObject({
      readBatchSize: 100,
      writeBatchSize: 90,
      retry: { maxAttempts: 113, initialDelayMs: 111, maxDelayMs: 112, multiplier: 3 },
      wait: { enabled: true, timeoutMs: 114, retry: false, retryDelayMs: 122 },
      targetConnectTimeoutMs: 120,
      targetSocketTimeoutMs: 121,
      targetDataType: 'json',
      jsonUpdateStrategy: 'merge',
      errorHandling: 'ignore',
      dlqMaxMessages: 115,
      streamPattern: 's*',
    });
    const overridden = noticesOf(pipeline).filter((line) => line.includes('is overridden by'));
    expect(overridden).toHaveLength(13);
    expect(overridden).toContain(
      'config.yaml:5:3: `processors.read_batch_size` is overridden by `processors.advanced.source.batch.size`',
    );
  });

  it('of the top level win over the default', () => {
    const settings = settingsOf('  read_batch_size: 10\n  target_data_type: json\n  error_handling: abort\n');
    expect(settings).toMatchObject({ readBatchSize: 10, targetDataType: 'json', errorHandling: 'abort' });
  });

  it('cut the write batch to the read batch, with a notice', () => {
    const pipeline = load(pipelineText('processors:\n  read_batch_size: 100\n  write_batch_size: 300\n'));
    expect(pipeline.settings.writeBatchSize).toBe(100);
    expect(noticesOf(pipeline)).toEqual([
      'config.yaml:6:3: `processors.write_batch_size` 300 is cut to the read batch size, 100',
    ]);
  });

  it.each(['keep', 'reject'])('take the old word `%s` as `dlq`, with a notice', (word) => {
    const pipeline = load(pipelineText(`processors:\n  error_handling: ${word}\n`));
    expect(pipeline.settings.errorHandling).toBe('dlq');
    expect(noticesOf(pipeline)).toEqual([`config.yaml:5:3: \`${word}\` is an old word; it means \`dlq\``]);
  });

  it('that do nothing here say why', () => {
    const lines = noticesOf(load(pipelineText('processors:\n  dedup: on\n  duration: 5\n  retry_max_attempts: 3\n')));
    expect(lines).toEqual([
      'config.yaml:5:3: `processors.dedup` is accepted and has no effect here: batches that a feeder sends again are always recognised and counted',
      'config.yaml:6:3: `processors.duration` is out of date and has no effect: use `read_batch_timeout_ms`; RDI ignores it too',
      'config.yaml:7:3: `processors.retry_max_attempts` is accepted and has no effect here: what is transient is repeated in order until it succeeds, so that nothing is lost',
    ]);
  });
});

describe('a connection', () => {
  it.each<[string, TargetConnection]>([
    ['type: redis, host: h, port: 6379, user: u, password: p', { host: 'h', port: 6379, user: 'u', password: 'p' }],
    ['type: redis, host: h, port: 6379, password: ""', { host: 'h', port: 6379 }],
    ['type: redis, host: h, port: 6379, db: 3, tls: true', { host: 'h', port: 6379, db: 3, tls: {} }],
    ['url: "redis://h"', { host: 'h', port: 6379 }],
    ['url: "rediss://u:p%40ss@[::1]:7000/2"', { host: '::1', port: 7000, user: 'u', password: 'p@ss', db: 2, tls: {} }],
    ['url: "redis://:p@h", password: q, db: 4', { host: 'h', port: 6379, password: 'q', db: 4 }],
    ['url: "unix:///run/r.sock?db=1"', { socketPath: '/run/r.sock', db: 1 }],
    ['url: "redis+unix:///run/r.sock"', { socketPath: '/run/r.sock' }],
    ['url: /run/r.sock', { socketPath: '/run/r.sock' }],
    ['tls: true, verify_hostname: false, url: "redis://h"', { host: 'h', port: 6379, tls: { verifyHostname: false } }],
    [
      'cluster: { nodes: ["a:1", "[::1]:2"] }',
      {
        cluster: {
          nodes: [
            { host: 'a', port: 1 },
            { host: '::1', port: 2 },
          ],
        },
      },
    ],
    [
      'sentinel: { name: m, nodes: ["a:26379"], password: s }, password: p, db: 1',
      { sentinel: { name: 'm', nodes: [{ host: 'a', port: 26379 }], password: 's' }, password: 'p', db: 1 },
    ],
  ])('%s', (lines, expected) => {
    expect(connectionOf(lines)).toEqual(expected);
  });

  it('takes its values from variables, also the port', () => {
    const env = { H: 'h', P: '7000', S: 'a$b${c}"\\:' };
    expect(connectionOf('type: redis, host: "${H}.local", port: "${P}", password: "${S}"', env)).toEqual({
      host: 'h.local',
      port: 7000,
      password: 'a$b${c}"\\:',
    });
  });

  it('takes `$${` as a literal `${`', () => {
    expect(connectionOf('type: redis, host: h, port: 1, password: "x$${Y}$"')?.password).toBe('x${Y}$');
  });

  it('still takes the forms of 2023, with a notice', () => {
    const folder = folderWith({ 'secret.txt': 'from-file\n', 'a.properties': '# x\nuser = me\n' });
    const text = `targets:
  target:
    connection:
      type: redis
      host: \${env:HOST}
      port: 1
      user: "\${file:${folder}/a.properties:user}"
      password: "\${file:${folder}/secret.txt}"
`;
    const pipeline = load(text, { REDIS_DI_HOST: 'h' });
    expect(pipeline.targets['target']).toEqual({ host: 'h', port: 1, user: 'me', password: 'from-file' });
    expect(noticesOf(pipeline)).toHaveLength(3);
    expect(pipeline.secrets).toContain('from-file');
  });

  it('reads its certificates, relative to the file', () => {
    const folder = folderWith({});
    const { cert, key } = makeCertificate(folder, 'client', 'geheim');
    const text = `targets:\n  target:\n    connection: { type: redis, host: h, port: 1, cacert: client.crt, cert: client.crt, key: client.key, key_password: geheim }\n`;
    const pipeline = loadPipeline(folderWithConfig(folder, text), { env: {} });
    const pem = readFileSync(cert, 'utf8');
    expect(pipeline.targets['target']?.tls).toEqual({
      ca: pem,
      cert: pem,
      key: readFileSync(key, 'utf8'),
      keyPassword: 'geheim',
    });
  });

  it.each([
    ['cacert: key', 'holds no certificate'],
    ['cert: self.crt, key: self.crt', 'holds no private key'],
    ['cert: self.crt, key: other.key', 'does not belong to the certificate'],
    ['cert: locked.crt, key: locked.key', 'is encrypted; `key_password` is needed'],
    ['cert: locked.crt, key: locked.key, key_password: wrong', 'is `key_password` right?'],
    ['cacert: .', 'it is a folder'],
  ])('with `%s` is refused: %s', (lines, message) => {
    const folder = folderWith({ key: '-----BEGIN CERTIFICATE----- nonsense' });
    makeCertificate(folder, 'self');
    makeCertificate(folder, 'other');
    makeCertificate(folder, 'locked', 'right');
    const text = `targets:\n  target:\n    connection: { type: redis, host: h, port: 1, ${lines} }\n`;
    const error = configError(() => loadPipeline(folderWithConfig(folder, text), { env: {} }));
    expect(error.message).toContain(message);
  });

  it('is described without user and password', () => {
    const describe = (lines: string) => describeTarget(connectionOf(lines) ?? {});
    expect(describe('url: "rediss://u:p@h:7/2"')).toBe('rediss://h:7/2');
    expect(describe('url: "redis://u:p@[::1]"')).toBe('redis://[::1]:6379');
    expect(describe('url: "unix:///a?db=1"')).toBe('unix:///a?db=1');
    expect(describe('cluster: { nodes: ["a:1", "b:2"] }, password: p')).toBe('redis+cluster://a:1,b:2');
    expect(describe('sentinel: { name: m, nodes: ["a:1"] }, password: p')).toBe('redis+sentinel://a:1/m');
  });
});

function folderWithConfig(certificates: string, text: string): string {
  const absolute = text.replaceAll(
    /(cacert|cert|key): ([\w.]+)/g,
    (_, name: string, file: string) => `${name}: ${join(certificates, file)}`,
  );
  return folderWith({ 'config.yaml': absolute });
}

describe('a pipeline that is only a target', () => {
  it('writes hashes to it', () => {
    const pipeline = pipelineForTarget('redis://u:${PW}@h:7/1', { env: { PW: 'p%40' } });
    expect(pipeline.targets).toEqual({ target: { host: 'h', port: 7, user: 'u', password: 'p@', db: 1 } });
    expect(pipeline.settings.targetDataType).toBe('hash');
    expect(pipeline.secrets).toEqual(['p%40', 'p@']);
    expect(JSON.stringify(pipeline.document)).not.toContain('p%40');
  });

  it.each([
    'http://h',
    'redis://',
    'redis://p#ss@h',
    'redis://h/x',
    'unix://',
    'redis://h:0',
    'redis://%ff@h',
    'h:6379',
    '',
  ])('is refused for `%s` without repeating it', (url) => {
    const error = configError(() => pipelineForTarget(url, { env: {} }));
    expect(error.problems).toMatchObject([{ file: '--target', line: 0 }]);
    expect(error.message).toMatch(/^the configuration has a problem\n--target: a url such as/);
  });
});
