/** One command of rdi as a child process, from source or (with RDI_BINARY) as the built executable. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
const PATIENCE_MS = 30_000;

export interface CommandOutcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command to its end; `env` is added to a small environment without any `RDI_*`. */
export function runCommand(
  args: readonly string[],
  options: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<CommandOutcome> {
  const binary = process.env['RDI_BINARY'];
  const [program, all] = binary ? [binary, args] : [process.execPath, [MAIN, ...args]];
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(program, all, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE_MS,
    env: { PATH, HOME, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, err }));
  });
}
