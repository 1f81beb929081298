import { isIP } from 'node:net';
import type { LoadedPipeline, TargetConnection } from '../config/index.ts';
import { describeTarget } from '../config/index.ts';
import { RdiError } from '../errors.ts';
import { type Answer, askTarget, type Conversation } from '../write/index.ts';
import { neededCommands, type Rights } from './rights.ts';
import type { Report, Severity } from './types.ts';

const TIMEOUT_MS = 2000;
const PINGS = 10;
const SLOW_MS = 10;
const MAX_SKEW_MS = 5000;
const FULL_SHARE = 0.9;

/** Looks at one target of the pipeline. Changes nothing there: it asks, and tries no write. */
export async function examineTarget(
  name: string,
  connection: TargetConnection,
  pipeline: LoadedPipeline,
  report: Report,
): Promise<void> {
  const where = `target ${name} (${describeTarget(connection)})`;
  try {
    await askTarget(connection, TIMEOUT_MS, async (target) => {
      const info = readInfo(await target.ask('INFO'));
      if (info.size === 0)
        report('info', 'target-reach', where, 'It is reached, but its user may not run INFO.', NO_INFO);
      else judgeInfo(info, connection, pipeline, (...rest) => report(rest[0], rest[1], where, rest[2], rest[3]));
      await examineAnswers(target, where, pipeline, report);
    });
  } catch (error) {
    if (!(error instanceof RdiError)) throw error;
    const isLogin = error.code === 'TARGET_AUTH';
    const what = isLogin ? `It refuses our user: ${error.message}` : `It cannot be reached: ${error.message}`;
    report('error', 'target-reach', where, what, isLogin ? LOGIN : reachFix(connection));
  }
}

const NO_INFO = 'Let the user run INFO (`ACL SETUSER … +info`) so that version, memory and role can be judged.';
const LOGIN = 'Correct `user` and `password` of the target, or let it in there (`ACL LIST`, `requirepass`).';

function reachFix({ host, tls }: TargetConnection): string {
  const name = host !== undefined && isIP(host) === 0 && host !== 'localhost' ? ' that its name is resolved,' : '';
  const encryption = tls === undefined ? '' : ' that it speaks TLS with a certificate of the given CA,';
  return `Check that it runs,${name}${encryption} and that no firewall is between. Writes wait until it is back.`;
}

