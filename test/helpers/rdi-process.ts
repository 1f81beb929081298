/** rdi itself as a child process, from source or (with RDI_BINARY) as the built executable. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineSnapshot } from '../../src/control/types.ts';
import { Process, until } from './processes.ts';
import { freePort } from './redis-server.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

export interface RdiOptions {
  /** Folder for the data folder and the log; it must exist. */
  readonly folder: string;
  /** URL of the target Redis. Leave it out when `args` name a pipeline folder. */
  readonly target?: string;
  readonly args?: readonly string[];
  /** Of `http.token`, where `args` ask for a login. */
  readonly token?: string;
}

export interface Rdi {
  readonly port: number;
  readonly http: string;
  /** Body of `/api/v2/overview`. */
  status(): Promise<EngineSnapshot>;
  /** Waits until nothing is pending and `isEnough` agrees; fails with the log's end when time is over. */
  settled(isEnough: (status: EngineSnapshot) => boolean, timeoutMs: number): Promise<EngineSnapshot>;
  /** Ends the process: SIGTERM drains, SIGKILL does not. Resolves to its exit code or signal. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
  /** Starts it again with the same ports and the same data, and waits until it serves feeders. */
  start(): Promise<void>;
  log(): string;
}

/** Starts rdi and waits until its endpoint is open; the target need not be there. */
export async function startRdi(options: RdiOptions): Promise<Rdi> {
  const [port, httpPort] = [await freePort(), await freePort()];
  const dataDir = join(options.folder, 'data');
  mkdirSync(dataDir, { recursive: true });
  const http = `http://127.0.0.1:${httpPort}`;
  const logFile = join(options.folder, 'rdi.log');
  const args = [
    'run',
    ...(options.target === undefined ? [] : ['--target', options.target]),
    ...['--listen', `127.0.0.1:${port}`, '--http', `127.0.0.1:${httpPort}`, '--data-dir', dataDir],
    ...(options.args ?? []),
  ];
  const binary = process.env['RDI_BINARY'];
  const launch = () =>
    binary
      ? new Process(binary, args, { logFile, cwd: options.folder })
      : new Process(process.execPath, [MAIN, ...args], { logFile, cwd: options.folder });
  let current = launch();
  const evidence = () => current.log();

  const status = async () => {
    const response = await fetch(`${http}/api/v2/overview`, {
      signal: AbortSignal.timeout(10_000),
      ...(options.token === undefined ? {} : { headers: { authorization: `Bearer ${options.token}` } }),
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return (await response.json()) as EngineSnapshot;
  };
  const isListening = async () => {
    // A process that ended will not listen any more, so there is no use in waiting.
    return !current.running || (await status()).endpoint.listening;
  };
  const listening = async () => {
    await until('rdi to listen', isListening, { timeoutMs: 30_000, everyMs: 50, evidence });
    if (!current.running) throw new Error(`rdi ended at its start:\n${evidence()}`);
  };
  await listening();

  return {
    port,
    http,
    status,
    settled: async (isEnough, timeoutMs) => {
      let last: EngineSnapshot | undefined;
      const isSettled = async () => {
        last = await status();
        return last.totals.pending === 0 && isEnough(last);
      };
      const seen = () => `${JSON.stringify(last?.totals)}\n${current.log()}`;
      await until('every entry to be settled', isSettled, { timeoutMs, everyMs: 100, evidence: seen });
      if (!last) throw new Error('No status was read.');
      return last;
    },
    end: (signal) => current.end(signal, 40_000),
    start: async () => {
      current = launch();
      await listening();
    },
    log: () => current.log(20_000),
  };
}

/** Streams whose account does not add up; empty when every one does. */
export function unbalanced({ streams, totals }: EngineSnapshot): string[] {
  const accounts = [...streams, { name: 'totals', ...totals }];
  return accounts
    .filter(
      ({ received, written, filtered, superseded, deduplicated, rejected, skipped, pending }) =>
        received !== written + filtered + superseded + deduplicated + rejected + skipped + pending,
    )
    .map(({ name }) => name);
}
