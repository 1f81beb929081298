import { JsonText, UNAVAILABLE, type Value } from '../types.ts';
import type { Writable } from './encode.ts';

const prefixes = new WeakMap<readonly string[], readonly string[]>();

/**
 * A row as compact JSON in column order: numbers with the digits as written, JSON columns nested as they are, null as
 * `null`, unavailable columns left out (`types.md` §9).
 */
export function jsonDocument(names: readonly string[], values: readonly Value[]): string {
  let quoted = prefixes.get(names);
  if (quoted === undefined) {
    quoted = names.map((name) => `${quote(name)}:`);
    prefixes.set(names, quoted);
  }
  let text = '';
  for (let index = 0; index < names.length; index++) {
    const value = values[index]!;
    if (value === UNAVAILABLE) continue;
    text += (text === '' ? '{' : ',') + quoted[index]! + (value === null ? 'null' : jsonText(value as Writable));
  }
  return text === '' ? '{}' : `${text}}`;
}

/** One value as JSON. Numbers that JSON does not know (`NaN`, the infinities) become strings. */
export function jsonText(value: Writable): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : `"${value}"`;
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  return value.text;
}

/** A lone surrogate becomes U+FFFD: RedisJSON refuses documents with the escape that JSON would use. */
export function quote(text: string): string {
  return JSON.stringify(text.isWellFormed() ? text : text.toWellFormed());
}

/** Whether a merge would look into this value instead of replacing what is stored. */
export function isObject(value: Value | undefined): boolean {
  return value instanceof JsonText && /^\s*\{/.test(value.text);
}

/** Whether a merge patch with this value may remove something. Errs on the side of yes. */
export function mayHoldNull(value: Value): boolean {
  return value === null || (value instanceof JsonText && value.text.includes('null'));
}
