/** Compares everything a target Redis holds with what it must hold. */
import type { Redis } from 'ioredis';
import type { ExpectedRow } from './expected-rows.ts';

const MOST_DIFFERENCES = 20;

/**
 * Differences in words, at most 20; empty when the keyspace is exactly as expected: no key missing, none too many,
 * every column as it must be, no column too many.
 */
export async function compareKeyspace(
  redis: Redis,
  expected: ReadonlyMap<string, ExpectedRow>,
  kind: 'hash' | 'json',
): Promise<string[]> {
  const keys = new Set<string>();
  for await (const page of redis.scanStream({ count: 1000 })) for (const key of page as string[]) keys.add(key);
  const differences: string[] = [];
  for (const key of keys) if (!expected.has(key)) differences.push(`${key} must not be there`);
  const rows = [...expected.values()];
  for (let start = 0; start < rows.length && differences.length < MOST_DIFFERENCES; start += 500) {
    const page = rows.slice(start, start + 500);
    const found = await Promise.all(page.map(({ key }) => (keys.has(key) ? read(redis, key, kind) : null)));
    page.forEach((row, index) => {
      const value = found[index];
      if (value === null || value === undefined) differences.push(`${row.key} is missing`);
      else differences.push(...(kind === 'hash' ? compareHash(row, value) : compareDocument(row, value)));
    });
  }
  return differences.slice(0, MOST_DIFFERENCES);
}

type Found = { hash: Record<string, string> } | { document: Record<string, unknown> };

async function read(redis: Redis, key: string, kind: 'hash' | 'json'): Promise<Found | null> {
  if (kind === 'hash') return { hash: await redis.hgetall(key) };
  const document = (await redis.call('JSON.GET', key)) as string | null;
  return document === null ? null : { document: parseExact(document) as Record<string, unknown> };
}

function compareHash({ key, columns, nulls, unknown }: ExpectedRow, found: Found): string[] {
  const hash = 'hash' in found ? found.hash : {};
  const differences: string[] = [];
  for (const [column, { hash: wanted, or }] of columns) {
    const value = hash[column];
    if (value !== wanted && (or === undefined || value !== or.hash)) {
      differences.push(`${key} field ${column}: ${show(value)} instead of ${show(wanted)}`);
    }
  }
  for (const column of Object.keys(hash)) {
    if (nulls.has(column)) differences.push(`${key} field ${column}: ${show(hash[column])} instead of none (NULL)`);
    else if (!columns.has(column) && !unknown.has(column)) differences.push(`${key} field ${column} must not be there`);
  }
  return differences;
}

function compareDocument({ key, columns, nulls, unknown }: ExpectedRow, found: Found): string[] {
  const document = 'document' in found ? found.document : {};
  const differences: string[] = [];
  for (const [column, { json, or }] of columns) {
    const value = document[column];
    if (!sameJson(value, parseExact(json)) && (or === undefined || !sameJson(value, parseExact(or.json)))) {
      differences.push(`${key} member ${column}: ${show(value)} instead of ${json}`);
    }
  }
  for (const [column, value] of Object.entries(document)) {
    // A partial row is merged, and a merge removes a member that is null: so null and absent are both right.
    if (nulls.has(column) && value !== null)
      differences.push(`${key} member ${column}: ${show(value)} instead of null`);
    else if (!columns.has(column) && !nulls.has(column) && !unknown.has(column)) {
      differences.push(`${key} member ${column} must not be there`);
    }
  }
  return differences;
}

/** A JSON number with the digits it was written with. */
class Digits {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

function parseExact(json: string): unknown {
  const keepDigits = (_name: string, value: unknown, context: { source?: string }) =>
    typeof value === 'number' ? new Digits(context.source ?? String(value)) : value;
  return (JSON.parse as (text: string, reviver: typeof keepDigits) => unknown)(json, keepDigits);
}

/** Integers of 64 bits must keep all digits; RedisJSON holds every other number as a double. */
function sameJson(found: unknown, wanted: unknown): boolean {
  if (found instanceof Digits && wanted instanceof Digits) {
    const isInteger = /^-?\d{1,18}$/.test(wanted.text);
    return isInteger ? found.text === wanted.text : isSameDouble(Number(found.text), Number(wanted.text));
  }
  if (Array.isArray(found) && Array.isArray(wanted)) {
    return found.length === wanted.length && found.every((element, index) => sameJson(element, wanted[index]));
  }
  if (isObject(found) && isObject(wanted)) {
    const names = Object.keys(wanted);
    return names.length === Object.keys(found).length && names.every((name) => sameJson(found[name], wanted[name]));
  }
  return found === wanted;
}

/** RedisJSON reads long decimals to the double beside the nearest one. */
function isSameDouble(found: number, wanted: number): boolean {
  return Math.abs(found - wanted) <= Math.abs(wanted) * 2 ** -52;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Digits);
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = value instanceof Digits ? value.text : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
}
