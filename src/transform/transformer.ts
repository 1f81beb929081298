import type { Clock } from '../lib/clock.ts';
import type { ChangeEvent, Rejection, TableIdentity } from '../types.ts';
import type { TargetWrite } from '../write/types.ts';
import { KeyTemplate } from './default-key.ts';
import { DefaultMapping } from './default-mapping.ts';
import type { JobDefinition } from './jobs/definition.ts';
import { DELIVER_ALL_COLUMNS } from './jobs/evaluation.ts';
import { Job } from './jobs/job.ts';
import { NestedPaths } from './jobs/outputs/index.ts';
import { Passage, type TransformTrace } from './jobs/passage.ts';
import { PlaceChange } from './jobs/place-change.ts';
import { answerAll } from './jobs/questions.ts';
import type { Run } from './jobs/run.ts';
import { type EventTransformer, type LookupReader, MAIN_LANE, type TransformResults } from './types.ts';

export interface TransformerOptions {
  readonly jobs: readonly JobDefinition[];
  readonly settings: {
    readonly dataType: 'hash' | 'json';
    readonly jsonUpdate: 'replace' | 'merge';
    /** Form of the default keys, for example `{table}:{key}`. */
    readonly keyTemplate: string;
  };
  /** One reader for each connection in which some job looks something up. */
  readonly lookups: ReadonlyMap<string, LookupReader>;
  readonly clock: Clock;
  /** Something that a user should know; each text comes once. */
  readonly onWarning: (message: string) => void;
  readonly trace?: TransformTrace;
}

/** Connection that tables without a job are written to. */
const DEFAULT_CONNECTION = 'target';

/** Makes the transformer of a pipeline: each table goes through its job, or through the default mapping. */
export function createTransformer(options: TransformerOptions): EventTransformer {
  return new JobTransformer(options);
}

/** What happens to the rows of one table. */
interface TablePlan {
  /** Null: the default mapping. */
  readonly job: Job | null;
  readonly place: PlaceChange;
  readonly lane: string;
  /** Whether it was said that updates come without the row before them. */
  hasWarned: boolean;
}

class JobTransformer implements EventTransformer {
  readonly connections: readonly string[];
  readonly #jobs: readonly Job[];
  readonly #mapping: DefaultMapping;
  readonly #keyTemplate: KeyTemplate;
  readonly #trace: TransformTrace | null;
  readonly #plans = new WeakMap<TableIdentity, TablePlan>();
  /** Tables by what their default keys begin and end with. */
  readonly #defaultKeys = new Map<string, string>();
  readonly #said = new Set<string>();
  readonly #onWarning: (message: string) => void;

  constructor({ jobs, settings, lookups, clock, onWarning, trace }: TransformerOptions) {
    this.connections = connectionsOf(jobs);
    this.#onWarning = onWarning;
    this.#trace = trace ?? null;
    this.#keyTemplate = new KeyTemplate(settings.keyTemplate);
    const nested = new NestedPaths(jobs);
    this.#mapping = new DefaultMapping(settings, nested);
    const parts = {
      connections: this.connections,
      lookups,
      keyTemplate: this.#keyTemplate,
      nested,
      clock,
      onWarning: (message: string) => this.#warn(message),
    };
    this.#jobs = jobs.map((definition) => new Job(definition, parts));
  }

  laneOf(table: TableIdentity): string {
    return this.#planOf(table).lane;
  }

  jobOf(table: TableIdentity): string | null {
    return this.#planOf(table).job?.definition.name ?? null;
  }

  transform(
    events: readonly (ChangeEvent | null)[],
    results: TransformResults,
    signal: AbortSignal,
  ): void | Promise<void> {
    for (let i = 0; i < events.length; i++) {
      const event = events[i];
      if (!event) continue;
      const passage = this.#begin(event, i);
      if (passage === null) this.#mapDefault(event, i, results);
      else if (passage.advance()) passage.finish(results);
      else return this.#afterLookups(passage, events, i + 1, results, signal);
    }
  }

