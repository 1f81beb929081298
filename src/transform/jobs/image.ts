import type { ErrorCode } from '../../errors.ts';
import type { ChangeEvent, Operation } from '../../types.ts';
import type { TargetWrite } from '../../write/types.ts';
import type { JobObject } from '../expressions/types.ts';

/** One state of a row after a job's blocks, as its outputs see it. */
export interface Image {
  readonly event: ChangeEvent;
  /** What to do: the event's operation, unless a job in full format wrote another one. `d` removes. */
  readonly operation: Operation;
  /** What expressions see: the row (partial format) or the record with `before`, `after`, `opcode` … (full). */
  readonly record: JobObject;
  /** The columns: the record itself (partial), or its `after`, on a delete its `before` (full). */
  readonly columns: JobObject;
  /** Names of columns that the feeder did not deliver and no block set; null when there are none, empty when it may be any. */
  readonly missing: ReadonlySet<string> | null;
  /** The row is removed because it no longer passes a filter, not because it was deleted: streams take no note of it. */
  readonly isLeaving: boolean;
}

/** An output of a job, ready to run. */
export interface JobOutput {
  /** Index into the transformer's connections. */
  readonly connection: number;
  /**
   * First names of the record's fields on which the place of a row depends (key, member, path, `foreach`, `when`); null when
   * it may be any, empty when the event's key alone says it. The old image of an update is only made when one of them changed.
   */
  readonly place: readonly string[] | null;
  /**
   * Adds the writes for the row as `image` shows it. `old` is the row before an update where it is known and passed the same
   * filters: what it left at another place is removed first. False when `when` leaves the record out and nothing was added.
   *
   * Everything is evaluated before the first write is added. Throws {@link OutputRejection}, and ExpressionError.
   */
  write(image: Image, old: Image | null, index: number, writes: TargetWrite[]): boolean;
}

/** The output cannot be written for this record. */
export class OutputRejection extends Error {
  readonly code: ErrorCode;
  readonly expression: string | undefined;
  /** `message`: what, where, how to fix. */
  constructor(code: ErrorCode, message: string, expression?: string) {
    super(message);
    this.code = code;
    this.expression = expression;
  }
}
