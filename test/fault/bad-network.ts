import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from './random.ts';

/** How the network treats what passes through it, either way. */
export type Mood =
  | { readonly kind: 'honest' }
  /** Each connection is cut after a random number of bytes, up to `bytes`, in either direction. */
  | { readonly kind: 'cutting'; readonly bytes: number }
  /** Bytes leave in random pieces of up to `bytes`, with a pause of up to `ms` after each. */
  | { readonly kind: 'dribbling'; readonly bytes: number; readonly ms: number };

/** A TCP proxy in front of a port of 127.0.0.1 that behaves like a bad network. */
export class BadNetwork {
  mood: Mood = { kind: 'honest' };
  connections = 0;
  cuts = 0;
  readonly #random: Random;
  readonly #port: number;
  readonly #server: Server;
  readonly #passages = new Set<Passage>();

  private constructor(port: number, random: Random) {
    this.#port = port;
    this.#random = random;
    this.#server = createServer((client) => this.#serve(client));
  }

  /** Everything that connects to its own `port` reaches `port`. */
  static async start(port: number, random: Random): Promise<BadNetwork> {
    const network = new BadNetwork(port, random);
    await new Promise<void>((resolve) => network.#server.listen(0, '127.0.0.1', resolve));
    return network;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** From now on, bytes of the connections there are do not arrive, even when the sender dies; new ones are not concerned. */
  hold(): void {
    for (const passage of this.#passages) passage.hold();
  }

  /** Delivers what was held, late. Resolves when the receiver has read it, or has refused the connection. */
  async release(): Promise<void> {
    await Promise.all([...this.#passages].map((passage) => passage.release()));
  }

  async stop(): Promise<void> {
    for (const passage of this.#passages) passage.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket): void {
    this.connections++;
    const passage: Passage = new Passage(client, connect(this.#port, '127.0.0.1'), {
      random: this.#random,
      mood: () => this.mood,
      onCut: () => this.cuts++,
      onEnd: () => this.#passages.delete(passage),
    });
    this.#passages.add(passage);
  }
}

interface PassageOptions {
  readonly random: Random;
  readonly mood: () => Mood;
  readonly onCut: () => void;
  readonly onEnd: () => void;
}

/** One connection through the network: two sockets, and what is between them. */
class Passage {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #options: PassageOptions;
  #held: Buffer[] | undefined;

  constructor(client: Socket, server: Socket, options: PassageOptions) {
    this.#client = client;
    this.#server = server;
    this.#options = options;
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
    }
    client.on('close', () => {
      if (!this.#held) this.cut();
    });
    server.on('close', () => this.cut());
    this.#pass(client, server);
    this.#pass(server, client);
  }

  hold(): void {
    this.#held ??= [];
  }

  async release(): Promise<void> {
    const held = this.#held;
    if (!held) return;
    const closed = new Promise((resolve) => this.#server.once('close', resolve));
    if (this.#server.destroyed) return;
    this.#server.end(Buffer.concat(held));
    await closed;
  }

  cut(): void {
    this.#client.destroy();
    this.#server.destroy();
    this.#options.onEnd();
  }

  #pass(from: Socket, to: Socket): void {
    const { random, mood: readMood, onCut } = this.#options;
    let left: number | undefined;
    let queue = Promise.resolve();
    from.on('data', (chunk: Buffer) => {
      const mood = readMood();
      if (this.#held) {
        if (from === this.#client) this.#held.push(chunk);
      } else if (mood.kind === 'dribbling') {
        from.pause();
        queue = queue.then(() => dribble(chunk, to, mood, random)).then(() => void from.resume());
      } else {
        if (mood.kind === 'cutting') left ??= random.below(mood.bytes);
        const part = left !== undefined && chunk.length >= left ? chunk.subarray(0, left) : undefined;
        left = left === undefined ? undefined : left - chunk.length;
        if (part) onCut();
        queue = queue.then(() => void (part ? to.write(part, () => this.cut()) : to.write(chunk)));
      }
    });
  }
}

async function dribble(
  chunk: Buffer,
  to: Socket,
  { bytes, ms }: { bytes: number; ms: number },
  random: Random,
): Promise<void> {
  for (let at = 0; at < chunk.length && !to.destroyed; ) {
    const end = at + 1 + random.below(bytes);
    to.write(chunk.subarray(at, end));
    at = end;
    await new Promise((resolve) => setTimeout(resolve, random.between(0, ms)));
  }
}
