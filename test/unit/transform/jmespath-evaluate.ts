import { compileJmespath } from '../../../src/transform/expressions/jmespath.ts';
import { ExpressionError, ExpressionSyntaxError } from '../../../src/transform/expressions/types.ts';
import { compactJson, parseJson } from '../../../src/transform/expressions/values.ts';

/** One row of a table: expression, record as JSON, result as compact JSON; `!` before words of an error. */
export type Row = readonly [expression: string, record: string, expected: string];

/** The result as compact JSON, `!` with the message when the record is rejected, `?` when the expression is refused. */
export function outcome(expression: string, record: string): string {
  try {
    return compactJson(compileJmespath(expression).evaluate(parseJson(record)));
  } catch (error) {
    if (error instanceof ExpressionError) return `!${error.message}`;
    if (error instanceof ExpressionSyntaxError) return `?${error.offset} ${error.message}`;
    throw error;
  }
}

/** JSON of a record with one column x. */
export function x(value: unknown): string {
  return JSON.stringify({ x: value });
}
