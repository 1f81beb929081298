import type { Socket } from 'node:net';
import { CommandBuffer } from './encode.ts';
import { type Reply, ReplyError, ReplyFault, ReplyParser } from './replies.ts';

/** Replies in command order; fewer than commands when the connection was lost, and then `lost` says why. */
export interface SessionAnswer {
  readonly replies: readonly Reply[];
  readonly lost: Error | null;
}

interface Waiting {
  readonly count: number;
  readonly replies: Reply[];
  readonly resolve: (answer: SessionAnswer) => void;
}

/** No answer came for so long that the connection was given up. */
export class SilenceError extends Error {}

/**
 * One connection: bytes out, replies in, matched by order.
 *
 * It promises that every `send` resolves: with all replies, or with those that came before the connection ended. A
 * connection that sends what is no reply, or a reply nobody asked for, is closed: its order cannot be trusted.
 */
export class Session {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  readonly #parser: ReplyParser;
  readonly #clock: () => number;
  #silenceMs: number;
  #timer: NodeJS.Timeout | undefined;
  #lastSign = 0;
  #lost: Error | null = null;
  #finished = false;
  /** Called once, when the connection is gone and every `send` was resolved. */
  onEnd: (reason: Error) => void = () => {};

  /** `socket` is connected; `silenceMs` as in {@link allowSilence}; `clock`: monotonic ms. */
  constructor(socket: Socket, silenceMs: number, clock: () => number) {
    this.#socket = socket;
    this.#silenceMs = silenceMs;
    this.#clock = clock;
    this.#parser = new ReplyParser((reply) => this.#take(reply));
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => {
      this.#lost ??= error;
    });
    socket.on('end', () => this.end(new Error('the target closed the connection')));
    socket.on('close', () => this.#finish());
    if (socket.destroyed) queueMicrotask(() => this.#finish());
  }

  get isOpen(): boolean {
    return this.#lost === null && !this.#socket.destroyed;
  }

  /** Sets the longest time without a byte while replies are due, ms; from the next `send` on. */
  allowSilence(silenceMs: number): void {
    this.#silenceMs = silenceMs;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /**
   * Sends bytes that hold `count` commands. Never rejects. `written` is called when the bytes may be overwritten; it is
   * not called when the connection is lost before.
   */
  send(bytes: Uint8Array, count: number, written?: () => void): Promise<SessionAnswer> {
    if (!this.isOpen) {
      return Promise.resolve({ replies: [], lost: this.#lost ?? new Error('the connection is closed') });
    }
    return new Promise((resolve) => {
      if (this.#waiting.length === 0) this.#lastSign = this.#clock();
      this.#waiting.push({ count, replies: [], resolve });
      this.#timer ??= setTimeout(() => this.#checkSilence(), this.#silenceMs);
      this.#socket.write(bytes, (error) => {
        if (!error) written?.();
      });
    });
  }

  /** Sends commands given as words. Never rejects. */
  commands(commands: readonly (readonly string[])[]): Promise<SessionAnswer> {
    const buffer = new CommandBuffer(4096);
    for (const words of commands) {
      buffer.begin(words.length);
      for (const word of words) buffer.text(word);
    }
    return this.send(buffer.bytes.subarray(0, buffer.length), commands.length);
  }

  /** Closes at once; what is unanswered stays in doubt. */
  end(reason: Error): void {
    this.#lost ??= reason;
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#lastSign = this.#clock();
    try {
      this.#parser.push(chunk);
    } catch (error) {
      if (!(error instanceof ReplyFault)) throw error;
      this.end(error);
    }
  }

  #take(reply: Reply): void {
    if (this.#lost !== null) return;
    const waiting = this.#waiting[0];
    if (waiting === undefined) {
      const said = reply instanceof ReplyError ? `: ${reply.text}` : '';
      throw new ReplyFault(`the target sent a reply that no command asked for${said}`);
    }
    waiting.replies.push(reply);
    if (waiting.replies.length < waiting.count) return;
    this.#waiting.shift();
    waiting.resolve({ replies: waiting.replies, lost: null });
  }

  #checkSilence(): void {
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const silent = this.#clock() - this.#lastSign;
    if (silent >= this.#silenceMs) {
      this.end(new SilenceError(`the target did not answer for ${Math.round(silent)} ms`));
    } else {
      this.#timer = setTimeout(() => this.#checkSilence(), Math.max(1, this.#silenceMs - silent));
    }
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    clearTimeout(this.#timer);
    const reason = this.#lost ?? new Error('the target closed the connection');
    this.#lost = reason;
    for (const waiting of this.#waiting.splice(0)) waiting.resolve({ replies: waiting.replies, lost: reason });
    this.onEnd(reason);
  }
}
