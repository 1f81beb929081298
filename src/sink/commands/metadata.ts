import type { Client } from '../client.ts';
import { arrayOf, bulk, error, integer, mapOf, nil } from '../resp-text.ts';
import { argument, type CommandTable, reply, replyError } from './command.ts';

const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';

/** Debezium repeats a refused offset without end (storage of offsets, 2.5 to 3.6). */
const RESET = 'LOADING rdi was reset.';

/** Hashes of the feeder's own state: Debezium's offset store. */
export const metadataCommands: CommandTable = {
  HSET: { arity: -4, run: hset },
  HMSET: { arity: -4, run: hset },
  HGET: {
    arity: 3,
    run(connection) {
      if (!isHashOrAbsent(connection)) return;
      const { store } = connection.context;
      const value = store.metadata.field(connection.db, argument(connection, 1), argument(connection, 2));
      reply(connection, value ? bulk(value.toString('latin1')) : nil(connection.resp));
    },
  },
  HGETALL: {
    arity: 2,
    run(connection) {
      if (!isHashOrAbsent(connection)) return;
      connection.readsHash();
      const fields = connection.context.store.metadata.fields(connection.db, argument(connection, 1));
      reply(
        connection,
        mapOf(
          connection.resp,
          fields.map(([name, value]) => [name, bulk(value.toString('latin1'))]),
        ),
      );
    },
  },
  HLEN: {
    arity: 2,
    run(connection) {
      if (!isHashOrAbsent(connection)) return;
      reply(
        connection,
        integer(connection.context.store.metadata.fields(connection.db, argument(connection, 1)).length),
      );
    },
  },
  HKEYS: {
    arity: 2,
    run(connection) {
      if (!isHashOrAbsent(connection)) return;
      const fields = connection.context.store.metadata.fields(connection.db, argument(connection, 1));
      reply(connection, arrayOf(fields.map(([name]) => bulk(name))));
    },
  },
};

/**
 * After the reply Debezium tells the database that it will never read these rows again, so the reply waits for the
 * change and for every entry appended before it.
 */
function hset(connection: Client): void {
  const { parser, context, replies } = connection;
  if (parser.count % 2 !== 0) {
    const name = argument(connection, 0).toLowerCase();
    replyError(connection, `ERR wrong number of arguments for '${name}' command`);
    return;
  }
  if (!isHashOrAbsent(connection)) return;
  // What a feeder from before a reset knows must not come back: it would start where it was, and not from the beginning.
  if (connection.mustStartAnew) {
    replyError(connection, `${RESET} Restart the feeder, so that it takes a new snapshot.`);
    return;
  }
  const fields: [string, Buffer][] = [];
  for (let i = 2; i < parser.count; i += 2) {
    fields.push([argument(connection, i), Buffer.from(argument(connection, i + 1), 'latin1')]);
  }
  try {
    const added = context.store.metadata.setFields(connection.db, argument(connection, 1), fields);
    const isOld = argument(connection, 0).toUpperCase() === 'HMSET';
    const { appended, metadata } = context.store;
    replies.pushAfterChange(isOld ? '+OK\r\n' : integer(added), appended - 1, metadata.changed);
    context.requestSync();
  } catch (cause) {
    reply(connection, error(`OOM command not allowed when used memory > 'maxmemory'. ${(cause as Error).message}`));
  }
}

function isHashOrAbsent(connection: Client): boolean {
  const { store } = connection.context;
  const key = argument(connection, 1);
  const type = store.metadata.type(connection.db, key);
  // A data stream of the same name, made by a stray XADD, must not keep the feeder from its offsets.
  const isStream = type === 'stream' || (type === null && store.find(connection.db, key) !== undefined);
  if (isStream) replyError(connection, WRONG_TYPE);
  return !isStream;
}
