import { NumberText } from '../types.ts';
import { BadValue, excerpt } from './problem.ts';

/** A JSON number as value: a plain number when it prints back the same digits, else the digits themselves. */
export function numberOf(text: string): number | NumberText {
  const value = Number(text);
  return String(value) === text ? value : new NumberText(text);
}

/**
 * Moves the decimal point of an integer's text `places` to the left: `("-86401000000", 6)` is `-86401`. Exact for any
 * length, because it never calculates; zeros at the end of the fraction and a minus before zero are left out.
 */
export function shiftPoint(integer: string, places: number): string {
  const negative = integer.charCodeAt(0) === 0x2d;
  const digits = (negative ? integer.slice(1) : integer).padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places);
  let end = digits.length;
  while (end > whole.length && digits.charCodeAt(end - 1) === 0x30) end--;
  const text = end > whole.length ? `${whole}.${digits.slice(whole.length, end)}` : whole;
  return negative && text !== '0' ? `-${text}` : text;
}

/** Digits of a 64-letter alphabet by character code; 64 marks anything else. */
const BASE64 = new Uint8Array(128).fill(64);
for (const [index, letter] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries()) {
  BASE64[letter.charCodeAt(0)] = index;
}

/** PostgreSQL's `numeric` ends at 131072 digits before and 16383 behind the point; more is damage, not data. */
const MAX_SCALE = 140_000;
const MAX_BYTES = 65_536;

/** Bytes that still fit a double exactly: 6 × 8 = 48 bits. */
const SMALL_BYTES = 6;

/**
 * The number that Kafka Connect's `Decimal` writes as base64 of a big-endian two's complement integer: `("GvMbUA==", 2)`
 * is `4521398.56`. All digits of the scale are kept, `("BdwA", 2)` is `3840.00`.
 * @throws BadValue when the text is not base64 of at least one byte.
 */
export function decimalFromBase64(base64: string, scale: number): number | NumberText {
  let length = base64.length;
  while (length > 0 && base64.charCodeAt(length - 1) === 0x3d) length--;
  const byteCount = (length * 3) >> 2;
  if (byteCount === 0 || length % 4 === 1 || base64.length - length > 2) {
    throw new BadValue(`"${excerpt(base64)}" is not the base64 text of a decimal`);
  }
  if (byteCount > MAX_BYTES || Math.abs(scale) > MAX_SCALE) {
    throw new BadValue(`a decimal of ${byteCount} bytes with scale ${scale} is larger than any database holds`);
  }
  return numberOf(
    byteCount <= SMALL_BYTES
      ? placePoint(String(smallInteger(base64, length, byteCount)), scale)
      : placePoint(String(largeInteger(base64, length, byteCount)), scale),
  );
}

function sextet(base64: string, index: number): number {
  const code = base64.charCodeAt(index);
  const value = code < 128 ? BASE64[code]! : 64;
  if (value === 64) throw new BadValue(`"${excerpt(base64)}" is not the base64 text of a decimal`);
  return value;
}

function smallInteger(base64: string, length: number, byteCount: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 64 + sextet(base64, i);
  // The last letter may carry 2 or 4 bits that belong to no byte.
  value = Math.floor(value / 2 ** (length * 6 - byteCount * 8));
  const sign = 2 ** (byteCount * 8 - 1);
  return value >= sign ? value - 2 * sign : value;
}

function largeInteger(base64: string, length: number, byteCount: number): bigint {
  for (let i = 0; i < length; i++) sextet(base64, i);
  return BigInt.asIntN(byteCount * 8, BigInt(`0x${Buffer.from(base64, 'base64').toString('hex')}`));
}

/** Integer text with a decimal point `scale` digits from the right; unlike {@link shiftPoint} it keeps every digit. */
function placePoint(integer: string, scale: number): string {
  if (scale === 0) return integer;
  const negative = integer.charCodeAt(0) === 0x2d;
  const digits = negative ? integer.slice(1) : integer;
  if (scale < 0) return integer === '0' ? '0' : integer + '0'.repeat(-scale);
  const padded = digits.padStart(scale + 1, '0');
  const whole = padded.length - scale;
  return `${negative ? '-' : ''}${padded.slice(0, whole)}.${padded.slice(whole)}`;
}
