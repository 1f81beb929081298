import type { Clock } from '../lib/clock.ts';
import type { EmbeddedStore } from '../streams/index.ts';
import type { Connection } from './connection.ts';
import type { Progress } from './reply-queue.ts';
import type { RequestLimits } from './request-parser.ts';
import type { Users } from './users.ts';

/** What all connections of an endpoint share. */
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
  /** In test mode: the limit set by `CONFIG SET maxmemory`; 0 for none. */
  testMaxmemory: number;
  progress(): Progress;
  /** True while replies to `XADD` leave one by one. */
  isPaced(): boolean;
  /** Asks for a sync of the state store; connections are flushed when it is done. */
  requestSync(): void;
  connections(): Iterable<Connection>;
  onProtocolError(connection: Connection, cause: Error): void;
}
