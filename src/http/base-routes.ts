import type { FastifyInstance, FastifyReply } from 'fastify';
import {
  type DlqPage,
  type Engine,
  type EngineSnapshot,
  readReadiness,
  readStatus,
  resolveStreamName,
  withoutCredentials,
} from '../control/index.ts';
import { formatMetrics, type MetricFamily } from '../observe/metrics.ts';
import { processMetrics } from '../observe/process-metrics.ts';
import { collectorMetrics, operatorMetrics } from './alias-metrics.ts';
import { engineMetrics } from './metrics.ts';

/** The engine, or undefined while it is still starting. */
export type EngineSource = () => Engine | undefined;

const STARTING = 'The engine is starting: the store is being recovered. Ask again in a moment.';
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

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

/** `/metrics` and the paths at which RDI's own scrape configurations look for the same things. */
export function addMetricsRoutes(app: FastifyInstance, engineSource: EngineSource): void {
  const serve = (path: string, families: (snapshot: EngineSnapshot) => MetricFamily[]): void => {
    app.get(path, async (_request, reply) => {
      const snapshot = engineSource()?.snapshot();
      return reply.type(METRICS_TYPE).send(formatMetrics(snapshot ? families(snapshot) : processMetrics()));
    });
  };
  const all = (snapshot: EngineSnapshot): MetricFamily[] => [...engineMetrics(snapshot), ...processMetrics()];
  serve('/metrics', all);
  serve('/processor/metrics', all);
  serve('/collector-source/metrics', collectorMetrics);
  serve('/operator/metrics', operatorMetrics);
}

interface PageQuery {
  limit?: string;
  offset?: string;
  sort_order?: string;
}

/** Status, DLQs and the one operation of this version: letting a stopped stream go on. Errors are `{detail}`. */
export function addApiRoutes(app: FastifyInstance, engineSource: EngineSource): void {
  const withEngine = async (reply: FastifyReply, answer: (engine: Engine) => unknown): Promise<unknown> => {
    const engine = engineSource();
    return engine ? answer(engine) : fail(reply, 503, STARTING);
  };
  app.get('/api/v2/overview', (_request, reply) => withEngine(reply, readStatus));
  app.get('/api/v2/pipelines/default/dlqs', (_request, reply) =>
    withEngine(reply, (engine) =>
      Object.fromEntries(
        engine.snapshot().dlqs.map(({ stream, count, evicted }) => [stream, { total_count: count, evicted }]),
      ),
    ),
  );
  app.get<{ Params: { name: string }; Querystring: PageQuery }>(
    '/api/v2/pipelines/default/dlqs/:name/records',
    (request, reply) =>
      withEngine(reply, (engine) => {
        const page = parsePage(request.query);
        if (typeof page === 'string') return fail(reply, 400, page);
        const { dlqs, streams } = engine.snapshot();
        const names = [...new Set([...dlqs.map(({ stream }) => stream), ...streams.map(({ name }) => name)])];
        const name = resolveStreamName(request.params.name, names);
        if (name === undefined) return fail(reply, 404, unknownStream(request.params.name));
        return withoutCredentials({ stream: name, records: engine.dlqRecords(name, page) });
      }),
  );
  app.post<{ Params: { name: string } }>('/api/v2/pipelines/default/streams/:name/resume', (request, reply) =>
    withEngine(reply, async (engine) => {
      const names = engine.snapshot().streams.map((stream) => stream.name);
      const name = resolveStreamName(request.params.name, names);
      if (name === undefined) return fail(reply, 404, unknownStream(request.params.name));
      const resumed = await engine.resume(name);
      return resumed ? { stream: name, resumed } : fail(reply, 409, `Stream ${name} is not stopped.`);
    }),
  );
}

function unknownStream(name: string): string {
  return `No stream, or more than one, is called ${name}. GET /api/v2/overview lists the full names.`;
}

/** The page, or a sentence that says which parameter is wrong. Defaults are RDI's: 20, 0, newest first. */
function parsePage({ limit = '20', offset = '0', sort_order: order = 'desc' }: PageQuery): DlqPage | string {
  if (!/^\d{1,4}$/.test(limit) || Number(limit) < 1 || Number(limit) > 1000) return 'limit must be 1 to 1000.';
  if (!/^\d{1,9}$/.test(offset)) return 'offset must be a whole number, 0 or more.';
  if (order !== 'asc' && order !== 'desc') return 'sort_order must be asc or desc.';
  return { limit: Number(limit), offset: Number(offset), order };
}

function fail(reply: FastifyReply, code: number, detail: string): FastifyReply {
  return reply.code(code).send({ detail });
}
