// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are those of the configuration.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { INSTANCE_OPTIONS, loadInstance, pipelineForTarget } from '../../../src/config/index.ts';
import { makeCertificate } from './certificates.ts';
import { configError, folderWith, problemLines } from './files.ts';

const load = (text: string, flags: Record<string, unknown> = {}, env: Record<string, string> = {}) =>
  loadInstance({ dir: folderWith({ 'rdi.yaml': text }), flags, env });

describe('an instance', () => {
  it('needs no file', () => {
    expect(loadInstance({ env: {} })).toEqual({
      listen: { host: '127.0.0.1', port: 12001 },
      http: { host: '127.0.0.1', port: 8080 },
      dataDir: resolve('data'),
      target: undefined,
      endpoint: {
        users: [],
        tls: undefined,
        limits: {
          maxFrameBytes: 512 * 2 ** 20,
          maxArguments: 2 ** 20,
          maxConnections: 1000,
          unauthenticatedTimeoutMs: 10_000,
        },
        testMode: false,
        nullKey: 'default',
        nullValue: 'default',
      },
      diskLimitBytes: 20 * 2 ** 30,
      retention: { ms: 0, bytes: 10 * 2 ** 30 },
      memory: { maxBufferedBytes: 16 * 2 ** 20, maxBatchBytes: 2 ** 20, maxBatchesInFlight: 4 },
      logLevel: 'info',
      logFormat: 'auto',
      shutdownDeadlineMs: 30_000,
      secretSources: {},
      notices: [],
      secrets: [],
    });
    expect(load('')).toEqual(loadInstance({ env: {} }));
  });

  it('takes every value from the file, with relative paths from its folder and variables filled in', () => {
    const folder = folderWith({
      'rdi.yaml': `listen: "*:7000"
http: off
data_dir: store
target: redis://h
disk_limit: 1.5gb
retention: 7d
retention_size: 1gb
log_level: debug
log_format: json
shutdown_deadline: 2m
endpoint:
  users: [{ name: a, password: "\${PW}" }, { name: b, password: geheim-b }]
  limits: { max_frame_bytes: 1048576, max_arguments: 100, max_connections: 5, unauthenticated_timeout: 500ms }
  null_key: "null"
  null_value: "-"
  test_mode: true
memory: { max_buffered: 1mb, max_batch: 100kb, max_batches_in_flight: 2 }
`,
    });
    const instance = loadInstance({ dir: folder, env: { PW: 'geheim-a' } });
    expect(instance).toMatchObject({
      listen: { host: '0.0.0.0', port: 7000 },
      http: null,
      dataDir: join(folder, 'store'),
      target: 'redis://h',
      diskLimitBytes: 1.5 * 2 ** 30,
      retention: { ms: 604_800_000, bytes: 2 ** 30 },
      logLevel: 'debug',
      logFormat: 'json',
      shutdownDeadlineMs: 120_000,
      endpoint: {
        users: [
          { name: 'a', password: 'geheim-a' },
          { name: 'b', password: 'geheim-b' },
        ],
        limits: { maxFrameBytes: 1048576, maxArguments: 100, maxConnections: 5, unauthenticatedTimeoutMs: 500 },
        nullKey: 'null',
        nullValue: '-',
        testMode: true,
      },
      memory: { maxBufferedBytes: 2 ** 20, maxBatchBytes: 102_400, maxBatchesInFlight: 2 },
      secrets: ['geheim-a', 'geheim-b'],
    });
    expect(Object.isFrozen(instance.endpoint.users[0])).toBe(true);
  });

  it('takes a flag over a variable over the file over the default, value by value', () => {
    const text = 'log_level: debug\nlog_format: json\nshutdown_deadline: 1s\n';
    const env = { RDI_LOG_LEVEL: 'warn', RDI_LOG_FORMAT: 'pretty', RDI_DISK_LIMIT: '', RDI_DATA_DIR: 'd' };
    const instance = load(text, { logLevel: 'error', listen: undefined }, env);
    expect(instance).toMatchObject({
      logLevel: 'error',
      logFormat: 'pretty',
      shutdownDeadlineMs: 1000,
      diskLimitBytes: 20 * 2 ** 30,
      retention: { ms: 0, bytes: 10 * 2 ** 30 },
      dataDir: resolve('d'),
    });
  });

  it('takes every option both as flag and as variable', () => {
    const folder = folderWith({});
    const { cert, key } = makeCertificate(folder);
    const samples: Record<string, string> = {
      listen: '127.0.0.1:1',
      http: '127.0.0.1:2',
      httpUser: 'hu',
      httpPassword: 'hp',
      httpToken: 'ht',
      httpJwtSecretKey: 'j'.repeat(32),
      httpAllowUnauthenticated: 'true',
      httpOpenMetrics: 'true',
      httpTlsCert: cert,
      httpTlsKey: key,
      httpTlsKeyPassword: 'hx',
      dataDir: '/d',
      target: 'redis://h',
      user: 'u',
      password: 'p',
      tlsCert: cert,
      tlsKey: key,
      tlsKeyPassword: 'x',
      tlsClientCa: cert,
      tlsClientCertificates: 'required',
      maxFrameBytes: '1mb',
      maxArguments: '99',
      maxConnections: '9',
      unauthenticatedTimeout: '1s',
      acceptUnauthenticatedConnectionsFromTheNetwork: 'true',
      nullKey: 'k',
      nullValue: 'v',
      testMode: 'true',
      diskLimit: '1gb',
      maxBuffered: '2mb',
      maxBatch: '3mb',
      maxBatchesInFlight: '8',
      logLevel: 'trace',
      logFormat: 'json',
      retention: '12h',
      retentionSize: '1gb',
      shutdownDeadline: '5s',
      secretsDir: '/s',
      secretsKey: 'k1',
      secretsKeyFile: '/f',
      vaultAddress: 'https://v:8200',
      vaultNamespace: 'n',
      vaultCacert: cert,
      vaultPaths: 'a/b, C=d/e#f',
      vaultToken: 't1',
      vaultTokenFile: '/t',
      vaultRoleId: 'r1',
      vaultSecretId: 's1',
      vaultSecretIdFile: '/i',
      vaultKubernetesRole: 'kr',
      vaultKubernetesTokenFile: '/j',
      vaultLoginMount: 'm',
      vaultRefresh: '7s',
    };
    expect(INSTANCE_OPTIONS.map((option) => option.property).toSorted()).toEqual(Object.keys(samples).toSorted());
    const byFlag = loadInstance({ flags: { ...samples, testMode: true }, env: {} });
    const env = Object.fromEntries(INSTANCE_OPTIONS.map(({ variable, property }) => [variable, samples[property]]));
    expect(loadInstance({ env })).toEqual(byFlag);
    expect(byFlag).toMatchObject({
      endpoint: {
        users: [{ name: 'u', password: 'p' }],
        tls: { cert: readFileSync(cert, 'utf8'), clientCertificates: 'required', keyPassword: 'x' },
        limits: { maxFrameBytes: 2 ** 20, maxArguments: 99, maxConnections: 9, unauthenticatedTimeoutMs: 1000 },
        nullKey: 'k',
        nullValue: 'v',
        testMode: true,
      },
      memory: { maxBufferedBytes: 2 * 2 ** 20, maxBatchBytes: 3 * 2 ** 20, maxBatchesInFlight: 8 },
      target: 'redis://h',
      secretSources: {
        dir: '/s',
        key: 'k1',
        vault: {
          address: 'https://v:8200',
          namespace: 'n',
          ca: readFileSync(cert, 'utf8'),
          login: { kind: 'approle', roleId: 'r1', secretId: 's1', secretIdFile: '/i', mount: 'm' },
          paths: [{ path: 'a/b' }, { path: 'd/e', only: { field: 'f', name: 'C' } }],
          refreshMs: 7000,
        },
      },
    });
  });

  it('lets a password from the command line replace the users of the file', () => {
    const text = 'endpoint: { users: [{ name: a, password: aaaa }] }\n';
    expect(load(text, { password: 'p' }).endpoint.users).toEqual([{ name: 'default', password: 'p' }]);
    expect(load(text).endpoint.users).toEqual([{ name: 'a', password: 'aaaa' }]);
  });

  it('hands a target on so that its password is taken as it is', () => {
    const text = 'target: "redis://:${PW}@h"\n';
    const { target = '' } = load(text, {}, { PW: 'a${b}' });
    expect(pipelineForTarget(target, { env: {} }).targets['target']?.password).toBe('a${b}');
    const flags = { target: 'redis://:${PW}@h' };
    expect(pipelineForTarget(load('', flags).target ?? '', { env: { PW: 'c' } }).targets['target']?.password).toBe('c');
  });

  it('reads the file given with --instance instead of the one in the folder', () => {
    const folder = folderWith({ 'rdi.yaml': 'log_level: warn\n', 'other.yaml': 'log_level: error\n' });
    expect(loadInstance({ dir: folder, file: join(folder, 'other.yaml'), env: {} }).logLevel).toBe('error');
    const error = configError(() => loadInstance({ file: join(folder, 'none.yaml'), env: {} }));
    expect(error.code).toBe('CONFIG_NOT_FOUND');
    expect(error.message).toContain('none.yaml');
  });
});

