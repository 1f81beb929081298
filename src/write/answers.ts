import type { ErrorCode } from '../errors.ts';
import { commandName } from './commands.ts';
import type { Unit } from './fold.ts';
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

/** The refusals of a unit: one for each entry that was folded into it. */
export function refusalsOf(unit: Unit, text: string): Refused[] {
  const { code, reason } = refusal(unit, text);
  return [...(unit.folded ?? []), unit.index].map((index) => ({ index, key: unit.key, code, reason }));
}

function refusal(unit: Unit, text: string): { code: ErrorCode; reason: string } {
  const what = `${commandName(unit)} on ${JSON.stringify(unit.key)}`;
  const said = describeReply(text);
  if (/^WRONGTYPE|wrong Redis type/i.test(text)) {
    const wanted = unit.kind === 'json' ? 'a JSON document' : 'a hash';
    return {
      code: 'TARGET_WRONG_TYPE',
      reason: `${what} found a key that is not ${wanted} (${said}). Delete the key, or set another key prefix.`,
    };
  }
  const fix =
    unit.kind === 'json'
      ? 'Check that every column of the row is valid JSON for the target, or write the table as hashes.'
      : 'Correct the row or the target as the message says, then replay the record.';
  return { code: 'TARGET_REFUSED', reason: `${what} was refused (${said}). ${fix}` };
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
