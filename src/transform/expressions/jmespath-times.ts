import { type Call, refuse } from './jmespath-call.ts';
import { isNumber } from './numbers.ts';
import type { JobValue } from './types.ts';

/**
 * ISO 8601, extended (`2024-02-29T10:15:30.5+02:00`, blank instead of T allowed) or basic (`20240229T101530Z`). A date without
 * time means midnight, no offset means UTC.
 */
const ISO =
  /^(\d{4})(-?)(\d\d)\2(\d\d)(?:[T ](\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?(Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)?)?$/i;

const MONTH = /^(0[1-9]|1[0-2])$/;

/** Seconds with fraction from a time, ISO text or Unix seconds, to now; positive for the past. */
export function secondsSince(t: JobValue, call: Call): number {
  const seconds = isNumber(t) ? Number(typeof t === 'number' ? t : t.text) : secondsOfIso(t as string);
  if (seconds === null || !Number.isFinite(seconds)) {
    return refuse(call, 0, 'is no ISO 8601 time', `For Unix seconds in a text write ${call.name}(to_number(…))`);
  }
  return call.clock.now() / 1000 - seconds;
}

/** Seconds since the epoch, or null when the text is no ISO time. */
export function secondsOfIso(text: string): number | null {
  const match = ISO.exec(text.trim());
  if (match === null) return null;
  const [, year, , month, day, hour = '0', minute = '0', second = '0', fraction = '0', offset = 'Z'] = match;
  const date = Date.UTC(Number(year), Number(month) - 1, Number(day));
  // Date.UTC takes years below 100 for those of the twentieth century, and carries 30 February over into March.
  if (Number(year) < 100 || new Date(date).getUTCDate() !== Number(day) || !MONTH.test(month!)) return null;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  const time = Number(hour) * 3600 + Number(minute) * 60 + Number(`${second}.${fraction}`);
  return date / 1000 + time - secondsOfOffset(offset);
}

function secondsOfOffset(offset: string): number {
  const digits = offset.replace(/\D/g, '').padEnd(6, '0');
  const seconds = Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2, 4)) * 60 + Number(digits.slice(4));
  return offset.startsWith('-') ? -seconds : seconds;
}
