import { ConfigError, RdiError } from '../errors.ts';

/** What the exit code of every command means; part of the public interface. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  timeout: 4,
  notFound: 5,
  interrupted: 130,
} as const;

/** The person pressed Ctrl-C, or the process was told to end. */
export class Interrupted extends Error {}

/** The running rdi refused a request. */
export class ApiError extends RdiError {
  /** HTTP status; 0 when nothing answered. */
  readonly status: number;

  constructor(code: 'API_UNREACHABLE' | 'API_REFUSED', what: string, status: number, fix: string, cause?: unknown) {
    super(code, what, { fix, cause });
    this.status = status;
  }
}

/** The exit code for an error that ended a command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (error instanceof ConfigError) return EXIT.usage;
  if (error instanceof ApiError && error.status === 404) return EXIT.notFound;
  if (error instanceof RdiError && (error.code === 'API_UNREACHABLE' || error.code === 'REPLAY_UNREACHABLE')) {
    return EXIT.unreachable;
  }
  return EXIT.failed;
}
