import type { ErrorCode } from '../../errors.ts';
import type { Clock } from '../../lib/clock.ts';
import { type Expression, ExpressionError } from '../expressions/types.ts';
import { cachedExpression } from './cache.ts';
import type { CompiledExpression } from './definition.ts';

/** A block cannot be run on this record; which block is added where it is known. */
export class BlockFailure extends Error {
  readonly code: ErrorCode;
  readonly expression: string | undefined;

  constructor(code: ErrorCode, message: string, expression?: string) {
    super(message);
    this.code = code;
    this.expression = expression;
  }

  /** What an expression or a JSON column said of a record. Throws `error` again when it is a bug. */
  static of(error: unknown, expression?: string): BlockFailure {
    if (error instanceof BlockFailure) return error;
    if (!(error instanceof ExpressionError)) throw error;
    return new BlockFailure('TRANSFORM_FAILED', error.message, expression);
  }
}

/** An expression with its cache, where it has one. */
export interface RunnableExpression extends Expression {
  readonly text: string;
  readonly uncached: CompiledExpression;
}

export function runnable(expression: CompiledExpression, clock: Clock): RunnableExpression {
  const { text, reads, isVolatile } = expression;
  return { text, reads, isVolatile, evaluate: cachedExpression(expression, clock), uncached: expression };
}

/** What to do about columns that the feeder leaves out of updates, as the end of a sentence. */
export const DELIVER_ALL_COLUMNS =
  'Let the database send whole rows: ALTER TABLE … REPLICA IDENTITY FULL in PostgreSQL, supplemental logging of all columns in Oracle.';
