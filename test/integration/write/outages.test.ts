import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { type TargetConnection, type TargetState, Writer, type WriterOptions } from '../../../src/write/index.ts';
import { type RedisServer, startRedis, until } from '../../helpers/redis-server.ts';
import { del, hash } from '../../helpers/target-writes.ts';

let server: RedisServer;
let writer: Writer;
let states: TargetState[];
const clients: Redis[] = [];

afterEach(async () => {
  await writer.close(100);
  for (const client of clients.splice(0)) client.disconnect();
  await server.stop();
});

function connect(port = server.port, options = {}): Redis {
  const client = new Redis({ port, retryStrategy: () => 50, maxRetriesPerRequest: null, ...options });
  client.on('error', () => {});
  clients.push(client);
  return client;
}

async function open(options: Partial<WriterOptions> = {}, connection: TargetConnection = {}): Promise<void> {
  states = [];
  writer = new Writer({
    connection: { host: '127.0.0.1', port: server.port, ...connection },
    retry: { initialDelayMs: 10, maxDelayMs: 100, multiplier: 2 },
    onState: (state) => states.push(state),
    ...options,
  });
  await writer.connect();
}

/** Keeps writing rising versions of a few keys until told to stop; every key's last version is what must be there. */
function load(keys = 40, batchSize = 100) {
  const versions = new Map<string, number>();
  let isRunning = true;
  let version = 0;
  const finished = (async () => {
    const dones: Promise<unknown>[] = [];
    while (isRunning) {
      const writes = Array.from({ length: batchSize }, (_, index) => {
        const key = `k:${(version * 7 + index) % keys}`;
        version++;
        if (version % 23 === 0) {
          versions.delete(key);
          return del(key, index);
        }
        versions.set(key, version);
        return hash(key, { version, pad: 'x'.repeat(200) }, index);
      });
      const { done } = await writer.write(writes);
      dones.push(done);
    }
    return Promise.all(dones);
  })();
  return {
    versions,
    stop: async () => {
      isRunning = false;
      return (await finished) as { refused: unknown[] }[];
    },
  };
}

