/** Secrets of a running rdi, from source or (with RDI_BINARY) the built executable, against a real Redis. */
import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { change } from '../../helpers/deploy-world.ts';
import { until } from '../../helpers/processes.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { type Rdi, startRdi } from '../../helpers/rdi-process.ts';
import { type RedisServer, type RedisServerOptions, startRedis } from '../../helpers/redis-server.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { variable } from '../../unit/config/files.ts';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');
const execFileAsync = promisify(execFile);

async function redis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await startRedis(options);
  onTestFinished(() => server.stop());
  return server;
}

function client(port: number, password: string): Redis {
  const connection = new Redis({ host: '127.0.0.1', port, password });
  connection.on('error', () => {});
  onTestFinished(() => connection.disconnect());
  return connection;
}

async function rdi(folder: string, args: readonly string[]): Promise<Rdi> {
  const started = await startRdi({ folder, args });
  onTestFinished(async () => void (await started.end('SIGKILL')));
  return started;
}

/** Runs a command against a running rdi. */
async function command({ http }: Rdi, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const binary = process.env['RDI_BINARY'];
  const [file, before] = binary ? [binary, []] : [process.execPath, [MAIN]];
  const env = { ...process.env, RDI_API_URL: http };
  try {
    const { stdout, stderr } = await execFileAsync(file, [...before, ...args], { env, timeout: 60_000 });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

async function feed(port: number, id: number, ref: string): Promise<void> {
  const feeder = await RawClient.connect(port);
  feeder.send(change('orders', id, ref));
  await feeder.reply();
  feeder.socket.destroy();
}

/** Writes a secret file as an operator does: whole, and for its owner only. */
function secretFile(folder: string, name: string, value: string): void {
  writeFileSync(join(folder, name), `${value}\n`, { mode: 0o600 });
}

/** Every file below `folder` whose bytes hold one of `texts`; nobody may write there meanwhile. */
function filesWith(folder: string, texts: readonly string[]): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile() && texts.some((text) => readFileSync(file).includes(text)));
}

const CONFIG = (port: number, rest = '') =>
  `targets:\n  target:\n    connection: { type: redis, host: localhost, port: ${port}, password: "${variable('TARGET_DB_PASSWORD')}"${rest} }\n`;

