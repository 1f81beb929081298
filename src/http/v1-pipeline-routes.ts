import { z } from 'zod';
import type { Engine } from '../control/index.ts';
import type { Actions } from './actions.ts';
import { type Api, HttpError } from './api.ts';
import { type Changes, deployDocument } from './changes.ts';
import { type ConfigJson, configOf, isMap, mergeConfig, mergePatch } from './config-json.ts';
import type { Looks } from './looks.ts';
import { configShape, deployQuery, undeploy } from './pipeline-routes.ts';
import { traceRecords } from './trace-records.ts';

const TAG = 'RDI API v1: pipeline';
const BASE = '/api/v1/pipelines';

export const actionId = z.object({ action_id: z.string() });

const action = z.object({
  action_id: z.string(),
  status: z.enum(['pending', 'processing', 'failed', 'completed']),
  output: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});

type Edit = (config: ConfigJson) => ConfigJson;

export interface V1Parts {
  readonly changes: Changes;
  readonly actions: Actions;
  readonly looks: Looks;
}

/** RDI's API v1 of the pipeline: what takes time gives the id of an action, to be asked for. */
export function addV1PipelineRoutes(api: Api, { changes, actions, looks }: V1Parts): void {
  /** Checks first, so that what is wrong is told at once; the rest is an action. RDI starts what is deployed. */
  const deploy = async (engine: Engine, edit: Edit, isDryRun: boolean | undefined) => {
    const { done } = await changes.start(
      engine,
      edit,
      isDryRun === true ? null : (document) => deployDocument(engine, document, { origin: 'api', start: true }),
    );
    return actions.start(done.then(() => undefined));
  };
  addWhole(api, deploy);
  addSections(api, deploy);
  const control = (verb: string, summary: string, work: (engine: Engine) => Promise<void>) =>
    api.add({
      method: 'POST',
      path: `${BASE}/${verb}`,
      tag: TAG,
      summary,
      answer: actionId,
      handle: ({ engine }) => actions.start(changes.run(() => work(engine))),
    });
  control('start', 'Start the pipeline', (engine) => engine.pipeline.start());
  control('stop', 'Stop the pipeline', (engine) => engine.pipeline.stop());
  control('reset', 'Go back to the initial sync', (engine) => engine.pipeline.reset({ flushTarget: false }));
  control('undeploy', 'Deploy an empty configuration, stopped, and reset', undeploy);
  api.add({
    method: 'POST',
    path: '/api/v1/trace/start',
    tag: TAG,
    summary: 'Follow records for a while; the action’s output is what was seen',
    body: z
      .object({
        max_change_records: z.int().min(1).max(1000).default(10),
        rejected_only: z.boolean().default(false),
        timeout: z.number().min(1).max(600).default(20).describe('Seconds'),
      })
      .prefault({}),
    answer: actionId,
    failures: { 429: 'Too many traces and explanations at the same time' },
    handle: ({ engine, body }) => {
      const end = looks.begin();
      const seconds = AbortSignal.timeout(body.timeout * 1000);
      const records = gather(traceRecords(engine, { ...body, stream: undefined }, seconds));
      return actions.start(records.finally(end));
    },
  });
  api.add({
    method: 'GET',
    path: '/api/v1/actions/{action_id}',
    tag: TAG,
    summary: 'Show what became of an action; known for 15 minutes after its end',
    params: z.object({ action_id: z.string() }),
    answer: action,
    failures: { 404: 'No such action' },
    handle: ({ params }) => {
      const found = actions.find(params.action_id);
      if (found === undefined) throw new HttpError(404, `There is no action ${params.action_id}, or not any more.`);
      return found;
    },
  });
}

async function gather<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

type Deploy = (engine: Engine, edit: Edit, isDryRun?: boolean) => Promise<{ action_id: string }>;

