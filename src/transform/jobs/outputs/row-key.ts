import type { KeyTemplate } from '../../default-key.ts';
import type { JobValue } from '../../expressions/types.ts';
import { typeOf } from '../../expressions/values.ts';
import type { CompiledExpression, OutputDefinition } from '../definition.ts';
import { DELIVER_ALL_COLUMNS } from '../evaluation.ts';
import { type Image, OutputRejection } from '../image.ts';
import type { OutputContext } from './context.ts';
import { evaluate, rejected } from './evaluate.ts';
import { keyText } from './texts.ts';

/** The key of the target under which an output keeps a row. */
export interface RowKey {
  /** @throws OutputRejection */
  of(image: Image): string;
  /** First names of the record's fields that it reads; null when it may be any. */
  readonly reads: readonly string[] | null;
}

export function compileKey(definition: OutputDefinition, context: OutputContext): RowKey {
  if (definition.key === null) return new DefaultRowKey(context.keyTemplate);
  return new CustomRowKey(definition.key, definition.step, context);
}

class DefaultRowKey implements RowKey {
  readonly reads: readonly string[] = [];
  readonly #template: KeyTemplate;

  constructor(template: KeyTemplate) {
    this.#template = template;
  }

  of({ event }: Image): string {
    const key = this.#template.keyOf(event.key, event.table);
    if (typeof key === 'string') return key;
    throw new OutputRejection(key.code, key.reason);
  }
}

class CustomRowKey implements RowKey {
  readonly reads: readonly string[] | null;
  readonly #expression: CompiledExpression;
  readonly #step: string;
  readonly #context: OutputContext;
  #hasWarned = false;

  constructor(expression: CompiledExpression, step: string, context: OutputContext) {
    this.reads = expression.reads;
    this.#expression = expression;
    this.#step = step;
    this.#context = context;
  }

  of(image: Image): string {
    const value = evaluate(this.#expression, image, 'key');
    const text = keyText(value);
    if (text === null) throw this.#noKey(value);
    if (!this.#hasWarned && text.includes('None') && this.#readsNull(image)) this.#warn(image);
    return text;
  }

  #noKey(value: JobValue): OutputRejection {
    const { text } = this.#expression;
    const what = value === '' ? 'an empty text' : value === null ? 'null' : `an ${typeOf(value)}`;
    return rejected(
      `The key expression ${text} gives ${what}, so no target key can be built. Let it give a text or a number for every row, or filter such rows out.`,
      this.#expression,
    );
  }

  /** Whether something that the expression reads is null, so that `None` is most likely made of it. */
  #readsNull({ record, columns }: Image): boolean {
    const names = this.reads ?? [...record.keys()];
    for (const name of names) {
      const value = record.get(name) ?? null;
      if (value === null) return true;
      if (value === columns && [...columns.keys()].some((column) => columns.get(column) === null)) return true;
    }
    return false;
  }

  #warn({ event }: Image): void {
    this.#hasWarned = true;
    const { text } = this.#expression;
    const { job, onWarning } = this.#context;
    onWarning(
      `The job ${job} (${this.#step}) puts a null of the table ${event.table.table} into a key, which becomes the text None: ${text}. Filter such rows out, or set strict_keys: true to reject them. For deletes, the change may not carry the column: ${DELIVER_ALL_COLUMNS}`,
    );
  }
}
