import type { FastifyInstance } from './api.ts';

/**
 * Keeps foreign web pages out: a page in a browser on this machine can send requests to a loopback port. Its `Host` gives away
 * a rebound name, its `Origin` or `Sec-Fetch-Site` a foreign page. Programs send neither, or the right ones.
 */
export function refuseForeignPages(
  app: FastifyInstance,
  { host: listenHost, scheme }: { host: string; scheme: string },
): void {
  app.addHook('onRequest', async (request, reply) => {
    const host = request.headers.host ?? '';
    if (isLoopback(listenHost) && !isLoopback(hostName(host))) {
      return reply.code(403).send({ detail: `Host ${host} is not this server. Use 127.0.0.1 or localhost.` });
    }
    const { origin } = request.headers;
    if (origin !== undefined && origin !== `${scheme}://${host}`) {
      return reply.code(403).send({ detail: `Requests from pages of ${origin} are refused.` });
    }
    if (request.headers['sec-fetch-site'] === 'cross-site' && request.url.startsWith('/api/')) {
      return reply.code(403).send({ detail: 'Requests from pages of other sites are refused.' });
    }
    return undefined;
  });
}

/** `127.0.0.1`, any other 127 address, `::1` with or without brackets, `localhost`. */
function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

function hostName(hostAndPort: string): string {
  return hostAndPort.replace(/:\d+$/, '');
}
