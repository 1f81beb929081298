import { type JsonText, UNAVAILABLE, type Value } from '../../../types.ts';
import { ExpressionError, type JobObject, type JobValue } from '../../expressions/types.ts';
import { rawValue } from '../../expressions/values.ts';
import type { CompiledExpression, FieldPath } from '../definition.ts';
import { type Image, OutputRejection } from '../image.ts';
import { asValue } from './texts.ts';

/**
 * Evaluates an expression of an output; `what` names it in messages: `key`, `expire`.
 * @throws OutputRejection when it fails, or reads a column that was not delivered: nothing may follow from that.
 */
export function evaluate(expression: CompiledExpression, image: Image, what: string): JobValue {
  try {
    if (image.missing === null) return expression.evaluate(image.record);
    return evaluateWatching(expression, image, image.missing, what);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw rejected(`The ${what} expression ${expression.text} fails: ${error.message}.`, expression);
  }
}

export function rejected(message: string, expression?: CompiledExpression): OutputRejection {
  return new OutputRejection('TRANSFORM_BAD_OUTPUT', message, expression?.text);
}

/** How to make the database send more of a row than it does by default. */
export const FULL_IDENTITY =
  'In PostgreSQL, ALTER TABLE … REPLICA IDENTITY FULL makes every change carry the whole row.';

function evaluateWatching(
  expression: CompiledExpression,
  image: Image,
  missing: ReadonlySet<string>,
  what: string,
): JobValue {
  const { record, columns } = image;
  // SQL goes over all columns where it looks for a name in another case; that is not reading them.
  const watched = new WatchedColumns(columns, missing, expression.language === 'jmespath');
  const value = expression.evaluate(record === columns ? watched : withColumns(record, columns, watched));
  if (watched.wanted === null) return value;
  throw rejected(
    `The ${what} expression ${expression.text} reads the column ${watched.wanted}, which the change does not carry. ${FULL_IDENTITY}`,
    expression,
  );
}

/** A record in full format whose row is another object. */
export function withColumns(record: JobObject, columns: JobObject, replacement: JobObject): JobObject {
  const changed: JobObject = new Map();
  for (const [name, value] of record) changed.set(name, value === columns ? replacement : value);
  return changed;
}

/** A row that notes when somebody asks for a column that was not delivered. Reads through, so that no JSON is parsed. */
class WatchedColumns extends Map<string, JobValue> {
  wanted: string | null = null;
  readonly #columns: JobObject;
  readonly #missing: ReadonlySet<string>;
  readonly #watchesAll: boolean;

  constructor(columns: JobObject, missing: ReadonlySet<string>, watchesAll: boolean) {
    super();
    this.#columns = columns;
    this.#missing = missing;
    this.#watchesAll = watchesAll;
  }

  override get size(): number {
    return this.#columns.size;
  }

  override has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  override get(name: string): JobValue | undefined {
    const value = this.#columns.get(name);
    if (value === undefined) this.#note(name);
    return value;
  }

  #note(name: string): void {
    if (this.#missing.size === 0) this.wanted = name;
    const folded = name.toLowerCase();
    for (const column of this.#missing) if (column.toLowerCase() === folded) this.wanted = column;
  }

  #all(): JobObject {
    if (this.#watchesAll) this.wanted = [...this.#missing].join(', ') || '*';
    return this.#columns;
  }

  override entries(): MapIterator<[string, JobValue]> {
    return this.#all().entries();
  }

  override values(): MapIterator<JobValue> {
    return this.#all().values();
  }

  override keys(): MapIterator<string> {
    return this.#all().keys();
  }

  override [Symbol.iterator](): MapIterator<[string, JobValue]> {
    return this.entries();
  }

  override forEach(visit: (value: JobValue, name: string, map: Map<string, JobValue>) => void): void {
    this.#all().forEach(visit);
  }
}

/**
 * The value at a path of the columns as it is written: null where there is none, JSON as text, unavailable when the column was
 * not delivered. A path with dots may also be the name of one column.
 */
export function columnAt(image: Image, path: FieldPath): Value {
  const { columns } = image;
  const name = path[0] as string;
  if (path.length === 1) {
    const raw: JobValue | JsonText | undefined = rawValue(columns, name);
    if (raw !== undefined) return asValue(raw);
    return isUndelivered(image, name) ? UNAVAILABLE : null;
  }
  const inner = memberAt(columns, path);
  if (inner !== undefined) return asValue(inner);
  if (columns.has(name)) return null;
  const whole = columnAt(image, [path.join('.')]);
  return whole === null && isUndelivered(image, name) ? UNAVAILABLE : whole;
}

/**
 * Whether a column that is not among the columns was left out by the feeder. A row that brought only what changed names none
 * of those that it left out: it may be any.
 */
export function isUndelivered({ columns, missing }: Image, name: string): boolean {
  return missing !== null && (missing.has(name) || (missing.size === 0 && !columns.has(name)));
}

/** The member at a path, or undefined. */
export function memberAt(columns: JobObject, path: FieldPath): JobValue | undefined {
  let value: JobValue | undefined = columns;
  for (const name of path) {
    if (!(value instanceof Map)) return undefined;
    value = value.get(name);
  }
  return value;
}
