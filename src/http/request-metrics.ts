import { labelled, type MetricDeclaration, type Reading, readFamilies } from '../observe/metric-table.ts';
import type { MetricFamily } from '../observe/metrics.ts';
import type { FastifyInstance } from './api.ts';

interface RequestCount {
  readonly method: string;
  readonly route: string;
  readonly status: string;
  requests: number;
}

/** What is served at which route, and how often. */
export const REQUEST_METRICS: readonly MetricDeclaration<Iterable<RequestCount>>[] = [
  labelled(
    'rdi_http_requests_total',
    'counter',
    ['method', 'route', 'status'],
    'Requests answered. `route` is the pattern of the path; `(none)` where nothing is served.',
    (counts) => [...counts].map(({ method, route, status, requests }): Reading => [method, route, status, requests]),
  ),
];

/** Counts what this server answers, by the pattern of the path: as many series as there are routes, whatever is asked for. */
export function countRequests(app: FastifyInstance): () => MetricFamily[] {
  const counts = new Map<string, RequestCount>();
  app.addHook('onResponse', async (request, reply) => {
    const method = request.method;
    const route = request.routeOptions.url ?? '(none)';
    const status = String(reply.statusCode);
    const id = `${method} ${status} ${route}`;
    const known = counts.get(id);
    if (known) known.requests++;
    else counts.set(id, { method, route, status, requests: 1 });
  });
  return () => readFamilies(REQUEST_METRICS, counts.values());
}
