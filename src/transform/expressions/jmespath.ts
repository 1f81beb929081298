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
import type { Evaluate, Source } from './jmespath-call.ts';
import { compileSyntax } from './jmespath-compile.ts';
import { parseJmespath } from './jmespath-parser.ts';
import { canGiveObject, isVolatileSyntax, readsOf } from './jmespath-reads.ts';
import type { Syntax } from './jmespath-syntax.ts';
import { type Expression, ExpressionError, type JobValue } from './types.ts';

export { describeFunctions, type FunctionDescription } from './jmespath-functions.ts';

export interface JmespathOptions {
  /** Null put into a text by `concat` is an error of that record, instead of the word `None`. */
  readonly strictText?: boolean;
}

/**
 * Compiles an expression; `clock` is what `time_delta_days` and `time_delta_seconds` measure against.
 * @throws ExpressionSyntaxError
 */
export function compileJmespath(text: string, clock: Clock = systemClock, options: JmespathOptions = {}): Expression {
  return compileParsed(parseJmespath(text), { text, clock, strictText: options.strictText ?? false });
}

/** One member of an object that an expression writes out: a name, and what gives its value. */
export interface ObjectMember {
  readonly name: string;
  /** The part of the expression behind the name. */
  readonly text: string;
  readonly value: Expression | readonly ObjectMember[];
}

/**
 * Compiles an expression that gives an object: member by member where it writes them out (`{id: id, …}`), as a whole where it
 * gets one otherwise, such as `merge(@, {…})`; null when it can give none.
 * @throws ExpressionSyntaxError
 */
export function compileJmespathObject(
  text: string,
  clock: Clock = systemClock,
): readonly ObjectMember[] | Expression | null {
  const syntax = parseJmespath(text);
  const source = { text, clock, strictText: false };
  // All of it first: a mistake in a member is told with its place in the whole text.
  const whole = compileParsed(syntax, source);
  if (syntax.kind === 'hash') return membersOf(syntax, source);
  return canGiveObject(syntax) ? whole : null;
}

function membersOf(syntax: Syntax & { kind: 'hash' }, source: Source): readonly ObjectMember[] {
  return syntax.items.map((item, index) => ({
    name: syntax.names[index]!,
    text: source.text.slice(item.start, item.end),
    value: item.kind === 'hash' ? membersOf(item, source) : compileParsed(item, source),
  }));
}

function compileParsed(syntax: Syntax, source: Source): Expression {
  const evaluate = bounded(compileSyntax(syntax, source));
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
