import type { CompiledExpression, OutputDefinition } from '../definition.ts';
import type { Image } from '../image.ts';
import { evaluate, rejected } from './evaluate.ts';
import { expirySeconds } from './texts.ts';

/** Seconds that a key lives after a write, 0 for a key that lives for ever; null for no word about it. */
export type Lifetime = (image: Image) => number | null | typeof EXPIRED;

/** The key is expired already. */
export const EXPIRED: unique symbol = Symbol('expired');

/** The `expire` of an output. Source: specification of jobs, §7.4. */
export function compileExpire({ expire }: OutputDefinition): Lifetime {
  if (expire === null || typeof expire === 'number') {
    const seconds = expire === null || expire <= 0 ? null : Math.floor(expire);
    return () => seconds;
  }
  return (image) => computed(expire, image);
}

function computed(expression: CompiledExpression, image: Image): ReturnType<Lifetime> {
  const value = evaluate(expression, image, 'expire');
  const seconds = expirySeconds(value);
  if (seconds === undefined) {
    throw rejected(
      `The expire expression ${expression.text} gives no number of seconds that a key can live. Let it give a number, or null for keys that stay.`,
      expression,
    );
  }
  // A row that is new has left no time to live that must end.
  if (seconds === null) return image.operation === 'c' ? null : 0;
  return seconds <= 0 ? EXPIRED : seconds;
}
