/** Child processes of the slow suites: started with a log file, waited for, and always ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface StartOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Output of both streams is appended here. */
  readonly logFile: string;
  /** Run as another user; only root can. */
  readonly uid?: number;
  readonly gid?: number;
}

/** Lets Linux kill a child when its parent is gone, whatever ended the parent. */
const SETPRIV = '/usr/bin/setpriv';
const LEASH = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL', '--'] : [];

/** A running child process. It never outlives the test process. */
export class Process {
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly exited: Promise<number | NodeJS.Signals | null>;
  readonly name: string;
  running = true;

  constructor(command: string, args: readonly string[], options: StartOptions) {
    this.name = command;
    this.#logFile = options.logFile;
    const log = openSync(options.logFile, 'a');
    const { uid, gid, cwd } = options;
    const [program = command, ...leash] = [...LEASH, command];
    this.#child = spawn(program, [...leash, ...args], {
      stdio: ['ignore', log, log],
      env: { ...withoutOwnVariables(process.env), ...options.env },
      ...(cwd === undefined ? {} : { cwd }),
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    });
    closeSync(log);
    const endWithUs = () => this.#child.kill('SIGKILL');
    process.once('exit', endWithUs);
    this.exited = new Promise((resolve) => {
      const done = (how: number | NodeJS.Signals | null) => {
        this.running = false;
        process.off('exit', endWithUs);
        resolve(how);
      };
      this.#child.once('error', () => done(null));
      this.#child.once('exit', (code, signal) => done(code ?? signal));
    });
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error(`${this.name} did not start.`);
    return pid;
  }

  /** The end of what the process wrote. */
  log(bytes = 3000): string {
    return readFileSync(this.#logFile, 'utf8').slice(-bytes);
  }

  /** Sends the signal and waits for the end; after `patienceMs` the process is killed. */
  async end(signal: NodeJS.Signals = 'SIGTERM', patienceMs = 20_000): Promise<number | NodeJS.Signals | null> {
    if (!this.running) return this.exited;
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), patienceMs);
    const how = await this.exited;
    clearTimeout(timer);
    return how;
  }
}

/** rdi takes settings from `RDI_*`; those that steer the tests are none of its business. */
function withoutOwnVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('RDI_')));
}

/** Asks again until the answer is true; fails with `what` and the last error when time is over. */
export async function until(
  what: string,
  isDone: () => Promise<boolean> | boolean,
  options: { timeoutMs: number; everyMs?: number; evidence?: () => string },
): Promise<void> {
  const deadline = performance.now() + options.timeoutMs;
  let lastError: unknown;
  while (performance.now() < deadline) {
    try {
      if (await isDone()) return;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    await sleep(options.everyMs ?? 100);
  }
  const evidence = options.evidence ? `\n${options.evidence()}` : '';
  throw new Error(`After ${options.timeoutMs} ms still waiting for ${what}.${evidence}`, { cause: lastError });
}
