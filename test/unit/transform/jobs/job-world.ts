/** Small jobs, events in short form, and what a transformer makes of them. */
import type { Clock } from '../../../../src/lib/clock.ts';
import { compileJmespath } from '../../../../src/transform/expressions/jmespath.ts';
import { compileSql } from '../../../../src/transform/expressions/sql.ts';
import { ExpressionError, type JobObject } from '../../../../src/transform/expressions/types.ts';
import { compactJson } from '../../../../src/transform/expressions/values.ts';
import { createTransformer, type EventTransformer, type LookupReader } from '../../../../src/transform/index.ts';
import type {
  AddFieldDefinition,
  BlockDefinition,
  CacheSettings,
  CompiledExpression,
  JobDefinition,
  LookupDefinition,
  MapFields,
  OutputDefinition,
} from '../../../../src/transform/jobs/definition.ts';
import type { ChangeEvent, Operation, Rejection, Row, TableIdentity, Value } from '../../../../src/types.ts';
import { UNAVAILABLE } from '../../../../src/types.ts';
import type { TargetWrite } from '../../../../src/write/types.ts';

/** `jm: …` or `sql: …`. */
export function expression(text: string, cache: CacheSettings | null = null): CompiledExpression {
  const [, language, body] = /^(jm|sql): (.*)$/s.exec(text) as unknown as [string, 'jm' | 'sql', string];
  return language === 'jm'
    ? { ...compileJmespath(body), text: body, language: 'jmespath', cache }
    : { ...compileSql(body), text: body, language: 'sql', cache };
}

export const filter = (text: string): BlockDefinition => ({
  uses: 'filter',
  step: 'transform filter',
  expression: expression(text),
});

/** Paths are written with dots, as users do. */
export const add = (fields: Readonly<Record<string, string | CompiledExpression>>): AddFieldDefinition => ({
  uses: 'add_field',
  step: 'transform add_field',
  fields: Object.entries(fields).map(([path, value]) => ({
    path: path.split('.'),
    expression: typeof value === 'string' ? expression(value) : value,
  })),
});

export const remove = (...paths: string[]): BlockDefinition => ({
  uses: 'remove_field',
  step: 'transform remove_field',
  paths: paths.map((path) => path.split('.')),
});

export const rename = (renames: Readonly<Record<string, string>>): BlockDefinition => ({
  uses: 'rename_field',
  step: 'transform rename_field',
  renames: Object.entries(renames).map(([from, to]) => ({ from: from.split('.'), to: to.split('.') })),
});

export interface FieldTexts {
  readonly [name: string]: string | FieldTexts;
}

export const map = (mapping: string | FieldTexts): BlockDefinition => ({
  uses: 'map',
  step: 'transform map',
  mapping: typeof mapping === 'string' ? expression(mapping) : fieldsOf(mapping),
});

function fieldsOf(fields: FieldTexts): MapFields {
  return {
    fields: Object.entries(fields).map(([name, value]) => ({
      name,
      value: typeof value === 'string' ? expression(value) : fieldsOf(value),
    })),
  };
}

export const lookup = (
  command: string,
  args: readonly string[],
  field: string,
  more: Partial<LookupDefinition> = {},
): LookupDefinition => ({
  uses: 'redis.lookup',
  step: 'transform redis.lookup',
  connection: 'target',
  command: command.split(' '),
  args: args.map((argument) => expression(argument)),
  field: field.split('.'),
  when: null,
  lookupCache: null,
  batch: { size: 200, timeoutMs: 100 },
  ...more,
});

/** A JSON document under the default key. */
export const output = (more: Partial<OutputDefinition> = {}): OutputDefinition => ({
  step: 'output[0] redis.write',
  connection: 'target',
  dataType: 'json',
  key: null,
  mapping: null,
  member: null,
  score: null,
  value: null,
  onUpdate: 'replace',
  expire: null,
  nest: null,
  foreach: null,
  when: null,
  onDelete: 'delete',
  ...more,
});

export const jobOf = (blocks: readonly BlockDefinition[], more: Partial<JobDefinition> = {}): JobDefinition => ({
  name: 'customers',
  file: 'customers.yaml',
  isDefault: false,
  matches: ({ table }) => table === 'customer',
  rowFormat: 'partial',
  filterRemoves: false,
  strictKeys: false,
  blocks,
  outputs: [output()],
  ...more,
});

export const TABLE: TableIdentity = {
  connector: 'postgresql',
  serverName: 'rdi',
  db: 'shop',
  schema: 'public',
  table: 'customer',
};

export type Columns = Readonly<Record<string, Value>>;

const namesOf = new Map<string, readonly string[]>();

export function rowOf(columns: Columns, isPartial = false): Row {
  const key = JSON.stringify(Object.keys(columns));
  const names = namesOf.get(key) ?? Object.keys(columns);
  namesOf.set(key, names);
  const values = Object.values(columns);
  return { names, values, partial: isPartial || values.includes(UNAVAILABLE) };
}

