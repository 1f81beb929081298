import { parseAge } from '../config/index.ts';
import { HttpError } from './api.ts';

/** A moment as people write it: an age such as `1h` or `7d`, ISO 8601, or ms since the epoch. Refuses with 400. */
export function readSince(text: string, now: number): number {
  const age = parseAge(text);
  if (age !== undefined) return now - age;
  const moment = /^\d{10,}$/.test(text) ? Number(text) : Date.parse(text);
  if (!Number.isNaN(moment)) return moment;
  throw new HttpError(
    400,
    `"${text}" is no moment: give an age such as 1h, a date in ISO 8601, or ms since the epoch.`,
  );
}