function addWhole(api: Api, deploy: Deploy): void {
  api.add({
    method: 'GET',
    path: BASE,
    tag: TAG,
    summary: 'Show the configuration',
    answer: z.object({ name: z.literal('default'), active: z.boolean(), config: configShape }),
    handle: ({ engine }) => ({
      name: 'default',
      active: engine.snapshot().pipeline.isActive,
      config: configOf(engine.pipeline),
    }),
  });
  api.add({
    method: 'POST',
    path: BASE,
    tag: TAG,
    summary: 'Deploy a configuration in place of what is there',
    query: deployQuery,
    body: configShape,
    answer: actionId,
    handle: ({ engine, query, body }) => deploy(engine, () => unwrapped(body), query.dry_run),
  });
  api.add({
    method: 'PATCH',
    path: BASE,
    tag: TAG,
    summary: 'Change parts of the configuration (JSON merge patch)',
    query: deployQuery,
    body: configShape,
    answer: actionId,
    handle: ({ engine, query, body }) =>
      deploy(engine, (config) => mergeConfig(config, unwrapped(body)), query.dry_run),
  });
}

/** Redis Insight sends the configuration as it came: inside `config`. */
function unwrapped(body: ConfigJson): ConfigJson {
  const { config } = body;
  return isMap(config) ? config : body;
}

function addSections(api: Api, deploy: Deploy): void {
  for (const section of ['sources', 'targets', 'processors'] as const) {
    api.add({
      method: 'PUT',
      path: `${BASE}/${section}`,
      tag: TAG,
      summary: section === 'processors' ? 'Set several properties of `processors`' : `Replace all ${section}`,
      body: configShape,
      answer: actionId,
      handle: ({ engine, body }) =>
        deploy(engine, (config) => {
          const before = section === 'processors' && isMap(config[section]) ? config[section] : {};
          return { ...config, [section]: { ...before, ...body } };
        }),
    });
  }
  for (const section of ['sources', 'targets', 'secret-providers']) addEntries(api, deploy, section);
  api.add({
    method: 'PUT',
    path: `${BASE}/processors/{prop}`,
    tag: TAG,
    summary: 'Set a property of `processors`',
    params: z.object({ prop: z.string() }),
    body: z.object({ value: z.unknown() }),
    answer: actionId,
    handle: ({ engine, params: { prop }, body: { value } }) =>
      deploy(engine, (config) => withEntry(config, 'processors', prop, value)),
  });
}

function addEntries(api: Api, deploy: Deploy, section: string): void {
  const path = `${BASE}/${section}/{name}`;
  const params = z.object({ name: z.string() });
  const one = section.replace(/s$/, '').replace('-', ' ');
  api.add({
    method: 'PUT',
    path,
    tag: TAG,
    summary: `Set a ${one}`,
    params,
    body: configShape,
    answer: actionId,
    handle: ({ engine, params: { name }, body }) => deploy(engine, (config) => withEntry(config, section, name, body)),
  });
  api.add({
    method: 'PATCH',
    path,
    tag: TAG,
    summary: `Change parts of a ${one} (JSON merge patch)`,
    params,
    body: configShape,
    answer: actionId,
    failures: { 404: `No such ${one}` },
    handle: ({ engine, params: { name }, body }) =>
      deploy(engine, (config) => withEntry(config, section, name, mergePatch(entry(config, section, name), body))),
  });
  api.add({
    method: 'DELETE',
    path,
    tag: TAG,
    summary: `Remove a ${one}`,
    params,
    answer: actionId,
    failures: { 404: `No such ${one}` },
    handle: ({ engine, params: { name } }) =>
      deploy(engine, (config) => {
        entry(config, section, name);
        return mergePatch(config, { [section]: { [name]: null } }) as ConfigJson;
      }),
  });
}

function withEntry(config: ConfigJson, section: string, name: string, value: unknown): ConfigJson {
  const entries = isMap(config[section]) ? config[section] : {};
  return { ...config, [section]: { ...entries, [name]: value } };
}

/** Refuses with 404 what is not there. */
function entry(config: ConfigJson, section: string, name: string): unknown {
  const entries = config[section];
  if (isMap(entries) && Object.hasOwn(entries, name)) return entries[name];
  throw new HttpError(404, `There is no ${section}.${name} in the configuration.`);
}
