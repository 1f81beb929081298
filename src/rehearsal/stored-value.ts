import { LookupError, type LookupReader, type LookupReply } from '../transform/index.ts';

/** What a key of a target holds now. */
export interface KeyNow {
  /** Redis' name of the type; `none` for a key that is not there. */
  readonly type: string;
  /** Null: it stays. */
  readonly ttl_ms: number | null;
  /** As text or JSON; null for a key that is not there, or cannot be read. */
  readonly value: string | null;
  /** There is more of it than `value` shows. */
  readonly is_cut: boolean;
}

const MAX_TEXT = 4000;
const MAX_ITEMS = 100;

/** How each type is read in part, and how the replies become a value. */
const READS: Readonly<Record<string, (key: string) => readonly (readonly string[])[]>> = {
  string: (key) => [
    ['GETRANGE', key, '0', String(MAX_TEXT)],
    ['STRLEN', key],
  ],
  hash: (key) => [
    ['HSCAN', key, '0', 'COUNT', String(MAX_ITEMS)],
    ['HLEN', key],
  ],
  set: (key) => [
    ['SSCAN', key, '0', 'COUNT', String(MAX_ITEMS)],
    ['SCARD', key],
  ],
  zset: (key) => [
    ['ZRANGE', key, '0', String(MAX_ITEMS - 1), 'WITHSCORES'],
    ['ZCARD', key],
  ],
  list: (key) => [
    ['LRANGE', key, '0', String(MAX_ITEMS - 1)],
    ['LLEN', key],
  ],
  stream: (key) => [
    ['XREVRANGE', key, '+', '-', 'COUNT', '10'],
    ['XLEN', key],
  ],
  'ReJSON-RL': (key) => [['JSON.GET', key]],
};

/** Reads a key, a large one in part. Rejects with the reason of `signal`. */
export async function readKey(reader: LookupReader, key: string, signal: AbortSignal): Promise<KeyNow> {
  const [type, ttl] = await reader.read(
    [
      ['TYPE', key],
      ['PTTL', key],
    ],
    signal,
  );
  const name = typeof type === 'string' ? type : type instanceof LookupError ? type.text : 'none';
  const ttlMs = typeof ttl === 'number' && ttl >= 0 ? ttl : null;
  const commands = READS[name]?.(key);
  if (commands === undefined) return { type: name, ttl_ms: ttlMs, value: null, is_cut: false };
  const [content = null, size] = await reader.read(commands, signal);
  const { text, items } = shownValue(name, content);
  const isCut = text.length > MAX_TEXT || (typeof size === 'number' && size > items);
  return { type: name, ttl_ms: ttlMs, value: text.slice(0, MAX_TEXT), is_cut: isCut };
}

/** The value as text, and how many of its items (characters of a string) it holds. */
function shownValue(type: string, reply: LookupReply): { text: string; items: number } {
  if (reply instanceof LookupError) return { text: `(${reply.text})`, items: Number.POSITIVE_INFINITY };
  if (typeof reply === 'string') return { text: reply, items: Buffer.byteLength(reply) };
  if (!Array.isArray(reply)) return { text: String(reply), items: Number.POSITIVE_INFINITY };
  const isScan = type === 'hash' || type === 'set';
  const list = (isScan ? reply[1] : reply) as readonly LookupReply[];
  if (type !== 'hash' && type !== 'zset') return { text: JSON.stringify(list), items: list.length };
  const pairs: [string, unknown][] = [];
  for (let i = 0; i + 1 < list.length; i += 2) pairs.push([String(list[i]), list[i + 1]]);
  pairs.sort(([one], [other]) => (one < other ? -1 : 1));
  const members = pairs.map(([field, value]) => `${JSON.stringify(field)}:${JSON.stringify(value)}`);
  return { text: `{${members.join(',')}}`, items: pairs.length };
}
