import { z } from 'zod';
import type { Engine } from '../control/index.ts';
import { type Api, HttpError } from './api.ts';
import { type Changes, deployDocument } from './changes.ts';
import { type ConfigJson, configOf, isMap, mergeConfig } from './config-json.ts';
import { pipelineAnswer, pipelineStatus, viewPipeline, viewStatus } from './pipeline-view.ts';
import { requireStream } from './requests.ts';
import { pipelineParams, queryFlag } from './shapes.ts';

const TAG = 'Pipeline';
const BASE = '/api/v2/pipelines';

export const configShape = z
  .record(z.string(), z.unknown())
  .describe(
    '`config.yaml` as JSON, with the jobs as `jobs: [{name, source, transform, output}]`; `********` keeps a secret',
  );

/** RDI's queries of a deployment. Sources are not reached from here, so the last two change nothing. */
export const deployQuery = z.object({
  dry_run: queryFlag.describe('Only check'),
  validate_tables: queryFlag.describe('Accepted without effect: rdi does not read source databases'),
  validate_cdc: queryFlag.describe('Accepted without effect'),
});

const tableReset = z.object({
  stream: z.string(),
  droppedRecords: z.number(),
  removedKeys: z.number().nullable(),
  next: z.string().describe('What to do so that the rows come again'),
});

/** RDI's API v2 of the pipeline. */
export function addPipelineRoutes(api: Api, changes: Changes): void {
  addReading(api);
  addDeploying(api, changes);
  addControl(api);
}

function addReading(api: Api): void {
  api.add({
    method: 'GET',
    path: BASE,
    tag: TAG,
    summary: 'List the pipelines: one, called `default`, when something is deployed',
    answer: z.array(pipelineAnswer),
    handle: ({ engine }) => (isDeployed(engine) ? [viewPipeline(engine)] : []),
  });
  api.add({
    method: 'GET',
    path: `${BASE}/{name}`,
    tag: TAG,
    summary: 'Show the pipeline with its configuration',
    params: pipelineParams,
    answer: pipelineAnswer,
    handle: ({ engine }) => viewPipeline(engine),
  });
  api.add({
    method: 'GET',
    path: `${BASE}/{name}/status`,
    tag: TAG,
    summary: 'Show the state of the pipeline',
    params: pipelineParams,
    answer: pipelineStatus,
    handle: ({ engine }) => viewStatus(engine),
  });
}

function addDeploying(api: Api, changes: Changes): void {
  const change = async (
    engine: Engine,
    { active, dry_run: isDry }: { readonly active?: boolean | undefined; readonly dry_run?: boolean | undefined },
    edit: (config: ConfigJson) => ConfigJson,
  ) => {
    const deploy = (document: Parameters<typeof deployDocument>[1]) => deployAs(engine, document, active);
    const { done } = await changes.start(engine, edit, isDry === true ? null : deploy);
    await done;
    return isDry === true ? { ...viewPipeline(engine), config: edit(configOf(engine.pipeline)) } : viewPipeline(engine);
  };
  const body = z.object({ active: z.boolean().default(true), config: configShape });
  api.add({
    method: 'POST',
    path: BASE,
    tag: TAG,
    summary: 'Deploy the first configuration',
    query: deployQuery,
    body: body.extend({ name: z.string().default('default') }),
    status: 201,
    answer: pipelineAnswer,
    failures: { 409: 'A pipeline is deployed already' },
    handle: ({ engine, query, body: { name, active, config } }) => {
      if (name !== 'default') throw new HttpError(422, `The one pipeline is called "default", not "${name}".`);
      if (isDeployed(engine)) throw new HttpError(409, 'The pipeline "default" exists. Replace it with PUT.');
      return change(engine, { active, ...query }, () => config);
    },
  });
  api.add({
    method: 'PUT',
    path: `${BASE}/{name}`,
    tag: TAG,
    summary: 'Replace the configuration',
    params: pipelineParams,
    query: deployQuery,
    body,
    answer: pipelineAnswer,
    handle: ({ engine, query, body: { active, config } }) => change(engine, { active, ...query }, () => config),
  });
  api.add({
    method: 'PATCH',
    path: `${BASE}/{name}`,
    tag: TAG,
    summary: 'Change parts of the configuration (JSON merge patch); null removes an entry',
    params: pipelineParams,
    query: deployQuery,
    body: z.object({ active: z.boolean().optional(), config: configShape.optional() }),
    answer: pipelineAnswer,
    handle: ({ engine, query, body: { active, config = {} } }) =>
      change(engine, { active, ...query }, (before) => mergeConfig(before, config)),
  });
  api.add({
    method: 'DELETE',
    path: `${BASE}/{name}`,
    tag: TAG,
    summary: 'Deploy an empty configuration, stopped, and reset',
    params: pipelineParams,
    status: 204,
    answer: null,
    handle: ({ engine }) => changes.run(() => undeploy(engine)),
  });
}

