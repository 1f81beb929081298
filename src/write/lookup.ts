import { TargetError } from '../errors.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { LookupError, type LookupReply } from '../transform/types.ts';
import { describeReply, judge } from './answers.ts';
import { backoffMs, type RetryOptions } from './backoff.ts';
import { loginRefused, unavailable } from './handshake.ts';
import { ClusterLookupLink, type LookupLink, SingleLookupLink } from './lookup-links.ts';
import { describeEndpoint, endpointOf, type TargetConnection } from './options.ts';
import { type Reply, ReplyError } from './replies.ts';
import type { TargetState } from './types.ts';

/** Commands and characters of one pipeline; what is more goes in the next one. */
const MAX_COMMANDS = 1000;
const MAX_CHARACTERS = 512 * 1024;

export interface LookupOptions {
  readonly connection: TargetConnection;
  readonly retry: RetryOptions;
  readonly connectTimeoutMs: number;
  /** Longest silence while an answer is due. Doubles while the target stays silent, so a slow one is not cut in a loop. */
  readonly socketTimeoutMs: number;
  readonly onState: (state: TargetState) => void;
  readonly random?: () => number;
  readonly clock?: Clock;
}

/**
 * Reads from one target for lookups, over a connection of its own: a lookup never waits behind writes, nor they behind it.
 *
 * Trouble is waited out: a connection that cannot be had, a server that loads, is busy, or refuses our login. Then the
 * commands are asked again; they only read. An error reply about a command itself is the reply of that command.
 */
export class TargetLookup {
  readonly #retry: RetryOptions;
  readonly #onState: (state: TargetState) => void;
  readonly #random: () => number;
  readonly #clock: Clock;
  readonly #where: string;
  readonly #link: LookupLink;
  readonly #closing = new AbortController();
  #state: TargetState = { state: 'connecting' };
  #isOpen = false;
  /** Calls of {@link read} that wait. */
  #asking = 0;
  #opening: Promise<void> | undefined;
  /** Troubles since the last answer without any. */
  #attempts = 0;

  /** Throws ConfigError when the connection's URL cannot be read. */
  constructor(options: LookupOptions) {
    const { retry, onState, random = Math.random, clock = systemClock } = options;
    this.#retry = retry;
    this.#onState = onState;
    this.#random = random;
    this.#clock = clock;
    const endpoint = endpointOf(options.connection);
    this.#where = describeEndpoint(endpoint);
    const { connectTimeoutMs, socketTimeoutMs } = options;
    const times = { connectTimeoutMs, socketTimeoutMs, clock };
    this.#link = endpoint.cluster ? new ClusterLookupLink(endpoint, times) : new SingleLookupLink(endpoint, times);
    this.#link.onLost = (reason) => this.#lost(reason);
  }

  get state(): TargetState {
    return this.#state;
  }

  /** Starts connecting, and keeps trying. Never rejects; resolves once there was a connection, or on `close`. */
  connect(): Promise<void> {
    return this.#open().catch(() => {});
  }

