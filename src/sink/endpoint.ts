import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { ConfigError } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import type { EmbeddedStore } from '../streams/index.ts';
import type { Client, EndpointContext } from './client.ts';
import { Connection } from './connection.ts';
import type { ConnectionInfo, EndpointUser } from './types.ts';
import { Users } from './users.ts';

/** One reply per interval to each feeder that goes on sending to a nearly full store; below its read timeout of 2 s. */
const PACING_MS = 500;
/** What a record of the journal can hold. */
const MAX_FRAME_BYTES = 2 ** 30;
const MAX_ARGUMENTS = 2 ** 24 - 1;

export interface EndpointOptions {
  host: string;
  port: number;
  users: readonly EndpointUser[];
  /** PEM texts. `clientCertificates` asks for certificates signed by `clientCa`. */
  tls?: { cert: string; key: string; clientCa?: string; clientCertificates: 'none' | 'optional' | 'required' };
  maxConnections: number;
  maxFrameBytes: number;
  maxArguments: number;
  /** A connection that has not logged in after this time is closed; without users nobody has to. */
  authTimeoutMs: number;
  testMode: boolean;
  version: string;
  clock: Clock;
  store: EmbeddedStore;
  /** Hosts of the feeders that were there before a reset; each is refused until its feeder starts anew. */
  hostsBeforeReset?: Iterable<string>;
  onNotice: (notice: { level: 'info' | 'warn'; message: string }) => void;
}

export interface EndpointState {
  readonly listening: boolean;
  readonly address: string;
  readonly connections: readonly ConnectionInfo[];
  readonly backpressure: 'none' | 'full' | 'paced' | 'refusing';
}

/** The listening socket and its connections. Open it only when the store is recovered. */
export class Endpoint {
  readonly #options: EndpointOptions;
  readonly #server: Server;
  readonly #connections = new Map<Socket, Connection>();
  readonly #context: EndpointContext;
  readonly #stopListening: () => void;
  #nextId = 1;
  #isSyncing = false;
  #wantsSync = false;
  #isClosed = false;
  #pacer: NodeJS.Timeout | undefined;

