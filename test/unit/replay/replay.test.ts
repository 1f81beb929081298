import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandSplitter } from '../../../src/replay/command-splitter.ts';
import { type ReplayOptions, type ReplayResult, replayFile } from '../../../src/replay/index.ts';
import type { RecordedCommand } from '../../../src/replay/types.ts';

const OOM = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
const FULL = '# Memory\r\nused_memory:10\r\nmaxmemory:10\r\n';

/** What a scripted server does with a command: the bytes of its reply, silence, or a cut connection. */
type Answer = string | 'silence' | 'cut';

/** A server that answers like Redis unless `script` says otherwise, and remembers what arrived per connection. */
class ScriptedServer {
  readonly connections: RecordedCommand[][] = [];
  readonly chunks: string[][] = [];
  readonly server: Server;
  readonly sockets = new Set<Socket>();
  script: (command: RecordedCommand, connection: number) => Answer | undefined = () => undefined;
  #nextId = 1;

  constructor() {
    this.server = createServer((socket) => this.serve(socket)).listen(0, '127.0.0.1');
  }

  get port(): number {
    return (this.server.address() as { port: number }).port;
  }

  get all(): RecordedCommand[] {
    return this.connections.flat();
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }

  serve(socket: Socket): void {
    const commands: RecordedCommand[] = [];
    const number = this.connections.push(commands);
    const splitter = new CommandSplitter();
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      const arrived = splitter.push(chunk);
      this.chunks.push(arrived.map(({ name }) => name));
      for (const command of arrived) {
        commands.push(command);
        const answer = this.script(command, number) ?? this.#standard(command);
        if (answer === 'cut') {
          socket.destroy();
          return;
        }
        if (answer !== 'silence') socket.write(answer);
      }
    });
  }

  #standard({ name }: RecordedCommand): string {
    if (name === 'XADD') return bulk(`1795000000000-${this.#nextId++}`);
    if (name === 'PING') return '+PONG\r\n';
    if (name === 'INFO') return bulk('# Memory\r\nused_memory:1\r\nmaxmemory:0\r\n');
    if (name === 'WAIT' || name === 'HSET' || name === 'XLEN') return ':1\r\n';
    if (name === 'HGETALL' || name === 'XRANGE') return '*0\r\n';
    return '+OK\r\n';
  }
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

let server: ScriptedServer;
let folder: string;

beforeEach(async () => {
  server = new ScriptedServer();
  await once(server.server, 'listening');
  folder = mkdtempSync(join(tmpdir(), 'rdi-replay-'));
});

afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

function replay(file: string, change: Partial<ReplayOptions> = {}): Promise<ReplayResult> {
  const to = { host: '127.0.0.1', port: server.port };
  return replayFile({ file, to, silenceMs: 300, retry: { initialMs: 5, maxMs: 20 }, ...change });
}

