import type { Clock } from '../lib/clock.ts';
import type { EmbeddedStore } from '../streams/index.ts';
import type { StoredEntry } from '../streams/resends.ts';
import type { StoredStream } from '../streams/types.ts';
import { type Progress, ReplyQueue } from './reply-queue.ts';
import { type RequestLimits, RequestParser, STRANGERS_LIMITS } from './request-parser.ts';
import type { RespVersion } from './resp-text.ts';
import type { ConnectionInfo } from './types.ts';
import type { Users } from './users.ts';

/** What all clients of an endpoint share. */
export interface EndpointContext {
  readonly store: EmbeddedStore;
  readonly users: Users;
  readonly clock: Clock;
  readonly version: string;
  readonly startedAtMs: number;
  readonly limits: RequestLimits;
  /** Serves `DEL` and `CONFIG SET maxmemory`, for Debezium's own tests. */
  readonly testMode: boolean;
  /** Hosts with a client that asked `CLUSTER SLOTS`. */
  readonly clusterHosts: Set<string>;
  /** Hosts whose feeder was there before a reset and has not started anew since. */
  readonly hostsBeforeReset: Set<string>;
  /** In test mode: the limit set by `CONFIG SET maxmemory`; 0 for none. */
  testMaxmemory: number;
  progress(): Progress;
  /** True while replies to `XADD` leave one by one. */
  isPaced(): boolean;
  /** Asks for a sync of the state store; connections are flushed when it is done. */
  requestSync(): void;
  clients(): Iterable<Client>;
  onProtocolError(client: Client, cause: Error): void;
}

/** Fields of an entry in RESP form, `bytes[start, end)`. */
export interface Fields {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly count: number;
}

/** An entry that was read and is not appended yet. */
export interface HeldEntry {
  readonly stream: StoredStream;
  readonly fields: Fields;
  readonly explicitId: EntryIdPair | undefined;
}

/** The first pipeline of a reconnected feeder beside the entries that its last sub-batch left. */
export interface Comparing {
  readonly stored: readonly StoredEntry[];
  readonly held: HeldEntry[];
}

export type EntryIdPair = readonly [number, number];

/** What a client's socket must do, beyond what commands can see. */
export interface ClientAddress {
  readonly remote: string;
  readonly local: string;
  readonly localPort: number;
}

/**
 * What commands see of a connection: who the client is, what it sent, and where its replies go. `connection.ts` drives it.
 */
export abstract class Client {
  readonly id: number;
  readonly context: EndpointContext;
  readonly parser: RequestParser;
  readonly replies = new ReplyQueue();
  readonly address: string;
  readonly localAddress: string;
  readonly localPort: number;
  db = 0;
  resp: RespVersion = 2;
  user = '';
  isAuthenticated: boolean;
  /** OOM was answered and nothing but `XADD` came since: nothing more is stored. */
  isSticky = false;
  /** Hash of name, host and user; 0 while the client has no name, then nothing of it is recognised as sent again. */
  origin = 0;
  /** True between an `XADD` and the next other command. */
  isInSubBatch = false;
  hasAppended = false;
  /** It has sent another command after an `XADD`, as all feeders but those of Debezium 1.9.0 do. */
  separates = false;
  /** How long nothing had come when the command at hand began to arrive; 0 for the next commands of a chunk. */
  restMs = 0;
  lastStream: StoredStream | null = null;
  /** While the first pipeline of a reconnected feeder is compared with the one stored before. */
  comparing: Comparing | null = null;
  readonly library = new Map<string, string>();

  #name = '';

  constructor(id: number, context: EndpointContext, address: ClientAddress) {
    this.id = id;
    this.context = context;
    this.parser = new RequestParser(context.users.isOpen ? context.limits : STRANGERS_LIMITS);
    this.address = address.remote;
    this.localAddress = address.local;
    this.localPort = address.localPort;
    this.isAuthenticated = context.users.isOpen;
    if (context.users.isOpen) this.user = 'default';
  }

  abstract readonly isClosed: boolean;
  abstract readonly info: ConnectionInfo;
  /** Stops parsing until `work` is done; the current command is run again then. */
  abstract pauseFor(work: Promise<void>): void;
  /** Ends the connection behind the last reply. */
  abstract closeAfterReplies(): void;
  /** Cuts the connection; a feeder sends again what was not answered. */
  abstract destroy(): void;

  get name(): string {
    return this.#name;
  }

  set name(name: string) {
    this.#name = name;
    this.identify();
  }

  /** The client has logged in. */
  admit(): void {
    this.isAuthenticated = true;
    this.parser.limits = this.context.limits;
  }

  /** The client is as new again. */
  expel(): void {
    this.isAuthenticated = this.context.users.isOpen;
    this.user = this.isAuthenticated ? 'default' : '';
    this.parser.limits = this.isAuthenticated ? this.context.limits : STRANGERS_LIMITS;
  }

  /** Recomputes who the feeder is; called when name or user change. */
  identify(): void {
    this.origin = this.#name ? hash(`${this.#name}\n${this.host}\n${this.user}`) : 0;
  }

  get host(): string {
    return this.address.slice(0, this.address.lastIndexOf(':'));
  }

  /** It goes on where it was before a reset, as far as one can tell: nothing of it may be stored. */
  get mustStartAnew(): boolean {
    const { store, hostsBeforeReset } = this.context;
    return store.awaitsFeeder || (hostsBeforeReset.size > 0 && hostsBeforeReset.has(this.host));
  }

  /**
   * The client reads a hash. Feeders read their offsets when they start, and only then; everybody else who looks at them has
   * another name.
   */
  readsHash(): void {
    if (this.name !== 'debezium:offsets' && !this.isOfCluster) return;
    this.context.hostsBeforeReset.delete(this.host);
    this.context.store.feederStarts();
  }

  /** Whether it has sent something that a feeder sends. */
  get isFeeder(): boolean {
    return this.hasAppended || this.name.startsWith('debezium:');
  }

  /**
   * A client in cluster mode, which stops at OOM (spec/debezium-sink-protocol.md §9). It asks `CLUSTER SLOTS` on one
   * connection and appends on others; none of them has a name.
   */
  get isOfCluster(): boolean {
    return this.#name === '' && this.context.clusterHosts.has(this.host);
  }
}

/** FNV-1a over the characters; never 0. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0 || 1;
}
