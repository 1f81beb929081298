import { z } from 'zod';
import { type DlqPage, type DlqSelection, type Engine, withoutCredentials } from '../control/index.ts';
import { type Api, HttpError } from './api.ts';
import { requireStream } from './requests.ts';
import { dlqRecord, dlqRecordDetail, pipelineParams, retryReport } from './shapes.ts';
import { readSince } from './since.ts';

const TAG = 'DLQ';
const BASE = '/api/v2/pipelines/{name}/dlqs';

const tableParams = pipelineParams.extend({ table: z.string().describe('Name of the data stream, or its end') });
const recordParams = tableParams.extend({ id: z.string().describe('`__dlq_stream_entry_id`') });

const counts = z.record(
  z.string().describe('Name of the data stream'),
  z.object({ total_count: z.number(), evicted: z.number() }),
);

const selectionShape = {
  table: z.string().optional().describe('Name of the data stream, or its end; all without it'),
  reason: z.string().optional().describe('Part of the reason, or a code'),
  job: z.string().optional(),
  since: z.union([z.string(), z.number()]).optional().describe('An age such as `1h`, ISO 8601, or ms since the epoch'),
};
const selectionBody = z
  .strictObject({
    ...selectionShape,
    ids: z.array(z.string()).optional(),
    force: z.boolean().optional().describe('Write also where a newer value may be there (retry only)'),
  })
  .default({});
const selectionQuery = z.object({
  ...selectionShape,
  ids: z.string().optional().describe('Separated by commas'),
});

type SelectionInput = z.output<typeof selectionBody>;

/** RDI's view of the DLQs. */
export function addDlqRoutes(api: Api): void {
  api.add({
    method: 'GET',
    path: BASE,
    tag: TAG,
    summary: 'List the tables with rejected records',
    params: pipelineParams,
    answer: counts,
    handle: ({ engine }) => countsOf(engine, () => true),
  });
  api.add({
    method: 'GET',
    path: `${BASE}/{table}`,
    tag: TAG,
    summary: 'Count the rejected records of a table',
    params: tableParams,
    answer: counts,
    failures: { 404: 'No such table' },
    handle: ({ engine, params }) => {
      const stream = requireStream(engine, params.table);
      return { [stream]: { total_count: 0, evicted: 0 }, ...countsOf(engine, (name) => name === stream) };
    },
  });
  api.add({
    method: 'GET',
    path: `${BASE}/{table}/records`,
    tag: TAG,
    summary: 'Show rejected records of a table',
    params: tableParams,
    query: z.object({
      limit: z.string().optional().describe('1 to 1000, 20 without it'),
      offset: z.string().optional(),
      sort_order: z.string().optional().describe('`desc` (newest first) or `asc`'),
      fields: z.string().optional().describe('Names of members, separated by commas; all without it'),
    }),
    answer: z.object({ stream: z.string(), records: z.array(dlqRecord.partial()) }),
    failures: { 400: 'A wrong limit, offset, sort_order or field', 404: 'No such table' },
    handle: ({ engine, params, query }) => {
      const page = parsePage(query);
      const stream = requireStream(engine, params.table);
      const records = engine.dlq.records(stream, page);
      return withoutCredentials({ stream, records: chooseFields(records, query.fields) });
    },
  });
  addRecordRoutes(api);
  addBulkRoutes(api);
}

function addRecordRoutes(api: Api): void {
  api.add({
    method: 'GET',
    path: `${BASE}/{table}/records/{id}`,
    tag: TAG,
    summary: 'Show a rejected record with everything that is kept of it',
    params: recordParams,
    answer: dlqRecordDetail,
    failures: { 404: 'No such record' },
    handle: ({ engine, params }) => {
      const stream = requireStream(engine, params.table);
      const record = engine.dlq.record(stream, params.id);
      if (record === null) throw noRecord(stream, params.id);
      return record;
    },
  });
  api.add({
    method: 'PUT',
    path: `${BASE}/{table}/records/{id}`,
    tag: TAG,
    summary: 'Replace key or value of a rejected record, to retry it',
    params: recordParams,
    body: z
      .strictObject({ key: z.string().optional(), value: z.string().optional() })
      .refine(({ key, value }) => key !== undefined || value !== undefined, 'key or value is needed'),
    answer: dlqRecordDetail,
    failures: { 404: 'No such record' },
    handle: async ({ engine, params, body }) => {
      const stream = requireStream(engine, params.table);
      const change = {
        ...(body.key === undefined ? {} : { key: body.key }),
        ...(body.value === undefined ? {} : { value: body.value }),
      };
      const isEdited = await engine.dlq.edit(stream, params.id, change);
      const record = isEdited ? engine.dlq.record(stream, params.id) : null;
      if (record === null) throw noRecord(stream, params.id);
      return record;
    },
  });
}

