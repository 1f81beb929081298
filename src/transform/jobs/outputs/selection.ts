import type { JobObject, JobValue } from '../../expressions/types.ts';
import { copyObject, isTrue, typeOf } from '../../expressions/values.ts';
import type { CompiledExpression, OutputDefinition } from '../definition.ts';
import type { Image } from '../image.ts';
import { evaluate, rejected, withColumns } from './evaluate.ts';
import { joinReads } from './place.ts';

/** Which records an output takes, and how many times each: `when` and `foreach`. */
export class Selection {
  /** First names of the record's fields that it reads; null when it may be any. */
  readonly reads: readonly string[] | null;
  readonly #when: CompiledExpression | null;
  readonly #foreach: OutputDefinition['foreach'];

  constructor({ when, foreach }: OutputDefinition) {
    this.#when = when;
    this.#foreach = foreach;
    this.reads = joinReads([when?.reads ?? (when ? null : []), foreach ? foreach.expression.reads : []]);
  }

  /** Name of the field that `foreach` adds. */
  get elementName(): string | null {
    return this.#foreach?.name ?? null;
  }

  /**
   * Whether `when` is true. Of a delete without the row nothing can be said, and all it does is to remove what is there, so
   * it is taken.
   */
  wants(image: Image): boolean {
    if (this.#when === null) return true;
    if (image.operation === 'd' && image.event.before === null) return true;
    return isTrue(evaluate(this.#when, image, 'when'));
  }

  /** The record, or one copy per element of `foreach`. */
  imagesOf(image: Image): readonly Image[] {
    if (this.#foreach === null) return [image];
    const { name, expression } = this.#foreach;
    const elements = evaluate(expression, image, 'foreach');
    if (elements === null) return [];
    if (Array.isArray(elements)) return elements.map((element) => withElement(image, name, element));
    throw rejected(
      `The foreach expression ${expression.text} gives no array but one ${typeOf(elements)}. Put it into an array, [value] in JMESPath.`,
      expression,
    );
  }
}

/** A full record holds the element twice: beside its row for expressions, and in the row for `args` and `mapping`. */
function withElement(image: Image, name: string, element: JobValue): Image {
  const { event, operation, record, isLeaving } = image;
  const columns = withField(image.columns, name, element);
  const isRow = record === image.columns;
  const whole = isRow ? columns : withField(withColumns(record, image.columns, columns), name, element);
  let { missing } = image;
  if (missing?.has(name)) missing = new Set([...missing].filter((column) => column !== name));
  return { event, operation, record: whole, columns, missing, isLeaving };
}

function withField(object: JobObject, name: string, value: JobValue): JobObject {
  return copyObject(object).set(name, value);
}
