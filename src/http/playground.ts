import type { Engine } from '../control/index.ts';
import { TargetError } from '../errors.ts';
import type { EditedJob, JobTrial } from '../rehearsal/index.ts';
import { formatEntryId, type StreamEntry } from '../types.ts';
import { HttpError } from './api.ts';

/** How long the lookups of a trial may take. */
const LOOKUP_MS = 10_000;

export interface TryRequest {
  readonly job: string;
  readonly name?: string | undefined;
  readonly event:
    | { readonly stream: string; readonly entry_id: string }
    | { readonly dlq: { readonly stream: string; readonly id: string } }
    | { readonly raw_key: string; readonly raw_value: string };
}

/** The newest change events, newest first. */
export async function recentEvents(engine: Engine, stream: string | undefined, limit: number) {
  const { rawOf, rowJson } = await import('../rehearsal/index.ts');
  const { Decoder } = await import('../decode/index.ts');
  const entries = await engine.history.recent({ limit, ...(stream === undefined ? {} : { stream }) });
  const decoder = new Decoder({ onWarning: () => {} });
  // In the order of arrival, because a decoder learns from what it sees.
  const events = entries.toReversed().flatMap((entry) => {
    const event = decoder.decode(entry);
    if (event.kind !== 'change') return [];
    const { table, op, key, before, after } = event;
    const raw = rawOf(entry);
    return {
      stream: entry.stream.name,
      entry_id: formatEntryId(entry),
      arrived_at: entry.ms,
      table: `${table.schema || table.db}.${table.table}`,
      op,
      key: rowJson(key),
      before: rowJson(before),
      after: rowJson(after),
      raw_key: raw.key,
      raw_value: raw.value,
    };
  });
  return events.reverse();
}

export async function tryOnEvent(
  engine: Engine,
  { job, name, event }: TryRequest,
  streamOf: (given: string) => string,
  signal: AbortSignal,
): Promise<Omit<EditedJob, 'pipeline' | 'jobs'> & { result: JobTrial['result'] | null; test: string | null }> {
  const { current } = engine.pipeline;
  if (current === null) throw new HttpError(409, 'Nothing is deployed: deploy a configuration with a target first.');
  const { editJob, tryJob } = await import('../rehearsal/index.ts');
  const edited = editJob(current.pipeline, job, name);
  const { problems, notices } = edited;
  if (problems.length > 0) return { problems, notices, result: null, test: null };
  const entry = await findEntry(engine, event, streamOf);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LOOKUP_MS)]);
  try {
    const { result, test } = await tryJob(edited, entry, engine.history.lookups, limit);
    return { problems, notices, result, test };
  } catch (error) {
    if (limit.aborted || error instanceof TargetError)
      throw new HttpError(503, 'The target does not answer the lookups of the job.');
    throw error;
  }
}

async function findEntry(
  engine: Engine,
  event: TryRequest['event'],
  streamOf: (given: string) => string,
): Promise<StreamEntry> {
  if ('raw_value' in event) {
    const { Entries } = await import('../rehearsal/index.ts');
    return new Entries().ofTexts('data:playground', [
      ['key', event.raw_key],
      ['value', event.raw_value],
    ]);
  }
  if ('dlq' in event) {
    const { stream, id } = event.dlq;
    const entry = engine.dlq.entry(streamOf(stream), id);
    if (entry === null) throw new HttpError(404, `There is no rejected record ${id} of ${stream}.`);
    return entry;
  }
  const stream = streamOf(event.stream);
  const ms = Number(event.entry_id.split('-')[0]);
  for await (const entry of engine.history.entries({ stream, fromMs: ms })) {
    if (formatEntryId(entry) === event.entry_id) return entry;
    if (entry.ms > ms) break;
  }
  throw new HttpError(404, `Entry ${event.entry_id} of ${stream} is not kept any more. Choose a newer one.`);
}
