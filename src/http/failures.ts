import type { z } from 'zod';
import { withoutCredentials } from '../control/index.ts';
import { ConfigError, type ConfigProblem, formatProblem, RdiError } from '../errors.ts';
import { type ApiErrorItem, HttpError } from './api.ts';

/** A refusal as it is sent: status, and a body in RDI's form. */
export interface Refusal {
  readonly status: number;
  readonly body: { readonly detail: string; readonly errors?: readonly ApiErrorItem[] };
}

/** Which status an error of the engine means. What is not listed is our fault: 500. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  TARGET_UNAVAILABLE: 503,
  STORE_LOCKED: 503,
  STORE_FULL: 503,
  STORE_FAILED: 503,
  STORE_DAMAGED: 503,
};

/**
 * The refusal that an error stands for; null for one that nobody may see: a bug, to be logged and answered with 500.
 * Errors of fastify carry `statusCode`.
 */
export function refusalOf(error: unknown): Refusal | null {
  if (error instanceof HttpError) return refuse(error.status, error.message, error.errors);
  if (error instanceof ConfigError) return refuse(422, error.message, error.problems.map(errorOfProblem));
  if (error instanceof RdiError && error.code !== 'INTERNAL') {
    const status = STATUS_OF_CODE[error.code] ?? 502;
    return refuse(status, error.message, [{ code: 'operation_error', message: error.message }]);
  }
  const { statusCode, message } = error as { statusCode?: unknown; message?: unknown };
  if (typeof statusCode === 'number' && statusCode < 500) return refuse(statusCode, String(message), []);
  return null;
}

/** What the client is told of an error; one that is our fault is logged and hidden. */
export function refusalFor(error: unknown, onError: (error: Error) => void): Refusal {
  const refusal = refusalOf(error);
  if (refusal !== null) return refusal;
  onError(error as Error);
  return refuse(500, 'Internal error; the log of rdi says more.');
}

export function refuse(status: number, detail: string, errors: readonly ApiErrorItem[] = []): Refusal {
  return withoutCredentials({ status, body: errors.length === 0 ? { detail } : { detail, errors } });
}

/** RDI's item for something wrong in a configuration; `details` is the problem with its place. */
export function errorOfProblem(problem: ConfigProblem): ApiErrorItem {
  const code = problem.file.includes('jobs/') ? 'job_validation_error' : 'validation_error';
  return { code, message: formatProblem(problem), details: problem };
}

/** The refusal of a part of a request that does not fit its shape: every mistake with its place. */
export function invalidRequest(where: 'path' | 'query' | 'body', error: z.ZodError): HttpError {
  const errors = error.issues.map((issue) => {
    const place = [where, ...issue.path.map(String)].join('.');
    return { code: 'request_validation_error', message: `${place}: ${issue.message}`, details: { loc: place } };
  });
  return new HttpError(422, errors.map(({ message }) => message).join('; '), errors);
}
