import { z } from 'zod';
import type { Engine } from '../control/index.ts';
import { resolveStreamName } from '../control/index.ts';
import { type Api, HttpError } from './api.ts';
import { explainKey } from './explain-key.ts';
import { explainLine, jobTrial, recentEvent, traceLine, triedEvent } from './history-shapes.ts';
import type { Looks } from './looks.ts';
import { recentEvents, tryOnEvent } from './playground.ts';
import { requireStream } from './requests.ts';
import { pipelineParams, queryFlag } from './shapes.ts';
import { readSince } from './since.ts';
import { traceRecords } from './trace-records.ts';

const TAG = 'History';
const BASE = '/api/v2/pipelines/{name}';
const TOO_MANY = 'Too many traces and explanations at the same time';

/** What people see of single events: those that made a key, those on their way now, and those to try a job on. */
export function addHistoryRoutes(api: Api, looks: Looks): void {
  api.add({
    method: 'POST',
    path: `${BASE}/traces`,
    tag: TAG,
    summary: 'Follow records through the engine as they are settled',
    params: pipelineParams,
    body: z
      .strictObject({
        max_change_records: z.int().min(1).max(10_000).default(10),
        rejected_only: z.boolean().default(false),
        timeout: z.number().min(1).max(600).default(20).describe('Seconds'),
        stream: z.string().optional().describe('Name of a data stream, or its end; all without it'),
      })
      .prefault({}),
    answer: traceLine,
    isStream: true,
    failures: { 404: 'No such stream', 429: TOO_MANY },
    handle: ({ engine, body, signal }) => {
      const stream = body.stream === undefined ? undefined : requireStream(engine, body.stream);
      looks.beginUntil(signal);
      return traceRecords(engine, { ...body, stream }, signal);
    },
  });
  api.add({
    method: 'GET',
    path: `${BASE}/explain`,
    tag: TAG,
    summary: 'Show which events, jobs and commands made a key what it is',
    params: pipelineParams,
    query: z.object({
      key: z.string().min(1).describe('Key of the target'),
      target: z.string().default('target').describe('Name under `targets`'),
      since: z.string().optional().describe('An age such as `1h`, ISO 8601, or ms since the epoch'),
      as_deployed: queryFlag.describe('Send each event through the jobs that were in force when it arrived'),
    }),
    answer: explainLine,
    isStream: true,
    failures: { 404: 'No such target', 409: 'Nothing is deployed', 429: TOO_MANY },
    handle: ({ engine, query, signal }) => {
      const { key, target, since, as_deployed: asDeployed = false } = query;
      const fromMs = since === undefined ? undefined : readSince(since, Date.now());
      requireTarget(engine, target);
      looks.beginUntil(signal);
      return explainKey(engine, { key, target, fromMs, asDeployed }, signal);
    },
  });
  api.add({
    method: 'GET',
    path: `${BASE}/events`,
    tag: TAG,
    summary: 'List the newest change events that are kept',
    params: pipelineParams,
    query: z.object({
      stream: z.string().optional().describe('Name of a data stream, or its end; all without it'),
      limit: z.coerce.number().int().min(1).max(1000).default(20),
    }),
    answer: z.object({ events: z.array(recentEvent) }),
    failures: { 404: 'No such stream' },
    handle: async ({ engine, query: { stream, limit } }) => {
      const name = stream === undefined ? undefined : requireStream(engine, stream);
      return { events: await recentEvents(engine, name, limit) };
    },
  });
  api.add({
    method: 'POST',
    path: `${BASE}/jobs/try`,
    tag: TAG,
    summary: 'Try a job on one event, without writing anything',
    params: pipelineParams,
    body: z.strictObject({
      job: z.string().describe('Text of the job'),
      name: z.string().optional().describe('Of the deployed job or file that it takes the place of'),
      event: triedEvent,
    }),
    answer: jobTrial,
    failures: { 404: 'No such event', 409: 'Nothing is deployed', 503: 'A target does not answer lookups' },
    handle: ({ engine, body, signal }) => {
      const streamOf = (given: string) =>
        resolveStreamName(
          given,
          engine.snapshot().streams.map(({ name }) => name),
        ) ?? requireStream(engine, given);
      return tryOnEvent(engine, body, streamOf, signal);
    },
  });
}

function requireTarget(engine: Engine, target: string): void {
  const names = Object.keys(engine.pipeline.current?.pipeline.targets ?? {});
  if (names.includes(target)) return;
  if (engine.pipeline.current === null) throw new HttpError(409, 'Nothing is deployed, so nothing can be explained.');
  throw new HttpError(404, `There is no target "${target}"; there is ${names.join(', ') || 'none'}.`);
}
