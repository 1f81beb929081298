import type { ChangeEvent, Rejection, TableIdentity } from '../types.ts';

/** What a record is that changes no row. Counted, never rejected. */
export type ControlKind =
  | 'tombstone'
  | 'heartbeat'
  | 'schema-change'
  | 'transaction'
  | 'message'
  | 'notification'
  | 'signal'
  | 'truncate'
  | 'partial-update';

export interface ControlEvent {
  readonly kind: 'control';
  readonly control: ControlKind;
}

/** An entry that cannot be understood; it goes to the DLQ with its original bytes. */
export interface Undecodable extends Rejection {
  readonly kind: 'undecodable';
}

/**
 * Tables whose flattened rows a stream holds, by what the rows say of them. A delete that comes as an empty value says
 * nothing of itself, so this must be known also right after a restart.
 */
export type FlatTables = readonly (readonly [id: string, table: TableIdentity])[];

export type Decoded = ChangeEvent | ControlEvent | Undecodable;

/** A setting of the feeder that damages data, seen in what it sends. Reported once per stream and property. */
export interface FeederWarning {
  readonly stream: string;
  /** The property to set, for example `debezium.source.decimal.handling.mode=string`. */
  readonly property: string;
  readonly message: string;
}
