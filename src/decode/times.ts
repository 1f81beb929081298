import { NumberText, type Value } from '../types.ts';
import { numberOf, shiftPoint } from './numbers.ts';
import { BadValue, excerpt } from './problem.ts';

/** The range of ECMAScript's time values, years −271821 to 275760. Beyond it lie only the databases' infinities. */
const MAX_TIME_MS = 8.64e15;
const DAY_MS = 86_400_000;

/**
 * Divides by a power of ten in doubles only where the nearest double prints all digits of the exact quotient: the
 * distance between neighbouring doubles must stay below the last decimal place. Indexed by the places to shift.
 */
const SAFE_QUOTIENT: Readonly<Record<number, number>> = { 3: 2 ** 42, 6: 2 ** 32, 9: 2 ** 22 };

/** `units` of 10^-places as exact decimal number: `(1529507596945104, 3)` is `1529507596945.104`. */
function scaleDown(units: number | NumberText, places: number): number | NumberText {
  if (places === 0) return units;
  if (typeof units === 'number') {
    const quotient = units / 10 ** places;
    const size = Math.abs(quotient);
    if (size === 0 || (size >= 1e-6 && size < SAFE_QUOTIENT[places]!)) return quotient;
  }
  return numberOf(shiftPoint(integerText(units), places));
}

/** @throws BadValue unless the value is a whole number. */
function integerText(value: number | NumberText): string {
  const text = typeof value === 'number' ? String(value) : value.text;
  if (!/^-?\d+$/.test(text)) throw new BadValue(`${excerpt(text)} is not a whole number of time units`);
  return text;
}

function wholeNumber(value: Value): number | NumberText {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  if (typeof value === 'number' || value instanceof NumberText) return numberOf(integerText(value));
  throw new BadValue(
    `a number of time units is due, not ${typeof value === 'string' ? `"${excerpt(value)}"` : typeof value}`,
  );
}

/** A point in time beyond every calendar; its own digits are passed on as text, because no ms number means it. */
export class Beyond {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Days since the epoch (`io.debezium.time.Date`, Connect `Date`) as epoch ms. */
export function epochMsOfDays(value: Value): number | Beyond {
  const days = wholeNumber(value);
  if (typeof days !== 'number') return new Beyond(days.text);
  const ms = days * DAY_MS;
  return Math.abs(ms) > MAX_TIME_MS ? new Beyond(String(days)) : ms;
}

/** Epoch units of 10^-(3 + places) s as epoch ms, with the rest as fraction. */
export function epochMsOfUnits(value: Value, places: number): number | NumberText | Beyond {
  const units = wholeNumber(value);
  const ms = scaleDown(units, places);
  const size = Math.abs(typeof ms === 'number' ? ms : Number(ms.text));
  return size > MAX_TIME_MS ? new Beyond(integerText(units)) : ms;
}

/** Units of 10^-places s since midnight as seconds; negative and more than a day are legal (MySQL `time`). */
export function secondsOfUnits(value: Value, places: number): number | NumberText {
  return scaleDown(wholeNumber(value), places);
}

const ZONED_TIMESTAMP =
  /^([+-]?\d{4,9})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d(?::\d\d)?)$/;
const ZONED_TIME = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d(?::\d\d)?)$/;

/** `2021-12-30T12:23:46Z` as epoch ms. Texts that are no point in time (`infinity`) are {@link Beyond}. */
export function epochMsOfZoned(value: Value): number | NumberText | Beyond {
  if (typeof value !== 'string') throw new BadValue('a text with date, time and zone is due');
  const parts = ZONED_TIMESTAMP.exec(value);
  if (parts === null) {
    if (/^[+-]?infinity$/i.test(value)) return new Beyond(value);
    throw new BadValue(`"${excerpt(value)}" is not a date and time with zone`);
  }
  const [, year, month, day, hour, minute, second, fraction, zone] = parts;
  const days = daysFromCivil(Number(year), Number(month), Number(day));
  const seconds = days * 86_400 + clockSeconds(hour, minute, second) - zoneSeconds(zone!);
  if (Math.abs(seconds) * 1000 > MAX_TIME_MS) return new Beyond(value);
  return withFraction(seconds, fraction, 3);
}

/** `12:23:46.12345Z` as seconds of the UTC day. */
export function secondsOfZonedTime(value: Value): number | NumberText {
  const parts = typeof value === 'string' ? ZONED_TIME.exec(value) : null;
  if (parts === null)
    throw new BadValue(`${typeof value === 'string' ? `"${excerpt(value)}"` : typeof value} is not a time with zone`);
  const [, hour, minute, second, fraction, zone] = parts;
  const offset = zoneSeconds(zone!);
  const clock = clockSeconds(hour, minute, second);
  // 24:00:00 is a time of its own; only a shift by the zone wraps around midnight.
  const seconds = offset === 0 ? clock : (clock - offset + 172_800) % 86_400;
  return withFraction(seconds, fraction, 0);
}

function clockSeconds(hour: string | undefined, minute: string | undefined, second: string | undefined): number {
  return Number(hour) * 3600 + Number(minute) * 60 + Number(second ?? 0);
}

function zoneSeconds(zone: string): number {
  if (zone === 'Z') return 0;
  const [hour, minute, second] = zone.slice(1).split(':');
  return (zone.startsWith('-') ? -1 : 1) * clockSeconds(hour, minute, second);
}

/** `seconds` plus a decimal fraction, in units of 10^-places s; exact, also before the epoch. */
function withFraction(seconds: number, fraction: string | undefined, places: number): number | NumberText {
  if (fraction === undefined || /^0*$/.test(fraction)) return seconds * 10 ** places;
  const nanos = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
  return numberOf(shiftPoint(String(nanos), 9 - places));
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar, for any year. */
function daysFromCivil(year: number, month: number, day: number): number {
  // Date.UTC takes years below 100 as 19xx; 400 Gregorian years are always 146097 days.
  const cycles = Math.floor(year / 400) - 5;
  const ms = Date.UTC(year - cycles * 400, month - 1, day);
  if (new Date(ms).getUTCDate() !== day || month > 12) throw new BadValue(`month ${month} and day ${day} are no date`);
  return ms / DAY_MS + cycles * 146_097;
}
