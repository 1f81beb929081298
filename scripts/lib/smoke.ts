/**
 * Starts the built executable once: it must tell its version, open its endpoint, answer `/healthz`, and end on SIGTERM.
 * Prints how long each took. Usage: node scripts/lib/smoke.ts <executable>
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const DEADLINE_MS = 20_000;
const executable = resolve(process.argv[2] ?? 'dist/rdi');
const version = execFileSync(executable, ['version'], { encoding: 'utf8' }).trim();
if (!/\d+\.\d+\.\d+/.test(version)) throw new Error(`"${executable} version" printed "${version}".`);
console.error(`    version: ${version}`);

const folder = mkdtempSync(join(tmpdir(), 'rdi-smoke-'));
try {
  await startAndAsk();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** No target is there: the process must be healthy all the same, and stop in time. */
async function startAndAsk(): Promise<void> {
  const [listen, http, nobody] = [await freePort(), await freePort(), await freePort()];
  const args = ['run', '--target', `redis://127.0.0.1:${nobody}`, '--listen', `127.0.0.1:${listen}`];
  args.push('--http', `127.0.0.1:${http}`, '--data-dir', join(folder, 'data'), '--log-format', 'json');
  const startedAt = performance.now();
  const child = spawn(executable, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  try {
    const health = await ask(`http://127.0.0.1:${http}/healthz`, () => child.exitCode === null);
    console.error(`    health after ${Math.round(performance.now() - startedAt)} ms: ${health}`);
  } catch (error) {
    console.error(output.slice(-2000));
    throw error;
  } finally {
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
    const code = await ended;
    clearTimeout(killer);
    if (code !== 0) console.error(output.slice(-2000));
    if (code !== 0) process.exitCode = 1;
    console.error(`    ended with ${code} on SIGTERM`);
  }
}

async function ask(url: string, isRunning: () => boolean): Promise<string> {
  const deadline = performance.now() + DEADLINE_MS;
  while (performance.now() < deadline && isRunning()) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return response.text();
    await sleep(5);
  }
  throw new Error(`${executable} did not answer ${url} within ${DEADLINE_MS} ms.`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
