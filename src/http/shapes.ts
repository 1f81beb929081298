import { z } from 'zod';

/** Shapes that several files of routes use. Those of the engine repeat `control/types.ts`, which says what the members mean. */

export const pipelineParams = z.object({ name: z.string().describe('Always `default`') });

/** `true` and `false` of a query. */
export const queryFlag = z.stringbool().optional();

export const errorItem = z.object({
  code: z
    .string()
    .describe('`validation_error`, `job_validation_error`, `request_validation_error`, `operation_error`, …'),
  message: z.string(),
  remediation: z.string().optional(),
  details: z.unknown().optional(),
});

export const failure = z.object({ detail: z.string(), errors: z.array(errorItem).optional() });

export const pipelineState = z.enum([
  'started',
  'stopped',
  'error',
  'creating',
  'updating',
  'deleting',
  'starting',
  'stopping',
  'resetting',
  'pending',
  'unknown',
]);

export const configProblem = z.object({
  file: z.string().describe('For example `config.yaml` or `jobs/orders.yaml`'),
  line: z.number().describe('From 1; 0 where there is no file'),
  col: z.number(),
  message: z.string(),
});

const configNotice = configProblem.extend({ level: z.enum(['info', 'warn']) });

export const revision = z.object({
  number: z.number(),
  createdAt: z.number().describe('ms since the epoch'),
  origin: z.enum(['deploy', 'run', 'api', 'rollback', 'clear']),
  note: z.string(),
  isCurrent: z.boolean(),
});

export const pipelineDocument = z.object({
  config: z.string().describe('Text of `config.yaml`'),
  jobs: z.record(z.string(), z.string()).default({}).describe('Texts of `jobs/` by file name'),
  tests: z.record(z.string(), z.string()).default({}).describe('Texts of `jobs/tests/` by file name'),
  folder: z.string().default('').describe('Absolute folder in which relative paths of the configuration start'),
});

export const deploymentCheck = z.object({
  problems: z.array(configProblem),
  notices: z.array(configNotice),
  differences: z.array(
    z.object({
      file: z.string(),
      change: z.enum(['added', 'changed', 'removed']),
      diff: z.string().describe('Unified diff'),
    }),
  ),
});

export const deployment = deploymentCheck.extend({ revision: revision.nullable() });

const text = z.string().optional();

export const dlqRecord = z.object({
  __dlq_stream_entry_id: z.string(),
  stream: z.string(),
  entry_id: z.string(),
  reason_rejected: z.string(),
  timestamp: z.string(),
  opcode: text,
  db: text,
  schema: text,
  table: text,
  server_name: text,
  source: text,
  source_type: text,
  removed_fields: text,
  key: text,
  before: text,
  after: text,
  raw_key: text,
  raw_value: text,
  job: text,
  step: text,
  expression: text,
  error: text,
  target: text,
  attempt: text,
});

export const dlqRecordDetail = dlqRecord.extend({
  fields: z.array(z.object({ name: z.string(), value: z.string().describe('Text, or `base64:…`') })),
  is_superseded: z.boolean().nullable().describe('Whether a newer value of the row has arrived since'),
});

export const retryReport = z.object({
  written: z.number(),
  filtered: z.number(),
  superseded: z.number(),
  kept: z.number(),
  records: z.array(
    z.object({
      stream: z.string(),
      id: z.string(),
      outcome: z.enum(['written', 'filtered', 'superseded', 'kept']),
      reason: text,
    }),
  ),
});

export const secretStatus = z.object({
  key: z.string(),
  type: z.literal('simple'),
  origin: z.enum(['store', 'file', 'vault', 'environment']).nullable(),
  isSet: z.boolean(),
  isUsed: z.boolean(),
});
