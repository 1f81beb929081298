import { type JsonText, UNAVAILABLE, type Value } from '../../../types.ts';
import { ExpressionError, type JobObject, type JobValue } from '../../expressions/types.ts';
import { rawValue } from '../../expressions/values.ts';
import type { CompiledExpression, FieldPath } from '../definition.ts';
import { DELIVER_ALL_COLUMNS } from '../evaluation.ts';
import { type Image, OutputRejection } from '../image.ts';
import { evaluateWatched, PartialObject } from '../partial-object.ts';
import { asValue } from './texts.ts';

/** An expression with its cache, where it has one. */
export interface OutputExpression extends CompiledExpression {
  readonly uncached?: CompiledExpression;
}

/**
 * Evaluates an expression of an output; `what` names it in messages: `key`, `expire`.
 * @throws OutputRejection when it fails, or reads a column that was not delivered: nothing may follow from that.
 */
export function evaluate(expression: OutputExpression, image: Image, what: string): JobValue {
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

/**
 * Which columns an expression reads is known only while it runs: `a || b` may never reach `b`. What it gives then, or that it
 * fails, means nothing.
 */
function evaluateWatching(
  expression: OutputExpression,
  image: Image,
  missing: ReadonlySet<string>,
  what: string,
): JobValue {
  const { record, columns } = image;
  const watched = new PartialObject(columns, missing, missing.size === 0);
  const root = record === columns ? watched : withColumns(record, columns, watched);
  const { value, use } = evaluateWatched(expression.uncached ?? expression, root);
  if (use === 'none') return value;
  const names = missing.size === 0 ? '' : ` (${[...missing].join(', ')})`;
  throw rejected(
    `The ${what} expression ${expression.text} reads columns that the change does not carry${names}. ${DELIVER_ALL_COLUMNS}`,
    expression,
  );
}

/** A record in full format whose row is another object. */
export function withColumns(record: JobObject, columns: JobObject, replacement: JobObject): JobObject {
  const changed: JobObject = new Map();
  for (const [name, value] of record) changed.set(name, value === columns ? replacement : value);
  return changed;
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
