import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Status } from '../../src/control/status.ts';
import type { StreamAccount } from '../../src/control/types.ts';
import { Process, until } from '../helpers/processes.ts';
import { freePort } from '../helpers/redis-server.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

export interface RdiOptions {
  /** Holds the data folder, the pipeline and the log; it must exist. */
  readonly folder: string;
  readonly dataDir?: string;
  /** Lines of the target's `connection`, without indentation: `host: 127.0.0.1`. */
  readonly connection: readonly string[];
  /** Further lines of `processors`. */
  readonly processors?: readonly string[];
  readonly args?: readonly string[];
}

/** Short delays, so that a test does not wait for the ends of long ones. */
const PROCESSORS = ['retry_initial_delay_ms: 50', 'retry_max_delay_ms: 400'];

/** An rdi that is killed and started again with the same ports and the same data. */
export class Rdi {
  readonly port: number;
  readonly http: string;
  readonly dataDir: string;
  readonly #options: RdiOptions;
  readonly #httpPort: number;
  readonly #logFile: string;
  #process: Process | undefined;
  #environment: Readonly<Record<string, string>> = {};

  private constructor(options: RdiOptions, port: number, httpPort: number) {
    this.port = port;
    this.#httpPort = httpPort;
    this.http = `http://127.0.0.1:${httpPort}`;
    this.#options = options;
    this.dataDir = options.dataDir ?? join(options.folder, 'data');
    this.#logFile = join(options.folder, 'rdi.log');
    this.configure(options.connection);
  }

  /** Chooses ports and writes the pipeline; nothing runs yet. */
  static async prepare(options: RdiOptions): Promise<Rdi> {
    return new Rdi(options, await freePort(), await freePort());
  }

  /** Writes the pipeline with other lines for the connection; the next start reads it. */
  configure(connection: readonly string[]): void {
    const folder = join(this.#options.folder, 'pipeline');
    mkdirSync(folder, { recursive: true });
    const processors = [...PROCESSORS, ...(this.#options.processors ?? [])];
    const lines = [
      'targets:',
      '  target:',
      '    connection:',
      ...['type: redis', ...connection].map((line) => `      ${line}`),
      'processors:',
      ...processors.map((line) => `  ${line}`),
    ];
    writeFileSync(join(folder, 'config.yaml'), `${lines.join('\n')}\n`);
  }

  /** Variables of the next start. */
  setEnvironment(environment: Readonly<Record<string, string>>): void {
    this.#environment = environment;
  }

  /** Starts the process and returns at once. */
  launch(): void {
    this.#process = this.another(this.#logFile);
  }

  /** A further process with the same arguments. */
  another(logFile: string, ports: readonly [number, number] = [this.port, this.#httpPort]): Process {
    const [port, httpPort] = ports;
    const args = [
      ...['run', '--dir', join(this.#options.folder, 'pipeline'), '--data-dir', this.dataDir],
      ...['--listen', `127.0.0.1:${port}`, '--http', `127.0.0.1:${httpPort}`, ...(this.#options.args ?? [])],
    ];
    const options = { logFile, cwd: this.#options.folder, env: this.#environment };
    const binary = process.env['RDI_BINARY'];
    return binary ? new Process(binary, args, options) : new Process(process.execPath, [MAIN, ...args], options);
  }

  /** Starts the process and waits until feeders are served, wherever the target is. */
  async start(): Promise<void> {
    this.launch();
    await this.listening();
  }

  listening(): Promise<void> {
    return this.until('rdi to serve feeders', (status) => status.endpoint.listening, 30_000);
  }

  get isRunning(): boolean {
    return this.#process?.running ?? false;
  }

  /** `kill -9`, and waits until the process is gone. */
  async kill(): Promise<void> {
    await this.#process?.end('SIGKILL');
  }

  /** SIGTERM: its exit code, and how long it took, in ms. */
  async stop(patienceMs = 60_000): Promise<{ code: number | NodeJS.Signals | null; ms: number }> {
    const startedAt = performance.now();
    const code = (await this.#process?.end('SIGTERM', patienceMs)) ?? null;
    return { code, ms: performance.now() - startedAt };
  }

  /** Exit code of a process that ends by itself. */
  async exited(): Promise<number | NodeJS.Signals | null | undefined> {
    return this.#process?.exited;
  }

  async status(): Promise<Status> {
    const response = await fetch(`${this.http}/api/v2/overview`, { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return (await response.json()) as Status;
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.http}${path}`, { signal: AbortSignal.timeout(10_000) });
    return (await response.json()) as T;
  }

  /** Waits until the status is as wanted, and returns it; fails with the newest status and the end of the log. */
  async until(what: string, isSo: (status: Status) => boolean, timeoutMs = 30_000): Promise<void> {
    let last: Status | undefined;
    const evidence = () => `${JSON.stringify(last?.totals)} ${JSON.stringify(last?.problems)}\n${this.log(4000)}`;
    const isDone = async () => {
      // Nothing that is waited for can happen any more: the log says why, and time is short.
      if (!this.isRunning) return true;
      last = await this.status();
      return isSo(last);
    };
    await until(what, isDone, { timeoutMs, everyMs: 25, evidence });
    if (!this.isRunning) throw new Error(`rdi ended while waiting for ${what}.\n${evidence()}`);
  }

  /** Waits until everything that was accepted is settled; returns the status then. */
  async drained(timeoutMs = 90_000): Promise<Status> {
    await this.until('everything to be settled', ({ totals }) => totals.pending === 0, timeoutMs);
    return this.status();
  }

  /** What the process wrote, from its first start on; the end of it with `bytes`. */
  log(bytes = Number.POSITIVE_INFINITY): string {
    if (!existsSync(this.#logFile)) return '';
    const text = readFileSync(this.#logFile, 'utf8');
    return bytes === Number.POSITIVE_INFINITY ? text : text.slice(-bytes);
  }

  get journalFolder(): string {
    return join(this.dataDir, 'journal');
  }
}

/** Every problem of the status in one text. */
export function problemsOf(status: Status): string {
  return status.problems.map(({ text }) => text).join('\n');
}

/** Streams, and the totals, whose account does not add up. */
export function unbalanced({ streams, totals }: Status): string[] {
  const accounts = [...streams, { name: 'totals', ...totals }];
  return accounts
    .filter((account: StreamAccount | (typeof accounts)[number]) => {
      const { written, filtered, superseded, deduplicated, rejected, skipped, pending } = account;
      const places = [written, filtered, superseded, deduplicated, rejected, skipped, pending];
      return places.some((count) => count < 0) || account.received !== places.reduce((sum, count) => sum + count, 0);
    })
    .map(({ name }) => name);
}