  /** From the first event that waits for a lookup on, writes are held back until all replies are there: order is kept. */
  async #afterLookups(
    first: Passage,
    events: readonly (ChangeEvent | null)[],
    from: number,
    results: TransformResults,
    signal: AbortSignal,
  ): Promise<void> {
    const held: (Passage | null)[] = [first];
    let unfinished: Passage[] = [first];
    for (let i = from; i < events.length; i++) {
      const event = events[i];
      const passage = event ? this.#begin(event, i) : null;
      if (passage !== null && !passage.advance()) unfinished.push(passage);
      held.push(passage);
    }
    while (unfinished.length > 0) {
      const waiting: Run[] = [];
      for (const passage of unfinished) passage.collectWaiting(waiting);
      await answerAll(waiting, signal);
      unfinished = unfinished.filter((passage) => !passage.advance());
    }
    held.forEach((passage, offset) => {
      const index = from - 1 + offset;
      const event = events[index];
      if (passage !== null) passage.finish(results);
      else if (event) this.#mapDefault(event, index, results);
    });
  }

  /** Null for tables without a job. */
  #begin(event: ChangeEvent, index: number): Passage | null {
    const plan = this.#planOf(event.table);
    if (plan.job === null) return null;
    const isUpdate = event.op === 'u';
    if (isUpdate && event.before === null && !plan.hasWarned) this.#warnOfUnknownPlace(plan, event);
    return new Passage(plan.job, event, index, isUpdate && plan.place.isChangedBy(event), this.#trace);
  }

  #mapDefault(event: ChangeEvent, index: number, results: TransformResults): void {
    // Where there is one, the default connection is the first.
    const rejection =
      this.connections[0] === DEFAULT_CONNECTION
        ? this.#mapping.apply(event, index, results.writes[0] as TargetWrite[])
        : nowhere(event.table);
    if (rejection !== null) results.rejected(index, rejection);
  }

  #planOf(table: TableIdentity): TablePlan {
    const known = this.#plans.get(table);
    if (known !== undefined) return known;
    const job =
      this.#jobs.find(({ definition }) => !definition.isDefault && definition.matches(table)) ??
      this.#jobs.find(({ definition }) => definition.isDefault && definition.matches(table)) ??
      null;
    const plan = {
      job,
      place: new PlaceChange(job === null ? new Set() : job.placeReads, job?.isFull ?? false),
      lane: job === null ? MAIN_LANE : laneOfJob(job.definition),
      hasWarned: false,
    };
    this.#plans.set(table, plan);
    if (job === null || job.usesDefaultKey) this.#noteDefaultKey(table);
    return plan;
  }

  /** Rows of tables with one name overwrite each other unless the key template tells the tables apart. */
  #noteDefaultKey(table: TableIdentity): void {
    const form = JSON.stringify(this.#keyTemplate.around(table));
    const name = nameOf(table);
    const other = this.#defaultKeys.get(form);
    if (other === undefined) this.#defaultKeys.set(form, name);
    else if (other !== name) {
      this.#warn(
        `The tables ${other} and ${name} have the same default keys, so that rows of one overwrite rows of the other. Set processors.key_template with {server_name}, {db} or {schema}, or give one of them a job with a key of its own.`,
      );
    }
  }

  #warnOfUnknownPlace(plan: TablePlan, event: ChangeEvent): void {
    plan.hasWarned = true;
    if (!plan.place.dependsOnMoreThan(event.key)) return;
    this.#warn(
      `Updates of the table ${nameOf(event.table)} come without the row as it was before. Where an update changes where the job ${plan.job?.definition.name} writes a row, what it wrote before stays in the target. ${DELIVER_ALL_COLUMNS}`,
    );
  }

  #warn(message: string): void {
    if (this.#said.has(message)) return;
    this.#said.add(message);
    this.#onWarning(message);
  }
}

function nameOf({ serverName, db, schema, table }: TableIdentity): string {
  return [serverName, db, schema, table].filter((part) => part !== '').join('.');
}

function nowhere(table: TableIdentity): Rejection {
  return {
    code: 'TRANSFORM_FAILED',
    reason: `No job selects the table ${nameOf(table)}, and there is no connection "${DEFAULT_CONNECTION}" for tables without a job. Add one under targets in config.yaml, or let the default job select every table.`,
  };
}

/** A table of names that no source has: only selectors that take any name match it. */
const ANY_TABLE: TableIdentity = { connector: '', serverName: '\0', db: '\0', schema: '\0', table: '\0' };

/** Connections that are written to. With a default job for all tables none goes through the default mapping. */
function connectionsOf(jobs: readonly JobDefinition[]): readonly string[] {
  const written = new Set(jobs.flatMap(({ outputs }) => outputs.map(({ connection }) => connection)));
  if (!jobs.some(({ isDefault, matches }) => isDefault && matches(ANY_TABLE))) written.add(DEFAULT_CONNECTION);
  const others = [...written].filter((connection) => connection !== DEFAULT_CONNECTION);
  return written.has(DEFAULT_CONNECTION) ? [DEFAULT_CONNECTION, ...others] : others;
}

/** Jobs that need the same connections share a lane. */
function laneOfJob({ blocks, outputs }: JobDefinition): string {
  const read = new Set(blocks.flatMap((block) => (block.uses === 'redis.lookup' ? [block.connection] : [])));
  const written = new Set(outputs.map(({ connection }) => connection));
  if (read.size === 0 && written.size === 1 && written.has(DEFAULT_CONNECTION)) return MAIN_LANE;
  const writes = `writes ${[...written].sort().join(', ')}`;
  return read.size === 0 ? writes : `reads ${[...read].sort().join(', ')}; ${writes}`;
}
