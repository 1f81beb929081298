/**
 * One tree of errors. Each says what happened, where, and what to do; code branches on `code` or `retryable`, never on
 * the text. Codes are public: `docs/errors.md` is generated from {@link ERROR_CODES} and a test compares the two.
 */

/** Every public code with the sentence that `docs/errors.md` prints for it. */
export const ERROR_CODES = {
  CONFIG_INVALID: 'A configuration file, flag or variable is wrong. The message lists every problem with its place.',
  CONFIG_NOT_FOUND: 'The pipeline folder has no `config.yaml`, or a named file cannot be read.',
  PROTOCOL_BAD_FRAME: 'A client sent bytes that are not the Redis protocol. Only its own connection is closed.',
  DECODE_NOT_JSON: 'The value or key of an entry is not the JSON that a Debezium Server writes.',
  DECODE_UNKNOWN_EVENT:
    'The entry is JSON, but neither a change event, a flattened row, a CloudEvent nor a control event.',
  DECODE_NO_ROW: 'A create, update or delete event holds neither `before` nor `after` nor a key.',
  DECODE_BAD_VALUE: 'A column value does not fit the type that the event’s schema names.',
  TRANSFORM_NO_KEY: 'The record has no primary key, so no target key can be built.',
  TRANSFORM_BAD_KEY: 'A key column is null or was not delivered, so no target key can be built.',
  TRANSFORM_FAILED: 'A block of a job failed on this record: a filter, map, add_field or another one.',
  TRANSFORM_BAD_OUTPUT:
    'An output of a job cannot be written for this record: its key, member, score, expiry or parent key.',
  LOOKUP_REFUSED: 'The target answered the lookup of a job with an error, or an argument of it is null.',
  TARGET_WRONG_TYPE: 'The target key holds another data type than the write needs.',
  TARGET_REFUSED: 'The target answered a write with an error that repeating it cannot cure.',
  TARGET_UNAVAILABLE:
    'The target cannot be reached or cannot take writes now. Writes are repeated in order until it can.',
  TARGET_AUTH:
    'The target refuses our user or password, or the user may not run a command. Writing waits until it may.',
  TARGET_NO_JSON: 'JSON documents are asked for, and the target has no RedisJSON module.',
  PARKED_BEHIND:
    'An older record of the same row is in the DLQ, and `on_reject` is `park_key`: this one waits behind it, and was not tried.',
  STORE_LOCKED: 'Another process uses the same data folder.',
  STORE_DAMAGED: 'A segment of the journal, or the state store, is damaged at a place that was already acknowledged.',
  STORE_FULL: 'The disk limit is reached, or the disk is full. Feeders are held back; nothing acknowledged is lost.',
  STORE_FAILED: 'The disk refused a read or a write.',
  STREAM_STOPPED: 'A stream stopped at a rejected record, because `error_handling` is `abort`.',
  API_UNREACHABLE: 'A command found no running rdi at the API address, or what answers there is something else.',
  API_REFUSED: 'The running rdi refused what a command asked of it.',
  REPLAY_UNREACHABLE: 'A replay found no endpoint at the address that it was given.',
  REPLAY_STOPPED: 'The endpoint answered a replayed command in a way at which a Debezium Server would stop.',
  INTERNAL: 'A bug in rdi. The process stops and keeps its evidence.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetails {
  /** File with line and column, stream with entry id, target with key: whatever names the place. */
  where?: string;
  /** One imperative sentence. */
  fix?: string;
  retryable?: boolean;
  cause?: unknown;
}

/** Base of all errors that a user may see. `message` is what, where and fix in one line. */
export class RdiError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly fix: string | undefined;
  readonly retryable: boolean;

  constructor(code: ErrorCode, what: string, details: ErrorDetails = {}) {
    const { where, fix, retryable = false, cause } = details;
    super(`${what}${where ? ` (${where})` : ''}.${fix ? ` ${fix}` : ''}`, cause === undefined ? {} : { cause });
    this.name = new.target.name;
    this.code = code;
    this.where = where;
    this.fix = fix;
    this.retryable = retryable;
  }
}

/** Something in a configuration file, flag or variable. Line and column count from 1; 0 where there is no file. */
export interface ConfigProblem {
  /** The file, or the flag (`--listen`) or variable (`RDI_LISTEN`) that holds the value. */
  readonly file: string;
  readonly line: number;
  readonly col: number;
  readonly message: string;
}

/** Something worth knowing that stops nothing. */
export interface ConfigNotice extends ConfigProblem {
  readonly level: 'info' | 'warn';
}

/** `file:line:col: message`, or `--flag: message` where there is no file. */
export function formatProblem(problem: ConfigProblem): string {
  const { file, line, col, message } = problem;
  return line === 0 ? `${file}: ${message}` : `${file}:${line}:${col}: ${message}`;
}

/** A file or flag is wrong: refuse to start, all problems at once. */
export class ConfigError extends RdiError {
  /** Every problem with its place; empty for errors that are not about the content of a file. */
  readonly problems: readonly ConfigProblem[];

  constructor(code: ErrorCode, what: string, details: ErrorDetails & { problems?: readonly ConfigProblem[] } = {}) {
    super(code, what, details);
    this.problems = details.problems ?? [];
    if (this.problems.length > 0) this.message = [what, ...this.problems.map(formatProblem)].join('\n');
  }
}
/** A feeder sent a bad frame: close only that connection. */
export class ProtocolError extends RdiError {}
/** An entry cannot be understood: that entry goes to the DLQ. */
export class DecodeError extends RdiError {}
/** The target refused or vanished: retry in order when `retryable`, else DLQ. */
export class TargetError extends RdiError {}
/** The stream store failed: never answer OK for what is not durable. */
export class StoreError extends RdiError {}
/** Our bug: stop, keep evidence. */
export class InternalError extends RdiError {
  constructor(what: string, details: ErrorDetails = {}) {
    super('INTERNAL', what, details);
  }
}
