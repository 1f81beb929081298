/**
 * What both expression languages and the blocks need to know about values: their type, truth, text, order and equality, and
 * how rows become values and back. Source: specification of expressions, sections 3, 5 and 6.
 */
import { NumberText } from '../../types.ts';
import { compactJson } from './json-values.ts';
import { compareNumbers, isNumber, textOfNumber } from './numbers.ts';
import type { JobValue } from './types.ts';

export { compactJson, parseJson } from './json-values.ts';
export { copyObject, rawValue, rowToObject, toColumns } from './rows.ts';

export type TypeName = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object';

/** The word that JMESPath's `type()` gives. */
export function typeOf(value: JobValue): TypeName {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value as 'boolean' | 'number' | 'string';
  if (value instanceof Map) return 'object';
  return Array.isArray(value) ? 'array' : 'number';
}

/** The result of a `filter` or `when` as yes or no. Unlike in JMESPath itself, 0 is no. */
export function isTrue(value: JobValue): boolean {
  if (typeof value === 'number') return value !== 0;
  return value instanceof NumberText ? Number(value.text) !== 0 : isTruthy(value);
}

/** Truth inside JMESPath (`&&`, `||`, `!`, `[?…]`): only null, false, `''`, `[]` and `{}` are false. */
export function isTruthy(value: JobValue): boolean {
  if (typeof value === 'boolean') return value;
  if (value === null || value === '') return false;
  if (typeof value !== 'object') return true;
  return Array.isArray(value) ? value.length > 0 : !(value instanceof Map) || value.size > 0;
}

/** Text of a value inside `concat`. Keys in users' databases depend on `None`, `True` and `1.0`. */
export function textOf(value: JobValue): string {
  if (typeof value === 'string') return value;
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return isNumber(value) ? textOfNumber(value) : compactJson(value);
}

/** {@link compactJson} with the members of every object in order of their names. */
export function sortedJson(value: JobValue): string {
  return compactJson(sorted(value));
}

function sorted(value: JobValue): JobValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (!(value instanceof Map)) return value;
  const members = [...value].sort(([a], [b]) => compareText(a, b));
  return new Map(members.map(([name, member]) => [name, sorted(member)]));
}

/** Order by code point: negative, zero or positive. Comparing UTF-16 units would put emoji before `ﬀ`. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return codePointRank(left) - codePointRank(right);
  }
  return a.length - b.length;
}

/** Halves of characters beyond U+FFFF rank above all others. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** Deep equality. Values of different types are never equal; `1` and `1.0` are; the order of members does not count. */
export function isEqual(a: JobValue, b: JobValue): boolean {
  if (a === b) return true;
  if (isNumber(a)) return isNumber(b) && compareNumbers(a, b) === 0;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((element, index) => isEqual(element, b[index]!));
  }
  if (!(b instanceof Map) || a.size !== b.size) return false;
  for (const [name, member] of a) {
    const other = b.get(name);
    if (other === undefined || !isEqual(member, other)) return false;
  }
  return true;
}
