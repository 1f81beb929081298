/**
 * The HTTP interface: health, metrics and status of the engine in this process.
 *
 * In: an engine (or none yet, while it starts) and an address. Out: `/livez`, `/healthz[?verbose]`, `/readyz`,
 * `/metrics` with RDI's aliases, and under `/api/v1` `status`, `dlqs`, `dlqs/:name/records`, `streams/:name/resume`.
 * Promises: liveness never depends on engine or target; readiness is 503 with reasons; errors are `{detail}` without
 * stack traces; no answer holds the user part of a URL. Does not: authenticate. It belongs on a loopback address, and
 * there it refuses requests that come from web pages.
 */
import { ConfigError, InternalError, RdiError } from '../errors.ts';
import { addApiRoutes, addHealthRoutes, addMetricsRoutes, type EngineSource } from './base-routes.ts';
import { refuseForeignPages } from './guard.ts';

export interface HttpOptions {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  readonly engine: EngineSource;
  /** Told of errors inside a request handler, which the client sees only as 500. */
  readonly onError: (error: Error) => void;
}

export interface HttpServer {
  /** `host:port`, with the port that is really used. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Starts serving and resolves when the address is bound.
 *
 * @throws ConfigError naming address and flag when it cannot be bound
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { host, port, engine, onError } = options;
  // Loaded here and not above: the store recovers while fastify, the largest import of all, is read.
  const { fastify } = await import('fastify');
  const app = fastify({
    logger: false,
    forceCloseConnections: true,
    bodyLimit: 64 * 1024,
    routerOptions: { maxParamLength: 4096 },
    // No route has a schema; without this, the compilers for them cost a tenth of the start of the whole program.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
  });
  refuseForeignPages(app, host);
  addHealthRoutes(app, engine);
  addMetricsRoutes(app, engine);
  addApiRoutes(app, engine);
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ detail: `Nothing is served at ${request.method} ${request.url.split('?')[0]}.` }),
  );
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status < 500) return reply.code(status).send({ detail: error.message });
    onError(error);
    const detail = error instanceof RdiError ? error.message : 'Internal error; the log of rdi says more.';
    return reply.code(500).send({ detail });
  });
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    throw cannotListen(host, port, error);
  }
  const bound = app.server.address();
  const boundPort = bound !== null && typeof bound === 'object' ? bound.port : port;
  return { address: `${host.includes(':') ? `[${host}]` : host}:${boundPort}`, close: () => app.close() };
}

function noSchemas(): never {
  throw new InternalError('A route has a schema, and no compiler for it is loaded');
}

const BIND_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program uses this port',
  EACCES: 'this user may not use this port',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'the host name is unknown',
};

function cannotListen(host: string, port: number, cause: unknown): ConfigError {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
  return new ConfigError('CONFIG_INVALID', `Cannot serve HTTP on ${host}:${port}: ${BIND_ERRORS[code] ?? code}`, {
    fix: 'Choose another address with --http HOST:PORT, or --http off.',
    cause,
  });
}
