import type { ChangeEvent, Rejection, TableIdentity } from '../types.ts';
import type { TargetWrite } from '../write/types.ts';

/** Lane of the tables whose writes go to the default target and whose jobs wait for nothing. */
export const MAIN_LANE = 'main';

/** What a batch of events became; filled in by {@link EventTransformer.transform}. */
export interface TransformResults {
  /**
   * One list per connection, in the order of {@link EventTransformer.connections}; in each the writes stand in the order of
   * their events, and those of one event in the order of the job's outputs.
   */
  readonly writes: readonly TargetWrite[][];
  /** The event leaves nothing to write, as a job wants it. Events that are neither filtered nor rejected are written. */
  filtered(index: number): void;
  /** The event failed. With several outputs there may be writes of those that did not fail. */
  rejected(index: number, rejection: Rejection): void;
}

/** Change events to writes: jobs where there are some, the default mapping for every other table. */
export interface EventTransformer {
  /** Names under `targets` that are written to; the first is `target` unless no job and no default needs it. */
  readonly connections: readonly string[];
  /**
   * Tables of one lane may wait for each other; a lane never waits for another one. Jobs that look something up, or write
   * elsewhere than to `target`, have lanes of their own: one for each set of connections that they need.
   */
  laneOf(table: TableIdentity): string;
  /** Name of the job that handles a table; null for the default mapping. */
  jobOf(table: TableIdentity): string | null;
  /**
   * Transforms `events[i]` for every `i` that is not null, in order. Synchronous unless a job in the batch looks something
   * up. One event never affects another. Rejects only with the reason of `signal`, or on a bug of ours.
   */
  transform(
    events: readonly (ChangeEvent | null)[],
    results: TransformResults,
    signal: AbortSignal,
  ): void | Promise<void>;
}

/** A reply of a lookup: text, null, arrays of these; an error reply rejects the record that asked. */
export type LookupReply = string | number | null | LookupError | readonly LookupReply[];

export class LookupError {
  /** The target's own words. */
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Reads from one connection for lookups; handed to the jobs by `control/`. */
export interface LookupReader {
  /**
   * Sends all commands in one pipeline and resolves with their replies, in order. Trouble with the connection is waited
   * out and everything is asked again; rejects only when `signal` is aborted.
   */
  read(commands: readonly (readonly string[])[], signal: AbortSignal): Promise<readonly LookupReply[]>;
}
