import type { Value } from '../../../types.ts';
import type { OutputArgument as ArgumentDefinition, CompiledExpression, FieldPath } from '../definition.ts';
import type { Image } from '../image.ts';
import { columnAt, evaluate } from './evaluate.ts';
import { asValue } from './texts.ts';

/** A member, score or value of a row: a column, or an expression. */
export interface OutputArgument {
  /** Unavailable when the column was not delivered, null when there is none. Throws OutputRejection. */
  of(image: Image): Value;
  /** First names of the record's fields that it reads; null when it may be any. */
  readonly reads: readonly string[] | null;
  /** How messages name it: `the column age`. */
  readonly what: string;
  readonly expression: CompiledExpression | undefined;
}

/** `name` is the argument's own: `member`. Columns are those of the row, which full records have in `after`. */
export function compileArgument(
  name: string,
  definition: ArgumentDefinition,
  rowFormat: 'partial' | 'full',
): OutputArgument {
  if ('column' in definition) return columnArgument(definition.column, rowFormat);
  const { expression } = definition;
  return {
    of: (image) => asValue(evaluate(expression, image, name)),
    reads: expression.reads,
    what: `the expression ${expression.text}`,
    expression,
  };
}

function columnArgument(path: FieldPath, rowFormat: 'partial' | 'full'): OutputArgument {
  return {
    of: (image) => columnAt(image, path),
    reads: columnReads(path, rowFormat),
    what: `the column ${path.join('.')}`,
    expression: undefined,
  };
}

/** First names under which a record holds a column of its row. */
export function columnReads(path: FieldPath, rowFormat: 'partial' | 'full'): readonly string[] {
  const names = path.length === 1 ? path : [path[0] as string, path.join('.')];
  // A map may have made the record the row alone.
  return rowFormat === 'full' ? ['after', ...names] : names;
}
