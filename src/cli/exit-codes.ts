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

/** One of the reasons for a refusal, as the API gives it. */
export interface RefusalItem {
  readonly code: string;
  readonly message: string;
  readonly remediation?: string;
  readonly details?: unknown;
}

/** The running rdi refused a request, or none answered. */
export class ApiError extends RdiError {
  /** HTTP status; 0 when nothing answered. */
  readonly status: number;
  readonly items: readonly RefusalItem[];

  constructor(
    code: 'API_UNREACHABLE' | 'API_REFUSED',
    what: string,
    status: number,
    fix: string,
    more: { readonly cause?: unknown; readonly items?: readonly RefusalItem[] } = {},
  ) {
    super(code, what, { fix, cause: more.cause });
    this.status = status;
    this.items = more.items ?? [];
  }
}

/** What was waited for did not happen in time. It may still happen. */
export class TimedOut extends Error {}

/** What a command was asked for by name is not there, and no running rdi was needed to see it. */
export class NotFound extends ConfigError {}

/** The exit code for an error that ended a command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (error instanceof TimedOut) return EXIT.timeout;
  if (error instanceof NotFound) return EXIT.notFound;
  if (error instanceof ConfigError) return EXIT.usage;
  if (error instanceof ApiError) return exitCodeOfRefusal(error);
  if (error instanceof RdiError && error.code === 'REPLAY_UNREACHABLE') return EXIT.unreachable;
  return EXIT.failed;
}

function exitCodeOfRefusal({ code, status }: ApiError): number {
  if (code === 'API_UNREACHABLE' || status === 401 || status === 403) return EXIT.unreachable;
  return status === 404 ? EXIT.notFound : EXIT.failed;
}
