import type { NumberText } from '../../types.ts';

/**
 * A value as jobs see it. Objects are maps, because columns keep their order even when their names look like integers.
 * A {@link NumberText} keeps the digits that the database wrote until an expression calculates with it; an integer
 * beyond 2^53 is always one.
 */
export type JobValue = null | boolean | number | NumberText | string | JobValue[] | JobObject;
export type JobObject = Map<string, JobValue>;

/** A compiled expression. It keeps nothing from one record to the next. */
export interface Expression {
  /** The result for one record. Throws {@link ExpressionError}: that record is rejected, no other. */
  evaluate(record: JobValue): JobValue;
  /** First names of the fields it reads, or null when it may read any (`@`, `*`). */
  readonly reads: readonly string[] | null;
  /** True when the same record may give another result later: `uuid()`, `'now'`, `random()`. It is never cached. */
  readonly isVolatile: boolean;
}

/** An expression cannot be compiled: a job with it is refused. `offset` is the place in its text, from 0. */
export class ExpressionSyntaxError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** An expression fails on one record. The message names function, argument and field, and says what to do. */
export class ExpressionError extends Error {}
