/**
 * # outputs: what a job writes
 *
 * **In**: an {@link OutputDefinition} and what is known of its job. **Out**: a {@link JobOutput}, which turns states of rows into
 * writes. Source: specification of jobs, §7 and §14.
 *
 * | data type | place of a row | written as | taken away by |
 * |---|---|---|---|
 * | hash, JSON | key | the columns, or what `mapping` lists | delete of the key; with `on_delete: fields` only what is written |
 * | string | key | one value; null takes it away | delete of the key |
 * | set, sorted set | key and member | member, score; a null score takes it away, a null member is no place | removal of the member |
 * | nest | parent's key and path | the columns merged into the parent's document | removal of the entry or element |
 * | stream | none | an entry for every change, deletes too | nothing |
 *
 * **Promises**: everything is evaluated before the first write is added; a row whose place changes leaves its old one first, as
 * far as its earlier state is known; nothing is written, deleted or placed by a column that was not delivered; what jobs nest
 * into a document survives when the document is replaced.
 *
 * Decisions where the language leaves a choice:
 * - `when` false: nothing is written. What the row left while it was true is taken away. A delete is judged by the row that was
 *   deleted; without it (`before` null) it is not judged, and takes away what there is.
 * - `foreach`: places of elements that are gone are taken away. Null and `[]` mean no element; what is no array is refused.
 *   `when` is asked for each element.
 * - `on_delete: keep` says what a delete does; rows that move, or leave by `filter_removes`, still leave nothing behind.
 * - A lifetime of less than a second is none: the key is deleted.
 */
import { InternalError } from '../../../errors.ts';
import { type Clock, systemClock } from '../../../lib/clock.ts';
import { cachedExpression } from '../cache.ts';
import type { CompiledExpression, OutputDefinition } from '../definition.ts';
import type { JobOutput } from '../image.ts';
import { compileArgument, type OutputArgument } from './argument.ts';
import type { OutputContext } from './context.ts';
import type { OutputExpression } from './evaluate.ts';
import { HashRows, JsonRows, StringRows } from './keyed.ts';
import { SetRows, SortedSetRows } from './members.ts';
import { NestedRows } from './nested.ts';
import { PlacedOutput } from './placed.ts';
import { compileKey } from './row-key.ts';
import { StreamOutput } from './stream.ts';

export type { OutputContext } from './context.ts';
export { NestedPaths } from './nested-paths.ts';

/** Makes an output ready to run. The definition is checked already: arguments that its data type needs are there. */
export function compileOutput(written: OutputDefinition, context: OutputContext): JobOutput {
  const definition = withCaches(written, context.clock ?? systemClock);
  const { nest, dataType } = definition;
  if (nest !== null) return new PlacedOutput(definition, new NestedRows(definition, nest, context), context);
  const key = compileKey(definition, context);
  const argument = (name: 'member' | 'score' | 'value'): OutputArgument => {
    const defined = definition[name];
    if (defined === null) throw new InternalError(`The ${dataType} output of the job ${context.job} has no ${name}`);
    return compileArgument(name, defined, context.rowFormat);
  };
  switch (dataType) {
    case 'hash':
      return new PlacedOutput(definition, new HashRows(definition, key), context);
    case 'json':
      return new PlacedOutput(definition, new JsonRows(definition, key, context), context);
    case 'string':
      return new PlacedOutput(definition, new StringRows(key, argument('value')), context);
    case 'set':
      return new PlacedOutput(definition, new SetRows(definition, key, argument('member'), context), context);
    case 'sorted_set': {
      const rows = new SortedSetRows(definition, key, argument('member'), argument('score'), context);
      return new PlacedOutput(definition, rows, context);
    }
    case 'stream':
      return new StreamOutput(definition, key, context);
  }
}

/** The caches that the job asks for; with or without them the results are the same. */
function withCaches(definition: OutputDefinition, clock: Clock): OutputDefinition {
  const { key, expire } = definition;
  const lifetime = expire === null || typeof expire === 'number' ? expire : withCache(expire, clock);
  return { ...definition, key: key && withCache(key, clock), expire: lifetime };
}

function withCache(expression: CompiledExpression, clock: Clock): OutputExpression {
  if (expression.cache === null) return expression;
  return { ...expression, evaluate: cachedExpression(expression, clock), uncached: expression };
}
