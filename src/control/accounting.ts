import type { AccountSums } from './types.ts';

/** The places where a received entry can be, in the order in which every table and line shows them. */
export const ACCOUNT_PLACES = [
  'written',
  'filtered',
  'superseded',
  'deduplicated',
  'rejected',
  'skipped',
  'pending',
] as const;

/** How many received entries are in none of the places (or, negative, in several). Always 0 unless rdi has a bug. */
export function missingEntries(sums: AccountSums): number {
  return ACCOUNT_PLACES.reduce((rest, place) => rest - sums[place], sums.received);
}

/** `received 12 = written 10 + filtered 0 + … + pending 2`, and a plain statement when the two sides differ. */
export function accountingLine(sums: AccountSums): string {
  const places = ACCOUNT_PLACES.map((place) => `${place} ${sums[place]}`).join(' + ');
  const missing = missingEntries(sums);
  if (missing === 0) return `received ${sums.received} = ${places}`;
  return `received ${sums.received} ≠ ${places}  (off by ${missing}: this is a bug in rdi, please report it)`;
}
