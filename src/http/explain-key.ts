import { loadPipelineDocument } from '../config/index.ts';
import type { Engine, RevisionContent } from '../control/index.ts';
import { loadJobs } from '../control/load-jobs.ts';
import { sourcePositionOf, sourcePositionText } from '../dlq/index.ts';
import { ConfigError } from '../errors.ts';
import type { Configuration, KeyNow } from '../rehearsal/index.ts';
import { formatEntryId, type StreamEntry } from '../types.ts';

export interface ExplainRequest {
  readonly key: string;
  readonly target: string;
  readonly fromMs: number | undefined;
  readonly asDeployed: boolean;
}

const TARGET_MS = 10_000;
/** A line of progress after so much of the history. */
const PROGRESS_STEP = 0.01;

/** The events that touched a key, oldest first, as lines of the answer; at the end what the key is now. */
export async function* explainKey(
  engine: Engine,
  request: ExplainRequest,
  signal: AbortSignal,
): AsyncGenerator<object> {
  const { KeyHistory } = await import('../rehearsal/index.ts');
  const { key, target, fromMs, asDeployed } = request;
  const { history } = engine;
  const current = engine.pipeline.current as Configuration;
  const revisions = new Revisions(engine);
  const rejections = await readRejections(engine);
  const told: string[] = [];
  const notices = new Set<string>();
  const note = (text: string): void => {
    if (!notices.has(text)) told.push(text);
    notices.add(text);
  };
  const search = new KeyHistory({
    key,
    connection: target,
    lookups: history.lookups,
    configurationOf: (entry) => (asDeployed ? revisions.configurationAt(entry, current, note) : current),
    revisionOf: (entry) => revisions.numberAt(entry.ms),
    sourcePositionOf: (entry) => {
      const position = sourcePositionOf(entry);
      return position && sourcePositionText(position);
    },
    isSettled: (entry) => history.isSettled(entry),
    rejectionOf: (entry) => rejections.get(idOf(entry.stream.name, formatEntryId(entry))),
  });
  let progress = 0;
  let toldProgress = 0;
  let scanned = 0;
  let events = 0;
  const entries = history.entries({
    ...(fromMs === undefined ? {} : { fromMs }),
    onProgress: (share) => {
      progress = share;
    },
    onDamaged: (message) => note(`${message} Events in there are missing here; the engine does not need them.`),
  });
  const found = async (): Promise<object[]> => {
    try {
      const touching = await search.found(AbortSignal.any([signal, AbortSignal.timeout(TARGET_MS)]));
      events += touching.length;
      return touching.map((event) => ({ event }));
    } catch (error) {
      if (signal.aborted || !(error instanceof Error) || error.name !== 'TimeoutError') throw error;
      note('A target does not answer the lookups of a job, so that some events are missing here.');
      return [];
    }
  };
  for await (const entry of entries) {
    signal.throwIfAborted();
    scanned++;
    const isFull = search.take(entry);
    for (const notice of told.splice(0)) yield { notice };
    const isDue = progress - toldProgress >= PROGRESS_STEP;
    if (!isFull && !isDue) continue;
    yield* await found();
    if (isDue) yield { progress };
    if (isDue) toldProgress = progress;
  }
  yield* await found();
  for (const notice of told.splice(0)) yield { notice };
  yield { progress: 1 };
  yield {
    end: { key, target, events, scanned, since: history.since, now: await readNow(engine, target, key, signal) },
  };
}

function idOf(stream: string, entryId: string): string {
  return `${stream} ${entryId}`;
}

/** Why entries were rejected that are in a DLQ now. */
async function readRejections(engine: Engine): Promise<ReadonlyMap<string, string>> {
  const reasons = new Map<string, string>();
  for await (const record of engine.dlq.export({})) {
    reasons.set(idOf(record.stream, record.entry_id), record.reason_rejected);
  }
  return reasons;
}

async function readNow(engine: Engine, target: string, key: string, signal: AbortSignal): Promise<KeyNow | null> {
  const { readKey } = await import('../rehearsal/index.ts');
  const reader = engine.history.lookups.get(target);
  if (reader === undefined) return null;
  try {
    return await readKey(reader, key, AbortSignal.any([signal, AbortSignal.timeout(TARGET_MS)]));
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Error)) throw error;
    return null;
  }
}

/** The deployed revisions by the time from which they were in force. */
class Revisions {
  readonly #engine: Engine;
  readonly #byTime: readonly { number: number; createdAt: number }[];
  readonly #loaded = new Map<number, Configuration | null>();

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#byTime = engine.pipeline.revisions().toSorted((one, other) => other.createdAt - one.createdAt);
  }

  numberAt(ms: number): number | null {
    return this.#byTime.find(({ createdAt }) => createdAt <= ms)?.number ?? null;
  }

  /** The configuration that was in force when the entry arrived; where nobody knows it, the present one. */
  configurationAt(entry: StreamEntry, current: Configuration, note: (text: string) => void): Configuration {
    const number = this.numberAt(entry.ms);
    if (number === null) {
      note('Some events arrived before the first deployed revision; they are shown as the present jobs handle them.');
      return current;
    }
    if (number === current.revision) return current;
    let loaded = this.#loaded.get(number);
    if (loaded === undefined) {
      const content = this.#engine.pipeline.revision(number);
      loaded = content && load(content);
      this.#loaded.set(number, loaded);
    }
    if (loaded === null)
      note(`Revision ${number} cannot be used any more; its events are shown as the present jobs handle them.`);
    return loaded ?? current;
  }
}

/** Values of secrets are of no use here: nothing of the old configuration is connected to. */
const STAND_IN = new Proxy({}, { get: () => '1' }) as Readonly<Record<string, string>>;

function load({ number, document }: RevisionContent): Configuration | null {
  try {
    const pipeline = loadPipelineDocument(document, { env: STAND_IN });
    const { jobs, problems } = loadJobs(pipeline);
    return problems.length > 0 ? null : { revision: number, pipeline, jobs };
  } catch (error) {
    if (error instanceof ConfigError) return null;
    throw error;
  }
}