function write(name: string, content: string | Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

function respText(...commands: string[][]): string {
  return commands
    .map((parts) => `*${parts.length}\r\n${parts.map((part) => `$${part.length}\r\n${part}\r\n`).join('')}`)
    .join('');
}

const entry = (id: number) => ['XADD', 'data:orders', '*', 'key', `${id}`];
/** Two sub-batches of three and two entries, with probes and WAIT. */
const SMALL = respText(
  ['CLIENT', 'SETNAME', 'debezium:redis:sink'],
  ['INFO', 'memory'],
  ['PING'],
  ...[1, 2, 3].map(entry),
  ['WAIT', '1', '1000'],
  ['INFO', 'memory'],
  ['PING'],
  ...[4, 5].map(entry),
  ['WAIT', '1', '1000'],
);

const keys = (commands: readonly RecordedCommand[]): string[] =>
  commands.filter(({ name }) => name === 'XADD').map(({ bytes }) => bytes.toString().trimEnd().split('\r\n').at(-1)!);

describe('replay of a recording', () => {
  it('sends exactly the bytes that were recorded', async () => {
    const file = 'fixtures/pg-3.6-rdi/sink.client.resp.gz';
    const result = await replay(file);
    expect(result).toMatchObject({ events: 1354, lost: 0, resent: 0, reconnects: 0 });
    expect(Buffer.concat(server.all.map(({ bytes }) => bytes)).equals(gunzipSync(readFileSync(file)))).toBe(true);
  });

  it.each(['pg-2.5-extended/sink', 'my-3.6-extended/history', 'my-3.6-extended/offsets'])(
    'sends %s as it was recorded',
    async (name) => {
      const file = `fixtures/${name}.client.resp.gz`;
      await replay(file);
      expect(Buffer.concat(server.all.map(({ bytes }) => bytes)).equals(gunzipSync(readFileSync(file)))).toBe(true);
    },
  );

  it('waits for every probe, and for all replies of a pipeline, before it goes on', async () => {
    await replay(write('small.resp', SMALL));
    expect(server.chunks.map((names) => names.join(' '))).toEqual([
      'CLIENT',
      'INFO',
      'PING',
      'XADD XADD XADD',
      'WAIT',
      'INFO',
      'PING',
      'XADD XADD',
      'WAIT',
    ]);
  });

  it('waits for each answer of the schema history', async () => {
    const history = ['XADD', 'metadata:debezium:schema_history', '*', 'schema', '{}'];
    const result = await replay(write('history.resp', respText(['PING'], history, history)));
    expect(server.chunks.map((names) => names.join(' '))).toEqual(['PING', 'XADD', 'XADD']);
    expect(result.events).toBe(0);
  });

  it('repeats the whole sub-batch, after the handshake, when the connection breaks in it', async () => {
    let broken = false;
    server.script = ({ name, bytes }) => {
      if (name !== 'XADD' || broken || !bytes.toString().includes('$1\r\n2\r\n')) return undefined;
      broken = true;
      return 'cut';
    };
    const result = await replay(write('small.resp', SMALL));
    expect(result).toMatchObject({ events: 5, reconnects: 1, resent: 3, lost: 0 });
    expect(server.connections[1]!.slice(0, 4).map(({ name }) => name)).toEqual(['CLIENT', 'INFO', 'PING', 'XADD']);
    expect(keys(server.connections[1]!)).toEqual(['1', '2', '3', '4', '5']);
  });

  it('takes silence for a broken connection', async () => {
    let silent = true;
    server.script = ({ name }) => {
      if (name !== 'WAIT' || !silent) return undefined;
      silent = false;
      return 'silence';
    };
    expect(await replay(write('small.resp', SMALL), { silenceMs: 50 })).toMatchObject({ events: 5, reconnects: 1 });
  });

  it('repeats only the records that were refused with OOM, after new probes', async () => {
    const refuse = new Set(['2', '3']);
    server.script = (command) => {
      const [key] = keys([command]);
      return key !== undefined && refuse.delete(key) ? OOM : undefined;
    };
    const result = await replay(write('small.resp', SMALL));
    expect(result).toMatchObject({ events: 5, refused: 2, resent: 0, lost: 0 });
    expect(keys(server.all)).toEqual(['1', '2', '3', '2', '3', '4', '5']);
  });

  it('counts records as lost that are answered with another error', async () => {
    server.script = (command) => (keys([command])[0] === '4' ? '-ERR no\r\n' : undefined);
    expect(await replay(write('small.resp', SMALL))).toMatchObject({ events: 4, lost: 1 });
  });

  it('holds back while the memory is full', async () => {
    let polls = 0;
    server.script = ({ name }) => (name === 'INFO' && polls++ === 0 ? bulk(FULL) : undefined);
    expect(await replay(write('small.resp', SMALL))).toMatchObject({ events: 5, held: 1 });
    expect(polls).toBe(3);
  });

  it.each([
    ['PING', '-NOAUTH Authentication required.\r\n', /PING.*NOAUTH.*--user/],
    ['XADD', '$-1\r\n', /XADD data:orders was answered with nil/],
    ['WAIT', '-ERR no\r\n', /WAIT/],
  ])('stops where Debezium stops: %s answered with %j', async (command, answer, message) => {
    server.script = ({ name }) => (name === command ? answer : undefined);
    await expect(replay(write('small.resp', SMALL))).rejects.toThrow(message);
  });

  it('goes on when the server does not know how to name a client, also in the middle', async () => {
    server.script = ({ name }) => (name === 'CLIENT' ? '-ERR unknown subcommand\r\n' : undefined);
    expect(await replay(write('twice.resp', SMALL + SMALL))).toMatchObject({ events: 10, lost: 0 });
  });

  it('logs in with the given user in place of the recorded one', async () => {
    const file = write('small.resp', respText(['AUTH', 'old', 'recorded'], ['PING'], entry(1)));
    await replay(file, { to: { host: '127.0.0.1', port: server.port, user: 'debezium', password: 'geheim' } });
    expect(server.all.map(({ name, key }) => `${name} ${key}`)).toEqual(['AUTH debezium', 'PING ', 'XADD data:orders']);
  });

  it('keeps to the rate', async () => {
    const started = performance.now();
    await replay(write('small.resp', SMALL), { eventsPerSecond: 30 });
    expect(performance.now() - started).toBeGreaterThan(95);
  });

  it('ends at once when it is told to', async () => {
    const abort = new AbortController();
    server.script = ({ name }) => {
      if (name !== 'WAIT') return undefined;
      abort.abort(new Error('interrupted'));
      return 'cut';
    };
    await expect(replay(write('small.resp', SMALL), { signal: abort.signal })).rejects.toThrow(/interrupted|aborted/);
  });

  it('says what to do when nothing listens', async () => {
    const { port } = server;
    server.close();
    const attempt = replayFile({ file: write('small.resp', SMALL), to: { host: '127.0.0.1', port } });
    await expect(attempt).rejects.toThrow(/Cannot connect to 127.0.0.1:\d+: ECONNREFUSED.*rdi run/);
  });
});

describe('replay over TLS', () => {
  const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

  it.skipIf(!hasOpenssl)('sends to a server whose certificate is trusted, and to no other', async () => {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', ...subject];
    execFileSync('openssl', [...made, '-keyout', key, '-out', cert], { stdio: 'ignore', timeout: 10_000 });
    const ca = readFileSync(cert, 'utf8');
    const secure = createTlsServer({ key: readFileSync(key), cert: ca }, (socket) => server.serve(socket));
    secure.listen(0, '127.0.0.1');
    await once(secure, 'listening');
    const to = { host: '127.0.0.1', port: (secure.address() as { port: number }).port };
    const file = write('small.resp', SMALL);
    try {
      expect(await replay(file, { to: { ...to, tls: { verify: true, ca } } })).toMatchObject({ events: 5 });
      expect(await replay(file, { to: { ...to, tls: { verify: false } } })).toMatchObject({ events: 5 });
      await expect(replay(file, { to: { ...to, tls: { verify: true } } })).rejects.toThrow(/SELF_SIGNED/);
      await expect(replay(file, { to })).rejects.toThrow();
    } finally {
      secure.close();
    }
  });
});

describe('replay of entries', () => {
  const line = (id: number) => JSON.stringify({ stream: 'data:ö', id: '1-0', fields: [['key', `k${id}`]] });

  it('sends pipelines of 500 with probes before each', async () => {
    const lines = Array.from({ length: 1100 }, (_, index) => line(index));
    const file = write('entries.ndjson.gz', gzipSync(`${lines.join('\n')}\n`));
    expect(await replay(file)).toMatchObject({ events: 1100, lost: 0 });
    const names = server.all.map(({ name }) => name);
    expect(names.filter((name) => name === 'INFO')).toHaveLength(3);
    expect(names.slice(0, 4)).toEqual(['CLIENT', 'INFO', 'PING', 'XADD']);
    expect(names.indexOf('INFO', 3)).toBe(503);
    expect(keys(server.all).at(-1)).toBe('k1099');
  });

  it('sends the hashes of a recording too', async () => {
    const file = 'fixtures/pg-3.6-rdi/entries.ndjson.gz';
    expect((await replay(file)).events).toBe(1354);
    expect(server.all.at(-1)).toMatchObject({ name: 'HSET', key: 'metadata:debezium:offsets' });
  });

  it.each([
    ['{"stream":"s"}', /line is no recorded entry/],
    ['{"stream":', /line is not JSON/],
    ['{"stream":"s","fields":[["key"]]}', /line is no recorded entry/],
  ])('names file and line of %s', async (bad, message) => {
    const attempt = replay(write('bad.ndjson', `${line(1)}\n${bad}\n`));
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toThrow(/bad\.ndjson:2/);
  });
});

describe('files that are no recordings', () => {
  it.each([
    ['cut.resp', SMALL.slice(0, -3), /ends inside the command at byte/],
    ['image.png', '\u0089PNG', /no Redis command at byte 0/],
    ['damaged.resp.gz', Buffer.concat([gzipSync(SMALL).subarray(0, 30), Buffer.alloc(40, 7)]), /gzip file is damaged/],
  ])('are refused: %s', async (name, content, message) => {
    await expect(replay(write(name, content))).rejects.toThrow(message);
  });

  it('are refused when they do not exist', async () => {
    await expect(replay(join(folder, 'nothing'))).rejects.toThrow(/Cannot read the recording: ENOENT.*nothing/);
  });
});