  /**
   * Sends the commands in one pipeline (in several when they are many) and resolves with their replies, in order. Rejects
   * only when `signal` is aborted, with its reason, or after {@link close}.
   */
  async read(commands: readonly (readonly string[])[], signal: AbortSignal): Promise<readonly LookupReply[]> {
    const replies: LookupReply[] = [];
    this.#asking++;
    try {
      while (replies.length < commands.length) {
        const part = nextPart(commands, replies.length);
        for (const reply of await this.#ask(part, signal)) replies.push(toLookupReply(reply));
      }
      return replies;
    } finally {
      this.#asking--;
    }
  }

  /** Gives the connection up for good. */
  close(): void {
    this.#closing.abort(unavailable('The connection for lookups was closed', this.#where));
    this.#link.close();
  }

  /** The replies to one pipeline, none of which tells of trouble. */
  async #ask(commands: readonly (readonly string[])[], signal: AbortSignal): Promise<readonly Reply[]> {
    for (;;) {
      await orAborted(this.#open(), signal);
      const answers = await orAborted(this.#link.ask(commands), signal);
      const trouble = answers.find((reply) => reply instanceof ReplyError && isTrouble(reply.text));
      if (answers.length === commands.length && !trouble) {
        this.#recovered();
        return answers;
      }
      if (trouble instanceof ReplyError) this.#meet(trouble.text);
      // A lost connection has reported itself already; a Cluster client does not.
      else if (this.#isOpen) this.#note(unavailable('A part of the target did not answer', this.#where));
      // One that worked is replaced at once.
      if (trouble || this.#attempts > 1) await pause(this.#delayMs(), signal);
    }
  }

  #meet(text: string): void {
    const said = describeReply(text);
    const verdict = judge(text);
    const error =
      verdict === 'login'
        ? loginRefused(said, this.#where)
        : unavailable(`The target does not answer lookups now: ${said}`, this.#where);
    this.#note(error);
    // A connection that lost its login, or leads to a former master, is of no use any more.
    if (verdict === 'reconnect' || text.startsWith('NOAUTH')) this.#link.drop(error);
  }

  #open(): Promise<void> {
    if (this.#isOpen) return Promise.resolve();
    this.#opening ??= this.#keepOpening().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #keepOpening(): Promise<void> {
    const { signal } = this.#closing;
    for (;;) {
      signal.throwIfAborted();
      try {
        await this.#link.open();
        this.#isOpen = true;
        break;
      } catch (error) {
        if (!signal.aborted) this.#note(error instanceof TargetError ? error : unavailable(String(error), this.#where));
        await pause(this.#delayMs(), signal);
      }
    }
    if (signal.aborted) this.#link.close();
    // With a question in doubt, only its answer tells whether the trouble is over.
    else if (this.#asking === 0) this.#recovered();
  }

  #lost(reason: TargetError): void {
    this.#isOpen = false;
    if (this.#closing.signal.aborted) return;
    this.#note(reason);
    void this.connect();
  }

  #recovered(): void {
    if (!this.#isOpen) return;
    this.#attempts = 0;
    if (this.#state.state !== 'ready') this.#setState({ state: 'ready' });
  }

  #note(error: TargetError): void {
    this.#attempts++;
    const before = this.#state;
    const since = 'since' in before && before.code === error.code ? before.since : this.#clock.now();
    const state = error.code === 'TARGET_AUTH' || error.code === 'TARGET_REFUSED' ? 'refused' : 'waiting';
    this.#setState({ state, code: error.code, message: error.message, since, attempts: this.#attempts });
  }

  #delayMs(): number {
    return backoffMs(this.#retry, Math.max(1, this.#attempts), this.#random);
  }

  #setState(state: TargetState): void {
    this.#state = state;
    this.#onState(state);
  }
}

function nextPart(commands: readonly (readonly string[])[], start: number): readonly (readonly string[])[] {
  let characters = 0;
  let end = start;
  while (end < commands.length && end - start < MAX_COMMANDS && characters < MAX_CHARACTERS) {
    for (const word of commands[end] as readonly string[]) characters += word.length;
    end++;
  }
  return start === 0 && end === commands.length ? commands : commands.slice(start, end);
}

/** Whether the reply speaks of the server's state and not of the command: asked again later it will be another one. */
function isTrouble(text: string): boolean {
  if (/^ERR unknown (?:sub)?command/i.test(text)) return false;
  const verdict = judge(text);
  return verdict === 'retry' || verdict === 'reconnect' || verdict === 'login';
}

function toLookupReply(reply: Reply): LookupReply {
  if (reply instanceof ReplyError) return new LookupError(reply.text);
  return Array.isArray(reply) ? reply.map(toLookupReply) : (reply as LookupReply);
}

/** The promise's outcome, or the signal's reason as soon as it is aborted. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, delayMs);
  });
  return orAborted(over, signal).finally(() => clearTimeout(timer));
}
