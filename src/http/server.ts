import type { Server } from 'node:https';
import type { HttpSettings, HttpTls } from '../config/index.ts';
import { ConfigError, InternalError } from '../errors.ts';
import { answer, type EngineSource, sendRefusal } from './answer.ts';
import type { FastifyInstance } from './api.ts';
import { addHealthRoutes, addMetricsRoutes, METRICS_PATHS } from './base-routes.ts';
import { refusalFor, refuse } from './failures.ts';
import { refuseForeignPages } from './guard.ts';
import { Login } from './login.ts';
import { addPage } from './page.ts';
import { requireLogin } from './require-login.ts';
import type { RouteTable } from './route-table.ts';
import { followCertificate } from './tls.ts';

/** Port 0 picks a free one. */
export interface HttpOptions extends HttpSettings {
  readonly engine: EngineSource;
  /** Told of errors inside a request handler, which the client sees only as 500. */
  readonly onError: (error: Error) => void;
}

export interface HttpServer {
  /** `host:port`, with the port that is really used. */
  readonly address: string;
  close(): Promise<void>;
}

/** A pipeline with all of its jobs and tests is far smaller. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/**
 * Starts serving and resolves when the address is bound.
 *
 * @throws ConfigError naming address and flag when it cannot be bound
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { host, port, tls, engine, onError } = options;
  // Loaded here and not above: the store recovers while fastify, the largest import of all, is read.
  const { fastify } = await import('fastify');
  const app = fastify({
    logger: false,
    forceCloseConnections: true,
    ...(tls === undefined ? {} : { https: secureOptions(tls) }),
    bodyLimit: MAX_BODY_BYTES,
    routerOptions: { maxParamLength: 4096 },
    // No route has a schema; without this, the compilers for them cost a tenth of the start of the whole program.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
  });
  acceptJson(app);
  const login = new Login(options);
  refuseForeignPages(app, { host, scheme: tls === undefined ? 'http' : 'https' });
  const table = loadOnce(() => import('./routes.ts').then(({ allRoutes }) => allRoutes({ login, onError })));
  requireLogin(app, { login, closed: new Set(options.openMetrics === true ? [] : METRICS_PATHS), table });
  addHealthRoutes(app, engine);
  addMetricsRoutes(app, engine);
  addDocumentation(app, table);
  app.all('/api/*', async (request, reply) => {
    await answer({ table: await table(), engine, onError }, request, reply);
    return reply;
  });
  addPage(app);
  app.setNotFoundHandler((request, reply) =>
    sendRefusal(reply, refuse(404, `Nothing is served at ${request.method} ${request.url.split('?')[0]}.`)),
  );
  app.setErrorHandler((error, _request, reply) => sendRefusal(reply, refusalFor(error, onError)));
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    throw cannotListen(host, port, error);
  }
  const unfollow = tls === undefined ? () => {} : followCertificate(app.server as unknown as Server, tls, onError);
  const bound = app.server.address();
  const boundPort = bound !== null && typeof bound === 'object' ? bound.port : port;
  const close = async (): Promise<void> => {
    unfollow();
    await app.close();
  };
  return { address: `${host.includes(':') ? `[${host}]` : host}:${boundPort}`, close };
}

/** Neither holds anything that is not in every copy of rdi, so that no login is needed. */
function addDocumentation(app: FastifyInstance, table: () => Promise<RouteTable>): void {
  const describe = loadOnce(async () => {
    const { routes } = await table();
    const document = (await import('./openapi.ts')).openApiOf(routes);
    const { DOCS_HEADERS, docsPage } = await import('./docs-page.ts');
    return { document, headers: DOCS_HEADERS, page: docsPage(routes, document) };
  });
  app.get('/api/openapi.json', async () => (await describe()).document);
  app.get('/api/docs', async (_request, reply) => {
    const { headers, page } = await describe();
    return reply.headers(headers).send(page);
  });
}

function loadOnce<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () => {
    loading ??= load();
    return loading;
  };
}

function secureOptions({ cert, key, keyPassword }: HttpTls) {
  return {
    cert,
    key,
    minVersion: 'TLSv1.2' as const,
    ...(keyPassword === undefined ? {} : { passphrase: keyPassword }),
  };
}

/** JSON is the only body; an empty one is none, whatever its type says, because clients send that with their POSTs. */
function acceptJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'string' },
    (request, body, done) => (body.trim() === '' ? done(null, undefined) : parse(request, body, done)),
  );
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
