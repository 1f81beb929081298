import { TargetError } from '../errors.ts';
import { LookupError, type LookupReply } from '../transform/types.ts';
import { createCluster, messageOf } from './cluster-client.ts';
import { unavailable } from './handshake.ts';
import { TargetLookup } from './lookup.ts';
import { describeEndpoint, endpointOf, type TargetConnection } from './options.ts';

const CONNECT_MS = 5000;
/** A server that deletes a large database answers nothing meanwhile. */
const ANSWER_MS = 60_000;
const KEYS_PER_STEP = 1000;

/** Sends a command to one server of the target, and answers with its reply. */
type Ask = (...command: string[]) => Promise<LookupReply>;

/** Deletes every key of the target's database. Throws {@link TargetError} when the target cannot be reached or refuses. */
export async function flushTarget(connection: TargetConnection): Promise<void> {
  await onEachServer(connection, async (ask) => {
    await ask('FLUSHDB');
  });
}

/**
 * Deletes the keys that begin with one of these texts, in steps between which others are served; resolves to how many. Throws
 * {@link TargetError} when the target cannot be reached or refuses.
 */
export async function removeKeys(connection: TargetConnection, prefixes: readonly string[]): Promise<number> {
  let removed = 0;
  await onEachServer(connection, async (ask) => {
    for (const prefix of new Set(prefixes)) removed += await removeWithPrefix(ask, prefix);
  });
  return removed;
}

async function removeWithPrefix(ask: Ask, prefix: string): Promise<number> {
  const pattern = `${prefix.replaceAll(/[\\*?[\]]/g, '\\$&')}*`;
  let removed = 0;
  let cursor = '0';
  do {
    const [next, keys] = (await ask('SCAN', cursor, 'MATCH', pattern, 'COUNT', String(KEYS_PER_STEP))) as [
      string,
      string[],
    ];
    for (const key of keys) removed += Number(await ask('UNLINK', key));
    cursor = String(next);
  } while (cursor !== '0');
  return removed;
}

/** Calls `work` for the target, or for each master of a Cluster. */
async function onEachServer(connection: TargetConnection, work: (ask: Ask) => Promise<void>): Promise<void> {
  const endpoint = endpointOf(connection);
  const where = describeEndpoint(endpoint);
  if (endpoint.cluster) {
    const cluster = await createCluster(endpoint, CONNECT_MS, ANSWER_MS);
    try {
      await cluster.connect();
      for (const node of cluster.nodes('master')) {
        await work(async (name = '', ...rest) => (await node.call(name, ...rest)) as LookupReply);
      }
    } catch (cause) {
      throw unavailable(`The target could not be emptied: ${messageOf(cause)}`, where);
    } finally {
      cluster.disconnect();
    }
    return;
  }
  await onSingleServer(connection, where, work);
}

async function onSingleServer(
  connection: TargetConnection,
  where: string,
  work: (ask: Ask) => Promise<void>,
): Promise<void> {
  const giveUp = new AbortController();
  const reader = new TargetLookup({
    connection,
    retry: { initialDelayMs: 100, maxDelayMs: 1000, multiplier: 2 },
    connectTimeoutMs: CONNECT_MS,
    socketTimeoutMs: ANSWER_MS,
    // Lookups wait until they are allowed; a person who asks wants to know.
    onState: (state) => {
      if (state.state === 'refused') giveUp.abort(new TargetError(state.code, state.message.replace(/\.$/, '')));
    },
  });
  try {
    await work(async (...command) => {
      const signal = AbortSignal.any([giveUp.signal, AbortSignal.timeout(ANSWER_MS)]);
      const [reply] = await reader.read([command], signal);
      if (!(reply instanceof LookupError)) return reply as LookupReply;
      throw new TargetError('TARGET_REFUSED', `The target refused ${command[0]}: ${reply.text}`, {
        where: `target ${where}`,
        fix: 'Let its user run the command, or delete the keys there yourself',
      });
    });
  } catch (cause) {
    if (cause instanceof TargetError) throw cause;
    const why = 'message' in reader.state ? reader.state.message : messageOf(cause);
    throw unavailable(`The target could not be emptied: ${why}`, where);
  } finally {
    reader.close();
  }
}
