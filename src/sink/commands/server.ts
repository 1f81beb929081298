import { glob } from '../../lib/glob.ts';
import type { Client } from '../client.ts';
import { infoText } from '../info.ts';
import { arrayHeader, arrayOf, bulk, integer, mapOf, OK } from '../resp-text.ts';
import { argument, argumentsFrom, type Command, type CommandTable, reply, replyError } from './command.ts';

/** What the server is and how it stands: `INFO`, `WAIT`, `TIME`, `CONFIG`, `CLUSTER`. */
export const serverCommands: CommandTable = {
  INFO: {
    arity: -1,
    run: (connection) => reply(connection, bulk(infoText(connection, argumentsFrom(connection, 1)))),
  },
  WAIT: { arity: 3, run: wait },
  TIME: {
    arity: 1,
    run(connection) {
      const now = connection.context.clock.now();
      reply(connection, arrayOf([bulk(String(Math.floor(now / 1000))), bulk(String((now % 1000) * 1000))]));
    },
  },
  CONFIG: { arity: -2, run: config },
  CLUSTER: { arity: -2, run: cluster },
  LOLWUT: { arity: -1, run: (connection) => reply(connection, bulk(`rdi ${connection.context.version}\n`)) },
};

/**
 * Answers exactly the number asked for (less or more makes Debezium repeat the whole write). The reply queue holds it
 * back until everything before it on this connection is durable; the disk counts as the replica.
 */
function wait(connection: Client): void {
  const [replicas, timeout] = [argument(connection, 1), argument(connection, 2)];
  if (!/^-?\d{1,9}$/.test(replicas)) replyError(connection, 'ERR value is not an integer or out of range');
  else if (!/^-?\d{1,15}$/.test(timeout)) replyError(connection, 'ERR timeout is not an integer or out of range');
  else if (Number(timeout) < 0) replyError(connection, 'ERR timeout is negative');
  else reply(connection, integer(Math.max(0, Number(replicas))));
}

function config(connection: Client): void {
  const { context } = connection;
  const subcommand = argument(connection, 1).toUpperCase();
  const words = argumentsFrom(connection, 2);
  if (subcommand === 'GET' && words.length > 0) {
    const all: [string, string][] = [
      ['maxmemory', String(context.testMaxmemory)],
      ['maxmemory-policy', 'noeviction'],
      ['appendonly', 'yes'],
      ['appendfsync', 'always'],
      ['databases', '16'],
      ['save', ''],
      ['timeout', '0'],
    ];
    const wanted = all.filter(([name]) => words.some((pattern) => glob(pattern.toLowerCase(), name)));
    reply(
      connection,
      mapOf(
        connection.resp,
        wanted.map(([name, value]) => [name, bulk(value)]),
      ),
    );
  } else if (subcommand === 'GET') {
    replyError(connection, "ERR wrong number of arguments for 'config|get' command");
  } else if (subcommand === 'SET' && context.testMode && words.length === 2) {
    if (words[0]?.toLowerCase() === 'maxmemory') context.testMaxmemory = parseMemory(words[1] as string);
    reply(connection, OK);
  } else if (subcommand === 'SET') {
    replyError(connection, 'ERR CONFIG SET is not available here. Settings are read from rdi.yaml when rdi starts');
  } else replyError(connection, `ERR unknown subcommand '${argument(connection, 1).slice(0, 128)}'. Try CONFIG HELP.`);
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1024,
  m: 1e6,
  mb: 1 << 20,
  g: 1e9,
  gb: 1 << 30,
};

function parseMemory(text: string): number {
  const match = /^(\d+)([a-z]*)$/i.exec(text);
  return match ? Number(match[1]) * (UNITS[(match[2] as string).toLowerCase()] ?? 1) : 0;
}

/** `COMMAND`, enough for `redis-cli` and Redis Insight, which ask at connect: names without flags or documentation. */
export function listCommand(commandNames: () => string[]): Command {
  return { arity: -1, run: (connection) => command(connection, commandNames()) };
}

function command(connection: Client, names: readonly string[]): void {
  const subcommand = connection.parser.count > 1 ? argument(connection, 1).toUpperCase() : '';
  if (subcommand === 'COUNT') reply(connection, integer(names.length));
  else if (subcommand === 'LIST') reply(connection, arrayOf(names.map(bulk)));
  else if (subcommand === 'DOCS') reply(connection, mapOf(connection.resp, []));
  else if (subcommand === '' || subcommand === 'INFO') {
    const wanted = subcommand === '' ? names : argumentsFrom(connection, 2).map((name) => name.toLowerCase());
    reply(connection, arrayOf(wanted.map((name) => (names.includes(name) ? describe(name) : '*-1\r\n'))));
  } else replyError(connection, `ERR unknown subcommand '${argument(connection, 1).slice(0, 128)}'. Try COMMAND HELP.`);
}

function describe(name: string): string {
  return arrayOf([bulk(name), integer(-1), arrayHeader(0), integer(0), integer(0), integer(0)]);
}

/** One node with all slots: what a client in cluster mode needs to send everything here. */
function cluster(connection: Client): void {
  const subcommand = argument(connection, 1).toUpperCase();
  const id = `${'0'.repeat(39)}1`;
  const { localAddress, localPort } = connection;
  if (subcommand === 'SLOTS') {
    connection.context.clusterHosts.add(connection.host);
    const node = arrayOf([bulk(localAddress), integer(localPort), bulk(id)]);
    reply(connection, arrayOf([arrayOf([integer(0), integer(16383), node])]));
  } else if (subcommand === 'INFO') {
    const lines = [
      'cluster_enabled:1',
      'cluster_state:ok',
      'cluster_slots_assigned:16384',
      'cluster_known_nodes:1',
      'cluster_size:1',
    ];
    reply(connection, bulk(`${lines.join('\r\n')}\r\n`));
  } else if (subcommand === 'MYID') reply(connection, bulk(id));
  else if (subcommand === 'NODES') {
    reply(
      connection,
      bulk(`${id} ${localAddress}:${localPort}@${localPort} myself,master - 0 0 1 connected 0-16383\n`),
    );
  } else replyError(connection, `ERR unknown subcommand '${argument(connection, 1).slice(0, 128)}'. Try CLUSTER HELP.`);
}
