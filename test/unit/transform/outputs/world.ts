import { DEFAULT_KEY_TEMPLATE, KeyTemplate } from '../../../../src/transform/default-key.ts';
import { compileJmespath } from '../../../../src/transform/expressions/jmespath.ts';
import { compileSql } from '../../../../src/transform/expressions/sql.ts';
import type { JobObject, JobValue } from '../../../../src/transform/expressions/types.ts';
import { parseJson, rowToObject } from '../../../../src/transform/expressions/values.ts';
import type {
  CompiledExpression,
  MappingItem,
  NestDefinition,
  OutputArgument,
  OutputDefinition,
} from '../../../../src/transform/jobs/definition.ts';
import type { Image, JobOutput } from '../../../../src/transform/jobs/image.ts';
import { compileOutput, NestedPaths, type OutputContext } from '../../../../src/transform/jobs/outputs/index.ts';
import type { ChangeEvent, Operation, Row, TableIdentity } from '../../../../src/types.ts';
import type { TargetWrite } from '../../../../src/write/types.ts';

export const CUSTOMER: TableIdentity = {
  connector: 'postgresql',
  serverName: 'rdi',
  db: 'shop',
  schema: 'public',
  table: 'customer',
};

export function jm(text: string): CompiledExpression {
  return { ...compileJmespath(text), text, language: 'jmespath', cache: null };
}

export function sql(text: string): CompiledExpression {
  return { ...compileSql(text), text, language: 'sql', cache: null };
}

export function column(...path: string[]): OutputArgument {
  return { column: path };
}

/** `{ id: 'cid' }`: source and alias, dots as paths; a list item is both. */
export function mapping(...items: (string | readonly [source: string, alias: string])[]): MappingItem[] {
  return items.map((item) => {
    const [source, alias] = typeof item === 'string' ? [item, item] : item;
    return { source: source.split('.'), alias: alias.split('.') };
  });
}

export function output(options: Partial<OutputDefinition> = {}): OutputDefinition {
  const { dataType = 'hash' } = options;
  return {
    step: 'output[0] redis.write',
    connection: 'target',
    key: null,
    mapping: null,
    member: null,
    score: null,
    value: null,
    onUpdate: dataType === 'json' ? 'replace' : 'merge',
    expire: null,
    nest: null,
    foreach: null,
    when: null,
    onDelete: 'delete',
    ...options,
    dataType,
  };
}

export const LINES: NestDefinition = {
  parent: { table: 'orders', serverName: null, schema: null },
  parentKey: [{ parent: 'order_id', child: 'order_id' }],
  path: [
    { kind: 'name', name: 'lines' },
    { kind: 'entry', column: 'line_no' },
  ],
  missingParent: 'create',
};

export interface World {
  readonly output: JobOutput;
  readonly warnings: string[];
  /** The writes for one change, without index and origin. */
  write(image: Image, old?: Image | null): object[];
  /** What `write` of the output answers. */
  answer(image: Image, old?: Image | null): boolean;
}

export function world(options: Partial<OutputDefinition>, context: Partial<OutputContext> = {}): World {
  const warnings: string[] = [];
  const compiled = compileOutput(output(options), {
    job: 'customers',
    rowFormat: 'partial',
    connection: 0,
    keyTemplate: new KeyTemplate(DEFAULT_KEY_TEMPLATE),
    nested: new NestedPaths(),
    onWarning: (message) => warnings.push(message),
    ...context,
  });
  return {
    output: compiled,
    warnings,
    write(image, old = null) {
      const writes: TargetWrite[] = [];
      compiled.write(image, old, 7, writes);
      return writes.map(bare);
    },
    answer: (image, old = null) => compiled.write(image, old, 7, []),
  };
}

/** A write without index and origin, with its row as an object. */
export function bare({ index: _, origin: __, ...write }: TargetWrite): object {
  return 'row' in write && write.row !== null ? { ...write, row: columnsOf(write.row) } : write;
}

function columnsOf({ names, values }: Row): Record<string, unknown> {
  return Object.fromEntries(names.map((name, i) => [name, shown(values[i])]));
}

/** JSON and exact numbers as `{text}`, for expectations. */
function shown(value: unknown): unknown {
  if (typeof value === 'symbol') return 'unavailable';
  return value !== null && typeof value === 'object' ? { text: (value as { text: string }).text } : value;
}

export interface ImageOptions {
  readonly table?: TableIdentity;
  readonly key?: Record<string, unknown> | null;
  readonly before?: Record<string, unknown> | null;
  readonly missing?: readonly string[];
  readonly isLeaving?: boolean;
}

/** The state of a row in partial format, after a change `operation`. Values as in JSON; the key is `id` unless said otherwise. */
export function image(operation: Operation, columns: Record<string, unknown>, options: ImageOptions = {}): Image {
  const { table = CUSTOMER, key = { id: columns['id'] }, before = columns, missing, isLeaving = false } = options;
  const record = objectOf(columns);
  const event = eventOf(operation, table, key, before, columns);
  return { event, operation, record, columns: record, missing: missing ? new Set(missing) : null, isLeaving };
}

/** The same in full format. */
export function fullImage(operation: Operation, columns: Record<string, unknown>, options: ImageOptions = {}): Image {
  const partial = image(operation, columns, options);
  const row = partial.columns;
  const isDeleted = operation === 'd';
  const record: JobObject = new Map<string, JobValue>([
    ['key', options.key === null ? null : objectOf(options.key ?? { id: columns['id'] })],
    ['before', isDeleted ? row : null],
    ['after', isDeleted ? null : row],
    ['opcode', operation],
  ]);
  return { ...partial, record };
}

export function objectOf(columns: Record<string, unknown>): JobObject {
  const { names, values } = rowOf(columns);
  return rowToObject({ names, values, partial: false });
}

function rowOf(columns: Record<string, unknown>): Row {
  const values = Object.values(columns).map((value) =>
    value !== null && typeof value === 'object' && value.constructor !== Object && !Array.isArray(value)
      ? value
      : parseJson(JSON.stringify(value ?? null)),
  );
  return { names: Object.keys(columns), values: values as Row['values'], partial: false };
}

function eventOf(
  op: Operation,
  table: TableIdentity,
  key: Record<string, unknown> | null,
  before: Record<string, unknown> | null,
  columns: Record<string, unknown>,
): ChangeEvent {
  return {
    kind: 'change',
    op,
    table,
    key: key && rowOf(key),
    before: before && rowOf(before),
    after: op === 'd' ? null : rowOf(columns),
    sourceMs: 0,
    snapshot: op === 'r',
  };
}
