import { compactJson } from '../transform/expressions/values.ts';
import { LookupError, type LookupReader, type LookupReply } from '../transform/index.ts';
import type { Keyspace, StoredValue } from './keyspace.ts';
import type { AskedLookup, GivenLookup, LookupText } from './types.ts';

/**
 * Answers lookups without a target: with the replies that were written down, else from the keys in memory. What neither knows
 * finds nothing, and is noted.
 */
export class LookupAnswers implements LookupReader {
  readonly #given = new Map<string, LookupReply>();
  readonly #keyspace: Keyspace;
  readonly #onAsked: (asked: AskedLookup) => void;

  constructor(given: readonly GivenLookup[], keyspace: Keyspace, onAsked: (asked: AskedLookup) => void) {
    for (const { command, reply, error } of given) {
      this.#given.set(idOf(command), error === null ? replyTo(command, reply) : new LookupError(error));
    }
    this.#keyspace = keyspace;
    this.#onAsked = onAsked;
  }

  async read(commands: readonly (readonly string[])[]): Promise<readonly LookupReply[]> {
    return commands.map((command) => {
      const given = this.#given.get(idOf(command));
      const reply = given === undefined ? this.#find(command) : given;
      this.#onAsked({ command, isUnanswered: reply === undefined });
      return reply === undefined ? nothingOf(command) : reply;
    });
  }

  /** Undefined for a command that the keys in memory cannot answer, and for keys that are not there. */
  #find([name = '', key = '', ...rest]: readonly string[]): LookupReply | undefined {
    const command = name.toUpperCase();
    if (command === 'MGET') return this.#findAll([key, ...rest]);
    const find = FINDERS[command];
    const stored = this.#keyspace.keys.get(key)?.value;
    if (find === undefined || stored === undefined) return undefined;
    const found = find(stored, rest);
    if (found !== undefined) return found;
    return new LookupError('WRONGTYPE Operation against a key holding the wrong kind of value');
  }

  #findAll(keys: readonly string[]): LookupReply | undefined {
    const values = keys.map((key) => this.#keyspace.keys.get(key)?.value);
    if (values.every((value) => value === undefined)) return undefined;
    return values.map((value) => (value?.type === 'string' ? value.text : null));
  }
}

/** A reply as the target gives it: to some commands it is a number. */
function replyTo([name = '']: readonly string[], reply: LookupText): LookupReply {
  const isNumber = typeof reply === 'string' && COUNTS.has(name.toUpperCase()) && /^-?\d+$/.test(reply);
  return isNumber ? Number(reply) : (reply as LookupReply);
}

/** Commands that answer with an integer. */
const COUNTS: ReadonlySet<string> = new Set(
  `BITCOUNT BITPOS DBSIZE EXISTS EXPIRETIME GETBIT HEXISTS HLEN HSTRLEN LASTSAVE LLEN PEXPIRETIME PFCOUNT PTTL SCARD SINTERCARD
   SISMEMBER STRLEN TOUCH TTL VCARD VDIM XLEN ZCARD ZCOUNT ZINTERCARD ZLEXCOUNT ZRANK ZREVRANK BF.CARD BF.EXISTS CF.COUNT CF.EXISTS`
    .trim()
    .split(/\s+/),
);

/** Commands upper case, as Redis does not care. */
function idOf([name = '', ...rest]: readonly string[]): string {
  return JSON.stringify([name.toUpperCase(), ...rest]);
}

/** What a target answers of a key that is not there. */
function nothingOf([name = '', , ...rest]: readonly string[]): LookupReply {
  const command = name.toUpperCase();
  if (command === 'EXISTS' || command === 'SISMEMBER') return 0;
  if (command === 'HMGET') return rest.map(() => null);
  if (command === 'MGET') return [null, ...rest.map(() => null)];
  return LISTS.has(command) ? [] : null;
}

/** Commands whose reply is a list, also of nothing. */
const LISTS: ReadonlySet<string> = new Set([
  'HGETALL',
  'HKEYS',
  'HVALS',
  'LRANGE',
  'SMEMBERS',
  'ZRANGE',
  'ZRANGEBYSCORE',
  'ZREVRANGE',
]);

/** By command: the reply, or undefined when the key holds another type. */
type Finder = (value: StoredValue, args: readonly string[]) => LookupReply | undefined;

const FINDERS: Readonly<Record<string, Finder>> = {
  GET: (value) => (value.type === 'string' ? value.text : undefined),
  EXISTS: () => 1,
  HGET: (value, [field = '']) => (value.type === 'hash' ? (value.fields.get(field) ?? null) : undefined),
  HMGET: (value, fields) =>
    value.type === 'hash' ? fields.map((field) => value.fields.get(field) ?? null) : undefined,
  HGETALL: (value) => (value.type === 'hash' ? [...value.fields].flat() : undefined),
  SMEMBERS: (value) => (value.type === 'set' ? [...value.members] : undefined),
  SISMEMBER: (value, [member = '']) => (value.type === 'set' ? Number(value.members.has(member)) : undefined),
  ZRANGE: (value, [from, to, ...options]) => {
    if (value.type !== 'zset') return undefined;
    const [withScores] = options;
    if (
      from !== '0' ||
      to !== '-1' ||
      options.length > 1 ||
      (withScores ?? 'WITHSCORES').toUpperCase() !== 'WITHSCORES'
    ) {
      return new LookupError('only ZRANGE key 0 -1, with or without WITHSCORES, can be answered here');
    }
    const members = [...value.scores].sort(([a, x], [b, y]) => Number(x) - Number(y) || (a < b ? -1 : 1));
    return withScores === undefined ? members.map(([member]) => member) : members.flat();
  },
  ZSCORE: (value, [member = '']) => (value.type === 'zset' ? (value.scores.get(member) ?? null) : undefined),
  'JSON.GET': (value, [path = '.', ...more]) => {
    if (value.type !== 'json') return undefined;
    if (more.length > 0 || (path !== '$' && path !== '.'))
      return new LookupError('only the whole document can be read here');
    // A path that begins with `$` gives a list of all that it finds, one that is left out the document itself.
    return path === '.' ? compactJson(value.document) : compactJson([value.document]);
  },
};

/** One lookup as an argument says it: `HGET tier:gold label=Best`. Words stand between blanks. Null when there is no `=`. */
export function parseLookup(text: string): GivenLookup | null {
  const split = text.indexOf('=');
  const command = text.slice(0, Math.max(split, 0)).trim().split(/\s+/);
  if (split < 0 || command[0] === '') return null;
  return { command, reply: parseReply(text.slice(split + 1)), error: null };
}

/** A JSON list or object is taken apart, everything else is the text itself. */
function parseReply(text: string): LookupText {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return replyOf(JSON.parse(text));
  } catch {
    return text;
  }
}

function replyOf(value: unknown): LookupText {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(replyOf);
  if (typeof value === 'object') return Object.entries(value).flatMap(([name, member]) => [name, replyOf(member)]);
  return String(value);
}