describe('listening on the network', () => {
  it.each(['0.0.0.0:1', '[::]:1', '*:1', '10.0.0.1:1', 'example.net:1'])(
    'on %s without a user is refused',
    (listen) => {
      const error = configError(() => load(`listen: "${listen}"\n`));
      expect(error.message).toContain('there is no user, so anybody could write to the target');
    },
  );

  it.each(['127.0.0.1:0', 'localhost:1', '[::1]:1', '127.9.9.9:1'])(
    'means more than %s, which needs no user',
    (listen) => {
      expect(() => load(`listen: "${listen}"\n`)).not.toThrow();
    },
  );

  it.each([
    'endpoint: { password: pppp }',
    'endpoint: { users: [{ name: a, password: aaaa }] }',
    'endpoint: { accept_unauthenticated_connections_from_the_network: true }',
  ])('is allowed with %s', (line) => {
    expect(load(`listen: 0.0.0.0:1\n${line}\n`).listen.host).toBe('0.0.0.0');
  });

  it('is allowed with required client certificates', () => {
    const folder = folderWith({});
    const { cert, key } = makeCertificate(folder);
    const tls = `endpoint: { tls: { cert: ${cert}, key: ${key}, client_ca: ${cert}, client_certificates: required } }`;
    expect(() => load(`listen: 0.0.0.0:1\n${tls}\n`)).not.toThrow();
  });

  it('over HTTP needs a login, or the word that everybody may do everything, which gives a notice', () => {
    const refused = configError(() => load('http: 0.0.0.0:8080\n')).problems;
    expect(refused).toMatchObject([
      { line: 1, message: expect.stringMatching(/^`0.0.0.0` can be reached.*no login.*http.password/) },
    ]);
    expect(() => load('http: {listen: 0.0.0.0:8080, password: p}\n')).not.toThrow();
    expect(() => load('http: {listen: 0.0.0.0:8080, token: t}\n')).not.toThrow();
    const instance = load('http: {listen: 0.0.0.0:8080, allow_unauthenticated: true}\n');
    expect(instance.notices.map(({ message }) => message)).toEqual([
      'everybody who reaches `0.0.0.0` can change the configuration, read rejected records and delete data: there is no login',
    ]);
  });
});

