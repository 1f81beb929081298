import type { Cluster } from 'ioredis';
import type { TargetError } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import { describeReply, judge } from './answers.ts';
import { createCluster, messageOf } from './cluster-client.ts';
import { type Dialer, dialerFor } from './dial.ts';
import { greet, loginRefused, unavailable } from './handshake.ts';
import { describeEndpoint, type Endpoint } from './options.ts';
import { type Reply, ReplyError } from './replies.ts';
import { Session, SilenceError } from './session.ts';

/** Doublings of the silence limit; the longest is eight times the configured one. */
const MAX_PATIENCE = 3;

interface Times {
  readonly connectTimeoutMs: number;
  readonly socketTimeoutMs: number;
  readonly clock: Clock;
}

/** The way to a target that is only read. */
export interface LookupLink {
  /** Connects and logs in. Throws {@link TargetError}: TARGET_AUTH, TARGET_REFUSED, or TARGET_UNAVAILABLE. */
  open(): Promise<void>;
  /** Sends the commands in one go. Fewer replies than commands when not all could be had. Never rejects. */
  ask(commands: readonly (readonly string[])[]): Promise<readonly Reply[]>;
  /** Gives the connection up; `onLost` follows unless the link looks after its connections by itself. */
  drop(reason: Error): void;
  onLost: (reason: TargetError) => void;
  close(): void;
}

/** One connection to one server: standalone, or the master that the Sentinels name. */
export class SingleLookupLink implements LookupLink {
  onLost: (reason: TargetError) => void = () => {};
  readonly #endpoint: Endpoint;
  readonly #times: Times;
  readonly #where: string;
  readonly #dialer: Dialer;
  #session: Session | undefined;
  #patience = 0;
  #isClosed = false;

  constructor(endpoint: Endpoint, times: Times) {
    this.#endpoint = endpoint;
    this.#times = times;
    this.#where = describeEndpoint(endpoint);
    this.#dialer = dialerFor(endpoint, times.connectTimeoutMs);
  }

  async open(): Promise<void> {
    const session = await this.#dial();
    try {
      const { role } = await greet(session, this.#endpoint, this.#where);
      if (!this.#dialer.accepts(role)) {
        throw unavailable(`The Sentinels named a server whose role is ${role}`, this.#where);
      }
      if (!session.isOpen || this.#isClosed) throw unavailable('The target closed the connection', this.#where);
    } catch (error) {
      session.end(new Error('the greeting failed'));
      throw error;
    }
    session.allowSilence(this.#times.socketTimeoutMs * 2 ** this.#patience);
    session.onEnd = (reason) => this.#lost(session, reason);
    this.#session = session;
  }

  async ask(commands: readonly (readonly string[])[]): Promise<readonly Reply[]> {
    if (!this.#session) return [];
    const { replies, lost } = await this.#session.commands(commands);
    if (!lost) this.#patience = 0;
    return replies;
  }

  drop(reason: Error): void {
    this.#session?.end(reason);
  }

  close(): void {
    this.#isClosed = true;
    this.#session?.end(new Error('the lookups were closed'));
    this.#dialer.close();
  }

  async #dial(): Promise<Session> {
    const { connectTimeoutMs, clock } = this.#times;
    try {
      return new Session(await this.#dialer.dial(connectTimeoutMs), connectTimeoutMs, clock.elapsed);
    } catch (error) {
      const said = error instanceof Error ? error.message || (error as NodeJS.ErrnoException).code : String(error);
      throw unavailable(`The target cannot be reached: ${said}`, this.#where, error);
    }
  }

  #lost(session: Session, reason: Error): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    if (reason instanceof SilenceError) this.#patience = Math.min(this.#patience + 1, MAX_PATIENCE);
    this.onLost(unavailable(`The connection to the target broke: ${reason.message}`, this.#where, reason));
  }
}

/** A Redis Cluster through ioredis, which finds the node of each key and looks after its connections by itself. */
export class ClusterLookupLink implements LookupLink {
  onLost: (reason: TargetError) => void = () => {};
  readonly #endpoint: Endpoint;
  readonly #times: Times;
  readonly #where: string;
  #cluster: Cluster | undefined;

  constructor(endpoint: Endpoint, times: Times) {
    this.#endpoint = endpoint;
    this.#times = times;
    this.#where = describeEndpoint(endpoint);
  }

  async open(): Promise<void> {
    this.#cluster?.disconnect();
    const { connectTimeoutMs, socketTimeoutMs } = this.#times;
    const cluster = await createCluster(this.#endpoint, connectTimeoutMs, socketTimeoutMs);
    this.#cluster = cluster;
    try {
      await within(cluster.connect(), connectTimeoutMs);
    } catch (error) {
      cluster.disconnect();
      const text = messageOf((error as { lastNodeError?: unknown }).lastNodeError ?? error);
      const said = describeReply(text);
      if (judge(text) === 'login') throw loginRefused(said, this.#where);
      throw unavailable(`The cluster cannot be reached: ${said}`, this.#where, error);
    }
  }

  async ask(commands: readonly (readonly string[])[]): Promise<readonly Reply[]> {
    const answers = await Promise.all(commands.map((command) => this.#call(command)));
    const answered = answers.filter((answer) => answer !== undefined);
    return answered.length === answers.length ? answered : [];
  }

  drop(): void {
    // A demoted master answers MOVED in a cluster, and the client follows.
  }

  close(): void {
    this.#cluster?.disconnect();
  }

  /** Undefined when the command was not answered. */
  async #call([name, ...words]: readonly string[]): Promise<Reply | undefined> {
    try {
      return (await this.#cluster?.call(name as string, ...words)) as Reply | undefined;
    } catch (error) {
      return (error as Error).name === 'ReplyError' ? new ReplyError(messageOf(error)) : undefined;
    }
  }
}

async function within(promise: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
  });
  await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
