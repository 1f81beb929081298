import { translatePattern } from '../../expressions/python-pattern.ts';
import { PatternProblem } from '../../expressions/python-pattern-types.ts';
import { compilePattern } from '../../expressions/sql-regexp.ts';
import { ExpressionError, ExpressionSyntaxError } from '../../expressions/types.ts';

/** A pattern cannot be used; the message says why. */
export class UnusablePattern extends Error {}

/**
 * A test whether a pattern matches the whole of a name. Patterns are matched in time proportional to the name; those that
 * look ahead or behind cannot be, and are matched by trying, unless they could take for ever.
 * Throws {@link UnusablePattern}.
 */
export function compileWholePattern(pattern: string, ignoresCase: boolean): (name: string) => boolean {
  const isFolded = ignoresCase || pattern.startsWith('(?i)');
  const bare = pattern.startsWith('(?i)') ? pattern.slice('(?i)'.length) : pattern;
  try {
    const test = compilePattern(`${isFolded ? '(?i)' : ''}^(?:${bare})$`);
    return (name) => isFound(test, name);
  } catch (error) {
    if (!(error instanceof ExpressionSyntaxError)) throw error;
    return byTrying(pattern, isFolded);
  }
}

function isFound(test: (text: string) => boolean, name: string): boolean {
  try {
    return test(name);
  } catch (error) {
    // Names of tables are short; one that is too long for the pattern is none that somebody meant.
    if (error instanceof ExpressionError) return false;
    throw error;
  }
}

function byTrying(pattern: string, isFolded: boolean): (name: string) => boolean {
  try {
    const { source, ignoreCase, isNested } = translatePattern(pattern);
    if (isNested) throw new UnusablePattern('it repeats what repeats itself, which can take for ever');
    const expression = new RegExp(`^(?:${source})$`, isFolded || ignoreCase ? 'iv' : 'v');
    // Some limits of the engine show only when a pattern is used for the first time.
    expression.test('');
    return (name) => name.length <= MAX_NAME_LENGTH && expression.test(name);
  } catch (error) {
    if (error instanceof UnusablePattern) throw error;
    if (error instanceof PatternProblem)
      throw new UnusablePattern(`${error.message} (at character ${error.offset + 1})`);
    throw new UnusablePattern('it is too large');
  }
}

/** No database has longer ones. */
const MAX_NAME_LENGTH = 256;
