import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { commandBytes } from './bulk-strings.ts';

/** A client that sends bytes and hands back replies byte for byte. */
export class RawClient {
  readonly socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #waiting: (() => void)[] = [];
  isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes.subarray(this.#at), chunk]);
      this.#at = 0;
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  /** `localAddress`: the host that it comes from. */
  static async connect(port: number, tls?: ConnectionOptions, localAddress = '127.0.0.1'): Promise<RawClient> {
    const place = { port, host: '127.0.0.1' };
    const socket = tls ? connectTls({ ...place, ...tls }) : connect({ ...place, localAddress });
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once(tls ? 'secureConnect' : 'connect', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  send(bytes: Buffer | string): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Sends a command and waits for its reply, in Latin-1. */
  async ask(...words: (string | Buffer)[]): Promise<string> {
    this.send(commandBytes(...words));
    return this.reply();
  }

  /** The next whole reply. Rejects when the connection closes, or after `limitMs`. */
  async reply(limitMs = 10_000): Promise<string> {
    const end = performance.now() + limitMs;
    for (;;) {
      const to = replyEnd(this.#bytes, this.#at);
      if (to !== null) {
        const text = this.#bytes.toString('latin1', this.#at, to);
        this.#at = to;
        return text;
      }
      if (this.isClosed) throw new Error(`closed, after ${JSON.stringify(String(this.#bytes.subarray(this.#at)))}`);
      if (performance.now() > end) throw new Error(`no reply within ${limitMs} ms`);
      await this.#more(end - performance.now());
    }
  }

  async replies(count: number, limitMs?: number): Promise<string[]> {
    const replies: string[] = [];
    for (let i = 0; i < count; i++) replies.push(await this.reply(limitMs));
    return replies;
  }

  /** Everything up to the end of the connection. */
  async rest(limitMs = 10_000): Promise<string> {
    const end = performance.now() + limitMs;
    while (!this.isClosed) {
      if (performance.now() > end) throw new Error(`not closed within ${limitMs} ms`);
      await this.#more(end - performance.now());
    }
    return this.#bytes.toString('latin1', this.#at);
  }

  /** Bytes that came and were not taken as a reply. */
  get unread(): string {
    return this.#bytes.toString('latin1', this.#at);
  }

  close(): void {
    this.socket.destroy();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #more(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, limitMs));
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** Where the RESP2 or RESP3 reply that begins at `at` ends; null when it is not complete. */
export function replyEnd(bytes: Buffer, at: number): number | null {
  const line = bytes.indexOf('\r\n', at);
  if (line < 0) return null;
  const kind = String.fromCharCode(bytes[at] ?? 0);
  const number = Number(bytes.toString('latin1', at + 1, line));
  if (kind === '$' || kind === '=' || kind === '!') {
    if (number < 0) return line + 2;
    return line + 2 + number + 2 <= bytes.length ? line + 2 + number + 2 : null;
  }
  const items = kind === '*' || kind === '~' || kind === '>' ? number : kind === '%' ? number * 2 : 0;
  let end: number | null = line + 2;
  for (let i = 0; i < items && end !== null; i++) end = replyEnd(bytes, end);
  return end;
}
