import type { JobObject, JobValue } from '../transform/expressions/types.ts';
import { isEqual, rowToObject } from '../transform/expressions/values.ts';
import { JsonText, type Row, UNAVAILABLE, type Value } from '../types.ts';
import type { NestStep, NestWrite, Writable } from '../write/types.ts';

/** JSON documents as a target changes them. Nothing is changed in place: each function returns the new document. */

/** Names of members from the outside in. */
type Path = readonly string[];

/** The row's columns as a document; what was not delivered is left out, numbers that JSON lacks are texts. */
export function documentOf(row: Row): JobObject {
  const document: JobObject = new Map();
  for (const [name, value] of rowToObject(row)) document.set(wellFormed(name), storable(value));
  return document;
}

/** RedisJSON takes neither `NaN` nor halves of characters. */
function storable(value: JobValue): JobValue {
  if (typeof value === 'string') return wellFormed(value);
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}

/** A value as hashes, sets and strings hold it: digits as written, booleans 1 and 0, JSON as its text. */
export function plainText(value: Writable): string {
  if (typeof value === 'object') return value.text;
  if (typeof value === 'boolean') return value ? '1' : '0';
  return String(value);
}

/** The columns that are set, as texts, in order; null and undelivered ones are left out. */
export function plainTexts(row: Row): [string, string][] {
  return row.names.flatMap((name, index) => {
    const value = row.values[index] as Value;
    return value === null || value === UNAVAILABLE ? [] : [[name, plainText(value)] as [string, string]];
  });
}

/** RFC 7396. With `keepNulls` a null is stored instead of removing the member. */
export function mergePatch(stored: JobValue | undefined, patch: JobValue, keepNulls: boolean): JobValue {
  if (!(patch instanceof Map)) return patch;
  const merged: JobObject = new Map(stored instanceof Map ? stored : []);
  for (const [name, value] of patch) {
    if (value === null && !keepNulls) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value, keepNulls));
  }
  return merged;
}

/** The value at a path of names, undefined where there is none. */
export function valueAt(document: JobValue | undefined, path: Path): JobValue | undefined {
  let value = document;
  for (const name of path) value = value instanceof Map ? value.get(name) : undefined;
  return value;
}

/** Sets the value at a path; what is no object on the way is replaced by one. */
export function withValueAt(document: JobValue | undefined, path: Path, value: JobValue): JobValue {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  const members: JobObject = new Map(document instanceof Map ? document : []);
  return members.set(name, withValueAt(members.get(name), rest, value));
}

/** Takes the member at a path out; a path that leads nowhere changes nothing. */
export function withoutPath(document: JobValue, path: Path): JobValue {
  const [name, ...rest] = path;
  if (name === undefined || !(document instanceof Map) || !document.has(name)) return document;
  const members: JobObject = new Map(document);
  if (rest.length === 0) members.delete(name);
  else members.set(name, withoutPath(members.get(name)!, rest));
  return members;
}

/** `document` after a nested row was merged into its place, or taken out of it. */
export function withNested(document: JobValue, write: NestWrite, keepNulls: boolean): JobValue {
  const { path, row } = write;
  if (row === null) return withoutStep(document, path);
  return atSteps(document, path, (place) => mergePatch(place, documentOf(row), keepNulls));
}

function atSteps(
  place: JobValue | undefined,
  steps: readonly NestStep[],
  change: (place: JobValue | undefined) => JobValue,
): JobValue {
  const [step, ...rest] = steps;
  if (step === undefined) return change(place);
  if (typeof step === 'string') {
    const members: JobObject = new Map(place instanceof Map ? place : []);
    return members.set(step, atSteps(members.get(step), rest, change));
  }
  const elements = Array.isArray(place) ? [...place] : [];
  const index = elements.findIndex((element) => isElement(element, step));
  // The element's own field must be there, whatever the row says: it is how the element is found again.
  const element = index < 0 ? new Map([[step.field, jobValue(step.value)]]) : elements[index];
  elements[index < 0 ? elements.length : index] = atSteps(element, rest, change);
  return elements;
}

function withoutStep(place: JobValue, steps: readonly NestStep[]): JobValue {
  const [step, ...rest] = steps;
  if (step === undefined) return place;
  if (typeof step === 'string') {
    if (rest.length === 0) return withoutPath(place, [step]);
    const inner = place instanceof Map ? place.get(step) : undefined;
    return inner === undefined ? place : new Map(place as JobObject).set(step, withoutStep(inner, rest));
  }
  if (!Array.isArray(place)) return place;
  if (rest.length === 0) return place.filter((element) => !isElement(element, step));
  return place.map((element) => (isElement(element, step) ? withoutStep(element, rest) : element));
}

function isElement(element: JobValue, step: Exclude<NestStep, string>): boolean {
  if (!(element instanceof Map)) return false;
  const value = element.get(step.field);
  return value !== undefined && isEqual(value, jobValue(step.value));
}

function jobValue(value: Writable): JobValue {
  if (!(value instanceof JsonText)) return value;
  return rowToObject({ names: ['value'], values: [value], partial: false }).get('value')!;
}
