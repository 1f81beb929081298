import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Engine } from '../control/index.ts';
import type { TokenData } from './login.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Who asks. */
export interface Caller {
  /** Of the other end of the connection. */
  readonly address: string;
  readonly identity: TokenData;
}

/** What a handler is given: everything parsed by the route's shapes. */
export interface RouteRequest<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly engine: Engine;
  readonly caller: Caller;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

/** One operation of the API: shapes and handler in one place, so that the OpenAPI document cannot differ from what is served. */
export interface Route<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  readonly method: Method;
  /** OpenAPI form: `/api/v2/pipelines/{name}/dlqs/{table}`. */
  readonly path: string;
  /** Heading under which the documentation lists it. */
  readonly tag: string;
  /** One sentence in the imperative, without a full stop. */
  readonly summary: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Status of success, and the shape of its answer; null: no body. */
  readonly status?: number;
  readonly answer: z.ZodType | null;
  /** Other statuses of success with their shapes; the handler returns an {@link OtherAnswer} then. */
  readonly otherAnswers?: Readonly<Record<number, z.ZodType>>;
  /** The answer is a stream of JSON lines, each of the shape of `answer`. */
  readonly isStream?: true;
  /** Statuses of failure beside 400, 401, 422 and 503, with what they mean. */
  readonly failures?: Readonly<Record<number, string>>;
  /** Needs no login. */
  readonly isOpen?: true;
  handle(
    request: RouteRequest<z.output<P>, z.output<Q>, z.output<B>>,
  ): unknown | Promise<unknown> | AsyncIterable<unknown>;
}

/** What a handler returns to answer with one of `otherAnswers`. */
export class OtherAnswer {
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, body: unknown) {
    this.status = status;
    this.body = body;
  }
}

/** A refusal: its status, and a body of RDI's form for its version of the API. */
export class HttpError extends Error {
  readonly status: number;
  readonly errors: readonly ApiErrorItem[];

  constructor(status: number, detail: string, errors: readonly ApiErrorItem[] = []) {
    super(detail);
    this.status = status;
    this.errors = errors;
  }
}

/** RDI's error item (API v2). */
export interface ApiErrorItem {
  readonly code: string;
  readonly message: string;
  readonly remediation?: string;
  readonly details?: unknown;
}

/** Collects routes, serves them, and describes them. */
export interface Api {
  add<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(route: Route<P, Q, B>): void;
}

/** A file of routes: adds them all. */
export type AddRoutes = (api: Api) => void;

export type { FastifyInstance, FastifyReply, FastifyRequest };
