import type { FastifyInstance, FastifyRequest } from './api.ts';
import { refuse } from './failures.ts';
import type { Login, TokenData } from './login.ts';
import type { RouteTable } from './route-table.ts';

export interface Access {
  readonly login: Login;
  /** Paths outside of the API that need a login. */
  readonly closed: ReadonlySet<string>;
  readonly table: () => Promise<RouteTable>;
}

const identities = new WeakMap<FastifyRequest['raw'], TokenData>();

/** Who sent a request that was let in. */
export function identityOf(request: FastifyRequest): TokenData {
  return identities.get(request.raw) ?? { sub: 'anonymous' };
}

/**
 * Answers 401 to requests without a valid token, before their body is read. Open are health (without details), the page's own files,
 * and the routes that say so.
 */
export function requireLogin(app: FastifyInstance, access: Access): void {
  const { login } = access;
  app.addHook('onRequest', async (request, reply) => {
    const identity = await login.identify(request.headers.authorization);
    if (identity !== null) identities.set(request.raw, identity);
    if (identity !== null || (await isOpen(request, access))) return undefined;
    const { status, body } = refuse(
      401,
      'A valid token is needed: log in with POST /api/v1/login, and send it as "Authorization: Bearer …".',
    );
    return reply.code(status).header('www-authenticate', 'Bearer').send(body);
  });
}

/** Judged by the route that was found, not by the text of the path, which may be encoded. */
async function isOpen(request: FastifyRequest, { closed, table }: Access): Promise<boolean> {
  const { url: route } = request.routeOptions;
  if (route === undefined) return true;
  if (closed.has(route)) return false;
  // As the router reads the query, which also begins at a `#`.
  if (route === '/healthz') return Object.keys(request.query ?? {}).length === 0;
  if (route !== '/api/*') return true;
  const path = (request.raw.url ?? '').split('?')[0]!;
  const match = (await table()).match(request.method, path);
  return match.kind === 'route' && match.route.isOpen === true;
}
