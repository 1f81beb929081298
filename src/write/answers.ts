import type { ErrorCode } from '../errors.ts';
import { commandName } from './commands.ts';
import type { Unit, UnitKind } from './fold.ts';
import type { Refused } from './types.ts';

/**
 * What an error reply means for the write that met it.
 *
 * - `retry`      the target cannot take writes now; the same write will do later
 * - `reconnect`  the same, and this connection will never take it (a demoted master)
 * - `login`      user, password or permission: nothing is wrong with the write
 * - `no-json`, `no-merge`  the target has no RedisJSON, or one without JSON.MERGE
 * - `refuse`     repeating cannot cure it
 */
export type Verdict = 'retry' | 'reconnect' | 'login' | 'no-json' | 'no-merge' | 'refuse';

const LOGIN = new Set(['NOAUTH', 'NOPERM', 'WRONGPASS', 'DENIED', 'EXPIREDPASS']);
/** First words of replies that blame the write itself. Any other first word in capitals speaks of the server's state. */
const BLAMES_WRITE = new Set([
  'ERR',
  'WRONGTYPE',
  'CROSSSLOT',
  'BUSYKEY',
  'INVALIDOBJ',
  'NOTBUSY',
  'JSON',
  'ARGV',
  'KEYS',
]);
/** `ERR` replies that speak of the server, not of the write. */
const SERVER_TROUBLE =
  /max number of clients|max clients|loading|timed?[ -]?out|upstream|unavailable|not ready|no (?:healthy|available)|failover|internal (?:server )?error/i;
/** A script's error of Redis 6 and older hides the inner reply: `ERR Error running script (…): … -OOM command not …`. */
const INSIDE_SCRIPT = /-([A-Z]{2,} .*)$/s;

/** RedisJSON's own words for a place that is not there or cannot be reached. */
const PLACE_TROUBLE =
  /could not perform this operation on a key that doesn't exist|does not exist|new objects must be created at the root|wrong type of path|expected .* but found/i;

/**
 * Sorts an error reply. `spec/streams.md` §11 names the classes; a reply with an unknown code in capitals counts as
 * transient, because waiting loses nothing and the state shows its text.
 */
export function judge(text: string): Verdict {
  const inner = text.startsWith('ERR Error running script') ? INSIDE_SCRIPT.exec(text) : null;
  if (inner) return judge(inner[1]!);
  const unknown = /^ERR unknown command [`'"]?([^`'", ]+)/i.exec(text);
  if (unknown) {
    const name = unknown[1]!.toUpperCase();
    if (name === 'JSON.MERGE') return 'no-merge';
    return name.startsWith('JSON.') ? 'no-json' : 'login';
  }
  // RedisJSON missing, seen from inside a script.
  if (/^ERR Unknown Redis command called from/i.test(text)) return 'no-json';
  if (/^ERR operation not permitted|^ERR invalid password/i.test(text)) return 'login';
  const code = /^[A-Z][A-Z0-9_]*(?= |$)/.exec(text)?.[0];
  if (code === undefined) return 'refuse';
  if (LOGIN.has(code)) return 'login';
  if (code === 'READONLY') return 'reconnect';
  if (code === 'ERR') return SERVER_TROUBLE.test(text) ? 'retry' : 'refuse';
  return BLAMES_WRITE.has(code) ? 'refuse' : 'retry';
}

/** The worst of several verdicts on one unit: as long as one part must be repeated, the unit is. */
export function worse(one: Verdict, other: Verdict): Verdict {
  return ORDER.indexOf(one) <= ORDER.indexOf(other) ? one : other;
}

const ORDER: readonly Verdict[] = ['reconnect', 'login', 'no-json', 'no-merge', 'retry', 'refuse'];

/** The refusals of a unit: one for each write that was folded into it. */
export function refusalsOf(unit: Unit, text: string): Refused[] {
  const { code, reason } = refusal(unit, text);
  return [...(unit.folded ?? []), unit.last].map(({ index, origin }) => ({
    index,
    key: unit.key,
    code,
    reason,
    ...(origin === undefined ? {} : { origin }),
  }));
}

/** Whether a refusal is about what is stored at the key, whatever is written there. */
export function blamesKey(text: string): boolean {
  return /WRONGTYPE|wrong Redis type/i.test(text);
}

/** What the commands of each kind expect to find. */
const WANTED: Record<UnitKind, string> = {
  none: 'a key',
  hash: 'a hash',
  json: 'a JSON document',
  nest: 'a JSON document',
  remove_fields: 'a hash',
  set: 'a set',
  sorted_set: 'a sorted set',
  stream: 'a stream',
  string: 'a string',
};

function refusal(unit: Unit, text: string): { code: ErrorCode; reason: string } {
  const what = `${commandName(unit)} on ${JSON.stringify(unit.key)}`;
  const said = describeReply(text);
  if (blamesKey(text)) {
    const wanted = unit.needsJson ? 'a JSON document' : WANTED[unit.kind];
    return {
      code: 'TARGET_WRONG_TYPE',
      reason: `${what} found a key that is not ${wanted} (${said}). Delete the key, or set another key prefix.`,
    };
  }
  return { code: 'TARGET_REFUSED', reason: `${what} was refused (${said}). ${fixFor(unit, text)}` };
}

function fixFor(unit: Unit, text: string): string {
  if (PLACE_TROUBLE.test(text)) {
    return 'Something else changes the document at the same time, or holds a value where an object is needed: look at the key, then replay the record.';
  }
  if (!unit.needsJson) return 'Correct the row or the target as the message says, then replay the record.';
  return unit.kind === 'json'
    ? 'Check that every column of the row is valid JSON for the target, or write the table as hashes.'
    : 'Check that every column of the row is valid JSON for the target.';
}

/** A reply in one short line, without the arguments that some replies repeat: they may be a user's data. */
export function describeReply(text: string): string {
  const line = text.replace(/,? with args beginning with:.*$/is, '').replace(/ script: [0-9a-f]{40}.*$/is, '');
  const flat = line
    .replace(/[\r\n\t]+/g, ' ')
    .trim()
    .replace(/\.$/, '');
  return flat.length > 200 ? `${flat.slice(0, 200)}…` : flat;
}
