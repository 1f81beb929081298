/** A user of the endpoint. All users may do everything: one who may `PING` may also `XADD`. */
export interface EndpointUser {
  readonly name: string;
  readonly password: string;
}

/** What is known of a connection, for status and `CLIENT LIST`. */
export interface ConnectionInfo {
  readonly id: number;
  readonly name: string;
  /** `host:port` of the client. */
  readonly address: string;
  readonly user: string;
  readonly ageSec: number;
  readonly idleSec: number;
  readonly commands: number;
}
