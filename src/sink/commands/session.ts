import type { Client } from '../client.ts';
import { bulk, error, integer, mapOf, nil, OK } from '../resp-text.ts';
import { argument, argumentsFrom, type CommandTable, reply, replyError } from './command.ts';

const WRONG_PASSWORD = 'WRONGPASS invalid username-password pair or user is disabled.';
const NAME = /^[!-~]*$/;
const BAD_NAME = 'ERR Client names cannot contain spaces, newlines or special characters.';
const NO_PASSWORD_SET =
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?';

/** Who a client is: `AUTH`, `HELLO`, `SELECT`, `CLIENT`, `PING`, `QUIT`. */
export const sessionCommands: CommandTable = {
  AUTH: { arity: -2, beforeAuth: true, run: auth },
  HELLO: { arity: -1, beforeAuth: true, run: hello },
  SELECT: { arity: 2, beforeAuth: true, run: select },
  CLIENT: { arity: -2, beforeAuth: true, run: client },
  QUIT: {
    arity: -1,
    beforeAuth: true,
    run(connection) {
      reply(connection, OK);
      connection.closeAfterReplies();
    },
  },
  PING: {
    arity: -1,
    run(connection) {
      const { count } = connection.parser;
      if (count > 2) replyError(connection, "ERR wrong number of arguments for 'ping' command");
      else reply(connection, count === 2 ? bulk(argument(connection, 1)) : '+PONG\r\n');
    },
  },
  ECHO: { arity: 2, run: (connection) => reply(connection, bulk(argument(connection, 1))) },
  RESET: {
    arity: 1,
    beforeAuth: true,
    run(connection) {
      connection.db = 0;
      connection.resp = 2;
      connection.expel();
      connection.name = '';
      reply(connection, '+RESET\r\n');
    },
  },
};

function logIn(connection: Client, name: string, password: string): string | null {
  const { users } = connection.context;
  if (users.isOpen) return name === 'default' ? null : WRONG_PASSWORD;
  if (!users.accepts(name, password)) return WRONG_PASSWORD;
  connection.admit();
  connection.user = Buffer.from(name, 'latin1').toString('utf8');
  connection.identify();
  return null;
}

function auth(connection: Client): void {
  const words = argumentsFrom(connection, 1);
  if (words.length > 2) replyError(connection, 'ERR syntax error');
  else if (words.length === 1 && connection.context.users.isOpen) replyError(connection, NO_PASSWORD_SET);
  else {
    const [name, password] = words.length === 1 ? ['default', words[0] as string] : (words as [string, string]);
    const refusal = logIn(connection, name, password);
    reply(connection, refusal ? error(refusal) : OK);
  }
}

function hello(connection: Client): void {
  const words = argumentsFrom(connection, 1);
  if (words.length > 0 && !/^-?\d{1,9}$/.test(words[0] as string)) {
    replyError(connection, 'ERR Protocol version is not an integer or out of range');
    return;
  }
  const version = words.length > 0 ? Number(words[0]) : connection.resp;
  if (version !== 2 && version !== 3) {
    replyError(connection, 'NOPROTO unsupported protocol version');
    return;
  }
  let name: string | undefined;
  for (let i = 1; i < words.length; i++) {
    const option = (words[i] as string).toUpperCase();
    if (option === 'AUTH' && i + 2 < words.length) {
      const refusal = logIn(connection, words[i + 1] as string, words[i + 2] as string);
      if (refusal) {
        replyError(connection, refusal);
        return;
      }
      i += 2;
    } else if (option === 'SETNAME' && i + 1 < words.length) {
      name = words[++i] as string;
      if (!NAME.test(name)) {
        replyError(connection, BAD_NAME);
        return;
      }
    } else {
      replyError(connection, `ERR Syntax error in HELLO option '${words[i]}'`);
      return;
    }
  }
  if (!connection.isAuthenticated) {
    replyError(
      connection,
      'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    );
    return;
  }
  if (name !== undefined) connection.name = name;
  connection.resp = version;
  const facts: [string, string][] = [
    ['server', bulk('redis')],
    ['version', bulk('7.0.15')],
    ['proto', integer(version)],
    ['id', integer(connection.id)],
    ['mode', bulk('standalone')],
    ['role', bulk('master')],
    ['modules', '*0\r\n'],
  ];
  reply(connection, mapOf(version, facts));
}

function select(connection: Client): void {
  const index = argument(connection, 1);
  if (!/^-?\d{1,9}$/.test(index)) replyError(connection, 'ERR value is not an integer or out of range');
  else if (Number(index) < 0 || Number(index) > 15) replyError(connection, 'ERR DB index is out of range');
  else {
    connection.db = Number(index);
    reply(connection, OK);
  }
}

function client(connection: Client): void {
  const subcommand = argument(connection, 1).toUpperCase();
  const words = argumentsFrom(connection, 2);
  if (subcommand === 'SETNAME' && words.length === 1) {
    const name = words[0] as string;
    if (!NAME.test(name)) {
      replyError(connection, BAD_NAME);
      return;
    }
    connection.name = name;
    reply(connection, OK);
  } else if (subcommand === 'SETNAME') {
    replyError(connection, "ERR wrong number of arguments for 'client|setname' command");
  } else if (subcommand === 'SETINFO' && words.length === 2) {
    connection.library.set((words[0] as string).toLowerCase(), words[1] as string);
    reply(connection, OK);
  } else if (!connection.isAuthenticated) replyError(connection, 'NOAUTH Authentication required.');
  else clientQuery(connection, subcommand, words);
}

function clientQuery(connection: Client, subcommand: string, words: readonly string[]): void {
  if (subcommand === 'GETNAME') reply(connection, connection.name ? bulk(connection.name) : nil(connection.resp));
  else if (subcommand === 'ID') reply(connection, integer(connection.id));
  else if (subcommand === 'INFO') reply(connection, bulk(`${describe(connection)}\n`));
  else if (subcommand === 'LIST') {
    const lines = [...connection.context.clients()].map((other) => `${describe(other)}\n`);
    reply(connection, bulk(lines.join('')));
  } else if (subcommand === 'NO-EVICT' || subcommand === 'NO-TOUCH') reply(connection, OK);
  else if (subcommand === 'TRACKING' && words[0]?.toUpperCase() === 'OFF') reply(connection, OK);
  else {
    replyError(connection, `ERR unknown subcommand '${argument(connection, 1).slice(0, 128)}'. Try CLIENT HELP.`);
  }
}

/** One line of `CLIENT LIST`, with the fields of Redis 7.0 that mean something here. */
function describe(connection: Client): string {
  const { id, address, ageSec, idleSec, commands } = connection.info;
  const { name, user, db, resp, localAddress, localPort, library } = connection;
  return (
    `id=${id} addr=${address} laddr=${localAddress}:${localPort} name=${name} age=${ageSec} idle=${idleSec} flags=N ` +
    `db=${db} sub=0 psub=0 multi=-1 tot-cmds=${commands} user=${user} resp=${resp} ` +
    `lib-name=${library.get('lib-name') ?? ''} lib-ver=${library.get('lib-ver') ?? ''}`
  );
}