describe('a password of the target', () => {
  it('that is rotated in a file is used without a restart, and nothing is lost meanwhile', async () => {
    const [first, second] = ['geheim-first', 'geheim-second'];
    const target = await redis({ args: ['--requirepass', first] });
    const admin = client(target.port, first);
    const folder = tempFolder();
    const [dir, secrets] = [join(folder, 'pipeline'), join(folder, 'secrets')];
    for (const one of [dir, secrets]) mkdirSync(one);
    writeFileSync(join(dir, 'config.yaml'), CONFIG(target.port));
    secretFile(secrets, 'TARGET_DB_PASSWORD', first);
    const running = await rdi(folder, ['--dir', dir, '--secrets-dir', secrets]);
    await feed(running.port, 1, 'before');
    await until('the first row', async () => (await admin.hget('orders:id:1', 'ref')) === 'before', {
      timeoutMs: 20_000,
      everyMs: 50,
      evidence: () => running.log(),
    });
    await admin.config('SET', 'requirepass', second);
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await feed(running.port, 2, 'meanwhile');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await admin.exists('orders:id:2')).toBe(0);
    secretFile(secrets, 'TARGET_DB_PASSWORD', second);
    await running.settled(({ totals }) => totals.written === 2, 20_000);
    expect(await admin.hget('orders:id:2', 'ref')).toBe('meanwhile');
    const shown = running.log() + JSON.stringify(await running.status());
    expect(shown).not.toContain('geheim');
    await running.end('SIGTERM');
    expect(filesWith(join(folder, 'data'), [first, second])).toEqual([]);
  });

  it('that is set on the command line is used, kept encrypted over a restart, and shown nowhere', async () => {
    const [first, second] = ['geheim-eins', 'geheim-zwei'];
    const target = await redis({ args: ['--requirepass', first] });
    const admin = client(target.port, first);
    const folder = tempFolder();
    const dir = join(folder, 'pipeline');
    mkdirSync(dir);
    writeFileSync(join(dir, 'config.yaml'), CONFIG(target.port));
    writeFileSync(join(folder, 'key'), randomBytes(32).toString('base64'), { mode: 0o600 });
    const running = await rdi(folder, ['--secrets-key-file', join(folder, 'key')]);

    const early = await command(running, 'deploy', '--dir', dir);
    expect([early.code, early.err + early.out]).toEqual([
      expect.toSatisfy((code) => code !== 0),
      expect.stringContaining('`TARGET_DB_PASSWORD` is not set'),
    ]);
    expect(await command(running, 'set-secret', 'PASSWORD', first, '--db', 'target')).toMatchObject({ code: 0 });
    expect(await command(running, 'deploy', '--dir', dir)).toMatchObject({ code: 0 });
    await feed(running.port, 1, 'one');
    await running.settled(({ totals }) => totals.written === 1, 20_000);

    await admin.config('SET', 'requirepass', second);
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await feed(running.port, 2, 'two');
    expect(await command(running, 'set-secret', 'TARGET_DB_PASSWORD', second)).toMatchObject({
      code: 0,
      out: 'Secret TARGET_DB_PASSWORD is set.\n',
    });
    await running.settled(({ totals }) => totals.written === 2, 20_000);
    const listed = await command(running, 'list-secrets', '-o', 'json');
    expect(JSON.parse(listed.out)).toEqual([
      { key: 'TARGET_DB_PASSWORD', type: 'simple', origin: 'store', isSet: true, isUsed: true },
    ]);

    expect(await command(running, 'delete-secret', 'NOTHING', '--force')).toMatchObject({ code: 5 });
    await running.end('SIGTERM');
    await running.start();
    await feed(running.port, 3, 'three');
    await until('the third row', async () => (await admin.hget('orders:id:3', 'ref')) === 'three', {
      timeoutMs: 20_000,
      everyMs: 50,
      evidence: () => running.log(),
    });
    const shown = running.log() + JSON.stringify(await running.status()) + listed.out;
    expect(shown).not.toContain('geheim');
    await running.end('SIGTERM');
    expect(filesWith(join(folder, 'data'), [first, second])).toEqual([]);
  });

  it('cannot be set without a key, which the answer says how to make', async () => {
    const folder = tempFolder();
    const running = await rdi(folder, []);
    const refused = await command(running, 'set-secret', 'TARGET_DB_PASSWORD', 'geheim-drei');
    expect(refused.code).not.toBe(0);
    expect(refused.err).toMatch(/TARGET_DB_PASSWORD cannot be kept.*openssl rand -base64 32/s);
    expect(refused.err + refused.out + running.log()).not.toContain('geheim');
  });
});

describe('certificates', () => {
  it('come as PEM texts from secrets, without a file in the data folder', async () => {
    const folder = tempFolder();
    makeAuthority(folder);
    const file = (name: string) => join(folder, name);
    const target = await redis({
      tls: { ca: file('ca.crt'), cert: file('server.crt'), key: file('server.key'), clients: 'yes' },
    });
    const [dir, secrets] = [join(folder, 'pipeline'), join(folder, 'secrets')];
    for (const one of [dir, secrets]) mkdirSync(one);
    const pem = (name: string) => readFileSync(file(name), 'utf8');
    secretFile(secrets, 'TARGET_DB_PASSWORD', '');
    secretFile(secrets, 'TARGET_DB_CACERT', pem('ca.crt').trimEnd());
    secretFile(secrets, 'TARGET_DB_CERT', pem('client.crt').trimEnd());
    secretFile(secrets, 'TARGET_DB_KEY', pem('client.key').trimEnd());
    const names = { cacert: 'TARGET_DB_CACERT', cert: 'TARGET_DB_CERT', key: 'TARGET_DB_KEY' };
    const tls = Object.entries(names).map(([key, name]) => `, ${key}: "${variable(name)}"`);
    writeFileSync(join(dir, 'config.yaml'), CONFIG(target.port, tls.join('')));
    const running = await rdi(folder, ['--dir', dir, '--secrets-dir', secrets]);
    await feed(running.port, 1, 'over tls');
    await running.settled(({ totals }) => totals.written === 1, 20_000);
    const line = pem('client.key').split('\n')[1]!;
    expect(running.log() + JSON.stringify(await running.status())).not.toContain(line);
    await running.end('SIGTERM');
    expect(filesWith(join(folder, 'data'), [line])).toEqual([]);
  });
});

/** A CA, and certificates of it for `localhost` and for a client. */
function makeAuthority(folder: string): void {
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore', timeout: 20_000 });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=test ca');
  for (const name of ['server', 'client']) {
    const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost'];
    openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, ...names);
    const sign = ['-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
    openssl('x509', ...sign, '-copy_extensions', 'copy', '-out', `${name}.crt`);
  }
}
