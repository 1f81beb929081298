import { BoundedCache } from './bounded-cache.ts';
import { type Call, type Evaluate, type Run, refuse, refuseLiteral } from './jmespath-call.ts';
import { ExpressionError, ExpressionSyntaxError, type JobObject, type JobValue } from './types.ts';
import { isTrue } from './values.ts';

/**
 * `filter_entries(object, predicate)`: the predicate is compiled once where it is written out, else once per text. A member
 * for which it fails is left out without a word.
 */
export function prepareFilterEntries(call: Call): Run {
  const literal = call.args[1]!.literal;
  if (typeof literal === 'string') {
    const predicate = compilePredicate(call, literal, (problem) => refuseLiteral(call, 1, problem));
    return (object) => (object === null ? null : filterEntries(object as JobObject, predicate));
  }
  const predicates = new BoundedCache((text: string) =>
    compilePredicate(call, text, (problem) => refuse(call, 1, problem)),
  );
  return (object, predicate) =>
    object === null ? null : filterEntries(object as JobObject, predicates.get(predicate as string));
}

function compilePredicate(call: Call, text: string, refused: (problem: string) => never): Evaluate {
  try {
    return call.compile(text);
  } catch (error) {
    if (!(error instanceof ExpressionSyntaxError)) throw error;
    return refused(`is no JMESPath expression: ${error.message} (at offset ${error.offset} of it)`);
  }
}

function filterEntries(object: JobObject, predicate: Evaluate): JobObject {
  const kept: JobObject = new Map();
  for (const [key, value] of object) if (holds(predicate, key, value)) kept.set(key, value);
  return kept;
}

function holds(predicate: Evaluate, key: string, value: JobValue): boolean {
  const entry: JobObject = new Map();
  entry.set('key', key).set('value', value);
  try {
    return isTrue(predicate(entry));
  } catch (error) {
    if (error instanceof ExpressionError) return false;
    throw error;
  }
}
