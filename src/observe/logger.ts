/**
 * The log of the process: JSON lines, or readable lines on a terminal. The keys of a line are `ts` (ISO 8601), `level`, `msg`
 * and where they apply `component` (the room that speaks), `source`, `stream`, `code`, and what else there is to say.
 *
 * Everything is written synchronously and in this process: no worker threads, so that it works inside a packaged
 * executable and nothing is lost when the process ends. No secret leaves: values under keys that name a secret are
 * replaced, and so is every known secret value wherever it turns up.
 */
import { pino } from 'pino';
import type { LogMemory } from './log-memory.ts';

export type Logger = pino.Logger;

export interface LoggerOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error';
  /** `auto` is `pretty` on a terminal, else `json`. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** Values that no line may hold. */
  readonly secrets?: readonly string[];
  /** 1 is stdout, 2 (the default) stderr. */
  readonly fd?: 1 | 2;
  /** Takes the finished lines instead of `fd`. */
  readonly destination?: { write(line: string): void };
  /** Whether `fd` is a terminal; asked of the system when absent. */
  readonly isTerminal?: boolean;
  /** Takes every line, too. */
  readonly memory?: LogMemory;
}

/** A logger, and the way to tell it secrets that become known after it was made. */
export interface RedactingLogger {
  readonly logger: Logger;
  /** From now on replaces these values in every line. Values shorter than four characters cannot be told from words. */
  addSecrets(values: readonly string[]): void;
}

const HIDDEN = '********';

/** Makes the logger. Loads the formatter for terminals only when it is used. */
export async function createLogger(options: LoggerOptions): Promise<RedactingLogger> {
  const fd = options.fd ?? 2;
  const secrets = new SecretFilter();
  secrets.add(options.secrets ?? []);
  const isTerminal = options.isTerminal ?? (fd === 1 ? process.stdout : process.stderr).isTTY === true;
  const isPretty = options.format === 'pretty' || (options.format === 'auto' && isTerminal);
  const sink = options.destination ?? openSink(fd);
  const printed = isPretty ? await prettySink(sink, isTerminal) : sink;
  const { memory } = options;
  const destination = memory === undefined ? printed : remembering(printed, memory);
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => hideNamed(fields) as Record<string, unknown>,
      },
      serializers: { err: (error: unknown) => hideNamed(error) },
      // Fields of child loggers pass by the formatters.
      redact: { paths: [...SECRET_FIELDS], censor: HIDDEN },
      hooks: { streamWrite: (line) => secrets.hide(line) },
    },
    destination,
  );
  return { logger, addSecrets: (values) => secrets.add(values) };
}

function remembering(sink: { write(line: string): void }, memory: LogMemory): { write(line: string): void } {
  return {
    write: (line) => {
      memory.add(line);
      sink.write(line);
    },
  };
}

function openSink(fd: number): { write(line: string): void } {
  const sink = pino.destination({ dest: fd, sync: true });
  // A reader that went away (`rdi run | head`) must not take the process down.
  sink.on('error', () => {});
  return sink;
}

async function prettySink(
  sink: { write(line: string): void },
  colours: boolean,
): Promise<{ write(line: string): void }> {
  const { prettyFactory } = await import('pino-pretty');
  const format = prettyFactory({
    colorize: colours,
    timestampKey: 'ts',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
  return { write: (line) => sink.write(format(line)) };
}

const SECRET_NAME = /passw|passphrase|secret|token|authorization|credential|private_?key/i;
const SECRET_FIELDS = ['password', 'secret', 'token', 'authorization', 'key_password', 'keyPassword'] as const;
const MAX_DEPTH = 6;

/** A copy in which values under names that mean a secret are replaced, and errors are told without stack. */
function hideNamed(value: unknown, depth = 0): unknown {
  if (value instanceof Error) return describeError(value);
  if (value === null || typeof value !== 'object' || depth > MAX_DEPTH) return value;
  if (Array.isArray(value)) return value.map((item) => hideNamed(item, depth + 1));
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const isSecret = SECRET_NAME.test(key) && inner !== undefined && inner !== null;
      return [key, isSecret ? HIDDEN : hideNamed(inner, depth + 1)];
    }),
  );
}

/** Message, code and causes. A stack only for what should never happen: it is evidence of a bug, not help for a user. */
function describeError(error: Error, depth = 0, parentExpected = false): Record<string, unknown> {
  const { code } = error as { code?: unknown };
  const isExpected = parentExpected || (code !== undefined && code !== 'INTERNAL');
  const described: Record<string, unknown> = { type: error.name, message: error.message };
  if (code !== undefined) described['code'] = code;
  if (!isExpected) described['stack'] = error.stack;
  if (depth > MAX_DEPTH) return described;
  const inner = (value: unknown) => (value instanceof Error ? describeError(value, depth + 1, isExpected) : value);
  if (error.cause instanceof Error) described['cause'] = inner(error.cause);
  if (error instanceof AggregateError) described['errors'] = error.errors.map(inner);
  return described;
}

const MIN_SECRET_LENGTH = 4;

/** Replaces known secrets in finished lines. */
class SecretFilter {
  readonly #known = new Set<string>();
  #pattern: RegExp | undefined;

  add(values: readonly string[]): void {
    for (const value of values) {
      if (value.length < MIN_SECRET_LENGTH) continue;
      this.#known.add(value);
      this.#known.add(JSON.stringify(value).slice(1, -1));
    }
    if (this.#known.size === 0) return;
    const longestFirst = [...this.#known].sort((a, b) => b.length - a.length);
    this.#pattern = new RegExp(longestFirst.map((value) => RegExp.escape(value)).join('|'), 'g');
  }

  hide(line: string): string {
    return this.#pattern === undefined ? line : line.replace(this.#pattern, HIDDEN);
  }
}

const MAX_KEYS = 1000;

/**
 * Holds back messages that repeat. The function returned lets a key through at most once per `ms` and answers how many
 * calls were held back since; undefined means: held back.
 */
export function createOnceEvery(now: () => number): (ms: number, key: string) => number | undefined {
  const last = new Map<string, { at: number; heldBack: number }>();
  return (ms, key) => {
    const entry = last.get(key);
    const at = now();
    if (entry !== undefined && at - entry.at < ms && at >= entry.at) {
      entry.heldBack += 1;
      return undefined;
    }
    last.delete(key);
    if (last.size >= MAX_KEYS) last.delete(last.keys().next().value ?? key);
    last.set(key, { at, heldBack: 0 });
    return entry?.heldBack ?? 0;
  };
}