/** `active` undefined leaves a stopped pipeline stopped. One that is to be stopped stops first: nothing of it is written then. */
async function deployAs(engine: Engine, document: Parameters<typeof deployDocument>[1], active: boolean | undefined) {
  if (active === false) await engine.pipeline.stop();
  await deployDocument(engine, document, { origin: 'api', start: active === true });
}

/** An empty configuration, stopped, and everything that was received is forgotten. */
export async function undeploy(engine: Engine): Promise<void> {
  await engine.pipeline.clear();
  await engine.pipeline.reset({ flushTarget: false });
}

function addControl(api: Api): void {
  const control = (verb: 'start' | 'stop', summary: string) =>
    api.add({
      method: 'POST',
      path: `${BASE}/{name}/${verb}`,
      tag: TAG,
      summary,
      params: pipelineParams,
      answer: pipelineAnswer,
      handle: async ({ engine }) => {
        await engine.pipeline[verb]();
        return viewPipeline(engine);
      },
    });
  control('start', 'Let a stopped pipeline go on where it stood');
  control('stop', 'Write nothing more to the targets until it is started');
  api.add({
    method: 'POST',
    path: `${BASE}/{name}/reset`,
    tag: TAG,
    summary:
      'Go back to the initial sync: forget entries, offsets, DLQs and statistics; with `table` only the DLQ of one',
    params: pipelineParams,
    query: z.object({
      flush_target: queryFlag.describe('Also delete what the targets hold (with `table`: of that table)'),
      table: z.string().optional().describe('Name of a data stream, or its end'),
      source: z.string().optional().describe('Accepted for RDI 2.0, where there is one source'),
    }),
    answer: z.union([pipelineAnswer, tableReset]),
    failures: { 404: 'No such table' },
    handle: async ({ engine, query: { flush_target: flushTarget = false, table } }) => {
      if (table !== undefined) return resetTable(engine, table, flushTarget);
      await engine.pipeline.reset({ flushTarget });
      return viewPipeline(engine);
    },
  });
  api.add({
    method: 'POST',
    path: `${BASE}/{name}/reload`,
    tag: TAG,
    summary: 'Connect anew where secrets have changed',
    params: pipelineParams,
    answer: pipelineAnswer,
    handle: async ({ engine }) => {
      await engine.pipeline.reload();
      return viewPipeline(engine);
    },
  });
  api.add({
    method: 'POST',
    path: `${BASE}/{name}/flush-target/{target}`,
    tag: TAG,
    summary: 'Delete every key of a target’s database',
    params: pipelineParams.extend({ target: z.string() }),
    answer: z.object({ success: z.boolean(), message: z.string() }),
    failures: { 404: 'No such target', 502: 'The target refuses', 503: 'The target cannot be reached' },
    handle: async ({ engine, params: { target } }) => {
      const targets = Object.keys(engine.pipeline.current?.pipeline.targets ?? {});
      if (!targets.includes(target)) {
        throw new HttpError(404, `There is no target "${target}"; there is ${targets.join(', ') || 'none'}.`);
      }
      await engine.pipeline.flushTarget(target);
      return { success: true, message: `Target ${target} is empty.` };
    },
  });
}

async function resetTable(engine: Engine, table: string, flushTarget: boolean) {
  const stream = requireStream(engine, table);
  const reset = await engine.pipeline.resetTable(stream, { flushTarget });
  if (reset === null) throw new HttpError(404, `There is no stream ${stream}.`);
  return reset;
}

/** A cleared pipeline counts as none. */
function isDeployed({ pipeline }: Engine): boolean {
  const config = configOf(pipeline);
  return isMap(config['targets']) || isMap(config['sources']) || config['jobs'] !== undefined;
}