async function expectContent(client: Redis, versions: ReadonlyMap<string, number>): Promise<void> {
  const keys = await client.keys('k:*');
  expect(keys.sort()).toEqual([...versions.keys()].sort());
  for (const [key, version] of versions) expect(await client.hget(key, 'version')).toBe(String(version));
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('under load', () => {
  it('a target that is killed and restarted again and again ends with every last state', async () => {
    server = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    await open();
    const traffic = load();
    for (let round = 0; round < 8; round++) {
      await pause(60 + round * 17);
      await server.restart();
    }
    await pause(100);
    expect((await traffic.stop()).flatMap((outcome) => outcome.refused)).toEqual([]);
    await expectContent(connect(), traffic.versions);
    expect(states).toContainEqual(expect.objectContaining({ state: 'waiting', code: 'TARGET_UNAVAILABLE' }));
    expect(writer.state).toEqual({ state: 'ready' });
  });

  it('connections killed at random moments lose and reorder nothing', async () => {
    server = await startRedis();
    await open();
    const client = connect();
    const traffic = load();
    for (let round = 0; round < 30; round++) {
      await pause(10);
      await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    }
    await traffic.stop();
    await expectContent(client, traffic.versions);
  });

  it('a frozen target is given up, and on waking executes nothing old after something new', async () => {
    server = await startRedis();
    await open({ socketTimeoutMs: 100, connectTimeoutMs: 100 });
    const traffic = load(40, 1000);
    for (let round = 0; round < 4; round++) {
      await pause(50);
      server.freeze();
      await pause(350);
      server.thaw();
      await until('ready', () => writer.state.state === 'ready');
    }
    await traffic.stop();
    const client = connect();
    await expectContent(client, traffic.versions);
    const connections = async () => ((await client.client('LIST')) as string).match(/name=rdi /g)?.length;
    await until('only one connection of ours is left', async () => (await connections()) === 1);
    expect(states).toContainEqual(expect.objectContaining({ message: expect.stringContaining('did not answer') }));
  });
});

describe('a target that cannot take writes', () => {
  it('for lack of memory is waited for', async () => {
    server = await startRedis();
    await open();
    const client = connect();
    await client.config('SET', 'maxmemory', '1mb');
    const { done } = await writer.write([hash('k', { a: 1 }), del('other')]);
    await until('waiting', () => writer.state.state === 'waiting');
    expect(writer.state).toMatchObject({ code: 'TARGET_UNAVAILABLE', message: expect.stringContaining('OOM') });
    await client.config('SET', 'maxmemory', '0');
    expect(await done).toEqual({ superseded: [], refused: [] });
    expect(await client.hgetall('k')).toEqual({ a: '1' });
    expect(writer.state).toEqual({ state: 'ready' });
  });

  it('because it became a replica is waited for', async () => {
    server = await startRedis();
    await open();
    const client = connect();
    await client.replicaof('127.0.0.1', '1');
    const { done } = await writer.write([hash('k', { a: 1 })]);
    await until('waiting', () => writer.state.state === 'waiting');
    await pause(100);
    await client.replicaof('NO', 'ONE');
    await done;
    expect(await client.hgetall('k')).toEqual({ a: '1' });
  });

  it('because our user may not is waited for, with the state refused', async () => {
    server = await startRedis();
    const client = connect();
    await client.acl('SETUSER', 'rdi', 'on', '>pw', '~k*', '+@all', '-hset');
    await open({}, { user: 'rdi', password: 'pw' });
    const { done } = await writer.write([hash('k', { a: 1 })]);
    await until('refused', () => writer.state.state === 'refused');
    expect(writer.state).toMatchObject({ code: 'TARGET_AUTH', message: expect.stringContaining('NOPERM') });
    await client.acl('SETUSER', 'rdi', '+hset');
    expect((await done).refused).toEqual([]);
    expect(await client.hgetall('k')).toEqual({ a: '1' });
  });

  it('to a user with the least rights writes all the same', async () => {
    server = await startRedis();
    await connect().acl('SETUSER', 'rdi', 'on', '>pw', '~*', '+hset', '+hdel', '+del');
    await open({}, { user: 'rdi', password: 'pw' });
    await (await writer.write([hash('k', { a: 1, b: null }), del('x')])).done;
    expect(await connect().hgetall('k')).toEqual({ a: '1' });
  });

  it('without the password is waited for, and with a wrong one too', async () => {
    server = await startRedis({ args: ['--requirepass', 'right'] });
    const client = connect(server.port, { password: 'right' });
    for (const login of [{}, { password: 'wrong' }]) {
      await open({}, login);
      expect(writer.state).toMatchObject({ state: 'refused', code: 'TARGET_AUTH' });
      expect(JSON.stringify(writer.state)).not.toContain('wrong"');
      await expect(writer.probe()).rejects.toMatchObject({ code: 'TARGET_AUTH' });
      const { done } = await writer.write([hash('k', { a: 1 })]);
      await client.config('SET', 'requirepass', 'password' in login ? 'wrong' : '');
      await done;
      await client.config('SET', 'requirepass', 'right');
      await writer.close(100);
    }
    expect(await client.hgetall('k')).toEqual({ a: '1' });
  });

  it('because the database does not exist says which', async () => {
    server = await startRedis();
    await open({}, { db: 99 });
    expect(writer.state).toMatchObject({
      state: 'refused',
      code: 'TARGET_REFUSED',
      message: expect.stringContaining('99'),
    });
  });
});

it('a value too large for the target is refused, and the rest is written', async () => {
  server = await startRedis({ args: ['--proto-max-bulk-len', '1mb'] });
  await open();
  const writes = [hash('a', { v: 1 }, 0), hash('b', { v: 'x'.repeat(2_000_000) }, 1), hash('c', { v: 1 }, 2)];
  const outcome = await (await writer.write(writes)).done;
  expect(outcome.refused).toMatchObject([{ index: 1, key: 'b', code: 'TARGET_REFUSED' }]);
  expect((await connect().keys('*')).sort()).toEqual(['a', 'c']);
});

describe('the replica check', () => {
  it('holds writes back until a replica is there', async () => {
    server = await startRedis();
    const replica = await startRedis();
    try {
      await open({ wait: { enabled: true, timeoutMs: 50, retry: true, retryDelayMs: 20 } });
      const { done } = await writer.write([hash('k', { a: 1 })]);
      await until('waiting', () => writer.state.state === 'waiting');
      await connect(replica.port).replicaof('127.0.0.1', String(server.port));
      await done;
      expect(await connect(replica.port).hgetall('k')).toEqual({ a: '1' });
    } finally {
      await replica.stop();
    }
  });
});

describe('ways to reach a target', () => {
  it('include a unix socket', async () => {
    server = await startRedis({ args: ['--unixsocket', '{dir}/redis.sock'] });
    await open({}, { url: `unix://${server.dir}/redis.sock?db=1` });
    await (await writer.write([hash('k', { a: 1 })])).done;
    expect(await connect(server.port, { db: 1 }).hgetall('k')).toEqual({ a: '1' });
  });

  it('include TLS, with a client certificate, and a certificate for another name is not accepted', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'rdi-tls-'));
    try {
      const pem = certificates(dir);
      const files = { ca: join(dir, 'ca.crt'), cert: join(dir, 'server.crt'), key: join(dir, 'server.key') };
      server = await startRedis({ tls: { ...files, clients: 'yes' } });
      const own = { ca: pem('ca.crt'), cert: pem('client.crt'), key: pem('client.enc.key'), keyPassword: 'pass' };
      await open({}, { host: 'localhost', tls: own });
      await (await writer.write([hash('k', { a: 1 })])).done;
      expect(writer.state).toEqual({ state: 'ready' });
      const others: [TargetConnection, RegExp][] = [
        [{ tls: own }, /IP: 127\.0\.0\.1 is not in the cert|altname/i],
        [{ host: 'localhost', tls: { cert: own.cert, key: own.key, keyPassword: 'pass' } }, /certificate/i],
        [{ host: 'localhost', tls: { ca: own.ca } }, /broke|certificate|alert/i],
      ];
      for (const [connection, said] of others) {
        await writer.close(10);
        await open({}, connection);
        expect(writer.state).toMatchObject({ state: 'waiting', message: expect.stringMatching(said) });
      }
      await writer.close(10);
      await open({}, { tls: { ...own, verifyHostname: false } });
      expect(writer.state).toEqual({ state: 'ready' });
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});

/** An authority, a server certificate for `localhost` and a client certificate with an encrypted key. */
function certificates(dir: string): (file: string) => string {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=test ca');
  for (const [name, extra] of [
    ['server', ['-addext', 'subjectAltName=DNS:localhost']],
    ['client', []],
  ] as const) {
    openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`, ...extra);
    const sign = ['-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
    openssl('x509', ...sign, '-copy_extensions', 'copy', '-out', `${name}.crt`);
  }
  openssl('ec', '-in', 'client.key', '-aes256', '-passout', 'pass:pass', '-out', 'client.enc.key');
  return (file) => readFileSync(join(dir, file), 'utf8');
}
