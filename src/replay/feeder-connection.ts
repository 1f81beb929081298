import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Reply, ReplyParser } from './reply-parser.ts';

/** Where a replay sends to. */
export interface ReplayAddress {
  readonly host: string;
  readonly port: number;
  readonly user?: string;
  readonly password?: string;
  /** Absent: no TLS. `ca` is a PEM text; without it the system's authorities count. */
  readonly tls?: { readonly ca?: string; readonly verify: boolean };
}

/** The connection failed or fell silent, which makes Debezium connect again and repeat the sub-batch. */
export class Disconnected extends Error {}

interface Exchange {
  readonly expected: number;
  readonly replies: Reply[];
  readonly resolve: (replies: Reply[]) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One connection of a feeder, used as Debezium's synchronous client uses its own: a whole pipeline is written, then all
 * its replies are read, then the next. Silence counts only while the client waits in a read, not while it writes.
 */
export class FeederConnection {
  readonly #socket: Socket;
  readonly #silenceMs: number;
  readonly #parser = new ReplyParser();
  #open: Exchange | undefined;
  #silence: NodeJS.Timeout | undefined;
  #broken: Disconnected | undefined;

  private constructor(socket: Socket, silenceMs: number) {
    this.#socket = socket;
    this.#silenceMs = silenceMs;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#break(error.code ?? error.message));
    socket.on('close', () => this.#break('the connection was closed'));
  }

  /**
   * Opens a connection.
   *
   * @param silenceMs how long the server may be silent, also while connecting
   * @throws Disconnected when it cannot be opened
   */
  static async open(address: ReplayAddress, silenceMs: number): Promise<FeederConnection> {
    const { host, port, tls } = address;
    const socket = tls
      ? connectTls({ host, port, rejectUnauthorized: tls.verify, ...(tls.ca === undefined ? {} : { ca: tls.ca }) })
      : connectTcp({ host, port });
    socket.setNoDelay(true);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => fail(`no answer within ${silenceMs} ms`), silenceMs);
      const fail = (reason: string): void => {
        clearTimeout(timer);
        socket.destroy();
        reject(new Disconnected(reason));
      };
      socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
      socket.once(tls ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        resolve();
      });
    });
    return new FeederConnection(socket, silenceMs);
  }

  /**
   * Writes all commands, then waits for as many replies.
   *
   * @throws Disconnected when not all replies came; the server may have taken any of the commands
   */
  exchange(commands: readonly { readonly bytes: Buffer }[]): Promise<Reply[]> {
    return new Promise((resolve, reject) => {
      if (this.#broken) return reject(this.#broken);
      this.#open = { expected: commands.length, replies: [], resolve, reject };
      const bytes = commands.length === 1 ? commands[0]!.bytes : Buffer.concat(commands.map((part) => part.bytes));
      this.#socket.write(bytes, () => this.#listen());
    });
  }

  close(): void {
    this.#broken ??= new Disconnected('closed by us');
    clearTimeout(this.#silence);
    this.#socket.destroy();
  }

  #listen(): void {
    clearTimeout(this.#silence);
    if (!this.#open) return;
    this.#silence = setTimeout(() => this.#break(`no answer within ${this.#silenceMs} ms`), this.#silenceMs);
  }

  #receive(chunk: Buffer): void {
    let replies: Reply[];
    try {
      replies = this.#parser.push(chunk);
    } catch (error) {
      this.#finish((open) => open.reject(error as Error));
      this.close();
      return;
    }
    const open = this.#open;
    if (!open) return;
    // A reply in part counts as progress, as in the original.
    if (this.#silence !== undefined) this.#silence.refresh();
    for (const reply of replies) open.replies.push(reply);
    if (open.replies.length >= open.expected) this.#finish(({ resolve }) => resolve(open.replies));
  }

  #break(reason: string): void {
    this.#broken ??= new Disconnected(reason);
    const error = this.#broken;
    this.#finish(({ reject }) => reject(error));
    this.#socket.destroy();
  }

  #finish(settle: (open: Exchange) => void): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
    const open = this.#open;
    this.#open = undefined;
    if (open) settle(open);
  }
}
