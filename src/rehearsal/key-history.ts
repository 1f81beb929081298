import type { LoadedPipeline } from '../config/index.ts';
import { Decoder } from '../decode/index.ts';
import { type EventTransformer, type JobDefinition, keyPrefixes, type LookupReader } from '../transform/index.ts';
import { type ChangeEvent, formatEntryId, type StreamEntry, type TableIdentity } from '../types.ts';
import type { TargetWrite } from '../write/index.ts';
import { describeChange, Trial, transformerFor } from './trial.ts';
import type { AskedLookup, RehearsedBlock, RehearsedCommand } from './types.ts';

/** Jobs and settings, and the revision that they are; null for those of `--target`. */
export interface Configuration {
  readonly revision: number | null;
  readonly pipeline: LoadedPipeline;
  readonly jobs: readonly JobDefinition[];
}

/** An event that touched a key. */
export interface KeyEvent {
  readonly stream: string;
  readonly entry_id: string;
  /** ms since the epoch. */
  readonly arrived_at: number;
  /** When the database made the change, ms since the epoch; null when the event does not say. */
  readonly source_at: number | null;
  readonly source_position: string | null;
  readonly table: string;
  readonly op: string;
  /** Rows as JSON texts. */
  readonly key: string | null;
  readonly before: string | null;
  readonly after: string | null;
  readonly job: string | null;
  /** Blocks behind which the record was another one than before. */
  readonly blocks: readonly RehearsedBlock[];
  readonly lookups: readonly AskedLookup[];
  /** Those for the key. */
  readonly commands: readonly RehearsedCommand[];
  readonly outcome: 'written' | 'rejected' | 'pending';
  /** Why it was rejected. */
  readonly reason: string | null;
  /** In force when it arrived; null when nobody knows. */
  readonly revision: number | null;
}

export interface KeyHistoryOptions {
  readonly key: string;
  readonly connection: string;
  readonly lookups: ReadonlyMap<string, LookupReader>;
  /** The jobs that an entry is sent through. */
  readonly configurationOf: (entry: StreamEntry) => Configuration;
  /** The revision that was in force when the entry arrived. */
  readonly revisionOf: (entry: StreamEntry) => number | null;
  /** Where the change stands in the log of its database, as its people write it; null where the entry does not say it. */
  readonly sourcePositionOf: (entry: StreamEntry) => string | null;
  readonly isSettled: (entry: StreamEntry) => boolean;
  /** Why the entry was rejected; undefined when it was not. */
  readonly rejectionOf: (entry: StreamEntry) => string | undefined;
}

interface Candidate {
  readonly entry: StreamEntry;
  readonly event: ChangeEvent;
  readonly configuration: Configuration;
}

/** Changes that are sent through the jobs together, so that their lookups go together. */
const BATCH = 200;

/** Finds the events that touch one key of a target, by sending those that could through the jobs. */
export class KeyHistory {
  readonly #options: KeyHistoryOptions;
  readonly #decoder = new Decoder({ onWarning: () => {} });
  readonly #scanners = new Map<Configuration, Scanner>();
  #candidates: Candidate[] = [];

  constructor(options: KeyHistoryOptions) {
    this.#options = options;
  }

