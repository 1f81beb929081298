import { TargetError } from '../errors.ts';
import { describeReply, judge } from './answers.ts';
import type { TargetFacts } from './link.ts';
import type { Endpoint } from './options.ts';
import { type Reply, ReplyError } from './replies.ts';
import type { Session } from './session.ts';

/** Commands whose presence tells whether, and which, RedisJSON there is. `COMMAND INFO` answers null for unknown ones. */
export const PROBE_JSON: readonly string[] = ['COMMAND', 'INFO', 'JSON.SET', 'JSON.MERGE'];

/** What the first words on a connection brought to light. */
export interface Greeting {
  readonly facts: Omit<TargetFacts, 'mode'>;
  /** `master` or `slave`; empty when the target would not say. */
  readonly role: string;
  /** Identifies the server process; empty when unknown. */
  readonly runId: string;
  /** This connection's id at that process; empty when unknown. */
  readonly clientId: string;
}

/**
 * Logs in, selects the database and asks the target what it is, all in one round trip.
 *
 * Throws {@link TargetError}: TARGET_AUTH for user, password and permission; retryable TARGET_UNAVAILABLE while it loads
 * its data or when the connection breaks.
 */
export async function greet(session: Session, endpoint: Endpoint, where: string): Promise<Greeting> {
  const commands: string[][] = [];
  if (endpoint.password !== undefined) {
    commands.push(['AUTH', ...(endpoint.user === undefined ? [] : [endpoint.user]), endpoint.password]);
  }
  if (endpoint.db !== 0) commands.push(['SELECT', String(endpoint.db)]);
  const first = commands.length;
  commands.push(['CLIENT', 'SETNAME', 'rdi'], ['INFO'], ['CLIENT', 'ID'], [...PROBE_JSON]);
  const { replies, lost } = await session.commands(commands);
  checkLogin(commands.slice(0, first), replies, where);
  if (lost) throw unavailable(`The connection to the target broke: ${lost.message}`, where, lost);
  const [, infoReply, idReply, probe] = replies.slice(first);
  if (infoReply instanceof ReplyError) checkReply(infoReply, where);
  const info = readInfo(typeof infoReply === 'string' ? infoReply : '');
  if (info.get('loading') === '1') throw unavailable('The target is loading its data (LOADING)', where);
  return {
    facts: { ...infoFacts(info), ...readJsonProbe(probe) },
    role: info.get('role') ?? '',
    runId: info.get('run_id') ?? '',
    clientId: typeof idReply === 'number' ? String(idReply) : '',
  };
}

/** The error of a target that cannot be reached or used now. Retryable. */
export function unavailable(what: string, where: string, cause?: unknown): TargetError {
  return new TargetError('TARGET_UNAVAILABLE', what, {
    where: `target ${where}`,
    fix: 'Writes wait and are repeated in order; check that the target runs, is reachable and takes writes',
    retryable: true,
    cause,
  });
}

/** The error of a target that knows us not, or lets us not. Retryable, because it may be mended there. */
export function loginRefused(said: string, where: string): TargetError {
  return new TargetError('TARGET_AUTH', `The target refused us: ${said}`, {
    where: `target ${where}`,
    fix: 'Correct user and password of the target connection, or what its user may do there; writing goes on by itself',
    retryable: true,
  });
}

/** `name:value` lines of INFO. */
export function readInfo(text: string): ReadonlyMap<string, string> {
  const info = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) info.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return info;
}

/** The parts of the facts that INFO tells. */
export function infoFacts(info: ReadonlyMap<string, string>): { redisVersion: string; maxmemoryPolicy: string } {
  return { redisVersion: info.get('redis_version') ?? '', maxmemoryPolicy: info.get('maxmemory_policy') ?? '' };
}

/** Reads the answer to {@link PROBE_JSON}. A target that will not say is taken to have both: a write will tell. */
export function readJsonProbe(reply: Reply | undefined): { json: boolean; jsonMerge: boolean } {
  if (!Array.isArray(reply)) return { json: true, jsonMerge: true };
  const has = (index: number) => Array.isArray(reply[index]) && reply[index].length > 0;
  return { json: has(0), jsonMerge: has(1) };
}

function checkLogin(commands: readonly (readonly string[])[], replies: readonly Reply[], where: string): void {
  commands.forEach((command, index) => {
    const reply = replies[index];
    if (!(reply instanceof ReplyError)) return;
    if (command[0] === 'AUTH') {
      // A password that the target does not ask for does no harm.
      if (/no password is set|without any password configured/i.test(reply.text)) return;
      if (judge(reply.text) === 'retry') throw unavailable(describeReply(reply.text), where);
      throw loginRefused(describeReply(reply.text), where);
    }
    checkReply(reply, where);
    throw new TargetError('TARGET_REFUSED', `The target has no database ${command[1]} (${describeReply(reply.text)})`, {
      where: `target ${where}`,
      fix: 'Set another database number in the target connection',
      retryable: true,
    });
  });
}

/** Only permission to ask is optional; every other error means that writing would fail as well. */
function checkReply(reply: ReplyError, where: string): void {
  if (reply.text.startsWith('NOPERM')) return;
  const verdict = judge(reply.text);
  if (verdict === 'login' && !/^ERR unknown command/i.test(reply.text)) {
    throw loginRefused(describeReply(reply.text), where);
  }
  if (verdict === 'retry') throw unavailable(`The target answered: ${describeReply(reply.text)}`, where);
}
