import type { ErrorCode } from '../errors.ts';
import type { Rejection, Row, Value } from '../types.ts';

/** A value that can be written as it is: what is left when null and unavailable are sorted out. */
export type Writable = Exclude<Value, null | symbol>;

/** Which output of which job asked for a write; one object per output, shared by all its writes. */
export interface WriteOrigin {
  readonly job: string;
  /** The output's place in the job, for example `output[1] redis.write`. */
  readonly step: string;
}

interface WriteBase {
  /** Key of the target Redis. */
  readonly key: string;
  /** Index, within its batch, of the entry that asked for this write. */
  readonly index: number;
  /** Absent for tables without a job. */
  readonly origin?: WriteOrigin;
}

interface LastingWrite extends WriteBase {
  /**
   * Whole seconds that the key lives from this write on; 0: for ever, an earlier time to live ends. Absent: as Redis itself
   * does it: `SET` and a replaced hash lose an earlier time to live, every other write leaves it; so does `JSON.SET` (RedisJSON
   * 2.6.9).
   */
  readonly expire?: number;
}

/** Set the row's columns as hash fields. Unavailable columns stay as they are. */
export interface HashWrite extends LastingWrite {
  readonly kind: 'hash';
  readonly row: Row;
  /** Whether null columns are removed from the hash (updates, snapshot rows); a create has nothing to remove. */
  readonly removeNulls: boolean;
  /** Make the hash exactly the row, atomically: fields of others go, unavailable columns keep what is stored. */
  readonly replace?: boolean;
}

/**
 * Write the row as a JSON document. `replace` sets the whole document; `merge` applies it as an RFC 7396 patch.
 * A partial row is always merged: what was not delivered must not be erased.
 */
export interface JsonWrite extends LastingWrite {
  readonly kind: 'json';
  readonly row: Row;
  readonly mode: 'replace' | 'merge';
  /**
   * For `replace`: paths of member names whose stored value survives, where there is one: children that other jobs nest
   * into the document, values that were not delivered.
   */
  readonly keep?: readonly (readonly string[])[];
}

export interface DeleteWrite extends WriteBase {
  readonly kind: 'delete';
}

/** Remove only these fields of a hash, or members (paths of names) of a document; the rest of the key stays. */
export interface RemoveFieldsWrite extends WriteBase {
  readonly kind: 'remove_fields';
  readonly type: 'hash' | 'json';
  /** For a hash every path has one name. Not empty. */
  readonly paths: readonly (readonly string[])[];
}

/** Add a member to a set, or take it out. */
export interface SetWrite extends LastingWrite {
  readonly kind: 'set';
  readonly member: string;
  readonly isMember: boolean;
}

/** Give a member of a sorted set its score, or take it out (null). */
export interface SortedSetWrite extends LastingWrite {
  readonly kind: 'sorted_set';
  readonly member: string;
  /** A number as Redis reads it, `inf` and `-inf` included. */
  readonly score: string | null;
}

/** Append an entry to a stream. Repeating it appends again. */
export interface StreamWrite extends LastingWrite {
  readonly kind: 'stream';
  /** Fields in order; null and unavailable ones are left out. At least one is set. */
  readonly row: Row;
}

export interface StringWrite extends LastingWrite {
  readonly kind: 'string';
  readonly value: Writable;
}

/** One step into a document: a member's name, or the element of an array whose `field` equals `value`. */
export type NestStep = string | { readonly field: string; readonly value: Writable };

/**
 * Merge the row into a place inside the document of another table, creating the document and every level of the path; or take
 * the place out of it (null), which never creates anything. An array step that matches no element appends one.
 */
export interface NestWrite extends LastingWrite {
  readonly kind: 'nest';
  readonly path: readonly NestStep[];
  readonly row: Row | null;
  /** Whether a missing document is created; otherwise the write does nothing then. */
  readonly createsParent: boolean;
}

/** One operation bound for one key of the target. */
export type TargetWrite =
  | HashWrite
  | JsonWrite
  | DeleteWrite
  | RemoveFieldsWrite
  | SetWrite
  | SortedSetWrite
  | StreamWrite
  | StringWrite
  | NestWrite;

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
