import type { Engine, TracedEntry } from '../control/index.ts';
import type { RehearsedEvent, Trial } from '../rehearsal/index.ts';
import { formatEntryId } from '../types.ts';

export interface TraceRequest {
  readonly max_change_records: number;
  readonly rejected_only: boolean;
  /** Seconds. */
  readonly timeout: number;
  /** Full name of the only stream that is wanted. */
  readonly stream: string | undefined;
}

const LOOKUP_MS = 5000;

/** Records as they are settled, each with its way through the jobs, as lines of the answer; at the end their number and times. */
export async function* traceRecords(
  engine: Engine,
  request: TraceRequest,
  client: AbortSignal,
): AsyncGenerator<object> {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), request.timeout * 1000);
  const signal = AbortSignal.any([client, ending.signal]);
  const tracer = new Tracer(engine);
  const times: number[] = [];
  let rejected = 0;
  try {
    for await (const traced of engine.history.follow(signal)) {
      if (!isWanted(traced, request)) continue;
      const record = await tracer.tell(traced, times.length + 1, client);
      times.push(Math.max(0, traced.settledAt - (record.source_at ?? record.arrived_at)));
      if (traced.outcome === 'rejected') rejected++;
      yield { record };
      if (times.length >= request.max_change_records) break;
    }
  } finally {
    clearTimeout(timer);
    ending.abort();
  }
  const sum = times.reduce((total, ms) => total + ms, 0);
  const some = times.length > 0;
  yield {
    totals: {
      records: times.length,
      rejected,
      min_ms: some ? Math.min(...times) : null,
      avg_ms: some ? Math.round(sum / times.length) : null,
      max_ms: some ? Math.max(...times) : null,
    },
  };
}

/** A target that does not answer lookups now, although it answered the engine. */
const UNKNOWN = { job: null, blocks: [], writes: [], isFiltered: false, rejections: [] };

/** Heartbeats and the like are no records of a change. */
function isWanted(
  { entry, event, outcome }: TracedEntry,
  { stream, rejected_only: rejectedOnly }: TraceRequest,
): boolean {
  if (stream !== undefined && entry.stream.name !== stream) return false;
  return rejectedOnly ? outcome === 'rejected' : event !== null || outcome === 'rejected';
}

class Tracer {
  readonly #engine: Engine;
  #of: unknown = null;
  #trial: Trial | null = null;
  #asked: string[][] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async tell(traced: TracedEntry, number: number, client: AbortSignal) {
    const { rawOf } = await import('../rehearsal/index.ts');
    const { entry, event, outcome, settledAt } = traced;
    const rehearsed = await this.#rehearse(traced, number, client);
    const raw = rawOf(entry);
    const reason = outcome === 'rejected' ? (rehearsed.reason ?? this.#rejectionOf(traced)) : null;
    return {
      ...rehearsed,
      outcome,
      reason,
      stream: entry.stream.name,
      entry_id: formatEntryId(entry),
      target_key: rehearsed.commands[0]?.words[1] ?? null,
      source_at: event?.sourceMs || null,
      arrived_at: entry.ms,
      settled_at: settledAt,
      raw_key: raw.key,
      raw_value: raw.value,
    };
  }

  /** The way through the jobs, taken once more: the engine itself does not write it down. */
  async #rehearse({ entry, event }: TracedEntry, number: number, client: AbortSignal): Promise<RehearsedEvent> {
    const { describeChange, describeOther, Trial } = await import('../rehearsal/index.ts');
    const { current } = this.#engine.pipeline;
    if (this.#trial === null || this.#of !== current) {
      this.#of = current;
      this.#trial =
        current && new Trial({ jobs: current.jobs, settings: current.pipeline.settings, lookups: this.#lookups() });
    }
    const trial = this.#trial;
    const decoded = event ?? trial?.decode(entry);
    if (trial === null || decoded === undefined)
      return describeOther(number, { kind: 'control', control: 'notification' });
    if (decoded.kind !== 'change') return describeOther(number, decoded);
    this.#asked = [];
    const limit = AbortSignal.any([client, AbortSignal.timeout(LOOKUP_MS)]);
    const tried = await trial.transform(decoded, limit).catch((error: unknown) => {
      if (client.aborted || !limit.aborted) throw error;
      return { ...UNKNOWN, event: decoded };
    });
    const commands = tried.writes.flatMap((one) => trial.commandsOf(one));
    return describeChange(
      number,
      tried,
      this.#asked.map((command) => ({ command, isUnanswered: false })),
      commands,
    );
  }

  #lookups() {
    const { lookups } = this.#engine.history;
    return new Map(
      [...lookups].map(([name, reader]) => [
        name,
        {
          read: (commands: readonly (readonly string[])[], signal: AbortSignal) => {
            this.#asked.push(...commands.map((words) => [...words]));
            return reader.read(commands, signal);
          },
        },
      ]),
    );
  }

  /** What the DLQ says of an entry that the target refused. */
  #rejectionOf({ entry }: TracedEntry): string | null {
    const id = formatEntryId(entry);
    const newest = this.#engine.dlq.records(entry.stream.name, { limit: 100, offset: 0, order: 'desc' });
    return newest.find(({ entry_id: known }) => known === id)?.reason_rejected ?? null;
  }
}
