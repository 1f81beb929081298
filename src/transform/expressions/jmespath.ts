/**
 * JMESPath as jobs use it: the grammar of 2015 with the 26 standard functions, the 21 functions that RDI adds, order between
 * texts, and literals in back quotes that are no JSON. Source: specification of expressions, sections 1 to 3 and 5.
 *
 * **In:** the text of an expression. **Out:** an {@link Expression} made of closures. What can be known without a record is
 * judged here: grammar, names of functions, number of arguments, literals of a wrong type, patterns, names of hashes.
 *
 * **Promises:** a result depends on the record only (and, where `isVolatile`, on time and chance); nothing but an
 * `ExpressionError` is thrown for a record; the record and its values are never changed, but results may share them.
 * No pattern or value can hang the process or exhaust its stack; an expression takes as long as what it goes over.
 *
 * **Does not:** tell a column that is null from one that is not there.
 */
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { Evaluate } from './jmespath-call.ts';
import { compileSyntax } from './jmespath-compile.ts';
import { parseJmespath } from './jmespath-parser.ts';
import { isVolatileSyntax, readsOf } from './jmespath-reads.ts';
import { type Expression, ExpressionError, type JobValue } from './types.ts';

export { describeFunctions, type FunctionDescription } from './jmespath-functions.ts';

/**
 * Compiles an expression; `clock` is what `time_delta_days` and `time_delta_seconds` measure against.
 * @throws ExpressionSyntaxError
 */
export function compileJmespath(text: string, clock: Clock = systemClock): Expression {
  const syntax = parseJmespath(text);
  const evaluate = bounded(compileSyntax(syntax, { text, clock }));
  return { evaluate, reads: readsOf(syntax), isVolatile: isVolatileSyntax(syntax) };
}

/** The engine ends what outgrows its stack or the longest string with a RangeError: that record is rejected, no other. */
function bounded(evaluate: Evaluate): Evaluate {
  return (record: JobValue) => {
    try {
      return evaluate(record);
    } catch (error) {
      if (error instanceof RangeError) throw new ExpressionError('the result is too large or nested too deeply');
      throw error;
    }
  };
}
