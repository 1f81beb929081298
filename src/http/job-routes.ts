import { basename } from 'node:path';
import { z } from 'zod';
import { maskDocument } from '../config/index.ts';
import type { Engine } from '../control/index.ts';
import { type Api, HttpError } from './api.ts';
import { isMap } from './config-json.ts';
import { pipelineParams } from './shapes.ts';

const TAG = 'Jobs';
const BASE = '/api/v2/pipelines/{name}/jobs';

const summary = z.object({
  name: z.string(),
  source: z.string().describe('What it selects, for example `chinook.public.invoice`'),
  transformations: z.number(),
  outputs: z.number(),
  connections: z.array(z.string()),
});

const description = z.object({
  name: z.string(),
  source: z.string(),
  transformations: z.array(
    z.object({ step: z.string(), uses: z.string(), text: z.string().describe('Its `with` as JSON') }),
  ),
  outputs: z.array(z.record(z.string(), z.unknown())),
  text: z.string().describe('The file as deployed'),
});

/** The jobs in force. */
export function addJobRoutes(api: Api): void {
  api.add({
    method: 'GET',
    path: BASE,
    tag: TAG,
    summary: 'List the jobs',
    params: pipelineParams,
    answer: z.array(summary),
    handle: ({ engine }) => engine.snapshot().pipeline.jobs,
  });
  api.add({
    method: 'GET',
    path: `${BASE}/{job}`,
    tag: TAG,
    summary: 'Show a job',
    params: pipelineParams.extend({ job: z.string() }),
    answer: description,
    failures: { 404: 'No such job' },
    handle: ({ engine, params }) => describeJob(engine, params.job),
  });
}

function describeJob(engine: Engine, name: string): z.output<typeof description> {
  const jobs = engine.snapshot().pipeline.jobs;
  const found = jobs.find((job) => job.name === name);
  const definition = engine.pipeline.current?.jobs.find((job) => job.name === name);
  if (found === undefined || definition === undefined) {
    const names = jobs.map((job) => job.name).join(', ') || 'none';
    throw new HttpError(404, `There is no job "${name}"; there is ${names}.`);
  }
  const { document } = engine.pipeline;
  const file = engine.pipeline.current?.pipeline.jobs.find((job) => job.file === definition.file);
  const blocks = listAt(file?.content, 'transform');
  return {
    name,
    source: found.source,
    transformations: definition.blocks.map(({ step, uses }, index) => {
      const written = blocks[index];
      return { step, uses, text: JSON.stringify(isMap(written) ? (written['with'] ?? {}) : {}) };
    }),
    outputs: listAt(file?.content, 'output')
      .filter(isMap)
      .map((output) => ({ ...output })),
    text: document === null ? '' : (maskDocument(document).jobs[basename(definition.file)] ?? ''),
  };
}

function listAt(content: unknown, key: string): readonly unknown[] {
  const list = isMap(content) ? content[key] : undefined;
  return Array.isArray(list) ? list : [];
}
