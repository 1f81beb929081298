import { NumberText } from '../../types.ts';
import type { JobValue } from './types.ts';

/**
 * Calculating with numbers that keep their digits. Integers stay exact at any size; reals are doubles, as in the language
 * that jobs were written for.
 */

const INTEGER = /^-?\d+$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** More significant digits than this do not survive in a double. */
const DOUBLE_DIGITS = 17;

export function isNumber(value: JobValue): value is number | NumberText {
  return typeof value === 'number' || value instanceof NumberText;
}

/** A JSON number: plain when it prints back the same digits and is no integer beyond 2^53, else the digits. */
export function numberOfJson(text: string): number | NumberText {
  const value = Number(text);
  return String(value) === text && !isLargeInteger(value) ? value : new NumberText(text);
}

/** True for integers that a double holds only by chance; from 1e21 on JavaScript prints reals. */
export function isLargeInteger(value: number): boolean {
  return (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) && Math.abs(value) < 1e21;
}

/** True when the number was written without point and exponent. */
export function isIntegral(value: number | NumberText): boolean {
  return typeof value === 'number' ? Number.isInteger(value) && Math.abs(value) < 1e21 : INTEGER.test(value.text);
}

/** What calculations take: an exact integer (bigint beyond 2^53) or a double. JavaScript compares the two exactly. */
export function exactOf(value: number | NumberText): number | bigint {
  if (typeof value === 'number') return value;
  const { text } = value;
  const double = Number(text);
  return Number.isSafeInteger(double) || !INTEGER.test(text) ? double : BigInt(text);
}

export function numberOfBigInt(value: bigint): number | NumberText {
  const double = Number(value);
  return Number.isSafeInteger(double) ? double : new NumberText(String(value));
}

/** A result that is a real even where it is whole: `2` becomes `2.0`. */
export function realOf(value: number): number | NumberText {
  if (!Number.isInteger(value) || Math.abs(value) >= 1e21) return value;
  return new NumberText(Object.is(value, -0) ? '-0.0' : `${value}.0`);
}

/** Negative, zero or positive; exact between integers of any size and reals. */
export function compareNumbers(a: number | NumberText, b: number | NumberText): number {
  const left = exactOf(a);
  const right = exactOf(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The whole number that a position or length means (`2`, `2.0`), or null when it is none or beyond 2^53. */
export function wholeOf(value: JobValue): number | null {
  const number = value instanceof NumberText ? Number(value.text) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : null;
}

/** The number that a text shows, blanks around it allowed: exact integers, else doubles; null when it is none. */
export function numberOfText(text: string): number | NumberText | null {
  const trimmed = text.trim();
  if (!NUMBER.test(trimmed)) return null;
  const digits = trimmed.startsWith('+') ? trimmed.slice(1) : trimmed;
  if (INTEGER.test(digits)) return integerOfDigits(digits);
  const double = Number(digits);
  if (!Number.isFinite(double)) return null;
  return digits.includes('.') || !Number.isSafeInteger(double) ? realOf(double) : double;
}

function integerOfDigits(digits: string): number | NumberText {
  const double = Number(digits);
  if (Number.isSafeInteger(double)) return double === 0 ? 0 : double;
  return new NumberText(digits.replace(/^(-?)0+(?=\d)/, '$1'));
}

/**
 * Text of a number inside `concat`: integers are digits; reals have the shortest form that reads back the same, with at
 * least one decimal and an exponent as Python writes it: `1.0`, `1e-07`, `1e+21`. More digits than a double holds stay as
 * they were written.
 */
export function textOfNumber(value: number | NumberText): string {
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : textOfReal(value);
  const { text } = value;
  if (INTEGER.test(text)) return text === '-0' ? '0' : text;
  const double = Number(text);
  return Number.isFinite(double) && significantDigits(text) <= DOUBLE_DIGITS ? textOfReal(double) : text;
}

function significantDigits(text: string): number {
  const mantissa = text.replace(/e.*$/i, '').replace(/[-.]/g, '');
  return mantissa.replace(/^0+/, '').replace(/0+$/, '').length;
}

/** Python's `repr` of a float: an exponent below 1e-4 and from 1e16 on, of at least two digits. */
function textOfReal(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const scientific = value.toExponential();
  const mark = scientific.indexOf('e');
  const exponent = Number(scientific.slice(mark + 1));
  if (exponent >= -4 && exponent < 16) {
    const fixed = String(value);
    return fixed.includes('.') ? fixed : `${fixed}.0`;
  }
  const size = String(Math.abs(exponent)).padStart(2, '0');
  return `${scientific.slice(0, mark)}e${exponent < 0 ? '-' : '+'}${size}`;
}
