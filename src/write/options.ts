import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { ConfigError } from '../errors.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { RetryOptions } from './backoff.ts';
import type { TargetState } from './types.ts';

/** A host and port; what Sentinels and Cluster nodes are named by. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** TLS of the target; certificates and keys are PEM contents, already read from wherever they are kept. */
export interface TargetTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly keyPassword?: string;
  /** Whether the certificate must name the host; true unless set. */
  readonly verifyHostname?: boolean;
}

/** Where the target is and how to log in. Single fields win over the same part of `url`. */
export interface TargetConnection {
  /** `redis://`, `rediss://` (TLS) or `unix:///path?db=1`. */
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly db?: number;
  /** TLS is on when this is given; an empty object means the system's certificate authorities. */
  readonly tls?: TargetTls;
  readonly socketPath?: string;
  readonly sentinel?: { name: string; nodes: readonly HostPort[]; user?: string; password?: string };
  readonly cluster?: { nodes: readonly HostPort[] };
}

/** What one pipeline did; for metrics, once per pipeline. */
export interface PipelineReport {
  readonly writes: number;
  /** Bytes sent; 0 for a Cluster, where the client does the encoding. */
  readonly bytes: number;
  readonly durationMs: number;
  readonly refused: number;
  /** Writes that stay in doubt or met a transient error, and are sent again. */
  readonly retried: number;
}

/** A connection as its server knows it: the server process, and the connection's number there. */
export interface ConnectionId {
  readonly runId: string;
  readonly clientId: string;
}

/** Keeps the id of the last connection beyond the life of this process. */
export interface ConnectionMemory {
  read(): ConnectionId | null;
  /** Throws when it cannot be kept. */
  remember(connection: ConnectionId): void;
}

export interface WriterOptions {
  readonly connection: TargetConnection;
  /** Where the last connection of this or an earlier process is kept; without it only this process' own is known. */
  readonly lastConnection?: ConnectionMemory;
  /** Writes per pipeline (`write_batch_size`). */
  readonly maxWritesPerPipeline?: number;
  /** Bytes after which a pipeline is closed; one write larger than that travels alone. */
  readonly maxBytesPerPipeline?: number;
  /** Batches that may be handed over and not settled, and pipelines that may be on the wire. */
  readonly maxBatchesInFlight?: number;
  readonly retry?: RetryOptions;
  /** Replica check after each pipeline (`WAIT 1 timeout`). */
  readonly wait?: {
    readonly enabled: boolean;
    readonly timeoutMs: number;
    readonly retry: boolean;
    readonly retryDelayMs: number;
  };
  /** False selects RDI's older merge, in which null is stored as null. */
  readonly nativeJsonMerge?: boolean;
  readonly connectTimeoutMs?: number;
  /** Longest silence while an answer is due. Doubles while the target stays silent, so a slow one is not cut in a loop. */
  readonly socketTimeoutMs?: number;
  readonly random?: () => number;
  readonly clock?: Clock;
  readonly onState?: (state: TargetState) => void;
  readonly onPipeline?: (report: PipelineReport) => void;
  /** Something a user should know that stops nothing, in one sentence. */
  readonly onWarning?: (message: string) => void;
}

/** Options with every default filled in. */
export type FullOptions = Required<WriterOptions>;

export function withDefaults(options: WriterOptions): FullOptions {
  return {
    maxWritesPerPipeline: 200,
    maxBytesPerPipeline: 1024 * 1024,
    maxBatchesInFlight: 4,
    retry: { initialDelayMs: 1000, maxDelayMs: 10_000, multiplier: 2 },
    lastConnection: { read: () => null, remember: () => {} },
    wait: { enabled: false, timeoutMs: 1000, retry: true, retryDelayMs: 1000 },
    nativeJsonMerge: true,
    connectTimeoutMs: 10_000,
    socketTimeoutMs: 10_000,
    random: Math.random,
    clock: systemClock,
    onState: () => {},
    onPipeline: () => {},
    onWarning: () => {},
    ...options,
  };
}

/** One connection's worth of {@link TargetConnection}, with the URL taken apart. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly socketPath: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  readonly tls: ConnectionOptions | undefined;
  readonly sentinel: TargetConnection['sentinel'];
  readonly cluster: TargetConnection['cluster'];
}

/** Takes the URL apart and fills in defaults. Throws {@link ConfigError} (without the URL: it may hold a password). */
export function endpointOf(connection: TargetConnection): Endpoint {
  const parsed = connection.url === undefined ? {} : parseUrl(connection.url);
  const host = connection.host ?? parsed.host ?? '127.0.0.1';
  const port = connection.port ?? parsed.port ?? 6379;
  const tls = connection.tls ?? parsed.tls;
  return {
    host,
    port,
    socketPath: connection.socketPath ?? parsed.socketPath,
    user: connection.user ?? parsed.user,
    password: connection.password ?? parsed.password,
    db: connection.db ?? parsed.db ?? 0,
    // Sentinels and Cluster nodes have names of their own.
    tls: tls && tlsOptions(tls, connection.sentinel || connection.cluster ? undefined : host),
    sentinel: connection.sentinel,
    cluster: connection.cluster,
  };
}

/** How messages name the target: never with user or password. */
export function describeEndpoint(endpoint: Endpoint): string {
  const list = (nodes: readonly HostPort[]) => nodes.map((node) => `${node.host}:${node.port}`).join(', ');
  if (endpoint.sentinel) return `master "${endpoint.sentinel.name}" of the Sentinels ${list(endpoint.sentinel.nodes)}`;
  if (endpoint.cluster) return `cluster ${list(endpoint.cluster.nodes)}`;
  return endpoint.socketPath ?? `${endpoint.host}:${endpoint.port}`;
}

function parseUrl(text: string): TargetConnection {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = url?.protocol;
  if (!url || (scheme !== 'redis:' && scheme !== 'rediss:' && scheme !== 'unix:')) {
    throw new ConfigError('CONFIG_INVALID', 'The URL of the target cannot be read', {
      fix: 'Write redis://HOST:PORT/DB, rediss://… for TLS, or unix:///PATH?db=DB',
    });
  }
  const login = {
    ...(url.username ? { user: decodeURIComponent(url.username) } : {}),
    ...(url.password ? { password: decodeURIComponent(url.password) } : {}),
  };
  const dbText = scheme === 'unix:' ? url.searchParams.get('db') : url.pathname.slice(1) || url.searchParams.get('db');
  const db = dbText ? { db: databaseNumber(dbText) } : {};
  if (scheme === 'unix:') return { socketPath: decodeURIComponent(url.pathname), ...login, ...db };
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    ...(host ? { host: decodeURIComponent(host) } : {}),
    ...(url.port ? { port: Number(url.port) } : {}),
    ...(scheme === 'rediss:' ? { tls: {} } : {}),
    ...login,
    ...db,
  };
}

function databaseNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw new ConfigError('CONFIG_INVALID', `The URL of the target names the database "${text}"`, {
      fix: 'Write a number after the slash, for example redis://127.0.0.1:6379/0',
    });
  }
  return Number(text);
}

function tlsOptions(tls: TargetTls, host: string | undefined): ConnectionOptions {
  return {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.keyPassword === undefined ? {} : { passphrase: tls.keyPassword }),
    // An address must not be sent as server name (RFC 6066); the certificate is still checked against it.
    ...(host === undefined || isIP(host) ? {} : { servername: host }),
    ...(tls.verifyHostname === false ? { checkServerIdentity: () => undefined } : {}),
    rejectUnauthorized: true,
  };
}
