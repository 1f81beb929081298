/**
 * docs/tutorial.md, done as a newcomer does it: every block goes into a real bash, in order, with a real Redis and a real
 * rdi (RDI_BINARY: the executable), and must show what the page shows. Only ports and the home folder are others.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EngineSnapshot } from '../../../src/control/types.ts';
import { Process, until } from '../../helpers/processes.ts';
import { freePort } from '../../helpers/redis-server.ts';
import { openShell, type Shell } from './shell.ts';
import { findMissing, readSteps, type Step } from './tutorial-page.ts';

const ROOT = join(import.meta.dirname, '../../..');
const BLOCK_MS = 60_000;

interface World {
  readonly folder: string;
  readonly shell: Shell;
  readonly env: Readonly<Record<string, string>>;
  readonly http: string;
  /** By name of the terminal, in the order in which they were opened. */
  readonly terminals: Map<string, Process>;
}

/** The page with ports that are free here, and with `rdi` where this run has it. */
async function localPage(bin: string): Promise<{ page: string; http: string }> {
  const [redis, endpoint, http] = [await freePort(), await freePort(), await freePort()];
  const page = readFileSync(join(ROOT, 'docs/tutorial.md'), 'utf8')
    .replaceAll('6399', String(redis))
    .replaceAll('127.0.0.1:12001', `127.0.0.1:${endpoint}`)
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${http}`)
    .replace('PATH=$PWD/dist:', `PATH=${bin}:`);
  return { page, http: `http://127.0.0.1:${http}` };
}

function provideRdi(folder: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const binary = process.env['RDI_BINARY'];
  const program = binary ? `'${binary}'` : `'${process.execPath}' '${join(ROOT, 'src/main.ts')}'`;
  writeFileSync(join(bin, 'rdi'), `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
  return bin;
}

/** A terminal that stays: the variables are pasted first, as the page says. */
async function openTerminal(world: World, name: string, variables: Step, step: Step): Promise<void> {
  const logFile = join(world.folder, `${name}.log`);
  const script = `${variables.script}\nexec ${step.script}`;
  const terminal = new Process('bash', ['-c', script], { logFile, cwd: ROOT, env: world.env });
  world.terminals.set(name, terminal);
  const evidence = () => terminal.log();
  const isShown = () => findMissing(step.expected, terminal.log(100_000)) === undefined;
  await until(`line ${step.line} of the tutorial`, isShown, { timeoutMs: 30_000, evidence });
}

/** A person reads longer than rdi writes. */
async function settle({ http, terminals }: World): Promise<void> {
  if (!terminals.get('rdi')?.running) return;
  const isSettled = async () => {
    const response = await fetch(`${http}/api/v2/overview`, { signal: AbortSignal.timeout(10_000) });
    const { pipeline, totals } = (await response.json()) as EngineSnapshot;
    return !pipeline.isActive || totals.pending === 0;
  };
  await until('everything to be written', isSettled, { timeoutMs: 30_000 });
}

async function follow(world: World, steps: readonly Step[]): Promise<void> {
  const [variables, ...others] = steps;
  await world.shell.run(variables!.script, BLOCK_MS);
  for (const step of others) {
    if (step.terminal !== null) {
      await openTerminal(world, step.terminal, variables!, step);
      continue;
    }
    // The page ends both terminals by hand before its last block.
    if (step === others.at(-1)) await endTerminals(world);
    const { exitCode, output } = await world.shell.run(step.script, BLOCK_MS);
    const evidence = `docs/tutorial.md:${step.line}\n${step.script}\nshowed:\n${output}`;
    expect(findMissing(step.expected, output), `${evidence}\nthe line that is missing`).toBe(undefined);
    expect(exitCode, `${evidence}\nits exit code`).toBe(step.exitCode);
    await settle(world);
  }
}

async function endTerminals({ terminals }: World): Promise<void> {
  for (const terminal of [...terminals.values()].reverse()) await terminal.end('SIGINT', 40_000);
}

test('the tutorial shows what one sees, from an empty folder to a repaired mistake', { timeout: 300_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rdi-tutorial-'));
  const home = join(folder, 'home');
  mkdirSync(home);
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, LANG: 'C.UTF-8' };
  const { page, http } = await localPage(provideRdi(folder));
  const shell = openShell(folder, { cwd: ROOT, env });
  const world: World = { folder, shell, env, http, terminals: new Map() };
  try {
    const steps = readSteps(page);
    expect(steps.length).toBeGreaterThan(25);
    await follow(world, steps);
    expect(readFileSync(join(folder, 'rdi.log'), 'utf8')).toContain('rdi has stopped');
  } finally {
    await shell.close();
    await endTerminals(world);
    rmSync(folder, { recursive: true, force: true });
  }
});
