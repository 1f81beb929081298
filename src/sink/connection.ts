import type { Socket } from 'node:net';
import { decide } from './append.ts';
import { Client, type EndpointContext } from './client.ts';
import { execute } from './commands/index.ts';
import { error } from './resp-text.ts';
import type { ConnectionInfo } from './types.ts';

const UNDECIDED_MS = 50;
const LINGER_MS = 500;
const MAX_UNSENT_BYTES = 1 << 20;
/** A disk slower than the network would leave the rest of a large pipeline in memory. */
const MAX_UNSYNCED_BYTES = 32 << 20;

/** One client: parses its commands, runs them in order, sends the replies when what they promise is true. */
export class Connection extends Client {
  readonly #socket: Socket;
  readonly #createdAt: number;
  #lastCommandAt: number;
  #lastChunkAt: number;
  #commands = 0;
  #isPaused = false;
  #isSending = false;
  #isHeldBack = false;
  #isClosed = false;
  #closeAfterReplies = false;
  #undecided: NodeJS.Timeout | undefined;

  constructor(socket: Socket, id: number, context: EndpointContext) {
    super(id, context, {
      remote: `${socket.remoteAddress ?? 'unix'}:${socket.remotePort ?? 0}`,
      local: socket.localAddress ?? '127.0.0.1',
      localPort: socket.localPort ?? 0,
    });
    this.#socket = socket;
    this.#createdAt = context.clock.elapsed();
    this.#lastCommandAt = this.#createdAt;
    this.#lastChunkAt = this.#createdAt;
  }

  override get isClosed(): boolean {
    return this.#isClosed;
  }

  override get info(): ConnectionInfo {
    const now = this.context.clock.elapsed();
    return {
      id: this.id,
      name: Buffer.from(this.name, 'latin1').toString('utf8'),
      address: this.address,
      user: this.user,
      ageSec: Math.floor((now - this.#createdAt) / 1000),
      idleSec: Math.floor((now - this.#lastCommandAt) / 1000),
      commands: this.#commands,
    };
  }

  receive(chunk: Buffer): void {
    // Behind a bad frame nothing can be understood, and behind QUIT nothing counts.
    if (this.#isClosed) return;
    const now = this.context.clock.elapsed();
    if (!this.parser.isInsideFrame) this.restMs = now - this.#lastChunkAt;
    this.#lastChunkAt = now;
    this.parser.push(chunk);
    if (!this.#isPaused) this.#run(false);
    this.#holdBack();
  }

  /**
   * Reads no more of a pipeline while the disk is far behind; its feeder waits in its write, which knows no timeout. Clients
   * that do not append are not held back by the others.
   */
  #holdBack(): void {
    if (!this.isInSubBatch || this.#isClosed || this.#unsyncedBytes <= MAX_UNSYNCED_BYTES) return;
    this.#isHeldBack = true;
    this.#socket.pause();
  }

  get #unsyncedBytes(): number {
    const { store } = this.context;
    return store.appended - store.durable;
  }

  /** Stops parsing until `work` is done; the current command is run again then. */
  override pauseFor(work: Promise<void>): void {
    this.#isPaused = true;
    work.then(
      () => {
        this.#isPaused = false;
        if (!this.#isClosed) this.#run(true);
      },
      () => this.destroy(),
    );
  }

  /** Sends what may leave now. */
  flush(): void {
    if (this.#isHeldBack && this.#unsyncedBytes <= MAX_UNSYNCED_BYTES / 2) {
      this.#isHeldBack = false;
      this.#socket.resume();
    }
    if (this.#isSending || this.#isClosed) return;
    const isPaced = this.context.isPaced();
    const { text, pieces } = isPaced ? this.#paced() : this.replies.take(this.context.progress());
    if (text) this.#socket.write(text, 'latin1');
    if (pieces) void this.#sendPieces(pieces);
    else if (this.#closeAfterReplies && this.replies.isEmpty) this.#end('');
  }

  /** Called once per pacing interval while feeders are slowed down. */
  flushOne(): void {
    if (this.#isSending || this.#isClosed) return;
    const { text, pieces } = this.replies.takeOne(this.context.progress());
    if (text) this.#socket.write(text, 'latin1');
    if (pieces) void this.#sendPieces(pieces);
  }

  /** The socket is gone. */
  closed(): void {
    this.#isClosed = true;
    clearTimeout(this.#undecided);
  }

  /** The journal took entries back. */
  takeBack(position: number): void {
    if (this.replies.takeBack(position)) {
      if (this.isOfCluster) {
        this.destroy();
        return;
      }
      this.isSticky = true;
    }
    if (this.comparing) decide(this);
    this.flush();
  }

  override closeAfterReplies(): void {
    this.#closeAfterReplies = true;
  }

  /** Cuts the connection; a feeder sends again what was not answered. */
  override destroy(): void {
    this.#isClosed = true;
    clearTimeout(this.#undecided);
    this.#socket.destroy();
  }

  #run(again: boolean): void {
    this.#lastCommandAt = this.context.clock.elapsed();
    this.replies.startTurn();
    try {
      let hasCommand = again || this.parser.next();
      while (hasCommand && !this.#closeAfterReplies) {
        this.#commands++;
        if (this.parser.count > 0) execute(this);
        if (this.#isPaused || this.#isClosed) return;
        hasCommand = this.parser.next();
      }
    } catch (cause) {
      this.#refuseFrame(cause as Error);
      return;
    }
    if (this.comparing) this.#decideSoon();
    this.flush();
  }

  /**
   * After a frame that is no Redis protocol nothing behind it can be understood. A feeder gets no error: it would take
   * it for the answer to an `XADD` and drop that record.
   */
  #refuseFrame(cause: Error): void {
    this.context.onProtocolError(this, cause);
    this.flush();
    if (this.hasAppended || this.name || !this.replies.isEmpty || this.#isSending) this.#socket.destroy();
    else this.#end(error(`ERR ${cause.message.replace(/\.$/, '')}`));
    this.#isClosed = true;
  }

  /** Closes behind the last reply; a client that never closes its side must not keep the socket. */
  #end(text: string): void {
    this.#socket.end(text, 'latin1', () => setTimeout(() => this.#socket.destroy(), LINGER_MS).unref());
  }

  /** A feeder that waits for replies sends nothing more: a shorter pipeline than the stored one must not hang. */
  #decideSoon(): void {
    clearTimeout(this.#undecided);
    this.#undecided = setTimeout(() => {
      if (!this.comparing || this.#isClosed || this.parser.isInsideFrame) return;
      this.replies.startTurn();
      decide(this);
      this.flush();
    }, UNDECIDED_MS);
  }

  #paced(): { text: string; pieces: AsyncIterable<string> | null } {
    return this.isInSubBatch ? { text: '', pieces: null } : this.replies.take(this.context.progress());
  }

  async #sendPieces(pieces: AsyncIterable<string>): Promise<void> {
    this.#isSending = true;
    try {
      for await (const piece of pieces) {
        if (this.#isClosed) return;
        this.#socket.write(piece, 'latin1');
        while (this.#socket.writableLength > MAX_UNSENT_BYTES && !this.#isClosed) await this.#drained();
        // Pieces may come without a pause; the other connections have their turn between them.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } catch {
      // The header of the reply may have left already: only a cut tells the client that it is not complete.
      this.destroy();
    }
    this.#isSending = false;
    this.flush();
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#socket.off('drain', done);
        this.#socket.off('close', done);
        resolve();
      };
      this.#socket.once('drain', done);
      this.#socket.once('close', done);
    });
  }
}
