import { compileGlob } from '../../lib/glob.ts';
import type { Client } from '../client.ts';
import { findKey, keyNames } from '../key-view.ts';
import { arrayOf, bulk, integer, nil } from '../resp-text.ts';
import { argument, argumentsFrom, type CommandTable, reply, replyError } from './command.ts';

/** Looking around: `KEYS`, `SCAN`, `TYPE`, `EXISTS`, `DBSIZE`, `OBJECT`, `MEMORY`; and `DEL` in test mode. */
export const keyCommands: CommandTable = {
  KEYS: {
    arity: 2,
    run(connection) {
      const pattern = compileGlob(argument(connection, 1));
      reply(
        connection,
        arrayOf(
          names(connection)
            .filter((key) => pattern.test(key))
            .map(bulk),
        ),
      );
    },
  },
  SCAN: { arity: -2, run: scan },
  DBSIZE: { arity: 1, run: (connection) => reply(connection, integer(names(connection).length)) },
  TYPE: {
    arity: 2,
    run: (connection) => reply(connection, `+${find(connection, argument(connection, 1))?.type ?? 'none'}\r\n`),
  },
  EXISTS: {
    arity: -2,
    run(connection) {
      const found = argumentsFrom(connection, 1).filter((key) => find(connection, key) !== null);
      reply(connection, integer(found.length));
    },
  },
  TTL: {
    arity: 2,
    run: (connection) => reply(connection, integer(find(connection, argument(connection, 1)) ? -1 : -2)),
  },
  PTTL: {
    arity: 2,
    run: (connection) => reply(connection, integer(find(connection, argument(connection, 1)) ? -1 : -2)),
  },
  OBJECT: { arity: -2, run: object },
  MEMORY: { arity: -2, run: memory },
  DEL: { arity: -2, run: del },
  UNLINK: { arity: -2, run: del },
};

function find(connection: Client, key: string): ReturnType<typeof findKey> {
  return findKey(connection.context.store, connection.db, key);
}

function names(connection: Client): string[] {
  return keyNames(connection.context.store, connection.db);
}

/** The cursor is the index of the next name; names are few and only ever added at the end of their kind. */
function scan(connection: Client): void {
  const [cursorText, ...options] = argumentsFrom(connection, 1);
  const cursor = Number(cursorText);
  if (!/^\d{1,15}$/.test(cursorText as string)) {
    replyError(connection, 'ERR invalid cursor');
    return;
  }
  let pattern = /^/;
  let type: string | null = null;
  let count = 10;
  for (let i = 0; i + 1 < options.length; i += 2) {
    const option = (options[i] as string).toUpperCase();
    const value = options[i + 1] as string;
    if (option === 'MATCH') pattern = compileGlob(value);
    else if (option === 'TYPE') type = value.toLowerCase();
    else if (option === 'COUNT' && /^[1-9]\d{0,9}$/.test(value)) count = Number(value);
    else if (option === 'COUNT' && !/^-?\d{1,18}$/.test(value)) {
      replyError(connection, 'ERR value is not an integer or out of range');
      return;
    } else {
      replyError(connection, 'ERR syntax error');
      return;
    }
  }
  if (options.length % 2 === 1) {
    replyError(connection, 'ERR syntax error');
    return;
  }
  const all = names(connection);
  const page = all.slice(cursor, cursor + count);
  const shown = page.filter((key) => pattern.test(key) && (type === null || find(connection, key)?.type === type));
  const next = cursor + count < all.length ? cursor + count : 0;
  reply(connection, arrayOf([bulk(String(next)), arrayOf(shown.map(bulk))]));
}

function object(connection: Client): void {
  const subcommand = argument(connection, 1).toUpperCase();
  const view = connection.parser.count === 3 ? find(connection, argument(connection, 2)) : null;
  if (!['ENCODING', 'IDLETIME', 'REFCOUNT', 'FREQ'].includes(subcommand) || connection.parser.count !== 3) {
    replyError(connection, `ERR unknown subcommand '${argument(connection, 1).slice(0, 128)}'. Try OBJECT HELP.`);
  } else if (!view) reply(connection, nil(connection.resp));
  else if (subcommand === 'ENCODING') reply(connection, bulk(view.type === 'hash' ? 'hashtable' : 'stream'));
  else reply(connection, integer(subcommand === 'REFCOUNT' ? 1 : 0));
}

/** An estimate: what a stream keeps is on disk, so its share of memory is its bookkeeping. */
const BOOKKEEPING_BYTES = 256;

function memory(connection: Client): void {
  if (argument(connection, 1).toUpperCase() !== 'USAGE' || connection.parser.count < 3) {
    replyError(connection, `ERR unknown subcommand '${argument(connection, 1).slice(0, 128)}'. Try MEMORY HELP.`);
    return;
  }
  const key = argument(connection, 2);
  reply(connection, find(connection, key) ? integer(BOOKKEEPING_BYTES + key.length) : nil(connection.resp));
}

function del(connection: Client): void {
  const { context, db } = connection;
  if (!context.testMode) {
    replyError(connection, 'ERR DEL is served in test mode only: what a feeder sent leaves when it is settled');
    return;
  }
  const deleted = argumentsFrom(connection, 1).filter((key) => context.store.metadata.delete(db, key));
  reply(connection, integer(deleted.length));
}