/** `name:value` lines; empty when it may not be asked. */
function readInfo(answer: Answer): ReadonlyMap<string, string> {
  if (typeof answer !== 'string') return new Map();
  const pairs = answer.split(/\r?\n/).filter((line) => line.includes(':'));
  return new Map(pairs.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

type Judge = (severity: Severity, check: Parameters<Report>[1], what: string, fix?: string) => void;

function judgeInfo(
  info: ReadonlyMap<string, string>,
  connection: TargetConnection,
  { settings }: LoadedPipeline,
  judge: Judge,
): void {
  const number = (name: string) => Number(info.get(name) ?? 0);
  if (info.get('loading') === '1') {
    judge('warning', 'target-reach', 'It is loading its data.', 'Wait; writes wait, too.');
  } else judge('ok', 'target-reach', 'It is reached and lets us in.');
  const version = info.get('redis_version') ?? '';
  if (Number.parseInt(version, 10) < 6) {
    judge('error', 'target-version', `It is Redis ${version}.`, 'Use Redis 6 or later.');
  } else judge('ok', 'target-version', `It is Redis ${version}.`);
  judgeMemory(info, judge);
  judgePersistence(info, judge);
  judgeRole(info, connection, judge);
  if (settings.wait.enabled && info.get('role') === 'master' && number('connected_slaves') === 0) {
    const fix = 'Add a replica, or set `processors.wait_enabled: false`.';
    judge('error', 'target-role', 'Each write waits for a replica, and there is none.', fix);
  }
}

function judgeMemory(info: ReadonlyMap<string, string>, judge: Judge): void {
  const limit = Number(info.get('maxmemory') ?? 0);
  const policy = info.get('maxmemory_policy') ?? 'noeviction';
  const used = Number(info.get('used_memory') ?? 0);
  if (limit > 0 && policy !== 'noeviction') {
    const fix = 'Set `maxmemory-policy noeviction`: rdi writes a row again only when it changes.';
    judge('warning', 'target-memory', `With maxmemory-policy ${policy} it drops rows when it is full, silently.`, fix);
  } else if (limit > 0 && used > limit * FULL_SHARE) {
    const share = Math.round((used / limit) * 100);
    judge('warning', 'target-memory', `Its memory is ${share} % full.`, 'Give it more: when it is full, writes wait.');
  } else {
    const what = limit === 0 ? 'Its memory has no limit of its own.' : `It evicts nothing (${policy}).`;
    judge('ok', 'target-memory', what);
  }
}

function judgePersistence(info: ReadonlyMap<string, string>, judge: Judge): void {
  if (info.get('rdb_last_bgsave_status') === 'err') {
    const what = 'Its last snapshot failed; by default it refuses writes then.';
    judge('error', 'target-persistence', what, 'See its log; often its disk is full.');
  } else if (info.get('aof_enabled') === '1') judge('ok', 'target-persistence', 'It keeps an append-only file.');
  else {
    const what = 'It keeps no append-only file: what it had since its last snapshot is missing after a restart.';
    const fix =
      'Set `appendonly yes`, or run `rdi reset` after a restart of it: rdi writes a row only when it changes.';
    judge('warning', 'target-persistence', what, fix);
  }
}

function judgeRole(info: ReadonlyMap<string, string>, connection: TargetConnection, judge: Judge): void {
  const isCluster = info.get('cluster_enabled') === '1';
  if (isCluster && connection.cluster === undefined) {
    const fix = 'Write `cluster: {nodes: [host:port]}` in place of `host` and `port`.';
    judge('error', 'target-role', 'It is a node of a Redis Cluster, and is spoken to as a single server.', fix);
  } else if (!isCluster && connection.cluster !== undefined) {
    const fix = 'Write `host` and `port` in place of `cluster`.';
    judge('error', 'target-role', 'It is no Redis Cluster.', fix);
  } else if (info.get('role') === 'slave' && connection.cluster === undefined) {
    const master = `${info.get('master_host')}:${info.get('master_port')}`;
    const isReadOnly = info.get('slave_read_only') !== '0';
    const what = isReadOnly ? 'It is a read-only replica.' : 'It is a replica: its master overwrites what we write.';
    judge('error', 'target-role', what, `Name the master, ${master}, or the Sentinels (\`sentinel\`).`);
  } else judge('ok', 'target-role', isCluster ? 'It is a node of a Cluster.' : 'It is no replica.');
}

async function examineAnswers(
  target: Conversation,
  where: string,
  pipeline: LoadedPipeline,
  report: Report,
): Promise<void> {
  await examineCluster(target, where, report);
  await examineSpeed(target, where, report);
  const wanted = neededCommands(pipeline);
  await examineJson(target, where, wanted, report);
  await examineRights(target, where, wanted, report);
  const events = await target.ask('CONFIG', 'GET', 'notify-keyspace-events');
  if (Array.isArray(events) && typeof events[1] === 'string' && events[1] !== '') {
    const what = `Keyspace notifications are on (${events[1]}): each write costs it more.`;
    report(
      'info',
      'target-notifications',
      where,
      what,
      'rdi does not need them; switch them off unless somebody does.',
    );
  }
}

async function examineCluster(target: Conversation, where: string, report: Report): Promise<void> {
  const info = readInfo(await target.ask('CLUSTER', 'INFO'));
  const state = info.get('cluster_state');
  if (state === undefined || info.get('cluster_enabled') === '0') return;
  if (state === 'ok') report('ok', 'target-role', where, 'The Cluster serves all slots.');
  else {
    const slots = 16384 - Number(info.get('cluster_slots_ok') ?? 0);
    const fix = 'Bring the missing nodes back; writes to their keys wait.';
    report(
      'error',
      'target-role',
      where,
      `The Cluster is not complete (cluster_state:${state}, ${slots} slots missing).`,
      fix,
    );
  }
}

async function examineSpeed(target: Conversation, where: string, report: Report): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < PINGS; i++) {
    const startedAt = performance.now();
    await target.ask('PING');
    times.push(performance.now() - startedAt);
  }
  const median = times.sort((a, b) => a - b)[PINGS / 2] ?? 0;
  const shown = median < 1 ? median.toFixed(2) : median.toFixed(1);
  const fix =
    'Bring rdi and the target closer together; a batch waits for its answer before the next one of the same keys.';
  if (median > SLOW_MS) report('warning', 'target-latency', where, `It answers in ${shown} ms (median).`, fix);
  else report('ok', 'target-latency', where, `It answers in ${shown} ms (median).`);
  const sentAt = Date.now();
  const time = await target.ask('TIME');
  if (!Array.isArray(time)) return;
  const skewMs = Math.round(Number(time[0]) * 1000 + Number(time[1]) / 1000 - (sentAt + Date.now()) / 2);
  if (Math.abs(skewMs) <= MAX_SKEW_MS) report('ok', 'target-clock', where, 'Its clock agrees with ours.');
  else {
    const what = `Its clock is ${Math.abs(Math.round(skewMs / 1000))} s ${skewMs > 0 ? 'ahead of' : 'behind'} ours.`;
    report(
      'warning',
      'target-clock',
      where,
      what,
      'Let both use NTP: times to live and latencies are wrong otherwise.',
    );
  }
}

