import { z } from 'zod';
import { configTemplate, DATABASE_TYPES, jobTemplate } from '../scaffold/index.ts';
import { type Api, HttpError } from './api.ts';
import { isMap } from './config-json.ts';
import { functions, viewFunctions } from './functions-view.ts';
import { dryRunJob, tryTarget } from './trials.ts';

const TAG = 'RDI API: writing configurations';
const V1 = '/api/v1/pipelines';

const jsonSchema = z.record(z.string(), z.unknown()).describe('JSON Schema, draft 2020-12');
const template = z.object({ template: z.string().describe('YAML') });
const anyMap = z.record(z.string(), z.unknown());

/** Schemas, templates, functions and trials: what editors of configurations ask for. */
export function addDesignRoutes(api: Api): void {
  for (const [path, version] of [
    [`${V1}/config/schemas`, 'v1'],
    ['/api/v2/schemas/config', 'v2'],
  ] as const) {
    api.add({
      method: 'GET',
      path,
      tag: TAG,
      summary: `Give the JSON Schema of config.yaml (${version})`,
      answer: jsonSchema,
      handle: async () => (await import('../config/documentation.ts')).configSchemas().pipeline,
    });
  }
  for (const path of [`${V1}/jobs/schemas`, '/api/v2/schemas/jobs']) {
    api.add({
      method: 'GET',
      path,
      tag: TAG,
      summary: 'Give the JSON Schema of jobs',
      answer: jsonSchema,
      handle: async () => (await import('../transform/jobs/read/job-schema.ts')).jobSchema(),
    });
  }
  for (const path of [`${V1}/jobs/functions`, '/api/v2/functions']) {
    api.add({
      method: 'GET',
      path,
      tag: TAG,
      summary: 'List the JMESPath functions',
      answer: functions,
      handle: viewFunctions,
    });
  }
  addTemplates(api);
  addTrials(api);
}

function addTemplates(api: Api): void {
  api.add({
    method: 'GET',
    path: `${V1}/config/templates/ingest/{db_type}`,
    tag: TAG,
    summary: 'Give a config.yaml to begin with',
    params: z.object({ db_type: z.string() }),
    query: z.object({ db_flavor: z.string().optional(), source_name: z.string().optional() }),
    answer: template,
    failures: { 501: 'There is no template for this database' },
    handle: ({ params: { db_type: type }, query: { db_flavor: flavor, source_name: sourceName } }) => {
      if (!DATABASE_TYPES.some((known) => known === type)) {
        throw new HttpError(501, `There is no template for "${type}"; there is ${DATABASE_TYPES.join(', ')}.`);
      }
      const options = {
        ...(flavor === undefined || flavor === '' ? {} : { flavor }),
        ...(sourceName === undefined ? {} : { sourceName }),
      };
      return { template: configTemplate(type, options) };
    },
  });
  api.add({
    method: 'GET',
    path: `${V1}/jobs/templates/ingest`,
    tag: TAG,
    summary: 'Give a job to begin with',
    query: z.object({ source_name: z.string().optional() }),
    answer: template,
    handle: ({ query: { source_name: sourceName } }) => ({
      template: jobTemplate(sourceName === undefined ? {} : { sourceName }),
    }),
  });
  api.add({
    method: 'GET',
    path: `${V1}/strategies`,
    tag: TAG,
    summary: 'List the strategies: ingest, from these databases',
    answer: z.object({
      strategies: z.array(z.object({ strategy: z.literal('ingest'), databases: z.array(z.string()) })),
    }),
    handle: () => ({ strategies: [{ strategy: 'ingest', databases: [...DATABASE_TYPES] }] }),
  });
}

function addTrials(api: Api): void {
  const connected = z.object({
    connected: z.boolean(),
    error: z.string(),
    invalid_properties: z.array(z.string()).optional(),
  });
  const result = z.object({
    status: z.enum(['success', 'failed']),
    error: z.object({ message: z.string() }).optional(),
  });
  api.add({
    method: 'POST',
    path: `${V1}/targets/dry-run`,
    tag: TAG,
    summary: 'Connect to targets',
    body: anyMap.describe('`{targets: {name: connection}}`, where a connection may also stand inside `connection`'),
    answer: z.object({ targets: z.record(z.string(), result) }),
    handle: async ({ engine, body }) => {
      const targets = isMap(body['targets']) ? body['targets'] : body;
      const tried = Object.entries(targets).map(async ([name, target]) => {
        const message = await tryTarget(engine, name, connectionIn(target));
        return [name, message === null ? { status: 'success' } : { status: 'failed', error: { message } }] as const;
      });
      return { targets: Object.fromEntries(await Promise.all(tried)) };
    },
  });
  api.add({
    method: 'POST',
    path: `${V1}/target/dry-run`,
    tag: TAG,
    summary: 'Connect to a target',
    body: anyMap,
    answer: connected,
    handle: async ({ engine, body }) => {
      const message = await tryTarget(engine, 'target', connectionIn(body));
      return { connected: message === null, error: message ?? '' };
    },
  });
  api.add({
    method: 'POST',
    path: `${V1}/jobs/dry-run`,
    tag: TAG,
    summary: 'Show what a job makes of sample rows; nothing is written',
    body: z.object({ job: anyMap, input_data: z.union([z.array(anyMap).max(1000), anyMap]) }),
    answer: z.object({
      transformation: z.array(z.unknown()),
      output: z.array(z.object({ connection: z.string(), commands: z.array(z.string()) })),
    }),
    handle: ({ engine, body: { job, input_data: rows } }) =>
      dryRunJob(engine, job, Array.isArray(rows) ? rows : [rows]),
  });
}

function connectionIn(target: unknown): unknown {
  return isMap(target) && isMap(target['connection']) ? target['connection'] : target;
}
