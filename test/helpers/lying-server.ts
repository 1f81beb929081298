import { createServer, type Server, type Socket } from 'node:net';

/** What a connection does instead of answering one command, or after it. */
export type Lie =
  | { readonly reply: string }
  /** Answers the command truthfully and then cuts the connection. */
  | { readonly cut: 'after' }
  /** Cuts the connection without executing or answering the command. */
  | { readonly cut: 'before' }
  /** Executes the command and cuts the connection without an answer. */
  | { readonly cut: 'unanswered' }
  /** Executes the command, never answers it or anything later on this connection. */
  | { readonly silent: true };

export interface LyingServerOptions {
  /** Called for every command of a client; undefined: the truth. `connection` counts from 1. */
  readonly lie?: (words: readonly string[], connection: number) => Lie | undefined;
  /** Sends replies one byte at a time. */
  readonly byteByByte?: boolean;
  /** Sends each reply so long after the one before it, ms. */
  readonly delayMs?: number;
}

/**
 * A small server that knows hashes and DEL, and lies where a test says so. For failures only: success is shown against a
 * real one. `executed` lists the writing commands it carried out, in order.
 */
export class LyingServer {
  readonly hashes = new Map<string, Map<string, string>>();
  readonly executed: string[][] = [];
  /** Commands that are not writes, such as the greeting. */
  readonly asked: string[][] = [];
  connections = 0;
  #busyUntil = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #options: LyingServerOptions;

  private constructor(options: LyingServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(options: LyingServerOptions = {}): Promise<LyingServer> {
    const server = new LyingServer(options);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The content as plain objects. */
  content(): Record<string, Record<string, string>> {
    return Object.fromEntries([...this.hashes].map(([key, fields]) => [key, Object.fromEntries(fields)]));
  }

  #serve(socket: Socket): void {
    const connection = ++this.connections;
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    let text = '';
    let isSilent = false;
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let parsed = parseCommand(text); parsed && !socket.destroyed; parsed = parseCommand(text)) {
        text = text.slice(parsed.length);
        const lie = this.#options.lie?.(parsed.words, connection);
        if (lie && 'cut' in lie && lie.cut === 'before') {
          socket.destroy();
          return;
        }
        const reply = lie && 'reply' in lie ? lie.reply : this.#execute(parsed.words, connection);
        isSilent ||= lie !== undefined && 'silent' in lie;
        if (lie && 'cut' in lie) {
          // What was answered before must reach the client before the end does.
          if (lie.cut === 'after') socket.end(reply);
          else socket.end();
          text = '';
          socket.pause();
          return;
        }
        if (!isSilent) this.#answer(socket, reply);
      }
    });
  }

  #answer(socket: Socket, reply: string): void {
    const { delayMs } = this.#options;
    if (delayMs !== undefined) {
      const at = Math.max(this.#busyUntil, Date.now()) + delayMs;
      this.#busyUntil = at;
      setTimeout(() => socket.writable && socket.write(reply, 'latin1'), at - Date.now());
    } else if (!this.#options.byteByByte) socket.write(reply, 'latin1');
    else for (const byte of Buffer.from(reply, 'latin1')) socket.write(Buffer.of(byte));
  }

  #execute(words: readonly string[], connection: number): string {
    const [name, key = '', ...rest] = words;
    if (name === 'HSET') {
      this.executed.push([...words]);
      const fields = this.hashes.get(key) ?? new Map<string, string>();
      for (let at = 0; at < rest.length; at += 2) fields.set(rest[at]!, rest[at + 1]!);
      this.hashes.set(key, fields);
      return `:${rest.length / 2}\r\n`;
    }
    if (name === 'HDEL') {
      this.executed.push([...words]);
      for (const field of rest) this.hashes.get(key)?.delete(field);
      if (this.hashes.get(key)?.size === 0) this.hashes.delete(key);
      return ':1\r\n';
    }
    if (name === 'DEL') {
      this.executed.push([...words]);
      return `:${this.hashes.delete(key) ? 1 : 0}\r\n`;
    }
    this.asked.push([...words]);
    if (name === 'INFO') return bulk('redis_version:7.0.0\r\nrun_id:abc\r\nrole:master\r\nloading:0\r\n');
    if (name === 'CLIENT' && key === 'ID') return `:${connection}\r\n`;
    if (name === 'CLIENT' && key === 'KILL') return ':1\r\n';
    if (name === 'COMMAND') return '*2\r\n*-1\r\n*-1\r\n';
    if (name === 'WAIT') return ':0\r\n';
    return '+OK\r\n';
  }
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

/** One whole command at the start of `text`, and its length in characters (one per byte). */
function parseCommand(text: string): { words: string[]; length: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (!head) return undefined;
  const words: string[] = [];
  let at = head[0].length;
  for (let word = 0; word < Number(head[1]); word++) {
    const end = text.indexOf('\r\n', at);
    if (end === -1) return undefined;
    const length = Number(text.slice(at + 1, end));
    if (text.length < end + 2 + length + 2) return undefined;
    words.push(text.slice(end + 2, end + 2 + length));
    at = end + 2 + length + 2;
  }
  return { words, length: at };
}
