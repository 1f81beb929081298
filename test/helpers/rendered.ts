/** Building blocks of the expected values: how numbers, times and bytes look in Debezium's JSON and in the target. */

/** How one value must look in the target: text of a hash field, and text of a JSON value. */
export interface Rendered {
  readonly hash: string;
  readonly json: string;
  /** Another spelling that is as right, because the feeder itself writes the same value in two ways. */
  readonly or?: Rendered;
}

/** A value that is text on the wire. */
export function text(value: string): Rendered {
  return { hash: value, json: JSON.stringify(value) };
}

/** A value whose JSON text is also what a hash holds: numbers, arrays, objects. */
export function literal(value: string): Rendered {
  return { hash: value, json: value };
}

export function boolean(value: boolean): Rendered {
  return { hash: value ? '1' : '0', json: String(value) };
}

/** A double or float as Java writes it: `12.5`, `1.0E-7`; NaN and infinities are strings inside JSON. */
export function javaDouble(databaseText: string): Rendered {
  const special = /nan|inf/i.test(databaseText);
  return special ? text(databaseText) : literal(javaDoubleDigits(databaseText));
}

function javaDoubleDigits(databaseText: string): string {
  const number = Number(databaseText);
  if (number === 0) return Object.is(number, -0) ? '-0.0' : '0.0';
  // The database prints the shortest digits of its type (also of a 4-byte float), so its digits are kept, not Number's.
  const [mantissa = '', exponentText = '0'] = databaseText.toLowerCase().replace(/^-/, '').split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = `${whole}${fraction}`.replace(/^0+/, '').replace(/0+$/, '') || '0';
  const leadingZeros = `${whole}${fraction}`.length - `${whole}${fraction}`.replace(/^0+/, '').length;
  const exponent = Number(exponentText) + whole.length - leadingZeros - 1;
  const sign = number < 0 ? '-' : '';
  if (exponent < -3 || exponent >= 7) return `${sign}${digits[0]}.${digits.slice(1) || '0'}E${exponent}`;
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const padded = digits.padEnd(exponent + 2, '0');
  return `${sign}${padded.slice(0, exponent + 1)}.${padded.slice(exponent + 1)}`;
}

/** The unscaled value of a decimal as Connect writes it: base64 of the shortest two's complement, big endian. */
export function decimalBase64(decimalText: string): string {
  let unscaled = BigInt(decimalText.replace('.', ''));
  const bytes: number[] = [];
  do {
    bytes.unshift(Number(BigInt.asUintN(8, unscaled)));
    unscaled >>= 8n;
  } while (unscaled !== 0n && unscaled !== -1n);
  const first = bytes[0] ?? 0;
  if (unscaled === 0n && first >= 128) bytes.unshift(0);
  if (unscaled === -1n && first < 128) bytes.unshift(255);
  return Buffer.from(bytes).toString('base64');
}

/** Number of digits after the point. */
export function scaleOf(decimalText: string): number {
  return decimalText.split('.')[1]?.length ?? 0;
}

/** Whole and fractional units to one number text: `scaled(1709214330123456n, 3)` is `1709214330123.456`. */
export function scaled(value: bigint, digits: number): string {
  const negative = value < 0n;
  const padded = (negative ? -value : value).toString().padStart(digits + 1, '0');
  const whole = padded.slice(0, padded.length - digits);
  const fraction = padded.slice(padded.length - digits).replace(/0+$/, '');
  const magnitude = fraction ? `${whole}.${fraction}` : whole;
  return negative && magnitude !== '0' ? `-${magnitude}` : magnitude;
}

/** `13:45:30.123456` or `-838:59:59` to microseconds. */
export function timeMicros(value: string): bigint {
  const match = /^(-?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?$/.exec(value);
  if (!match) throw new Error(`"${value}" is not a time.`);
  const [, sign, hours = '', minutes = '', seconds = '', fraction = ''] = match;
  const whole = BigInt(hours) * 3600n + BigInt(minutes) * 60n + BigInt(seconds);
  const micros = whole * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
  return sign ? -micros : micros;
}

/** `2024-02-29` to days since 1970. */
export function dateDays(value: string): bigint {
  const ms = Date.parse(`${value}T00:00:00Z`);
  if (Number.isNaN(ms)) throw new Error(`"${value}" is not a date.`);
  return BigInt(ms / 86_400_000);
}

/** `2024-02-29 13:45:30.123456`, with or without an offset such as `+00` or `+02:30`, to microseconds since 1970 UTC. */
export function timestampMicros(value: string): bigint {
  const match = /^(\d+-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)(?:([+-]\d\d)(?::?(\d\d))?)?$/.exec(value);
  if (!match) throw new Error(`"${value}" is not a timestamp.`);
  const [, date = '', time = '', hours = '+00', minutes = '00'] = match;
  const offset = BigInt(Number(`${hours[0]}1`)) * (BigInt(hours.slice(1)) * 60n + BigInt(minutes)) * 60_000_000n;
  return dateDays(date) * 86_400_000_000n + timeMicros(time) - offset;
}

/** Microseconds since 1970 as `2024-02-29T11:45:30.123456Z`; at least `minDigits` digits after the second. */
export function isoInstant(micros: bigint, minDigits: number): string {
  const seconds = micros >= 0n ? micros / 1_000_000n : -((-micros + 999_999n) / 1_000_000n);
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}${fraction(micros - seconds * 1_000_000n, minDigits)}Z`;
}

/** Microseconds of a day as `11:15:30.123456Z`. */
export function isoTime(micros: bigint, minDigits: number): string {
  return isoInstant(micros, minDigits).slice(11);
}

function fraction(micros: bigint, minDigits: number): string {
  const digits = micros.toString().padStart(6, '0').replace(/0+$/, '').padEnd(minDigits, '0');
  return digits ? `.${digits}` : '';
}
