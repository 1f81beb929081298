import type { JobObject, JobValue } from '../../expressions/types.ts';
import { copyObject, isTrue, typeOf } from '../../expressions/values.ts';
import type { CompiledExpression, OutputDefinition } from '../definition.ts';
import type { Image } from '../image.ts';
import { evaluate, rejected, withColumns } from './evaluate.ts';
import { joinReads } from './place.ts';

/** Which records an output takes, and how many times each: `when` and `foreach`. */
export class Selection {
  readonly #when: CompiledExpression | null;
  readonly #foreach: OutputDefinition['foreach'];

  constructor({ when, foreach }: OutputDefinition) {
    this.#when = when;
    this.#foreach = foreach;
  }

  /**
   * First names of the record's fields on which it depends where rows are kept; null when it may be any. `reads` are those of the
   * place itself. The element is no field of the record.
   */
  readsWith(reads: readonly string[] | null): readonly string[] | null {
    const names = joinReads([reads, this.#when === null ? [] : this.#when.reads]);
    if (this.#foreach === null) return names;
    const { name, expression } = this.#foreach;
    return joinReads([names?.filter((one) => one !== name) ?? null, expression.reads]);
  }

  /**
   * The record, or one copy per element of `foreach`, as far as `when` is true for it. Null when `when` leaves all of it out;
   * empty when there is no element.
   */
  imagesOf(image: Image): readonly Image[] | null {
    if (this.#foreach === null) return this.#wants(image) ? [image] : null;
    const { name, expression } = this.#foreach;
    const elements = evaluate(expression, image, 'foreach');
    if (elements === null) return [];
    if (!Array.isArray(elements)) {
      throw rejected(
        `The foreach expression ${expression.text} gives no array but one ${typeOf(elements)}. Put it into an array, [value] in JMESPath.`,
        expression,
      );
    }
    const wanted = elements.map((element) => withElement(image, name, element)).filter((one) => this.#wants(one));
    return wanted.length === 0 && elements.length > 0 ? null : wanted;
  }

  /** Of a delete without the row nothing can be said, and all it does is to remove what is there, so it is taken. */
  #wants(image: Image): boolean {
    if (this.#when === null) return true;
    if (image.operation === 'd' && image.event.before === null) return true;
    return isTrue(evaluate(this.#when, image, 'when'));
  }
}

/** A full record holds the element twice: beside its row for expressions, and in the row for `args` and `mapping`. */
function withElement(image: Image, name: string, element: JobValue): Image {
  const { event, operation, record, isLeaving } = image;
  const columns = withField(image.columns, name, element);
  const isRow = record === image.columns;
  const whole = isRow ? columns : withField(withColumns(record, image.columns, columns), name, element);
  let { missing } = image;
  if (missing?.has(name))
    missing = missing.size === 1 ? null : new Set([...missing].filter((column) => column !== name));
  return { event, operation, record: whole, columns, missing, isLeaving };
}

function withField(object: JobObject, name: string, value: JobValue): JobObject {
  return copyObject(object).set(name, value);
}
