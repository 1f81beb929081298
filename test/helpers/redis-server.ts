import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where a RedisJSON module is looked for. */
export const redisJsonPath =
  process.env['RDI_TEST_REJSON'] ?? fileURLToPath(new URL('../../.cache/redis-json/rejson.so', import.meta.url));

/** Whether a RedisJSON module is there to load; `scripts/lib/get-redis-json` fetches one. */
export const hasRedisJson = existsSync(redisJsonPath);

/** A real `redis-server` as a child process, in a folder of its own. */
export interface RedisServer {
  readonly port: number;
  readonly pid: number;
  readonly dir: string;
  /** Ends the process without a chance to clean up, and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder, with other arguments if given. */
  restart(args?: readonly string[]): Promise<void>;
  /** Freezes and thaws the process. */
  freeze(): void;
  thaw(): void;
  /** Ends the process and removes the folder. */
  stop(): Promise<void>;
}

export interface RedisServerOptions {
  /** Loads RedisJSON. */
  readonly json?: boolean;
  /** Further arguments, such as `--appendonly yes`; `{dir}` stands for the server's folder. */
  readonly args?: readonly string[];
  /** Serves TLS on the port instead of plain TCP; the files' paths. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string; readonly clients: 'yes' | 'no' };
  /** Starts a Sentinel instead of a data server; its whole configuration file. */
  readonly sentinel?: string;
}

const running = new Set<ChildProcess>();
// Vitest's worker may end without running hooks; a server must not outlive it.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a server on a free port of 127.0.0.1 and waits until it accepts connections. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const port = await freePort();
  const dir = await mkdtemp(join(tmpdir(), 'rdi-redis-'));
  let child = await launch(port, dir, options);
  return {
    port,
    dir,
    get pid() {
      return child.pid!;
    },
    kill: () => end(child, 'SIGKILL'),
    restart: async (args) => {
      await end(child, 'SIGKILL');
      child = await launch(port, dir, args === undefined ? options : { ...options, args });
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    stop: async () => {
      child.kill('SIGCONT');
      await end(child, 'SIGKILL');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/**
 * A port that nobody listened on a moment ago. It and the bus port that a cluster node adds 10 000 for lie below the range
 * from which systems give ports to outgoing connections (Linux: from 32 768): else a client of another test could take the
 * port while its server is restarted, and a client that keeps dialling an unused port may even reach itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 11_000 + Math.floor(Math.random() * 11_000);
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Runs `check` until it says yes, at most `limitMs`. Throws with `what` otherwise. */
export async function until(what: string, check: () => boolean | Promise<boolean>, limitMs = 20_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`did not happen within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function launch(port: number, dir: string, options: RedisServerOptions): Promise<ChildProcess> {
  const child = spawn('redis-server', await argumentsFor(port, dir, options), { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output = (output + chunk).slice(-4000);
    });
  }
  await until(`redis-server listens on ${port}`, () => {
    if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}: ${output}`);
    return accepts(port);
  });
  return child;
}

async function argumentsFor(port: number, dir: string, options: RedisServerOptions): Promise<string[]> {
  if (options.sentinel !== undefined) {
    const { writeFile } = await import('node:fs/promises');
    const file = join(dir, 'sentinel.conf');
    if (!existsSync(file)) await writeFile(file, `port ${port}\nbind 127.0.0.1\ndir ${dir}\n${options.sentinel}`);
    return [file, '--sentinel'];
  }
  if (options.json && !hasRedisJson)
    throw new Error(`no RedisJSON at ${redisJsonPath}: run scripts/lib/get-redis-json`);
  const { tls } = options;
  return [
    ...(tls
      ? ['--port', '0', '--tls-port', `${port}`, '--tls-ca-cert-file', tls.ca, '--tls-cert-file', tls.cert]
      : ['--port', `${port}`]),
    ...(tls ? ['--tls-key-file', tls.key, '--tls-auth-clients', tls.clients] : []),
    ...['--bind', '127.0.0.1', '--dir', dir, '--save', ''],
    ...(options.json ? ['--loadmodule', redisJsonPath] : []),
    ...(options.args ?? []).map((argument) => argument.replaceAll('{dir}', dir)),
  ];
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}
