import { z } from 'zod';
import type { Engine } from '../control/index.ts';
import { collectorMetrics } from './alias-metrics.ts';
import { type Api, HttpError } from './api.ts';
import { pipelineParams } from './shapes.ts';
import { viewStatistics } from './statistics.ts';

const TAG = 'Pipeline';
const BASE = '/api/v2/pipelines/{name}/metric-collections';

const collection = z.object({
  name: z.string(),
  component: z.string(),
  metrics: z.record(z.string(), z.unknown()).describe('Of `processor`: the statistics of API v1'),
});

type Collection = z.output<typeof collection>;

/** RDI's metrics as JSON. For dashboards `/metrics` is better. */
export function addMetricRoutes(api: Api): void {
  api.add({
    method: 'GET',
    path: BASE,
    tag: TAG,
    summary: 'Show all collections of metrics',
    params: pipelineParams,
    answer: z.array(collection),
    handle: ({ engine }) => collections(engine),
  });
  api.add({
    method: 'GET',
    path: `${BASE}/{collection}`,
    tag: TAG,
    summary: 'Show a collection of metrics',
    params: pipelineParams.extend({ collection: z.string() }),
    answer: collection,
    failures: { 404: 'No such collection' },
    handle: ({ engine, params }) => {
      const all = collections(engine);
      const found = all.find(({ name }) => name === params.collection);
      if (found !== undefined) return found;
      const names = all.map(({ name }) => name).join(', ');
      throw new HttpError(404, `There is no collection "${params.collection}"; there is ${names}.`);
    },
  });
}

function collections(engine: Engine): Collection[] {
  const snapshot = engine.snapshot();
  const source = snapshot.pipeline.sources[0]?.name ?? 'source';
  return [
    { name: 'processor', component: 'processor', metrics: viewStatistics(engine) },
    { name: 'collector-source', component: `collector-${source}`, metrics: collectorValues(snapshot) },
  ];
}

/** Values by metric; those with labels by their labels. */
function collectorValues(snapshot: ReturnType<Engine['snapshot']>): Record<string, unknown> {
  return Object.fromEntries(
    collectorMetrics(snapshot).map(({ name, samples }) => [
      name,
      samples.map(({ labels = {}, value }) => ({ labels, value })),
    ]),
  );
}
