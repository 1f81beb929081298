/** The whole keyspace of a target with its types, in a form that compares with what a job case expects. */
import type { Redis } from 'ioredis';
import { type ExpectedKey, type ExpectedKeys, toJson } from './job-cases.ts';

/** What the two sides of a comparison are: one of `hash json set zset stream string`, and `ttl` where there is one. */
export type Keyspace = Record<string, Record<string, unknown>>;

const TTL_TOLERANCE_SECONDS = 2;

/** Reads every key but those that are ignored. Times to live are rounded up to whole seconds. */
export async function readKeyspace(client: Redis, ignored: readonly string[] = []): Promise<Keyspace> {
  const keys = (await client.keys('*')).filter((key) => !ignored.includes(key)).sort();
  const found = await Promise.all(keys.map(async (key) => [key, await readKey(client, key)] as const));
  return Object.fromEntries(found);
}

/**
 * The expected keyspace in the same form. A time to live within the tolerance is taken as it was found.
 */
export function expectedKeyspace(keys: ExpectedKeys, found: Keyspace): Keyspace {
  return Object.fromEntries(Object.entries(keys).map(([key, wanted]) => [key, expectedKey(wanted, found[key])]));
}

function expectedKey(wanted: ExpectedKey, found: Record<string, unknown> | undefined): Record<string, unknown> {
  const { hash, json, set, zset, stream, string, ttl } = wanted;
  const key: Record<string, unknown> = {};
  if (hash) key['hash'] = hash;
  if (json !== undefined) key['json'] = comparableJson(toJson(json));
  if (set) key['set'] = [...set].sort();
  if (zset) {
    const members = Object.entries(zset).map(([member, score]) => [member, scoreOf(toJson(score))]);
    key['zset'] = Object.fromEntries(members);
  }
  if (stream) key['stream'] = stream;
  if (string !== undefined) key['string'] = string;
  if (ttl) {
    const seconds = Number(ttl.text);
    const actual = Number(found?.['ttl']);
    key['ttl'] = Math.abs(actual - seconds) <= TTL_TOLERANCE_SECONDS ? actual : seconds;
  }
  return key;
}

async function readKey(client: Redis, key: string): Promise<Record<string, unknown>> {
  const [type, ttlMs] = await Promise.all([client.type(key), client.pttl(key)]);
  const value = await readValue(client, key, type);
  return ttlMs < 0 ? value : { ...value, ttl: Math.ceil(ttlMs / 1000) };
}

async function readValue(client: Redis, key: string, type: string): Promise<Record<string, unknown>> {
  if (type === 'hash') return { hash: await client.hgetall(key) };
  if (type === 'set') return { set: (await client.smembers(key)).sort() };
  if (type === 'string') return { string: await client.get(key) };
  if (type === 'ReJSON-RL') return { json: comparableJson(String(await client.call('JSON.GET', key))) };
  if (type === 'stream') {
    const entries = await client.xrange(key, '-', '+');
    return { stream: entries.map(([, fields]) => Object.fromEntries(pairs(fields))) };
  }
  if (type === 'zset') {
    const members = pairs(await client.zrange(key, '0', '-1', 'WITHSCORES'));
    return { zset: Object.fromEntries(members.map(([member, score]) => [member, scoreOf(score)])) };
  }
  throw new Error(`${key} is of type ${type}`);
}

/** Redis and a case write infinity as `inf`, which is no number for JavaScript. */
function scoreOf(text: string): number {
  return Number(text.replaceAll('"', '').replace('inf', 'Infinity'));
}

function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[i * 2] as string, flat[i * 2 + 1] as string]);
}

/** The document with numbers as numbers, but integers that JavaScript cannot hold as their digits. */
export function comparableJson(text: string): unknown {
  const exact = (_name: string, value: unknown, context: { source?: string }) =>
    typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
      ? `integer ${context.source}`
      : value;
  return (JSON.parse as (text: string, reviver: typeof exact) => unknown)(text, exact);
}
