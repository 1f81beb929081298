/**
 * The blocks of a job that need nothing but the record. Source: specification of jobs, section 6.
 *
 * Where a block would make a value of columns that were not delivered, the value counts as not delivered, too: nothing is
 * written for it. A filter that depends on such a column rejects the record: whether it belongs to the target cannot be
 * known, and both answers could leave a wrong row behind without a word.
 */
import type { Clock } from '../../lib/clock.ts';
import { compileSqlGroup, type SqlGroup, SqlGroupError } from '../expressions/sql.ts';
import type { JobObject, JobValue } from '../expressions/types.ts';
import { isTrue, typeOf } from '../expressions/values.ts';
import type {
  AddFieldDefinition,
  CompiledExpression,
  FieldPath,
  FilterDefinition,
  MapDefinition,
  MapFields,
  RemoveFieldDefinition,
  RenameFieldDefinition,
} from './definition.ts';
import { BlockFailure, DELIVER_ALL_COLUMNS, type RunnableExpression, runnable } from './evaluation.ts';
import { evaluateWatched, isIncomplete, NOT_DELIVERED, PartialObject } from './partial-object.ts';
import type { JobRecord } from './record.ts';

/** A block, ready to run. */
export interface Step {
  /** `transform[2] add_field` */
  readonly name: string;
  readonly isFilter: boolean;
  /** Changes the record. False when a filter takes it out. Throws {@link BlockFailure} and ExpressionError. */
  apply(record: JobRecord): boolean;
}

export class FilterStep implements Step {
  readonly name: string;
  readonly isFilter = true;
  readonly #expression: RunnableExpression;

  constructor({ step, expression }: FilterDefinition, clock: Clock) {
    this.name = step;
    this.#expression = runnable(expression, clock);
  }