export interface EventForm {
  readonly op?: Operation;
  readonly key?: Columns | null;
  readonly before?: Columns | null;
  readonly after?: Columns | null;
  readonly table?: TableIdentity;
}

/** A create of `after`, an update when there is `before`, too, a delete without `after`; the key is `id`. */
export function eventOf({ op, key, before = null, after = null, table = TABLE }: EventForm): ChangeEvent {
  const row = after ?? before;
  const keyColumns: Columns | null = key === undefined ? { id: (row?.['id'] as Value) ?? 7 } : key;
  return {
    kind: 'change',
    op: op ?? (after === null ? 'd' : before === null ? 'c' : 'u'),
    table,
    key: keyColumns === null ? null : rowOf(keyColumns),
    before: before && rowOf(before),
    after: after && rowOf(after),
    sourceMs: 1_700_000_000_000,
    snapshot: false,
  };
}

export interface Outcome {
  /** Of the first connection. */
  readonly writes: TargetWrite[];
  readonly others: TargetWrite[][];
  readonly filtered: number[];
  readonly rejected: ReadonlyMap<number, Rejection>;
  /** The record of each event as the last block left it, as JSON; null when a filter took it out. */
  readonly records: ReadonlyMap<number, string | null>;
  readonly warnings: readonly string[];
}

export interface WorldOptions {
  readonly lookups?: ReadonlyMap<string, LookupReader>;
  readonly clock?: Clock;
  readonly keyTemplate?: string;
  readonly signal?: AbortSignal;
}

export const testClock: Clock & { at: number } = {
  at: 0,
  now() {
    return this.at;
  },
  elapsed() {
    return this.at;
  },
};

/** A transformer and what it said. */
export class World {
  readonly transformer: EventTransformer;
  readonly warnings: string[] = [];
  readonly #records = new Map<number, JobObject | null>();
  readonly #signal: AbortSignal;

  constructor(jobs: readonly JobDefinition[], options: WorldOptions = {}) {
    this.#signal = options.signal ?? new AbortController().signal;
    this.transformer = createTransformer({
      jobs,
      settings: { dataType: 'hash', jsonUpdate: 'replace', keyTemplate: options.keyTemplate ?? '{table}:{key}' },
      lookups: options.lookups ?? new Map(),
      clock: options.clock ?? testClock,
      onWarning: (message) => this.warnings.push(message),
      trace: { onBlock: (index, _step, record) => this.#records.set(index, record) },
    });
  }

  async run(events: readonly (ChangeEvent | null)[]): Promise<Outcome> {
    this.#records.clear();
    const writes = this.transformer.connections.map((): TargetWrite[] => []);
    const filtered: number[] = [];
    const rejected = new Map<number, Rejection>();
    await this.transformer.transform(
      events,
      {
        writes,
        filtered: (index) => filtered.push(index),
        rejected: (index, rejection) => rejected.set(index, rejection),
      },
      this.#signal,
    );
    const records = new Map([...this.#records].map(([index, record]) => [index, record && readable(record)]));
    const [first = [], ...others] = writes;
    return { writes: first, others, filtered, rejected, records, warnings: this.warnings };
  }
}

/** JSON columns may hold anything; only who reads one fails. */
function readable(record: JobObject): string {
  try {
    return compactJson(record);
  } catch (error) {
    if (error instanceof ExpressionError) return error.message;
    throw error;
  }
}

export function run(
  job: JobDefinition | readonly JobDefinition[],
  events: readonly EventForm[],
  options?: WorldOptions,
): Promise<Outcome> {
  return new World([job].flat() as JobDefinition[], options).run(events.map(eventOf));
}

/** The record after the blocks, as JSON. */
export async function recordAfter(blocks: readonly BlockDefinition[], after: Columns): Promise<string | null> {
  const { records, rejected } = await run(jobOf(blocks), [{ after }]);
  const [rejection] = rejected.values();
  if (rejection) throw new Error(rejection.reason);
  return records.get(0) ?? null;
}

/** `JSON key {…}`, `DEL key`: writes in short form. */
export function show(write: TargetWrite): string {
  switch (write.kind) {
    case 'json':
    case 'hash':
    case 'stream': {
      const pairs = write.row.names.map((name, i) => [name, write.row.values[i] as Value] as const);
      const members = pairs.map(([name, value]) => `${name}=${showValue(value)}`);
      return `${write.kind} ${write.key} ${members.join(' ')}`;
    }
    case 'set':
      return `${write.isMember ? 'add' : 'remove'} ${write.key} ${write.member}`;
    default:
      return `${write.kind} ${write.key}`;
  }
}

function showValue(value: Value): string {
  if (typeof value === 'symbol') return '?';
  return value !== null && typeof value === 'object' ? value.text : String(value);
}
