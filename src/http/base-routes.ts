import { type EngineSnapshot, readReadiness, readStatus } from '../control/index.ts';
import { formatMetrics, type MetricFamily } from '../observe/metrics.ts';
import { processMetrics } from '../observe/process-metrics.ts';
import { collectorMetrics, operatorMetrics } from './alias-metrics.ts';
import { type EngineSource, STARTING } from './answer.ts';
import type { FastifyInstance } from './api.ts';
import { engineMetrics, processorMetrics } from './metrics.ts';
import { countRequests } from './request-metrics.ts';

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Where metrics are served: our path, and those at which RDI's own scrape configurations look for the same things. */
export const METRICS_PATHS = [
  '/metrics',
  '/processor/metrics',
  '/collector-source/metrics',
  '/operator/metrics',
] as const;

/** Liveness (`/livez`, `/healthz`: the process answers) and readiness (`/readyz`: feeders can be served). */
export function addHealthRoutes(app: FastifyInstance, engineSource: EngineSource): void {
  app.get('/livez', async () => ({ status: 'alive' }));
  app.get<{ Querystring: { verbose?: string } }>('/healthz', async (request) => {
    const engine = engineSource();
    if (request.query.verbose === undefined) return { status: 'alive' };
    return { status: 'alive', components: engine ? components(readStatus(engine)) : {} };
  });
  app.get('/readyz', async (_request, reply) => {
    const engine = engineSource();
    const { ready, reasons } = engine ? readReadiness(engine) : { ready: false, reasons: [STARTING] };
    return reply.code(ready ? 200 : 503).send({ ready, reasons });
  });
}

function components(snapshot: EngineSnapshot): Record<string, unknown> {
  const { backpressure, connections, ...endpoint } = snapshot.endpoint;
  return {
    store: snapshot.store,
    endpoint: { ...endpoint, backpressure, connections: connections.length },
    ...Object.fromEntries(snapshot.targets.map(({ name, ...target }) => [`target ${name}`, target])),
  };
}

/** Serves {@link METRICS_PATHS}. */
export function addMetricsRoutes(app: FastifyInstance, engineSource: EngineSource): void {
  const requestMetrics = countRequests(app);
  const own = (): MetricFamily[] => [...processMetrics(), ...requestMetrics()];
  const families = {
    '/metrics': (snapshot: EngineSnapshot) => [...engineMetrics(snapshot), ...own()],
    '/processor/metrics': (snapshot: EngineSnapshot) => [...processorMetrics(snapshot), ...own()],
    '/collector-source/metrics': collectorMetrics,
    '/operator/metrics': operatorMetrics,
  };
  for (const path of METRICS_PATHS) {
    app.get(path, async (_request, reply) => {
      const snapshot = engineSource()?.snapshot();
      return reply.type(METRICS_TYPE).send(await textOf(snapshot ? families[path](snapshot) : own()));
    });
  }
}

/** What feeders send is answered while the text of many tables is put together. */
async function textOf(families: readonly MetricFamily[]): Promise<string> {
  const pieces: string[] = [];
  for (const piece of formatMetrics(families)) {
    pieces.push(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return pieces.join('');
}
