import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const TICKS_PER_SECOND = 100;
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  end(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a program whose output goes nowhere but, for errors, to this process. */
export function start(command: string, args: readonly string[]): Running {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  children.add(child);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    child,
    pid: child.pid as number,
    async end(signal = 'SIGTERM') {
      child.kill(signal);
      await ended;
      children.delete(child);
    },
  };
}

/** CPU that a process has used, user and system, in µs (Linux, `/proc/<pid>/stat`, in steps of 10 ms). */
export function cpuMicroseconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1e6;
}

/** Resident memory of a process in MB, now and at its highest. */
export function residentMegabytes(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  return { now: kilobytes('VmRSS') / 1024, peak: kilobytes('VmHWM') / 1024 };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface RdiAddresses {
  readonly port: number;
  readonly http: number;
  readonly dataDir: string;
}

const ROOT = path.join(import.meta.dirname, '../..');

/** What the benchmark measures: the executable that `./scripts/build` made, else the sources. `RDI_MAIN` names a script. */
export function rdiCommand(): [string, string[]] {
  const script = process.env['RDI_MAIN'];
  const binary = path.join(ROOT, 'dist/rdi');
  if (!script && existsSync(binary)) return [binary, []];
  return [process.execPath, [script ?? path.join(ROOT, 'src/main.ts')]];
}

/** Starts rdi for a target's URL, or for a pipeline folder. */
export function startRdi(
  pipeline: string,
  { port, http, dataDir }: RdiAddresses,
  more: readonly string[] = [],
): Running {
  const [command, args] = rdiCommand();
  const what = [pipeline.includes('://') ? '--target' : '--dir', pipeline];
  const places = ['--listen', `127.0.0.1:${port}`, '--http', `127.0.0.1:${http}`, '--data-dir', dataDir];
  return start(command, [...args, 'run', ...what, ...places, '--log-level', 'error', ...more]);
}

/** Milliseconds until `/readyz` answers 200 (or `/healthz`, when the target is away on purpose). */
export async function untilReady(http: number, page = '/readyz'): Promise<number> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < 60_000) {
    try {
      const { status } = await fetch(`http://127.0.0.1:${http}${page}`);
      if (status === 200) return performance.now() - startedAt;
    } catch {}
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('rdi did not become ready within a minute');
}

export async function status(http: number): Promise<{ totals: Record<string, number> }> {
  return (await (await fetch(`http://127.0.0.1:${http}/api/v2/overview`)).json()) as { totals: Record<string, number> };
}

export async function untilDrained(http: number): Promise<Record<string, number>> {
  for (;;) {
    const { totals } = await status(http);
    if (totals['pending'] === 0) return totals;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function temporaryFolder(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'rdi-bench-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
