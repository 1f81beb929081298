/**
 * Rows of which the feeder left out columns (unchanged TOAST or LOB). Expressions see such a column as null, so what they
 * make of it must not be written. Which columns an expression reads is known only while it runs (`a || b` may never reach
 * `b`), therefore the object itself notes it.
 */

import type { JobObject, JobValue } from '../expressions/types.ts';
import { copyObject } from '../expressions/values.ts';
import type { CompiledExpression } from './definition.ts';

/** Given instead of a value that depends on a column that was not delivered. */
export const NOT_DELIVERED: unique symbol = Symbol('not delivered');

/** What the evaluation under way read of columns that are not there; evaluation is synchronous, so one is enough. */
const seen = { byName: false, byNames: false, byValues: false };

/** An object that lacks columns; to its readers an ordinary map of those that are there. */
export class PartialObject extends Map<string, JobValue> {
  /** The columns that are there. */
  readonly delivered: JobObject;
  readonly missing: Set<string>;
  /** Any name that is not there may have been left out: an update that brought only what changed. */
  readonly isOpen: boolean;

  constructor(delivered: JobObject, missing: Iterable<string>, isOpen: boolean) {
    super();
    this.delivered = delivered;
    this.missing = new Set(missing);
    this.isOpen = isOpen;
  }

  copy(): PartialObject {
    return new PartialObject(copyObject(this.delivered), this.missing, this.isOpen);
  }

  /** Whether the feeder left the column out. Without regard to case, because SQL names columns so. */
  lacks(name: string): boolean {
    if (this.isOpen || this.missing.has(name)) return !this.delivered.has(name);
    if (this.missing.size === 0 || this.delivered.has(name)) return false;
    const folded = name.toLowerCase();
    for (const missing of this.missing) if (missing.toLowerCase() === folded) return true;
    return false;
  }

  /** From now on the column counts as not delivered. */
  leaveOut(name: string): void {
    this.delivered.delete(name);
    this.missing.add(name);
  }

  override get size(): number {
    return this.delivered.size;
  }

  override get(name: string): JobValue | undefined {
    const value = this.delivered.get(name);
    if (value === undefined && this.lacks(name)) seen.byName = true;
    return value;
  }

  override has(name: string): boolean {
    if (this.delivered.has(name)) return true;
    if (this.lacks(name)) seen.byName = true;
    return false;
  }

  override set(name: string, value: JobValue): this {
    this.missing.delete(name);
    this.delivered.set(name, value);
    return this;
  }

  override delete(name: string): boolean {
    const wasMissing = this.missing.delete(name);
    return this.delivered.delete(name) || wasMissing;
  }

  override clear(): void {
    this.missing.clear();
    this.delivered.clear();
  }

  override keys(): MapIterator<string> {
    seen.byNames = true;
    return this.delivered.keys();
  }

  override values(): MapIterator<JobValue> {
    seen.byValues = true;
    return this.delivered.values();
  }

  override entries(): MapIterator<[string, JobValue]> {
    seen.byValues = true;
    return this.delivered.entries();
  }

  override [Symbol.iterator](): MapIterator<[string, JobValue]> {
    return this.entries();
  }

  override forEach(visit: (value: JobValue, name: string, map: Map<string, JobValue>) => void): void {
    seen.byValues = true;
    this.delivered.forEach(visit);
  }
}

/** How an evaluation used columns that were not delivered: not at all, as part of the whole, or by their names. */
export type MissingUse = 'none' | 'whole' | 'name';

/** What {@link evaluateWatched} learnt beside the value. */
export interface WatchedValue {
  readonly value: JobValue;
  readonly use: MissingUse;
}

/**
 * Evaluates on a record with {@link PartialObject}s. The value counts only when the use is `none`.
 * @throws ExpressionError, unless the expression may have failed because of a column that was not delivered.
 */
export function evaluateWatched(
  expression: Pick<CompiledExpression, 'evaluate' | 'language'>,
  record: JobObject,
): WatchedValue {
  seen.byName = false;
  seen.byNames = false;
  seen.byValues = false;
  try {
    const value = expression.evaluate(record);
    return { value, use: useIn(expression.language) };
  } catch (error) {
    const use = useIn(expression.language);
    if (use === 'none') throw error;
    return { value: null, use };
  }
}

function useIn(language: 'jmespath' | 'sql'): MissingUse {
  if (seen.byName) return 'name';
  // SQL goes over the names of a record only to find a column that is written in another case.
  return seen.byValues || (seen.byNames && language === 'jmespath') ? 'whole' : 'none';
}

/** Whether an object that lacks columns is, or is somewhere in, a value. */
export function isIncomplete(value: JobValue): boolean {
  if (value === null || typeof value !== 'object') return false;
  if (value instanceof PartialObject) return true;
  if (Array.isArray(value)) return value.some(isIncomplete);
  if (!(value instanceof Map)) return false;
  for (const member of value.values()) if (isIncomplete(member)) return true;
  return false;
}

/** A copy of the first level, with what is known of missing columns. */
export function copyLevel(object: JobObject): JobObject {
  return object instanceof PartialObject ? object.copy() : copyObject(object);
}
