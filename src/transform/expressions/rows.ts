import { JsonText, NumberText, type Row, UNAVAILABLE, type Value } from '../../types.ts';
import { compactJson, parseJson } from './json-values.ts';
import { isLargeInteger } from './numbers.ts';
import { ExpressionError, type JobObject, type JobValue } from './types.ts';

/**
 * A row as expressions see it, columns in source order. JSON columns are parsed when they are first read, and a column
 * that is set anew forgets its text. A column that the feeder did not deliver is not there.
 *
 * Values inside the object are shared (with literals, with other records): blocks set columns, but never change an array or
 * object in place. Therefore a JSON column that was only read goes on as the text that the database wrote.
 */
export function rowToObject(row: Row): JobObject {
  const { names, values } = row;
  const plain: JobObject = new Map();
  for (let i = 0; i < names.length; i++) {
    const value = values[i]!;
    if (value instanceof JsonText) return new RowWithJson(row);
    if (value !== UNAVAILABLE) plain.set(names[i]!, exactValue(value));
  }
  return plain;
}

function exactValue(value: Exclude<Value, typeof UNAVAILABLE>): JobValue {
  return typeof value === 'number' && isLargeInteger(value) ? new NumberText(String(value)) : (value as JobValue);
}

/**
 * An object as columns for the writer; arrays and objects become JSON text. `known` are the names of the last such object:
 * they are given back when they are still the same, because encoders cache by that array.
 */
export function toColumns(object: JobObject, known?: readonly string[]): { names: readonly string[]; values: Value[] } {
  const values: Value[] = [];
  const rawOf = object instanceof RowWithJson ? object : null;
  for (const value of rawOf ? rawOf.rawValues() : object.values()) {
    values.push(value instanceof Map || Array.isArray(value) ? new JsonText(compactJson(value)) : value);
  }
  return { names: known && hasNames(object, known) ? known : [...object.keys()], values };
}

/** A member as it is written: JSON columns as text. Undefined when there is none. */
export function rawValue(object: JobObject, name: string): JobValue | JsonText | undefined {
  return object instanceof RowWithJson ? object.rawValue(name) : object.get(name);
}

/** The same members in an object of its own, JSON columns still as text. */
export function copyObject(object: JobObject): JobObject {
  return object instanceof RowWithJson ? object.copy() : new Map(object);
}

function hasNames(object: JobObject, names: readonly string[]): boolean {
  if (object.size !== names.length) return false;
  let index = 0;
  for (const name of object.keys()) if (name !== names[index++]) return false;
  return true;
}

const NO_COLUMNS: Row = { names: [], values: [], partial: false };

/** A row with JSON columns; to its readers an ordinary map. */
class RowWithJson extends Map<string, JobValue> {
  readonly #parsed = new Map<JsonText, JobValue>();

  constructor(row: Row) {
    super();
    row.names.forEach((name, index) => {
      const value = row.values[index]!;
      if (value instanceof JsonText) super.set(name, value as unknown as JobValue);
      else if (value !== UNAVAILABLE) super.set(name, exactValue(value));
    });
  }

  copy(): RowWithJson {
    const copy = new RowWithJson(NO_COLUMNS);
    for (const name of super.keys()) copy.set(name, super.get(name)!);
    return copy;
  }

  rawValue(name: string): JobValue | JsonText | undefined {
    return super.get(name);
  }

  /** What is inside, JSON columns as text. */
  rawValues(): MapIterator<JobValue | JsonText> {
    return super.values();
  }

  override get(name: string): JobValue | undefined {
    const raw: JobValue | JsonText | undefined = super.get(name);
    return raw instanceof JsonText ? this.#parse(name, raw) : raw;
  }

  #parse(name: string, json: JsonText): JobValue {
    let value = this.#parsed.get(json);
    if (value === undefined) {
      try {
        value = parseJson(json.text);
      } catch (error) {
        throw new ExpressionError(`the JSON column ${name} cannot be read: ${(error as Error).message}`);
      }
      this.#parsed.set(json, value);
    }
    return value;
  }

  override *entries(): MapIterator<[string, JobValue]> {
    for (const name of super.keys()) yield [name, this.get(name)!];
  }

  override *values(): MapIterator<JobValue> {
    for (const name of super.keys()) yield this.get(name)!;
  }

  override [Symbol.iterator](): MapIterator<[string, JobValue]> {
    return this.entries();
  }

  override forEach(visit: (value: JobValue, name: string, map: Map<string, JobValue>) => void): void {
    for (const [name, value] of this.entries()) visit(value, name, this);
  }
}
