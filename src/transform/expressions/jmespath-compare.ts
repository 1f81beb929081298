import { describe, type Evaluate, maskOf, NUMBER, TEXT } from './jmespath-call.ts';
import type { Syntax } from './jmespath-syntax.ts';
import { compareNumbers } from './numbers.ts';
import { ExpressionError, type JobValue } from './types.ts';
import { compareText, isEqual } from './values.ts';

type Comparison = Syntax & { kind: 'compare' };

/**
 * `==` and `!=` compare any values. Order exists between numbers and between texts; a number against a text rejects the
 * record, anything else gives null.
 */
export function compileComparison(syntax: Comparison, left: Evaluate, right: Evaluate, text: string): Evaluate {
  switch (syntax.operator) {
    case '==':
      return (value) => isEqual(left(value), right(value));
    case '!=':
      return (value) => !isEqual(left(value), right(value));
    case '<':
      return ordered(syntax, left, right, text, (order) => order < 0);
    case '<=':
      return ordered(syntax, left, right, text, (order) => order <= 0);
    case '>':
      return ordered(syntax, left, right, text, (order) => order > 0);
    case '>=':
      return ordered(syntax, left, right, text, (order) => order >= 0);
  }
}

function ordered(
  syntax: Comparison,
  left: Evaluate,
  right: Evaluate,
  text: string,
  holds: (order: number) => boolean,
): Evaluate {
  return (value) => {
    const a = left(value);
    const b = right(value);
    if (typeof a === 'number' && typeof b === 'number') return holds(a - b);
    if (typeof a === 'string' && typeof b === 'string') return holds(compareText(a, b));
    const both = maskOf(a) | maskOf(b);
    if (both === NUMBER) return holds(compareNumbers(a as number, b as number));
    return both === (NUMBER | TEXT) ? refuseOrder(syntax, text, a, b) : null;
  };
}

function refuseOrder({ start, end, left, right }: Comparison, text: string, a: JobValue, b: JobValue): never {
  const textual = typeof a === 'string' ? left : right;
  const remedy = `to_number(${text.slice(textual.start, textual.end)})`;
  throw new ExpressionError(
    `${text.slice(start, end)}: ${describe(a)} and ${describe(b)} have no order. Compare ${remedy} instead`,
  );
}