describe('HTTP', () => {
  it('is an address as text, or a map', () => {
    const address = { host: '127.0.0.1', port: 1 };
    expect(load('http: 127.0.0.1:1\n').http).toEqual(address);
    expect(load('http: {listen: 127.0.0.1:1}\n').http).toEqual(address);
    expect(load('http: off\n').http).toBeNull();
    expect(load('http: {listen: off}\n').http).toBeNull();
  });

  it('takes its address from flag or variable, and the rest from the file, whichever form that has', () => {
    const file = 'http: {listen: 127.0.0.1:1, user: ops, password: geheim-h}\n';
    const login = { user: 'ops', password: 'geheim-h' };
    expect(load(file, { http: '127.0.0.1:2' }).http).toEqual({ host: '127.0.0.1', port: 2, login });
    expect(load('http: 127.0.0.1:1\n', { httpPassword: 'x' }).http).toMatchObject({
      port: 1,
      login: { user: 'default', password: 'x' },
    });
    expect(load(file).secrets).toEqual(['geheim-h']);
  });

  it('has problems with a user without a password, a short key, a certificate without key', () => {
    const text = 'http: {user: u, jwt_secret_key: short, tls: {cert: c.pem}}\n';
    expect(configError(() => load(text)).problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('a user without a password'),
      expect.stringContaining('at least 32 characters'),
      expect.stringContaining('`key` is missing'),
    ]);
  });

  it('keeps the places of its certificate, to read it again', () => {
    const folder = folderWith({});
    const { cert, key } = makeCertificate(folder);
    const { http } = loadInstance({ flags: { httpTlsCert: cert, httpTlsKey: key }, env: {} });
    expect(http?.tls).toMatchObject({
      certFile: cert,
      keyFile: key,
      cert: expect.stringContaining('BEGIN CERTIFICATE'),
    });
  });
});

