import type { ErrorCode } from '../errors.ts';
import type { Rejection, Row } from '../types.ts';

interface WriteBase {
  /** Key of the target Redis. */
  readonly key: string;
  /** Index, within its batch, of the entry that asked for this write. */
  readonly index: number;
}

/** Set the row's columns as hash fields. Unavailable columns stay as they are. */
export interface HashWrite extends WriteBase {
  readonly kind: 'hash';
  readonly row: Row;
  /** Whether null columns are removed from the hash (updates, snapshot rows); a create has nothing to remove. */
  readonly removeNulls: boolean;
}

/**
 * Write the row as a JSON document. `replace` sets the whole document; `merge` applies it as an RFC 7396 patch.
 * A partial row is always merged: what was not delivered must not be erased.
 */
export interface JsonWrite extends WriteBase {
  readonly kind: 'json';
  readonly row: Row;
  readonly mode: 'replace' | 'merge';
}

export interface DeleteWrite extends WriteBase {
  readonly kind: 'delete';
}

/** One operation bound for one key of the target. */
export type TargetWrite = HashWrite | JsonWrite | DeleteWrite;

/** A write that the target will never take: that record alone goes to the DLQ. */
export interface Refused extends Rejection {
  readonly index: number;
  readonly key: string;
}

/** What became of a batch of writes, reported when the last of them is answered. Every other write was accepted. */
export interface WriteOutcome {
  /** Entries whose state was folded into a later write of the same key; the target has the later state. */
  readonly superseded: readonly number[];
  readonly refused: readonly Refused[];
}

export type TargetState =
  | { readonly state: 'connecting' | 'ready' }
  | {
      /** `waiting`: a transient error, repeated with backoff. `refused`: user, password or permission. */
      readonly state: 'waiting' | 'refused';
      readonly code: ErrorCode;
      readonly message: string;
      /** ms since the epoch. */
      readonly since: number;
      readonly attempts: number;
    };
