import type { LoadedPipeline } from '../config/index.ts';
import { loadJobs } from '../control/load-jobs.ts';
import { Decoder } from '../decode/index.ts';
import { ConfigError } from '../errors.ts';
import { systemClock } from '../lib/clock.ts';
import type { JobObject } from '../transform/expressions/types.ts';
import { compactJson, rowToObject } from '../transform/expressions/values.ts';
import { createTransformer, type EventTransformer, type JobDefinition } from '../transform/index.ts';
import type { ChangeEvent, Rejection, Row, StreamEntry } from '../types.ts';
import { commandsOf, type TargetWrite } from '../write/index.ts';
import { Keyspace } from './keyspace.ts';
import { LookupAnswers } from './lookup-answers.ts';
import type {
  AskedLookup,
  GivenLookup,
  RehearsedBlock,
  RehearsedCommand,
  RehearsedEvent,
  SettingOverrides,
  StoredKeys,
} from './types.ts';

export interface RehearsalOptions {
  readonly jobs: readonly JobDefinition[];
  readonly settings: LoadedPipeline['settings'];
  readonly lookups: readonly GivenLookup[];
  /** By connection: what is there before. */
  readonly keys: ReadonlyMap<string, StoredKeys>;
  /** Only changes of these tables, `customer` or `public.customer`, letter case aside; all when empty. */
  readonly tables?: readonly string[];
}

/** The pipeline with settings of `processors` in place of its own. */
export function withSettings(pipeline: LoadedPipeline, overrides: SettingOverrides): LoadedPipeline {
  const own = pipeline.settings;
  const settings = {
    ...own,
    targetDataType: overrides.target_data_type ?? own.targetDataType,
    jsonUpdateStrategy: overrides.json_update_strategy ?? own.jsonUpdateStrategy,
    nativeJsonMerge: overrides.use_native_json_merge ?? own.nativeJsonMerge,
    filterRemoves: overrides.filter_removes ?? own.filterRemoves,
    strictKeys: overrides.strict_keys ?? own.strictKeys,
    keyTemplate: overrides.key_template ?? own.keyTemplate,
  };
  return { ...pipeline, settings };
}

/** The jobs of a pipeline. Throws a ConfigError with every problem in them. */
export function requireJobs(pipeline: LoadedPipeline): readonly JobDefinition[] {
  const { jobs, problems } = loadJobs(pipeline);
  if (problems.length > 0) throw new ConfigError('CONFIG_INVALID', 'the jobs have problems', { problems });
  return jobs;
}

/**
 * Sends entries one by one through decoder and jobs, and their writes to keys in memory. Nothing is sent anywhere, and no
 * entry waits for another one.
 */
export class Rehearsal {
  /** Things that rdi would warn about, each once. */
  readonly warnings: string[] = [];
  readonly #keyspaces = new Map<string, Keyspace>();
  readonly #transformer: EventTransformer;
  readonly #decoder: Decoder;
  readonly #nativeJsonMerge: boolean;
  readonly #tables: ReadonlySet<string>;
  readonly #signal = new AbortController().signal;
  #count = 0;
  #blocks: RehearsedBlock[] = [];
  #asked: AskedLookup[] = [];

