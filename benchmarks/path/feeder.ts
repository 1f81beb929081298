import { connect, type Socket } from 'node:net';
import { encodeCommand } from './events.ts';

const PREAMBLE = Buffer.concat([encodeCommand(['INFO', 'memory']), encodeCommand(['PING'])]);

/** Counts complete replies without making sense of them; `\r\n` never occurs inside the replies that a feeder gets but INFO's. */
class ReplyCounter {
  #rest = '';

  /** How many replies are complete with this chunk. Throws on an error reply: a benchmark must not measure refusals. */
  count(chunk: Buffer): number {
    const text = this.#rest + chunk.toString('latin1');
    let at = 0;
    let replies = 0;
    for (;;) {
      const lineEnd = text.indexOf('\r\n', at);
      if (lineEnd < 0) break;
      const type = text[at];
      if (type === '-') throw new Error(`the endpoint refused: ${text.slice(at, lineEnd)}`);
      let end = lineEnd + 2;
      if (type === '$') end += Number(text.slice(at + 1, lineEnd)) + 2;
      if (end > text.length) break;
      at = end;
      replies++;
    }
    this.#rest = text.slice(at);
    return replies;
  }
}

/** Sends sub-batches as Debezium's sink does: INFO, PING, the whole pipeline, then all replies before the next one. */
export class Feeder {
  readonly #socket: Socket;
  readonly #counter = new ReplyCounter();
  #expected = 0;
  #onReplies: (() => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#expected -= this.#counter.count(chunk);
      if (this.#expected === 0) this.#onReplies?.();
    });
  }

  static async connect(port: number, name = 'debezium:redis:sink'): Promise<Feeder> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const feeder = new Feeder(socket);
    await feeder.send(encodeCommand(['CLIENT', 'SETNAME', name]), 1);
    return feeder;
  }

  /** One sub-batch; resolves when all of it is acknowledged. */
  async sendSubBatch(pipeline: Buffer, entries: number): Promise<void> {
    await this.send(PREAMBLE, 2);
    await this.send(pipeline, entries);
  }

  send(bytes: Buffer, replies: number): Promise<void> {
    this.#expected = replies;
    return new Promise((resolve) => {
      this.#onReplies = resolve;
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