  constructor(options: EndpointOptions) {
    this.#options = options;
    const { store, clock, tls } = options;
    this.#context = {
      store,
      clock,
      users: new Users(options.users),
      version: options.version,
      startedAtMs: clock.now(),
      limits: {
        maxFrameBytes: Math.min(options.maxFrameBytes, MAX_FRAME_BYTES),
        maxBulkBytes: MAX_FRAME_BYTES,
        maxArguments: Math.min(options.maxArguments, MAX_ARGUMENTS),
        frameError: 'invalid bulk length',
        argumentsError: 'invalid multibulk length',
      },
      testMode: options.testMode,
      testMaxmemory: 0,
      clusterHosts: new Set(),
      hostsBeforeReset: new Set(options.hostsBeforeReset),
      progress: () => ({ durable: store.durable, synced: store.metadata.synced }),
      isPaced: () => this.#isPaced(),
      requestSync: () => this.#requestSync(),
      clients: () => this.#connections.values(),
      onProtocolError: (client, cause) => this.#onProtocolError(client, cause),
    };
    this.#server = tls ? createTlsServer(tlsOptions(tls)) : createServer({ noDelay: true, keepAlive: true });
    if (tls) this.#server.on('secureConnection', (socket: TLSSocket) => this.#acceptSecure(socket));
    else this.#server.on('connection', (socket: Socket) => this.#accept(socket));
    this.#server.on('tlsClientError', (cause: Error) => {
      options.onNotice({ level: 'warn', message: `A TLS connection was refused: ${cause.message}` });
    });
    this.#stopListening = store.addListener({
      onDurable: () => this.#flushAll(),
      onTakenBack: (position) => {
        for (const connection of this.#connections.values()) connection.takeBack(position);
      },
    });
  }

  /** Opens the port. Throws {@link ConfigError} when it cannot, naming address and flag. */
  async listen(): Promise<void> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      const refuse = (cause: NodeJS.ErrnoException) => {
        const why = cause.code === 'EADDRINUSE' ? 'another program uses it' : (cause.code ?? cause.message);
        reject(
          new ConfigError('CONFIG_INVALID', `The endpoint cannot listen on ${host}:${port}: ${why}`, {
            fix: 'Choose another address with --listen',
            cause,
          }),
        );
      };
      this.#server.once('error', refuse);
      this.#server.listen(port, host, () => {
        this.#server.off('error', refuse);
        resolve();
      });
    });
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : this.#options.port;
  }

  get state(): EndpointState {
    return {
      listening: this.#server.listening,
      address: `${this.#options.host}:${this.port}`,
      connections: [...this.#connections.values()].map((connection) => connection.info),
      backpressure: this.#context.testMaxmemory > 0 ? 'refusing' : this.#options.store.pressure,
    };
  }

  /** Hosts of the feeders that are connected. */
  get feederHosts(): string[] {
    return [...this.#connections.values()].filter(({ isFeeder }) => isFeeder).map(({ host }) => host);
  }

  /** Whether a feeder is connected, or is waited for, that must start anew after a reset. */
  get awaitsFeeder(): boolean {
    if (this.#options.store.awaitsFeeder) return true;
    return [...this.#connections.values()].some(({ isFeeder, mustStartAnew }) => isFeeder && mustStartAnew);
  }

  /** Stops taking connections and cuts the open ones; what they had no reply for is not acknowledged. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopListening();
    clearInterval(this.#pacer);
    const closed = this.#server.listening ? new Promise<void>((resolve) => this.#server.close(() => resolve())) : null;
    for (const connection of this.#connections.values()) connection.destroy();
    await closed;
  }

  /** Where certificates are optional Node lets every client pass; one that shows a certificate must show a good one. */
  #acceptSecure(socket: TLSSocket): void {
    const hasCertificate = Object.keys(socket.getPeerCertificate()).length > 0;
    if (this.#options.tls?.clientCertificates === 'optional' && hasCertificate && !socket.authorized) {
      const message = `A TLS connection was refused: ${socket.authorizationError ?? 'bad certificate'}`;
      this.#options.onNotice({ level: 'warn', message });
      socket.destroy();
    } else this.#accept(socket);
  }

  #accept(socket: Socket): void {
    const { maxConnections, authTimeoutMs } = this.#options;
    if (this.#connections.size >= maxConnections) {
      socket.on('error', () => {});
      socket.end('-ERR max number of clients reached\r\n', () => socket.destroy());
      return;
    }
    const connection = new Connection(socket, this.#nextId++, this.#context);
    this.#connections.set(socket, connection);
    const patience = connection.isAuthenticated
      ? undefined
      : setTimeout(() => {
          if (!connection.isAuthenticated) connection.destroy();
        }, authTimeoutMs);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => connection.receive(chunk));
    // Java clients close with a reset (SO_LINGER 0): an error here is a normal end.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(patience);
      connection.closed();
      this.#connections.delete(socket);
    });
  }

  #flushAll(): void {
    for (const connection of this.#connections.values()) connection.flush();
  }

  /** Changes of the state store that arrive while one sync runs share the next. */
  #requestSync(): void {
    this.#wantsSync = true;
    if (this.#isSyncing) return;
    this.#isSyncing = true;
    void this.#sync();
  }

  async #sync(): Promise<void> {
    while (this.#wantsSync && !this.#isClosed) {
      this.#wantsSync = false;
      try {
        await this.#options.store.sync();
      } catch (cause) {
        // The replies stay unsent; the feeder's timeout makes it ask again.
        this.#options.onNotice({
          level: 'warn',
          message: `The state store cannot be synced: ${(cause as Error).message}`,
        });
        this.#wantsSync = true;
        await new Promise((resolve) => setTimeout(resolve, PACING_MS));
        continue;
      }
      this.#flushAll();
    }
    // In the same turn as the last look at what is wanted, or a request between the two would wait for ever.
    this.#isSyncing = false;
  }

  #isPaced(): boolean {
    const isPaced = this.#options.store.pressure === 'paced';
    if (isPaced) {
      this.#pacer ??= setInterval(() => this.#pace(), PACING_MS);
    }
    return isPaced;
  }

  #pace(): void {
    if (this.#options.store.pressure === 'paced') {
      for (const connection of this.#connections.values()) connection.flushOne();
      return;
    }
    clearInterval(this.#pacer);
    this.#pacer = undefined;
    this.#flushAll();
  }

  #onProtocolError(client: Client, cause: Error): void {
    const { address, name } = client.info;
    this.#options.onNotice({
      level: 'warn',
      message: `Closed the connection of ${name || 'a client'} at ${address}: ${cause.message} If it is a feeder, it will connect again.`,
    });
  }
}

function tlsOptions(tls: NonNullable<EndpointOptions['tls']>): TlsOptions {
  const { cert, key, clientCa, clientCertificates } = tls;
  return {
    cert,
    key,
    ...(clientCa ? { ca: clientCa } : {}),
    requestCert: clientCertificates !== 'none',
    rejectUnauthorized: clientCertificates === 'required',
    minVersion: 'TLSv1.2',
  };
}
