import type { LoadedPipeline } from '../config/index.ts';
import { loadJobs } from '../control/load-jobs.ts';
import { ConfigError } from '../errors.ts';
import type { JobDefinition } from '../transform/index.ts';
import type { ChangeEvent, StreamEntry } from '../types.ts';
import { Keyspace } from './keyspace.ts';
import { LookupAnswers } from './lookup-answers.ts';
import { describeChange, describeOther, lookupConnections, Trial } from './trial.ts';
import type { AskedLookup, GivenLookup, RehearsedEvent, SettingOverrides, StoredKeys } from './types.ts';

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
  readonly #trial: Trial;
  readonly #nativeJsonMerge: boolean;
  readonly #tables: ReadonlySet<string>;
  readonly #signal = new AbortController().signal;
  #count = 0;
  #asked: AskedLookup[] = [];

  constructor({ jobs, settings, lookups, keys, tables = [] }: RehearsalOptions) {
    this.#nativeJsonMerge = settings.nativeJsonMerge;
    this.#tables = new Set(tables.map((table) => table.toLowerCase()));
    for (const [connection, stored] of keys) {
      for (const [key, value] of stored) this.keyspaceOf(connection).set(key, value);
    }
    const answers = lookupConnections(jobs).map((connection) => {
      const reader = new LookupAnswers(lookups, this.keyspaceOf(connection), (asked) => this.#asked.push(asked));
      return [connection, reader] as const;
    });
    const onWarning = (message: string) => void this.warnings.push(message);
    this.#trial = new Trial({ jobs, settings, lookups: new Map(answers), onWarning });
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

  /** What the keys of every connection hold that was written to or had keys before. */
  get keys(): ReadonlyMap<string, StoredKeys> {
    return new Map([...this.#keyspaces].map(([connection, { keys }]) => [connection, keys]));
  }

  /** What becomes of an entry; null when it is a change of a table that was not asked for. */
  async run(entry: StreamEntry): Promise<RehearsedEvent | null> {
    const decoded = this.#trial.decode(entry);
    if (decoded.kind === 'change') return this.#isWanted(decoded) ? this.#transform(decoded) : null;
    if (this.#tables.size > 0) return null;
    if (decoded.kind === 'control' && decoded.control === 'truncate') {
      this.warnings.push(
        `A table of stream ${entry.stream.name} was truncated in the source. What the target has of it stays.`,
      );
    }
    return describeOther(++this.#count, decoded);
  }

  #isWanted({ table: { table, schema, db } }: ChangeEvent): boolean {
    if (this.#tables.size === 0) return true;
    return [table, `${schema || db}.${table}`].some((name) => this.#tables.has(name.toLowerCase()));
  }

  async #transform(event: ChangeEvent): Promise<RehearsedEvent> {
    const number = ++this.#count;
    this.#asked = [];
    const tried = await this.#trial.transform(event, this.#signal);
    const refusals = tried.writes.flatMap(({ connection, writes }) => {
      const keyspace = this.keyspaceOf(connection);
      return writes.flatMap((write) => keyspace.apply(write) ?? []);
    });
    const commands = tried.writes.flatMap((one) => this.#trial.commandsOf(one));
    const rejections = [...tried.rejections, ...refusals];
    return describeChange(number, { ...tried, rejections }, this.#asked, commands);
  }
}
