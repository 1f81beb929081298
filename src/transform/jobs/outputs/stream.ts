import type { Row, Value } from '../../../types.ts';
import type { TargetWrite, WriteOrigin } from '../../../write/types.ts';
import type { OutputDefinition } from '../definition.ts';
import type { Image, JobOutput } from '../image.ts';
import type { OutputContext } from './context.ts';
import { compileExpire, EXPIRED, type Lifetime } from './expire.ts';
import { lasting } from './keyed.ts';
import { Mapping } from './mapping.ts';
import type { RowKey } from './row-key.ts';
import { Selection } from './selection.ts';
import { WholeRow } from './whole-row.ts';

/** Added to every entry of a stream, with the operation. */
const OPERATION_FIELD = 'op_code';

/**
 * Appends every change to a stream: the row, on deletes what was in it, and the operation last. Nothing is ever taken out of a
 * stream, so `on_delete` and earlier states mean nothing here.
 */
export class StreamOutput implements JobOutput {
  readonly connection: number;
  /** An earlier state is never asked for. */
  readonly place: readonly string[] = [];
  readonly #key: RowKey;
  readonly #origin: WriteOrigin;
  readonly #selection: Selection;
  readonly #lifetime: Lifetime;
  readonly #mapping: Mapping | null;
  readonly #whole = new WholeRow();
  readonly #entryNames = new WeakMap<readonly string[], readonly string[]>();

  constructor(definition: OutputDefinition, key: RowKey, context: OutputContext) {
    this.connection = context.connection;
    this.#key = key;
    this.#origin = { job: context.job, step: definition.step };
    this.#selection = new Selection(definition);
    this.#lifetime = compileExpire(definition);
    this.#mapping = definition.mapping === null ? null : new Mapping(definition.mapping);
  }

  write(image: Image, _old: Image | null, index: number, writes: TargetWrite[]): boolean {
    const images = image.isLeaving ? null : this.#selection.imagesOf(image);
    if (images === null) return false;
    const entries = images.map((one) => this.#entry(one, index));
    for (const entry of entries) writes.push(entry);
    return true;
  }

  #entry(image: Image, index: number): TargetWrite {
    const key = this.#key.of(image);
    const expire = this.#lifetime(image);
    if (expire === EXPIRED) return { kind: 'delete', key, index, origin: this.#origin };
    const row = this.#withOperation(this.#mapping?.rowOf(image) ?? this.#whole.of(image), image.operation);
    return { kind: 'stream', key, index, origin: this.#origin, row, ...lasting(expire) };
  }

  #withOperation({ names, values, partial }: Row, operation: Value): Row {
    const own = names.indexOf(OPERATION_FIELD);
    const fields = own < 0 ? [...values] : values.filter((_, i) => i !== own);
    fields.push(operation);
    let entryNames = this.#entryNames.get(names);
    if (entryNames === undefined) {
      entryNames = [...names.filter((_, i) => i !== own), OPERATION_FIELD];
      this.#entryNames.set(names, entryNames);
    }
    return { names: entryNames, values: fields, partial };
  }
}
