import type { HttpSettings } from '../config/index.ts';
import { type Engine, type EngineSnapshot, readStatus } from '../control/index.ts';
import { count, formatDuration } from '../lib/plain-words.ts';
import type { Logger } from '../observe/logger.ts';
import { EXIT } from './exit-codes.ts';
import { formatAccount, formatWelcome } from './run-view.ts';
import type { Terminal } from './terminal.ts';

/** Time for the last output to be written, before whatever still holds the process is cut off. */
const LINGER_MS = 2000;
/** Time beyond the engine's own deadline after which the process ends whatever hangs. */
const FORCE_AFTER_MS = 5000;

/** The two signals that ask a process to end; tests send their own. */
interface Signals {
  on(name: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  off(name: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

export interface Operation {
  readonly terminal: Terminal;
  readonly logger: Logger;
  /** Null switches HTTP off. */
  readonly http: HttpSettings | null;
  /** How long the engine may take to close. */
  readonly deadlineMs: number;
  readonly startEngine: () => Promise<Engine>;
  readonly signals?: Signals;
  /** Ends the process at once. */
  readonly exit?: (code?: number) => void;
}

/**
 * Starts engine and HTTP, prints where they are, waits for a signal, drains, prints the account. Resolves to the exit
 * code. HTTP is served from the first moment, and until the drain is over.
 *
 * @throws what the engine or HTTP throws when it cannot start; then nothing is left running
 */
export async function operate(operation: Operation): Promise<number> {
  const { terminal, logger, http } = operation;
  const ending = watchSignals(operation);
  try {
    let engine: Engine | undefined;
    const serving = http === null ? undefined : serveHttp(http, () => engine, logger);
    const [started, served] = await Promise.allSettled([operation.startEngine(), serving]);
    if (started.status === 'rejected' || served.status === 'rejected') {
      if (served.status === 'fulfilled') await served.value?.close();
      if (started.status === 'fulfilled') await started.value.close();
      throw started.status === 'rejected' ? started.reason : (served as PromiseRejectedResult).reason;
    }
    engine = started.value;
    const snapshot = readStatus(engine);
    terminal.out(formatWelcome(snapshot, served.value?.address));
    logger.info({ listen: snapshot.endpoint.address, http: served.value?.address ?? 'off' }, 'rdi serves feeders');
    logger.info({ signal: await ending.first }, 'rdi is stopping');
    announceDrain(terminal, engine.snapshot(), operation.deadlineMs);
    await engine.close();
    reportAccount(terminal, logger, engine.snapshot());
    await served.value?.close();
    return EXIT.done;
  } finally {
    ending.stop();
  }
}

async function serveHttp(settings: HttpSettings, engine: () => Engine | undefined, logger: Logger) {
  const { startHttp } = await import('../http/index.ts');
  return startHttp({ ...settings, engine, onError: (err) => logger.error({ err }, 'an HTTP request failed') });
}

/** `first` resolves to the first signal. From then on a second signal, or the end of patience, ends the process. */
function watchSignals({ terminal, deadlineMs, signals = process, exit = (code) => process.exit(code) }: Operation) {
  const { promise: first, resolve } = Promise.withResolvers<string>();
  let patience: NodeJS.Timeout | undefined;
  const force = (why: string): void => {
    terminal.err(
      `${why}: ending at once. What was accepted is kept; the next start goes on, and may repeat some writes.\n`,
    );
    exit(EXIT.interrupted);
  };
  const listen = (name: 'SIGINT' | 'SIGTERM') => (): void => {
    if (patience !== undefined) {
      force('Told to end a second time');
      return;
    }
    patience = setTimeout(() => force('The drain did not end in time'), deadlineMs + FORCE_AFTER_MS);
    patience.unref();
    resolve(name);
  };
  const listeners = { SIGINT: listen('SIGINT'), SIGTERM: listen('SIGTERM') };
  signals.on('SIGINT', listeners.SIGINT);
  signals.on('SIGTERM', listeners.SIGTERM);
  const stop = (): void => {
    clearTimeout(patience);
    setTimeout(() => exit(), LINGER_MS).unref();
    signals.off('SIGINT', listeners.SIGINT);
    signals.off('SIGTERM', listeners.SIGTERM);
  };
  return { first, stop };
}

function announceDrain(terminal: Terminal, { totals }: EngineSnapshot, deadlineMs: number): void {
  const left = count(totals.pending, 'entry', 'entries');
  const limit = formatDuration(deadlineMs);
  terminal.err(
    `Stopping: ${left} to write, at most ${limit}. What is left then stays in the store for the next start.\n`,
  );
}

function reportAccount(terminal: Terminal, logger: Logger, snapshot: EngineSnapshot): void {
  terminal.out(formatAccount(snapshot));
  logger.info({ totals: snapshot.totals }, 'rdi has stopped');
}