  apply(record: JobRecord): boolean {
    return isTrue(needed(record, this.#expression));
  }
}

/** The value of an expression without which the record cannot go on. */
export function needed(record: JobRecord, expression: RunnableExpression): JobValue {
  const value = record.evaluate(expression);
  if (value !== NOT_DELIVERED) return value;
  throw new BlockFailure(
    'TRANSFORM_FAILED',
    `it depends on a column that was not delivered with this change. ${DELIVER_ALL_COLUMNS}`,
    expression.text,
  );
}

export class RemoveFieldStep implements Step {
  readonly name: string;
  readonly isFilter = false;
  readonly #paths: readonly FieldPath[];

  constructor({ step, paths }: RemoveFieldDefinition) {
    this.name = step;
    this.#paths = paths;
  }

  apply(record: JobRecord): boolean {
    for (const path of this.#paths) record.remove(path);
    return true;
  }
}

export class RenameFieldStep implements Step {
  readonly name: string;
  readonly isFilter = false;
  readonly #renames: RenameFieldDefinition['renames'];

  constructor({ step, renames }: RenameFieldDefinition) {
    this.name = step;
    this.#renames = renames;
  }

  apply(record: JobRecord): boolean {
    for (const { from, to } of this.#renames) record.rename(from, to);
    return true;
  }
}

interface SingleField {
  readonly path: FieldPath;
  readonly expression: RunnableExpression;
}

/** SQL expressions that do not read each other's fields go to SQLite in one statement. */
interface FieldGroup {
  readonly fields: readonly SingleField[];
  readonly group: SqlGroup;
}

function groupOf(fields: readonly SingleField[]): FieldGroup {
  return { fields, group: compileSqlGroup(fields.map(({ expression }) => expression.text)) };
}

export class AddFieldStep implements Step {
  readonly name: string;
  readonly isFilter = false;
  readonly #parts: readonly (SingleField | FieldGroup)[];

  constructor({ step, fields }: AddFieldDefinition, clock: Clock) {
    this.name = step;
    this.#parts = independentRuns(fields).map((run) => {
      const singles = run.map(({ path, expression }) => ({ path, expression: runnable(expression, clock) }));
      if (singles.length === 1) return singles[0]!;
      return groupOf(singles);
    });
  }

  apply(record: JobRecord): boolean {
    for (const part of this.#parts) {
      if (!('group' in part)) setField(record, part);
      else if (record.hasMissing) for (const field of part.fields) setField(record, field);
      else setFields(record, part);
    }
    return true;
  }
}

function setField(record: JobRecord, { path, expression }: SingleField): void {
  const value = record.evaluate(expression);
  if (value === NOT_DELIVERED) record.leaveOut(path);
  else record.set(path, value);
}

function setFields(record: JobRecord, part: FieldGroup): void {
  const { fields } = part;
  const values = evaluateGroup(part, record.root);
  for (let i = 0; i < fields.length; i++) record.set(fields[i]!.path, values[i]!);
}

function evaluateGroup({ fields, group }: FieldGroup, record: JobObject): JobValue[] {
  try {
    return group.evaluate(record);
  } catch (error) {
    throw BlockFailure.of(error, error instanceof SqlGroupError ? fields[error.index]?.expression.text : undefined);
  }
}

type Field = AddFieldDefinition['fields'][number];

/** Fields in their order, cut wherever one must be computed by itself or may see one before it. */
function independentRuns(fields: readonly Field[]): Field[][] {
  const runs: Field[][] = [];
  for (const field of fields) {
    const run = runs[runs.length - 1];
    if (run !== undefined && isGroupable(field.expression) && run.every((earlier) => isIndependent(field, earlier))) {
      run.push(field);
    } else runs.push([field]);
  }
  return runs;
}

function isGroupable({ language, cache }: CompiledExpression): boolean {
  return language === 'sql' && cache === null;
}

function isIndependent({ expression }: Field, earlier: Field): boolean {
  const set = earlier.path[0]!.toLowerCase();
  const { reads } = expression;
  if (!isGroupable(earlier.expression) || reads === null) return false;
  return !reads.some((name) => name.toLowerCase() === set || name.toLowerCase().startsWith(`${set}.`));
}

export class MapStep implements Step {
  readonly name: string;
  readonly isFilter = false;
  readonly #fields: FieldTree | null;
  readonly #expression: RunnableExpression | null;

  constructor({ step, mapping }: MapDefinition, clock: Clock) {
    this.name = step;
    this.#fields = 'fields' in mapping ? new FieldTree(mapping, clock) : null;
    this.#expression = 'fields' in mapping ? null : runnable(mapping, clock);
  }

  apply(record: JobRecord): boolean {
    const before = record.isFull ? record.root.get('opcode') : undefined;
    if (this.#fields !== null) record.replace(this.#fields.build(record), true);
    else this.#replaceByExpression(record, this.#expression!);
    if (record.isFull) keepOrFlatten(record, before);
    return true;
  }

  #replaceByExpression(record: JobRecord, expression: RunnableExpression): void {
    const value = record.hasMissing ? wholeOrFailure(record, expression) : record.evaluate(expression);
    if (value instanceof Map) record.replace(value, value instanceof PartialObject && value !== record.root);
    else {
      const type = value === NOT_DELIVERED ? 'null' : typeOf(value);
      throw new BlockFailure(
        'TRANSFORM_FAILED',
        `it must give an object, the new row, and gives ${type === 'null' ? 'null' : `a value of type ${type}`}`,
        expression.text,
      );
    }
  }
}

/**
 * The new row of an expression such as `merge(@, …)` on a record that lacks columns: it lacks the same ones. An expression that
 * reads one of them by its name may have put anything anywhere.
 */
function wholeOrFailure(record: JobRecord, expression: RunnableExpression): JobValue {
  let watched: ReturnType<typeof evaluateWatched>;
  try {
    watched = evaluateWatched(expression.uncached, record.root);
  } catch (error) {
    throw BlockFailure.of(error, expression.text);
  }
  const { value, use } = watched;
  if (use === 'none') return value;
  const { root } = record;
  if (use === 'whole' && value instanceof Map && root instanceof PartialObject) {
    const missing = [...root.missing].filter((name) => !value.has(name));
    return new PartialObject(new Map(value), missing, root.isOpen);
  }
  throw new BlockFailure(
    'TRANSFORM_FAILED',
    `it depends on a column that was not delivered with this change. Write the map as an object of fields, or: ${DELIVER_ALL_COLUMNS}`,
    expression.text,
  );
}

/** A full record stays one when the result has rows in it; otherwise the result is the row, and its operation is kept. */
function keepOrFlatten(record: JobRecord, opcode: JobValue | undefined): void {
  const after = record.root.get('after');
  const staysFull = after instanceof Map || (after === null && record.root.get('before') instanceof Map);
  if (!staysFull) {
    record.flatten(opcode);
    return;
  }
  if (record.root.get('opcode') === undefined && opcode !== undefined) record.set(['opcode'], opcode);
}

/** `map` given field by field. */
class FieldTree {
  readonly #names: readonly string[];
  readonly #values: readonly (FieldTree | RunnableExpression)[];
  /** All values in one statement, when all are SQL. */
  readonly #group: FieldGroup | null;

  constructor({ fields }: MapFields, clock: Clock) {
    this.#names = fields.map(({ name }) => name);
    this.#values = fields.map(({ value }) =>
      'fields' in value ? new FieldTree(value, clock) : runnable(value, clock),
    );
    const groupable = fields.flatMap(({ name, value }) =>
      'fields' in value || !isGroupable(value) ? [] : [{ path: [name], expression: runnable(value, clock) }],
    );
    this.#group = groupable.length === fields.length && groupable.length > 1 ? groupOf(groupable) : null;
  }

  build(record: JobRecord): JobObject {
    if (record.hasMissing) return this.#buildPartial(record, []) as JobObject;
    const built: JobObject = new Map();
    if (this.#group !== null) {
      const values = evaluateGroup(this.#group, record.root);
      for (let i = 0; i < values.length; i++) built.set(this.#names[i]!, values[i]!);
      return built;
    }
    for (let i = 0; i < this.#names.length; i++) {
      const value = this.#values[i]!;
      built.set(
        this.#names[i]!,
        value instanceof FieldTree ? value.build(record) : (record.evaluate(value) as JobValue),
      );
    }
    return built;
  }

  /** The same for a record that lacks columns; `path` is where this object stands in the new row. */
  #buildPartial(record: JobRecord, path: FieldPath): JobObject | typeof NOT_DELIVERED {
    const isRow = record.isFull && path.length === 1 && (path[0] === 'after' || path[0] === 'before');
    const built = new PartialObject(new Map(), [], false);
    for (let i = 0; i < this.#names.length; i++) {
      const name = this.#names[i]!;
      const inside = [...path, name];
      const source = this.#values[i]!;
      const value = source instanceof FieldTree ? source.#buildPartial(record, inside) : record.evaluate(source);
      const holdsRow = record.isFull && path.length === 0 && (name === 'after' || name === 'before');
      if (value !== NOT_DELIVERED && (holdsRow || !isIncomplete(value))) built.set(name, value);
      else if (path.length === 0 || isRow) built.leaveOut(name);
      else return NOT_DELIVERED;
    }
    return built.missing.size === 0 ? built.delivered : built;
  }
}
