import { z } from 'zod';
import { readStatus, withoutCredentials } from '../control/index.ts';
import { type Api, HttpError } from './api.ts';
import { accountSums, streamAccount } from './engine-shapes.ts';
import { requireStream } from './requests.ts';

const TAG = 'Engine';

const status = z
  .looseObject({
    state: z.enum(['STARTED', 'RUNNING', 'IDLING', 'STOPPED', 'ERROR']),
    ready: z.boolean(),
    reasons: z.array(z.string()).describe('Why it is not ready'),
    problems: z.array(z.looseObject({ severity: z.enum(['error', 'warning']), text: z.string() })),
    startedAt: z.number(),
    takenAt: z.number().describe('ms since the epoch; ages count from here'),
    version: z.string(),
    syncMode: z.enum(['SNAPSHOT', 'STREAMING', 'UNKNOWN']),
    streams: z.array(streamAccount),
    totals: accountSums,
    dlqs: z.array(z.object({ stream: z.string(), count: z.number(), evicted: z.number() })),
    notices: z.array(z.string()),
  })
  .describe('Everything that is known of the engine: its account, targets, feeders, store, and what is wrong');

const logLine = z.object({
  number: z.number().describe('Grows by 1'),
  time: z.string(),
  level: z.string(),
  message: z.string(),
  fields: z.record(z.string(), z.unknown()),
});

/** What the whole engine shows and takes, beside its pipeline. */
export function addEngineRoutes(api: Api): void {
  api.add({
    method: 'GET',
    path: '/api/v2/overview',
    tag: TAG,
    summary: 'Show the state of the whole engine',
    answer: status,
    handle: ({ engine }) => readStatus(engine),
  });
  api.add({
    method: 'GET',
    path: '/api/v2/logs',
    tag: TAG,
    summary: 'Show the newest lines of the log',
    query: z.object({
      after: z.coerce.number().int().min(0).optional().describe('Only lines with a higher number'),
      limit: z.coerce.number().int().min(1).max(10_000).default(200),
    }),
    answer: z.object({ lines: z.array(logLine) }),
    handle: ({ engine, query: { after, limit } }) =>
      withoutCredentials({ lines: engine.log.lines({ limit, ...(after === undefined ? {} : { after }) }) }),
  });
  api.add({
    method: 'POST',
    path: '/api/v2/pipelines/{name}/streams/{stream}/resume',
    tag: TAG,
    summary: 'Let a stream go on that `error_handling: abort` stopped',
    params: z.object({ name: z.string(), stream: z.string() }),
    answer: z.object({ stream: z.string(), resumed: z.literal(true) }),
    failures: { 404: 'No such stream', 409: 'The stream is not stopped' },
    handle: async ({ engine, params }) => {
      const stream = requireStream(engine, params.stream);
      if (!(await engine.resume(stream))) throw new HttpError(409, `Stream ${stream} is not stopped.`);
      return { stream, resumed: true };
    },
  });
}
