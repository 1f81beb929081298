import type { Client } from '../client.ts';
import { error } from '../resp-text.ts';

/** A command of the endpoint. `run` leaves exactly one reply. */
export interface Command {
  /** Number of arguments, the name included; at least so many when negative, as Redis counts. */
  readonly arity: number;
  /** May be sent before `AUTH`: some Debezium versions name themselves and select a database first. */
  readonly beforeAuth?: boolean;
  run(connection: Client): void;
}

export type CommandTable = Readonly<Record<string, Command>>;

/** Argument as Latin-1 text, byte for byte. */
export function argument({ parser: { buffer, starts, ends } }: Client, index: number): string {
  return buffer.latin1Slice(starts[index], ends[index]);
}

/** Arguments from `from` on. */
export function argumentsFrom(connection: Client, from: number): string[] {
  const result: string[] = [];
  for (let i = from; i < connection.parser.count; i++) result.push(argument(connection, i));
  return result;
}

export function reply(connection: Client, text: string): void {
  connection.replies.pushReady(text);
}

export function replyError(connection: Client, message: string): void {
  reply(connection, error(message));
}

/** Queues a reply that is worked out later; an error becomes an error reply. */
export function replyLater(connection: Client, work: () => Promise<string>): void {
  async function* pieces(): AsyncGenerator<string> {
    try {
      yield await work();
    } catch (cause) {
      yield error(`ERR ${(cause as Error).message}`);
    }
  }
  connection.replies.pushPieces(pieces());
}
