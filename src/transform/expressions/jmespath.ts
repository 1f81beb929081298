/**
 * JMESPath as jobs use it: the grammar of 2015 with the 26 standard functions, the 21 functions that RDI adds, order between
 * texts, and literals in back quotes that are no JSON. Source: specification of expressions, sections 1 to 3 and 5.
 *
 * **In:** the text of an expression. **Out:** an {@link Expression} made of closures. What can be known without a record is
 * judged here: grammar, names of functions, number of arguments, literals of a wrong type, patterns, names of hashes.
 *
 * **Promises:** a result depends on the record only (and, where `isVolatile`, on time and chance); nothing but an
 * `ExpressionError` is thrown for a record; the record and its values are never changed, but results may share them.
 * No expression, pattern or value can hang the process or exhaust its stack.
 *
 * **Does not:** tell a column that is null from one that is not there.
 */
import { compileSyntax } from './jmespath-compile.ts';
import { parseJmespath } from './jmespath-parser.ts';
import { isVolatileSyntax, readsOf } from './jmespath-reads.ts';
import type { Expression } from './types.ts';

export { describeFunctions, type FunctionDescription } from './jmespath-functions.ts';

/** @throws ExpressionSyntaxError */
export function compileJmespath(text: string): Expression {
  const syntax = parseJmespath(text);
  return { evaluate: compileSyntax(syntax, text), reads: readsOf(syntax), isVolatile: isVolatileSyntax(syntax) };
}