  constructor({ jobs, settings, lookups, keys, tables = [] }: RehearsalOptions) {
    this.#nativeJsonMerge = settings.nativeJsonMerge;
    this.#tables = new Set(tables.map((table) => table.toLowerCase()));
    for (const [connection, stored] of keys) {
      for (const [key, value] of stored) this.keyspaceOf(connection).set(key, value);
    }
    this.#decoder = new Decoder({ onWarning: () => {} });
    const answers = lookupConnections(jobs).map((connection) => {
      const reader = new LookupAnswers(lookups, this.keyspaceOf(connection), (asked) => this.#asked.push(asked));
      return [connection, reader] as const;
    });
    this.#transformer = createTransformer({
      jobs,
      settings: {
        dataType: settings.targetDataType,
        jsonUpdate: settings.jsonUpdateStrategy,
        keyTemplate: settings.keyTemplate,
      },
      lookups: new Map(answers),
      clock: systemClock,
      onWarning: (message) => this.warnings.push(message),
      trace: {
        onBlock: (_index, step, record) => this.#blocks.push({ step, record: record && jsonOf(record) }),
      },
    });
  }

  /** The keys of a connection; none as long as nothing was written. */
  keyspaceOf(connection: string): Keyspace {
    let keyspace = this.#keyspaces.get(connection);
    if (keyspace === undefined) {
      keyspace = new Keyspace({ nativeJsonMerge: this.#nativeJsonMerge });
      this.#keyspaces.set(connection, keyspace);
    }
    return keyspace;
  }

  /** What becomes of an entry; null when it is a change of a table that was not asked for. */
  async run(entry: StreamEntry): Promise<RehearsedEvent | null> {
    const decoded = this.#decoder.decode(entry);
    if (decoded.kind === 'change') return this.#isWanted(decoded) ? this.#transform(decoded) : null;
    if (this.#tables.size > 0) return null;
    const event = { ...NOTHING, number: ++this.#count };
    if (decoded.kind === 'undecodable') return { ...event, outcome: 'rejected', reason: decoded.reason };
    if (decoded.control === 'truncate') {
      this.warnings.push(
        `A table of stream ${entry.stream.name} was truncated in the source. What the target has of it stays.`,
      );
    }
    return { ...event, outcome: FILTERED.has(decoded.control) ? 'filtered' : 'skipped', reason: decoded.control };
  }

  #isWanted({ table: { table, schema, db } }: ChangeEvent): boolean {
    if (this.#tables.size === 0) return true;
    return [table, `${schema || db}.${table}`].some((name) => this.#tables.has(name.toLowerCase()));
  }

  async #transform(event: ChangeEvent): Promise<RehearsedEvent> {
    const number = ++this.#count;
    this.#blocks = [];
    this.#asked = [];
    const { connections } = this.#transformer;
    const writes = connections.map((): TargetWrite[] => []);
    let isFiltered = false;
    const rejections: Rejection[] = [];
    const results = {
      writes,
      filtered: () => {
        isFiltered = true;
      },
      rejected: (_index: number, rejection: Rejection) => {
        rejections.push(rejection);
      },
    };
    await this.#transformer.transform([event], results, this.#signal);
    const commands = connections.flatMap((name, i) => this.#apply(name, writes[i]!, rejections));
    const { table, op, key, before, after } = event;
    return {
      number,
      table: `${table.schema || table.db}.${table.table}`,
      op,
      key: rowJson(key),
      before: rowJson(before),
      after: rowJson(after),
      job: rejections[0]?.origin?.job ?? writes.flat()[0]?.origin?.job ?? null,
      blocks: this.#blocks,
      lookups: this.#asked,
      commands,
      outcome: rejections.length > 0 ? 'rejected' : isFiltered ? 'filtered' : 'written',
      reason: rejections.map(({ reason }) => reason).join(' ') || null,
    };
  }

  #apply(connection: string, writes: readonly TargetWrite[], rejections: Rejection[]): RehearsedCommand[] {
    const keyspace = this.keyspaceOf(connection);
    const way = { jsonMerge: true, nativeJsonMerge: this.#nativeJsonMerge };
    return writes.flatMap((write) => {
      const refusal = keyspace.apply(write);
      if (refusal !== null) rejections.push(refusal);
      return commandsOf(write, way).map((words) => ({ connection, words }));
    });
  }
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

function lookupConnections(jobs: readonly JobDefinition[]): string[] {
  const names = jobs.flatMap(({ blocks }) =>
    blocks.flatMap((block) => (block.uses === 'redis.lookup' ? [block.connection] : [])),
  );
  return [...new Set(names)];
}

function rowJson(row: Row | null): string | null {
  return row && jsonOf(rowToObject(row));
}

/** JSON columns that are no JSON are shown as they are instead of ending the rehearsal. */
function jsonOf(record: JobObject): string {
  try {
    return compactJson(record);
  } catch (error) {
    return `(${(error as Error).message})`;
  }
}
