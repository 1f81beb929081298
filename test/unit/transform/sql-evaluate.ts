import { compileSql } from '../../../src/transform/expressions/sql.ts';
import type { JobValue } from '../../../src/transform/expressions/types.ts';
import { parseJson } from '../../../src/transform/expressions/values.ts';
import { NumberText } from '../../../src/types.ts';

/** The result of an expression on a record given as JSON, in which `3.0` and integers beyond 2^53 keep their digits. */
export function evaluate(expression: string, record = '{}'): JobValue {
  return compileSql(expression).evaluate(parseJson(record));
}

/** What the expected result looks like in a table: a REAL that is whole, or an integer beyond 2^53. */
export const digits = (text: string): NumberText => new NumberText(text);
