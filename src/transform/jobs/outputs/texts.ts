import { JsonText, NumberText, type Value } from '../../../types.ts';
import { columnText } from '../../default-key.ts';
import { isNumber } from '../../expressions/numbers.ts';
import type { JobValue } from '../../expressions/types.ts';
import { compactJson } from '../../expressions/values.ts';

/** Numbers with more zeros than a double can have stay as they were written. */
const MAX_EXPONENT = 400;
const SCIENTIFIC = /^(-?)(\d+)(?:\.(\d*))?e([+-]?\d+)$/i;
const NUMERIC = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
/** Beyond this Redis cannot count the milliseconds. */
const MAX_SECONDS = 9_000_000_000_000_000;

/** A value as writes take it: arrays and objects become JSON text. */
export function asValue(value: JobValue | JsonText): Value {
  return value instanceof Map || Array.isArray(value) ? new JsonText(compactJson(value)) : value;
}

/** Text of a member, an entry's name or a parent key: what a hash field would show. Null for null and what is not there. */
export function textOfValue(value: Value): string | null {
  return value === null || typeof value === 'symbol' ? null : columnText(value);
}

/** Text of a key: a number in plain decimal, 1 and 0 for booleans; null for whatever is no key. */
export function keyText(value: JobValue): string | null {
  if (typeof value === 'string') return value === '' ? null : value;
  if (typeof value === 'boolean') return value ? '1' : '0';
  return isNumber(value) ? plainDecimal(columnText(value)) : null;
}

/** A number without exponent: `1e+21` is `1000000000000000000000`. */
export function plainDecimal(text: string): string {
  const match = SCIENTIFIC.exec(text);
  if (match === null) return text;
  const [, sign, whole, fraction = '', exponent] = match as unknown as [string, string, string, string?, string?];
  const shift = Number(exponent);
  if (Math.abs(shift) > MAX_EXPONENT) return text;
  const digits = whole + fraction;
  const point = whole.length + shift;
  if (point >= digits.length) return sign + trimZeros(digits.padEnd(point, '0'));
  const padded = point > 0 ? digits : digits.padStart(digits.length - point + 1, '0');
  const at = Math.max(point, 1);
  return `${sign}${trimZeros(padded.slice(0, at))}.${padded.slice(at)}`;
}

function trimZeros(digits: string): string {
  return digits.replace(/^0+(?=\d)/, '');
}

/** A score as Redis reads it; null when it is none. The value is a number or numeric text, `inf` and `-inf` included. */
export function scoreText(value: Value): string | null {
  if (typeof value === 'number' || value instanceof NumberText || typeof value === 'string') {
    return scoreOfText(columnText(value).trim());
  }
  return null;
}

function scoreOfText(text: string): string | null {
  const infinite = INFINITE.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? '-inf' : 'inf';
  if (!NUMERIC.test(text)) return null;
  const double = Number(text);
  if (!Number.isFinite(double)) return null;
  // Redis refuses a number that is nearer to zero than a double can be.
  if (double === 0) return '0';
  return text.startsWith('+') ? text.slice(1) : text;
}

/**
 * Whole seconds to live, rounded down; 0 or less for what is already expired, null for ever.
 * Undefined when the value is no number.
 */
export function expirySeconds(value: JobValue): number | null | undefined {
  if (value === null) return null;
  if (typeof value !== 'string' && !isNumber(value)) return undefined;
  const text = columnText(value).trim();
  if (!NUMERIC.test(text)) return undefined;
  const seconds = Math.floor(Number(text));
  return seconds <= MAX_SECONDS ? seconds : undefined;
}