  /** Takes the next entry, oldest first. True when it is time for {@link found}. */
  take(entry: StreamEntry): boolean {
    const event = this.#decoder.decode(entry);
    if (event.kind !== 'change') return false;
    const configuration = this.#options.configurationOf(entry);
    if (!this.#scannerOf(configuration).canTouch(event.table)) return false;
    const bytes = Buffer.from(entry.bytes.subarray(entry.start, entry.end));
    this.#candidates.push({ entry: { ...entry, bytes, start: 0, end: bytes.length }, event, configuration });
    return this.#candidates.length >= BATCH;
  }

  /** Those of the entries taken since the last call that touch the key. Rejects with the reason of the signal. */
  async found(signal: AbortSignal): Promise<KeyEvent[]> {
    const candidates = this.#candidates;
    this.#candidates = [];
    const found: KeyEvent[] = [];
    for (let from = 0; from < candidates.length; ) {
      const { configuration } = candidates[from] as Candidate;
      let until = from + 1;
      while (candidates[until]?.configuration === configuration) until++;
      const part = candidates.slice(from, until);
      const scanner = this.#scannerOf(configuration);
      for (const index of await scanner.touching(
        part.map(({ event }) => event),
        signal,
      )) {
        found.push(await this.#describe(part[index] as Candidate, scanner, signal));
      }
      from = until;
    }
    return found;
  }

  #scannerOf(configuration: Configuration): Scanner {
    let scanner = this.#scanners.get(configuration);
    if (scanner === undefined) {
      scanner = new Scanner(configuration, this.#options);
      this.#scanners.set(configuration, scanner);
    }
    return scanner;
  }

  async #describe({ entry, event }: Candidate, scanner: Scanner, signal: AbortSignal): Promise<KeyEvent> {
    const { revisionOf, sourcePositionOf, isSettled, rejectionOf } = this.#options;
    const { rehearsed, commands } = await scanner.tell(event, signal);
    const reason = rejectionOf(entry);
    const { table, op, key, before, after, job, blocks, lookups } = rehearsed;
    return {
      stream: entry.stream.name,
      entry_id: formatEntryId(entry),
      arrived_at: entry.ms,
      source_at: event.sourceMs || null,
      source_position: sourcePositionOf(entry),
      table,
      op,
      key,
      before,
      after,
      job,
      blocks: changed(blocks, after ?? before),
      lookups,
      commands,
      outcome: reason !== undefined ? 'rejected' : isSettled(entry) ? 'written' : 'pending',
      reason: reason ?? null,
      revision: revisionOf(entry),
    };
  }
}

/** Blocks that left another record than they found. */
function changed(blocks: readonly RehearsedBlock[], first: string | null): RehearsedBlock[] {
  let before = first;
  return blocks.filter(({ record }) => {
    const isChanged = record !== before;
    before = record;
    return isChanged;
  });
}

/** One configuration on the search for a key. */
class Scanner {
  readonly #key: string;
  readonly #connection: string;
  readonly #configuration: Configuration;
  readonly #transformer: EventTransformer;
  readonly #trial: Trial;
  readonly #canTouch = new WeakMap<TableIdentity, boolean>();
  #asked: AskedLookup[] = [];

  constructor(configuration: Configuration, { key, connection, lookups }: KeyHistoryOptions) {
    this.#key = key;
    this.#connection = connection;
    this.#configuration = configuration;
    const { jobs, pipeline } = configuration;
    const { settings } = pipeline;
    this.#transformer = transformerFor({ jobs, settings, lookups });
    const noted = new Map([...lookups].map(([name, reader]) => [name, noting(reader, this)] as const));
    this.#trial = new Trial({ jobs, settings, lookups: noted });
  }

  /** Whether rows of the table may be written under the key at all. */
  canTouch(table: TableIdentity): boolean {
    const known = this.#canTouch.get(table);
    if (known !== undefined) return known;
    const { jobs, pipeline } = this.#configuration;
    const { prefixes, unknown } = keyPrefixes(jobs, pipeline.settings.keyTemplate, table);
    const own = prefixes.get(this.#connection) ?? [];
    const canTouch = unknown.length > 0 || own.some((prefix) => this.#key.startsWith(prefix));
    this.#canTouch.set(table, canTouch);
    return canTouch;
  }

  /** Indexes of the events that write to the key, in order. */
  async touching(events: readonly ChangeEvent[], signal: AbortSignal): Promise<number[]> {
    const { connections } = this.#transformer;
    const writes = connections.map((): TargetWrite[] => []);
    const results = { writes, filtered: () => {}, rejected: () => {} };
    await this.#transformer.transform(events, results, signal);
    const own = writes[connections.indexOf(this.#connection)] ?? [];
    const indexes = own.filter(({ key }) => key === this.#key).map(({ index }) => index);
    return [...new Set(indexes)].sort((a, b) => a - b);
  }

  /** What becomes of one event on its way to the key. */
  async tell(event: ChangeEvent, signal: AbortSignal) {
    this.#asked = [];
    const tried = await this.#trial.transform(event, signal);
    const own = tried.writes.filter(({ connection }) => connection === this.#connection);
    const commands = own.flatMap(({ connection, writes }) =>
      this.#trial.commandsOf({ connection, writes: writes.filter(({ key }) => key === this.#key) }),
    );
    return { rehearsed: describeChange(0, tried, this.#asked, commands), commands };
  }

  note(commands: readonly (readonly string[])[]): void {
    for (const command of commands) this.#asked.push({ command, isUnanswered: false });
  }
}

/** The reader, with what it is asked noted. */
function noting(reader: LookupReader, scanner: Scanner): LookupReader {
  return {
    read: (commands, signal) => {
      scanner.note(commands);
      return reader.read(commands, signal);
    },
  };
}
