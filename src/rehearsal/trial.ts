import type { LoadedPipeline } from '../config/index.ts';
import { type Decoded, Decoder } from '../decode/index.ts';
import { systemClock } from '../lib/clock.ts';
import type { JobObject } from '../transform/expressions/types.ts';
import { compactJson, rowToObject } from '../transform/expressions/values.ts';
import { createTransformer, type EventTransformer, type JobDefinition, type LookupReader } from '../transform/index.ts';
import type { ChangeEvent, Rejection, Row, StreamEntry } from '../types.ts';
import { commandsOf, type TargetWrite } from '../write/index.ts';
import type { AskedLookup, RehearsedBlock, RehearsedCommand, RehearsedEvent } from './types.ts';

export interface TrialOptions {
  readonly jobs: readonly JobDefinition[];
  readonly settings: LoadedPipeline['settings'];
  /** One for each connection that jobs look something up in, see {@link lookupConnections}. */
  readonly lookups: ReadonlyMap<string, LookupReader>;
  /** Something that a user should know; each text comes once. */
  readonly onWarning?: (message: string) => void;
}

/** What the jobs made of one change. */
export interface TriedChange {
  readonly event: ChangeEvent;
  /** Name of the job that handled it; null for the default mapping. */
  readonly job: string | null;
  readonly blocks: readonly RehearsedBlock[];
  readonly writes: readonly ConnectionWrites[];
  readonly isFiltered: boolean;
  readonly rejections: readonly Rejection[];
}

export interface ConnectionWrites {
  readonly connection: string;
  readonly writes: readonly TargetWrite[];
}

/** The way of entries through decoder and jobs up to their writes, which go nowhere. */
export class Trial {
  readonly #decoder = new Decoder({ onWarning: () => {} });
  readonly #transformer: EventTransformer;
  readonly #nativeJsonMerge: boolean;
  #blocks: RehearsedBlock[] = [];

  constructor({ jobs, settings, lookups, onWarning = () => {} }: TrialOptions) {
    this.#nativeJsonMerge = settings.nativeJsonMerge;
    this.#transformer = transformerFor({ jobs, settings, lookups, onWarning }, (step, record) => {
      this.#blocks.push({ step, record: record && jsonOf(record) });
    });
  }

  decode(entry: StreamEntry): Decoded {
    return this.#decoder.decode(entry);
  }

  /** Sends one change through its job. One at a time. Rejects with the reason of `signal`. */
  async transform(event: ChangeEvent, signal: AbortSignal): Promise<TriedChange> {
    this.#blocks = [];
    const { connections } = this.#transformer;
    const writes = connections.map((): TargetWrite[] => []);
    const rejections: Rejection[] = [];
    let isFiltered = false;
    await this.#transformer.transform(
      [event],
      {
        writes,
        filtered: () => {
          isFiltered = true;
        },
        rejected: (_index, rejection) => void rejections.push(rejection),
      },
      signal,
    );
    return {
      event,
      job: this.#transformer.jobOf(event.table),
      blocks: this.#blocks,
      writes: connections.map((connection, i) => ({ connection, writes: writes[i] as TargetWrite[] })),
      isFiltered,
      rejections,
    };
  }

  /** The commands of writes, as a target with RedisJSON gets them. */
  commandsOf({ connection, writes }: ConnectionWrites): RehearsedCommand[] {
    const way = { jsonMerge: true, nativeJsonMerge: this.#nativeJsonMerge };
    return writes.flatMap((write) => commandsOf(write, way).map((words) => ({ connection, words })));
  }
}

/** The transformer of a configuration; `onBlock` is told of each record behind each block. */
export function transformerFor(
  { jobs, settings, lookups, onWarning = () => {} }: TrialOptions,
  onBlock?: (step: string, record: JobObject | null) => void,
): EventTransformer {
  return createTransformer({
    jobs,
    settings: {
      dataType: settings.targetDataType,
      jsonUpdate: settings.jsonUpdateStrategy,
      keyTemplate: settings.keyTemplate,
    },
    lookups,
    clock: systemClock,
    onWarning,
    ...(onBlock ? { trace: { onBlock: (_index, step, record) => onBlock(step, record) } } : {}),
  });
}

/** What became of a change, for people. */
export function describeChange(
  number: number,
  { event, job, blocks, isFiltered, rejections }: TriedChange,
  lookups: readonly AskedLookup[],
  commands: readonly RehearsedCommand[],
): RehearsedEvent {
  const { table, op, key, before, after } = event;
  return {
    number,
    table: `${table.schema || table.db}.${table.table}`,
    op,
    key: rowJson(key),
    before: rowJson(before),
    after: rowJson(after),
    job,
    blocks,
    lookups,
    commands,
    outcome: rejections.length > 0 ? 'rejected' : isFiltered ? 'filtered' : 'written',
    reason: rejections.map(({ reason }) => reason).join(' ') || null,
  };
}

/** What became of an entry that is no change of a row. */
export function describeOther(number: number, decoded: Exclude<Decoded, ChangeEvent>): RehearsedEvent {
  const event = { ...NOTHING, number };
  if (decoded.kind === 'undecodable') return { ...event, outcome: 'rejected', reason: decoded.reason };
  return { ...event, outcome: FILTERED.has(decoded.control) ? 'filtered' : 'skipped', reason: decoded.control };
}

/** Records that change no row, but are counted as filtered. */
const FILTERED: ReadonlySet<string> = new Set(['tombstone', 'truncate', 'message']);

const NOTHING = {
  table: '',
  op: '',
  key: null,
  before: null,
  after: null,
  job: null,
  blocks: [],
  lookups: [],
  commands: [],
};

/** Connections that some job looks something up in. */
export function lookupConnections(jobs: readonly JobDefinition[]): string[] {
  const names = jobs.flatMap(({ blocks }) =>
    blocks.flatMap((block) => (block.uses === 'redis.lookup' ? [block.connection] : [])),
  );
  return [...new Set(names)];
}

/** A row as JSON. */
export function rowJson(row: Row | null): string | null {
  return row && jsonOf(rowToObject(row));
}

/** JSON columns that are no JSON are shown as they are instead of ending the trial. */
function jsonOf(record: JobObject): string {
  try {
    return compactJson(record);
  } catch (error) {
    return `(${(error as Error).message})`;
  }
}