function addBulkRoutes(api: Api): void {
  api.add({
    method: 'POST',
    path: `${BASE}/retry`,
    tag: TAG,
    summary: 'Send rejected records through the current jobs again',
    params: pipelineParams,
    body: selectionBody,
    answer: retryReport,
    failures: { 404: 'No such table', 409: 'The pipeline is stopped' },
    handle: ({ engine, body }) => {
      const selection = selectionOf(engine, body);
      if (engine.pipeline.state === 'stopped') {
        throw new HttpError(409, 'The pipeline is stopped, so nothing can be retried. Start it with rdi start first.');
      }
      return engine.dlq.retry(selection, { force: body.force ?? false });
    },
  });
  api.add({
    method: 'POST',
    path: `${BASE}/drop`,
    tag: TAG,
    summary: 'Delete rejected records',
    params: pipelineParams,
    body: selectionBody,
    answer: z.object({ dropped: z.number() }),
    failures: { 404: 'No such table' },
    handle: async ({ engine, body }) => ({ dropped: await engine.dlq.drop(selectionOf(engine, body)) }),
  });
  api.add({
    method: 'POST',
    path: `${BASE}/count`,
    tag: TAG,
    summary: 'Count rejected records',
    params: pipelineParams,
    body: selectionBody,
    answer: z.object({ count: z.number() }),
    failures: { 404: 'No such table' },
    handle: ({ engine, body }) => ({ count: engine.dlq.count(selectionOf(engine, body)) }),
  });
  api.add({
    method: 'GET',
    path: `${BASE}/export`,
    tag: TAG,
    summary: 'Export rejected records, oldest first',
    params: pipelineParams,
    query: selectionQuery,
    answer: dlqRecordDetail,
    isStream: true,
    failures: { 404: 'No such table' },
    handle: ({ engine, query: { ids, ...query } }) =>
      engine.dlq.export(selectionOf(engine, ids === undefined ? query : { ...query, ids: ids.split(',') })),
  });
}

function countsOf(engine: Engine, isWanted: (stream: string) => boolean): z.output<typeof counts> {
  const { dlqs } = engine.snapshot();
  const wanted = dlqs.filter(({ stream }) => isWanted(stream));
  return Object.fromEntries(wanted.map(({ stream, count, evicted }) => [stream, { total_count: count, evicted }]));
}

function selectionOf(engine: Engine, { table, ids, reason, job, since }: SelectionInput): DlqSelection {
  return {
    ...(table === undefined ? {} : { stream: requireStream(engine, table) }),
    ...(ids === undefined ? {} : { ids }),
    ...(reason === undefined ? {} : { reason }),
    ...(job === undefined ? {} : { job }),
    ...(since === undefined ? {} : { since: readSince(String(since), Date.now()) }),
  };
}

/** The page. Defaults are RDI's: 20, 0, newest first. Refuses with 400, as RDI does, naming the parameter. */
function parsePage(query: {
  limit?: string | undefined;
  offset?: string | undefined;
  sort_order?: string | undefined;
}) {
  const { limit = '20', offset = '0', sort_order: order = 'desc' } = query;
  if (!/^\d{1,4}$/.test(limit) || Number(limit) < 1 || Number(limit) > 1000) {
    throw new HttpError(400, 'limit must be 1 to 1000.');
  }
  if (!/^\d{1,9}$/.test(offset)) throw new HttpError(400, 'offset must be a whole number, 0 or more.');
  if (order !== 'asc' && order !== 'desc') throw new HttpError(400, 'sort_order must be asc or desc.');
  return { limit: Number(limit), offset: Number(offset), order } satisfies DlqPage;
}

function chooseFields(records: readonly object[], fields: string | undefined): readonly object[] {
  if (fields === undefined || fields === '') return records;
  const wanted = fields.split(',').map((name) => name.trim());
  const unknown = wanted.filter((name) => !Object.hasOwn(dlqRecord.shape, name));
  if (unknown.length > 0) throw new HttpError(400, `Records have no field ${unknown.join(', ')}.`);
  return records.map((record) => Object.fromEntries(Object.entries(record).filter(([name]) => wanted.includes(name))));
}

function noRecord(stream: string, id: string): HttpError {
  return new HttpError(404, `The DLQ of ${stream} has no record ${id}. It may have been retried or dropped.`);
}