async function examineJson(target: Conversation, where: string, { json }: Rights, report: Report): Promise<void> {
  if (!json) return;
  const answer = await target.ask('COMMAND', 'INFO', 'JSON.SET');
  const isThere = !Array.isArray(answer) || answer[0] !== null;
  if (isThere) report('ok', 'target-json', where, 'It has RedisJSON.');
  else {
    const fix = 'Use Redis 8 or load RedisJSON, or set `target_data_type: hash`. Until then writes wait.';
    report('error', 'target-json', where, 'Documents are wanted, and it has no RedisJSON.', fix);
  }
}

/** `ACL DRYRUN` (Redis 7) says what the user may do without doing it. */
async function examineRights(target: Conversation, where: string, { commands }: Rights, report: Report): Promise<void> {
  const user = await target.ask('ACL', 'WHOAMI');
  if (typeof user !== 'string') return unknownRights(where, report);
  const refused: string[] = [];
  for (const words of commands) {
    const answer = await target.ask('ACL', 'DRYRUN', user, ...words);
    const text = typeof answer === 'string' ? answer : isRefusal(answer) ? answer.refused : '';
    if (/^OK$/.test(text) || /wrong number of arg|unknown command|not found/i.test(text)) continue;
    if (/^NOPERM|unknown subcommand/i.test(text)) return unknownRights(where, report);
    // A user that may touch some keys only is told apart from one that lacks the command.
    if (/to run the/i.test(text)) refused.push(words[0] ?? '');
  }
  if (refused.length === 0) report('ok', 'target-rights', where, `Its user ${user} may do all that is needed.`);
  else {
    const missing = [...new Set(refused)];
    const rights = missing.map((command) => `+${command.toLowerCase()}`).join(' ');
    const what = `Its user ${user} may not run ${missing.join(', ')}.`;
    report('error', 'target-rights', where, what, `There: ACL SETUSER ${user} ${rights}`);
  }
}

function unknownRights(where: string, report: Report): void {
  const what = 'What its user may do cannot be told: that needs Redis 7, and the right to ACL DRYRUN.';
  report('info', 'target-rights', where, what);
}

function isRefusal(answer: Answer): answer is { readonly refused: string } {
  return answer !== null && typeof answer === 'object' && 'refused' in answer;
}
