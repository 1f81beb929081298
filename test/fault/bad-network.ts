import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from './random.ts';

export interface ProxyOptions {
  readonly targetPort: number;
  readonly random: Random;
}

/** How a proxy treats what passes through it, either way. */
export type Mood =
  | { readonly kind: 'honest' }
  /** Each connection is cut after a random number of bytes, up to `bytes`, in either direction. */
  | { readonly kind: 'cutting'; readonly bytes: number }
  /** Bytes leave in random pieces of up to `bytes`, with a pause of up to `ms` between them. */
  | { readonly kind: 'dribbling'; readonly bytes: number; readonly ms: number };

/** A TCP proxy in front of a server on 127.0.0.1 that can behave like a bad network. */
export class BadNetwork {
  readonly #options: ProxyOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  mood: Mood = { kind: 'honest' };
  connections = 0;
  cuts = 0;

  private constructor(options: ProxyOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(options: ProxyOptions): Promise<BadNetwork> {
    const proxy = new BadNetwork(options);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket): void {
    this.connections++;
    const server = connect(this.#options.targetPort, '127.0.0.1');
    const cut = () => {
      for (const socket of [client, server]) {
        this.#sockets.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', cut);
      socket.on('close', cut);
    }
    this.#pass(client, server, cut);
    this.#pass(server, client, cut);
  }

  #pass(from: Socket, to: Socket, cut: () => void): void {
    const { random } = this.#options;
    let left = Number.POSITIVE_INFINITY;
    let queue = Promise.resolve();
    from.on('data', (chunk: Buffer) => {
      const { mood } = this;
      if (mood.kind === 'cutting' && left === Number.POSITIVE_INFINITY) left = random.below(mood.bytes);
      if (mood.kind === 'cutting' && chunk.length >= left) {
        this.cuts++;
        to.write(chunk.subarray(0, left), cut);
        return;
      }
      if (mood.kind === 'honest') left = Number.POSITIVE_INFINITY;
      left -= chunk.length;
      if (mood.kind !== 'dribbling') {
        queue = queue.then(() => void to.write(chunk));
        return;
      }
      from.pause();
      queue = queue.then(() => this.#dribble(chunk, to, mood)).then(() => void from.resume());
    });
    from.on('end', () => void queue.then(() => to.end()));
  }

  async #dribble(chunk: Buffer, to: Socket, { bytes, ms }: { bytes: number; ms: number }): Promise<void> {
    const { random } = this.#options;
    for (let at = 0; at < chunk.length && !to.destroyed; ) {
      const end = at + 1 + random.below(bytes);
      to.write(chunk.subarray(at, end));
      at = end;
      await new Promise((resolve) => setTimeout(resolve, random.between(0, ms)));
    }
  }
}
