import { decide, xadd } from '../append.ts';
import type { Client } from '../client.ts';
import { argument, argumentsFrom, type Command, replyError } from './command.ts';
import { keyCommands } from './keys.ts';
import { metadataCommands } from './metadata.ts';
import { listCommand, serverCommands } from './server.ts';
import { sessionCommands } from './session.ts';
import { streamCommands } from './streams.ts';

const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries({
    ...sessionCommands,
    ...serverCommands,
    ...keyCommands,
    ...metadataCommands,
    ...streamCommands,
    COMMAND: listCommand(commandNames),
  }),
);

function commandNames(): string[] {
  return ['XADD', ...COMMANDS.keys()].map((name) => name.toLowerCase());
}

/** Runs the parser's current command. */
export function execute(connection: Client): void {
  if (isXadd(connection)) {
    executeXadd(connection);
    return;
  }
  endSubBatch(connection);
  const name = argument(connection, 0).toUpperCase();
  const command = COMMANDS.get(name);
  if (!command) {
    replyError(connection, unknownCommand(connection));
    return;
  }
  const { count } = connection.parser;
  if (command.arity >= 0 ? count !== command.arity : count < -command.arity) {
    replyError(connection, `ERR wrong number of arguments for '${name.toLowerCase()}' command`);
    return;
  }
  if (!connection.isAuthenticated && !command.beforeAuth) {
    replyError(connection, 'NOAUTH Authentication required.');
    return;
  }
  command.run(connection);
}

/** Compares four bytes without making a string: this runs for every event. */
function isXadd({ parser: { buffer, starts, ends } }: Client): boolean {
  const at = starts[0] as number;
  if ((ends[0] as number) - at !== 4) return false;
  return (
    ((buffer[at] as number) | 32) === 120 &&
    ((buffer[at + 1] as number) | 32) === 97 &&
    ((buffer[at + 2] as number) | 32) === 100 &&
    ((buffer[at + 3] as number) | 32) === 100
  );
}

function executeXadd(connection: Client): void {
  if (!connection.isAuthenticated) {
    // An error would make a feeder drop the record without a word; a cut makes it come back.
    connection.destroy();
    return;
  }
  if (connection.parser.count < 2) replyError(connection, "ERR wrong number of arguments for 'xadd' command");
  else xadd(connection);
}

/** Another command than `XADD`: the client has read all replies before it. */
function endSubBatch(connection: Client): void {
  if (connection.comparing) decide(connection);
  connection.isSticky = false;
  if (!connection.isInSubBatch) return;
  connection.isInSubBatch = false;
  connection.separates = true;
  connection.context.store.subBatches.end(connection.origin);
}

const SHOWN_CHARACTERS = 128;

function unknownCommand(connection: Client): string {
  let list = '';
  for (const word of argumentsFrom(connection, 1)) {
    if (list.length >= SHOWN_CHARACTERS) break;
    list += `'${word.slice(0, SHOWN_CHARACTERS - list.length)}' `;
  }
  return `ERR unknown command '${argument(connection, 0).slice(0, SHOWN_CHARACTERS)}', with args beginning with: ${list}`;
}
