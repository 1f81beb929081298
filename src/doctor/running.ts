import type { Instance } from '../config/index.ts';
import type { SecretStatus, Status } from '../control/index.ts';
import { formatDuration } from '../lib/plain-words.ts';
import { type Answer, askTarget } from '../write/index.ts';
import type { Report } from './types.ts';

const TIMEOUT_MS = 1500;
/** Longer than any sensible `offset.flush.interval.ms`. */
const LONG_SINCE_FLUSH_SEC = 300;
const SINK = 'debezium:redis:sink';
const OFFSETS = 'debezium:offsets';
const HISTORY = /^debezium:(?:schema|db)_history$/;
/** Connectors that cannot read their log without a history of table definitions. */
const NEED_HISTORY = /^(?:mysql|mariadb|sqlserver|oracle|db2|informix)$/;

/** Judges what a running rdi says of itself: feeders, their settings, flow, DLQ. */
export function examineStatus(status: Status, report: Report): void {
  const where = status.endpoint.address;
  examineFeeders(status, where, report);
  for (const { stream, property, message } of status.warnings) {
    report('warning', 'feeder-settings', stream, message, `Set ${property} and take a new snapshot of the table.`);
  }
  if (status.warnings.length === 0 && status.totals.received > 0) {
    report('ok', 'feeder-settings', where, 'Nothing that arrived shows a setting that damages values.');
  }
  const rejected = status.dlqs.reduce((sum, dlq) => sum + dlq.count, 0);
  const settings = new Set(status.warnings.map(({ message }) => message.replace(/\.$/, '')));
  for (const { severity, text } of status.problems) {
    if ([...settings].some((message) => text.includes(message))) continue;
    const isDlq = text.includes('list-dlq-records');
    const fix = isDlq ? 'Mend job, row or target, then rdi retry-dlq; or drop the records.' : undefined;
    report(severity, isDlq ? 'dlq' : 'flow', where, text, fix);
  }
  if (rejected === 0) report('ok', 'dlq', where, 'No record is kept as rejected.');
  if (!status.problems.some(({ severity }) => severity === 'error')) {
    report('ok', 'flow', where, `The state is ${status.state}; no stream stands still.`);
  }
}

function examineFeeders({ endpoint, streams, pipeline }: Status, where: string, report: Report): void {
  const { connections } = endpoint;
  const sinks = connections.filter(({ name }) => name === SINK || !/^debezium:/.test(name));
  if (connections.length === 0) {
    const last = Math.max(0, ...streams.map(({ lastArrivalMs }) => lastArrivalMs ?? 0));
    const what = last === 0 ? 'No feeder is connected, and none ever sent an entry.' : 'No feeder is connected.';
    const fix = `Start Debezium Server with debezium.sink.redis.address=${where} (rdi scaffold writes its settings); see its log.`;
    report('warning', 'feeder', where, what, fix);
    return;
  }
  if (pipeline?.awaitsFeederRestart) {
    report(
      'warning',
      'feeder',
      where,
      'After the reset feeders are refused until one starts anew.',
      'Restart Debezium Server.',
    );
  }
  const shown = connections.map(({ name, address }) => `${name || 'unnamed'} (${address})`).join(', ');
  report('ok', 'feeder', where, `Connected: ${shown}.`);
  const offsets = connections.find(({ name }) => name === OFFSETS);
  const active = sinks.find(({ idleSec }) => idleSec < LONG_SINCE_FLUSH_SEC / 2);
  if (offsets !== undefined && active !== undefined && offsets.idleSec > LONG_SINCE_FLUSH_SEC) {
    const idle = formatDuration(offsets.idleSec * 1000);
    const fix = 'Set debezium.source.offset.flush.interval.ms=1000, and debezium.source.heartbeat.interval.ms=10000.';
    report('warning', 'feeder-state', where, `It sends, and has not stored its position for ${idle}.`, fix);
  }
}

/** Looks into the endpoint for what feeders keep there. Reads neither offsets nor history: a start of a feeder is told by that. */
export async function examineFeederState(
  { endpoint, streams }: Status,
  instance: Instance | null,
  sourceTypes: readonly string[],
  report: Report,
): Promise<void> {
  const { address: where, connections } = endpoint;
  if (instance === null || connections.length === 0 || streams.length === 0) return;
  const colon = where.lastIndexOf(':');
  const [user] = instance.endpoint.users;
  const host = where.slice(0, colon).replace(/^\[|\]$/g, '');
  const connection = {
    host: host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host,
    port: Number(where.slice(colon + 1)),
    ...(user === undefined ? {} : { user: user.name, password: user.password }),
    ...(instance.endpoint.tls === undefined ? {} : { tls: { ca: instance.endpoint.tls.cert, verifyHostname: false } }),
  };
  let kinds: { hashes: number; histories: number };
  try {
    kinds = await askTarget(connection, TIMEOUT_MS, async ({ ask }) => countState(ask));
  } catch {
    // Its own certificate may be of a CA that we do not know, and a client certificate may be required.
    return;
  }
  const needsHistory =
    sourceTypes.some((type) => NEED_HISTORY.test(type)) || connections.some(({ name }) => HISTORY.test(name));
  if (kinds.hashes === 0) {
    const fix = 'Set debezium.source.offset.storage to the Redis store, at this endpoint (rdi scaffold shows how).';
    const what = 'Feeders keep no position here: after a crash of one, rows may be missing or come from the beginning.';
    report('warning', 'feeder-state', where, what, fix);
  } else report('ok', 'feeder-state', where, 'The position of the feeder is kept here.');
  if (needsHistory && kinds.histories === 0) {
    const fix =
      'Set debezium.source.schema.history.internal to the Redis history, at this endpoint, with a key of its own.';
    report('warning', 'feeder-state', where, 'The feeder needs a schema history, and keeps none here.', fix);
  }
}

async function countState(
  ask: (...words: string[]) => Promise<Answer>,
): Promise<{ hashes: number; histories: number }> {
  const keys = await ask('KEYS', 'metadata:*');
  let [hashes, histories] = [0, 0];
  for (const key of Array.isArray(keys) ? keys : []) {
    const type = await ask('TYPE', String(key));
    if (type === 'hash') hashes++;
    if (type === 'stream') histories++;
  }
  return { hashes, histories };
}

/**
 * Secrets that the deployed configuration names and nobody sets. A pipeline that runs has all that it needs: what is missing
 * then is named under `sources`, where only Debezium uses it.
 */
export function examineSecrets(
  { secrets, address, status }: { secrets: readonly SecretStatus[]; address: string; status: Status },
  report: Report,
): void {
  const used = secrets.filter(({ isUsed }) => isUsed);
  const missing = used.filter(({ isSet }) => !isSet).map(({ name }) => name);
  const what = `Without a value: ${missing.join(', ')}.`;
  if (missing.length > 0 && status.pipeline.failure === null) {
    const reason = 'rdi does not need a value there: only Debezium logs in to the source.';
    report('info', 'secrets', address, `${what} ${reason}`);
  } else if (missing.length > 0) {
    const fix = `Set ${missing.length === 1 ? 'it' : 'them'}: rdi set-secret ${missing[0]}, a file in RDI_SECRETS_DIR, or a variable.`;
    report('error', 'secrets', address, what, fix);
  } else if (used.length > 0)
    report('ok', 'secrets', address, `All secrets that are used (${used.length}) have a value.`);
}