describe('a broken instance is told with its place', () => {
  it.each<[string, string, string[]]>([
    ['an unknown key', 'listn: a:1\n', ['rdi.yaml:1:1: unknown key `listn`; did you mean `listen`?']],
    [
      'an address without port',
      'listen: localhost\n',
      ['rdi.yaml:1:9: `listen` must be `host:port` such as `127.0.0.1:12001`, not "localhost"'],
    ],
    [
      'a size',
      'disk_limit: 20 gigs\n',
      ['rdi.yaml:1:13: `disk_limit` must be a size such as `512mb` or `20gb`, not "20 gigs"'],
    ],
    [
      'a duration',
      'shutdown_deadline: 30\n',
      [
        'rdi.yaml:1:20: `shutdown_deadline` must be a duration such as `500ms`, `30s` or `2m`, not 30; put it in quotes',
      ],
    ],
    [
      'a user without password',
      'endpoint:\n  user: a\n',
      ['rdi.yaml:2:3: a user without a password; set `password`, too'],
    ],
    [
      'both ways to name users',
      'endpoint:\n  password: aaaa\n  users: []\n',
      ['rdi.yaml:2:3: `password` cannot stand beside `users`'],
    ],
    [
      'a user that is there twice',
      'endpoint:\n  users:\n    - { name: a, password: x }\n    - { name: a, password: y }\n',
      ['rdi.yaml:4:9: the user `a` is there twice'],
    ],
    [
      'half of a TLS',
      'endpoint:\n  tls: { cert: x }\n',
      ['rdi.yaml:2:3: TLS needs `cert` and `key`; `key` is missing'],
    ],
    [
      'a password that is no text',
      'endpoint:\n  password: 123456\n',
      ['rdi.yaml:2:13: `endpoint.password` must be text, not a number; put it in quotes'],
    ],
  ])('%s', (_, text, lines) => {
    const folder = folderWith({ 'rdi.yaml': text });
    expect(problemLines(folder, () => loadInstance({ dir: folder, env: {} }))).toEqual(lines);
  });

  it('at the flag or variable that holds the value', () => {
    const env = { RDI_LOG_LEVEL: 'loud', RDI_MAX_CONNECTIONS: '0', RDI_TEST_MODE: 'maybe' };
    expect(problemLines('', () => load('log_level: info\n', { listen: 'x' }, env))).toEqual([
      '--listen: `listen` must be `host:port` such as `127.0.0.1:12001`, not "x"',
      'RDI_LOG_LEVEL: `log_level` must be one of `trace`, `debug`, `info`, `warn`, `error`, not "loud"',
      'RDI_MAX_CONNECTIONS: `endpoint.limits.max_connections` must be a whole number from 1 to 100000, not 0',
      'RDI_TEST_MODE: `endpoint.test_mode` must be `true` or `false`, not "maybe"',
    ]);
  });
});
