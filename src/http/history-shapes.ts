import { z } from 'zod';
import { configProblem } from './shapes.ts';

/** Shapes of what people see of single events. Rows and keys are JSON texts. Names repeat `rehearsal/`, which says what they mean. */

const text = z.string().nullable();
const moment = z.number().describe('ms since the epoch');
const command = z.object({ connection: z.string(), words: z.array(z.string()) });
const block = z.object({ step: z.string(), record: text.describe('JSON; null: filtered out here') });
const lookup = z.object({ command: z.array(z.string()), isUnanswered: z.boolean() });

export const recentEvent = z.object({
  stream: z.string(),
  entry_id: z.string(),
  arrived_at: moment,
  table: z.string(),
  op: z.string().describe('`c`, `u`, `d` or `r`'),
  key: text,
  before: text,
  after: text,
  raw_key: text,
  raw_value: text,
});

export const rehearsedEvent = z.object({
  number: z.number(),
  table: z.string(),
  op: z.string(),
  key: text,
  before: text,
  after: text,
  job: text.describe('Null: the default mapping'),
  blocks: z.array(block),
  lookups: z.array(lookup),
  commands: z.array(command),
  outcome: z.enum(['written', 'filtered', 'rejected', 'skipped']),
  reason: text,
});

export const triedEvent = z.union([
  z.strictObject({ stream: z.string(), entry_id: z.string() }),
  z.strictObject({ dlq: z.strictObject({ stream: z.string(), id: z.string() }) }),
  z.strictObject({ raw_key: z.string(), raw_value: z.string() }),
]);

export const jobTrial = z.object({
  problems: z.array(configProblem),
  notices: z.array(configProblem.extend({ level: z.enum(['info', 'warn']) })),
  result: rehearsedEvent.nullable().describe('Null when the job has problems'),
  test: text.describe('YAML of a job test that holds the event and its result'),
});

const keyEvent = z.object({
  stream: z.string(),
  entry_id: z.string(),
  arrived_at: moment,
  source_at: moment.nullable(),
  source_position: text.describe('For example `lsn 0/16B3748`'),
  table: z.string(),
  op: z.string(),
  key: text,
  before: text,
  after: text,
  job: text,
  blocks: z.array(block).describe('Those that changed the record'),
  lookups: z.array(lookup),
  commands: z.array(command).describe('Those for the key'),
  outcome: z.enum(['written', 'rejected', 'pending']),
  reason: text,
  revision: z.number().nullable().describe('In force when the event arrived'),
});

export const explainLine = z.object({
  progress: z.number().optional().describe('Part of the history that has been read, from 0 to 1'),
  event: keyEvent.optional(),
  notice: z.string().optional().describe('Something that the answer lacks'),
  end: z
    .object({
      key: z.string(),
      target: z.string(),
      events: z.number(),
      scanned: z.number().describe('Entries that were looked at'),
      since: moment.nullable().describe('Arrival of the oldest entry that is kept'),
      now: z
        .object({
          type: z.string().describe('`none`: it is not there'),
          ttl_ms: z.number().nullable(),
          value: text,
          is_cut: z.boolean(),
        })
        .nullable()
        .describe('The key as it is; null when the target does not answer'),
    })
    .optional(),
});

export const traceLine = z.object({
  record: rehearsedEvent
    .extend({
      outcome: z.enum(['written', 'filtered', 'superseded', 'rejected', 'skipped']),
      stream: z.string(),
      entry_id: z.string(),
      target_key: text.describe('Of the first command'),
      source_at: moment.nullable(),
      arrived_at: moment,
      settled_at: moment,
      raw_key: text,
      raw_value: text,
    })
    .optional(),
  totals: z
    .object({
      records: z.number(),
      rejected: z.number(),
      min_ms: z
        .number()
        .nullable()
        .describe('From the change in the database, where it says when, else from the arrival'),
      avg_ms: z.number().nullable(),
      max_ms: z.number().nullable(),
    })
    .optional(),
});
