/**
 * Rows that live inside the document of another table's row. Source: specification of jobs, §7.5.
 */
import type { TableIdentity, Value } from '../../../types.ts';
import type { NestStep, NestWrite, TargetWrite, Writable } from '../../../write/types.ts';
import { columnText, type KeyTemplate } from '../../default-key.ts';
import type { MappingItem, NestDefinition, NestPathStep, OutputDefinition } from '../definition.ts';
import { DELIVER_ALL_COLUMNS } from '../evaluation.ts';
import type { Image, OutputRejection } from '../image.ts';
import { columnReads } from './argument.ts';
import type { OutputContext } from './context.ts';
import { columnAt, rejected } from './evaluate.ts';
import { lasting } from './keyed.ts';
import { Mapping } from './mapping.ts';
import { joinReads, type Place, type RowKeeper, type Stamp } from './place.ts';
import { WholeRow } from './whole-row.ts';

interface NestedPlace extends Place {
  readonly path: readonly NestStep[];
}

export class NestedRows implements RowKeeper<NestedPlace> {
  readonly reads: readonly string[] | null;
  readonly #nest: NestDefinition;
  readonly #parents: ParentKeys;
  readonly #mapping: Mapping | null;
  readonly #whole = new WholeRow();
  /** Name under which the row itself holds the value that tells it from others of its array. */
  readonly #ownField: string;

  constructor(definition: OutputDefinition, nest: NestDefinition, context: OutputContext) {
    const columns = [...nest.parentKey.map(({ child }) => child), ...columnsOf(nest.path)];
    this.reads = joinReads(columns.map((column) => columnReads([column], context.rowFormat)));
    this.#nest = nest;
    this.#parents = new ParentKeys(nest, context.keyTemplate);
    const { mapping, field } = identified(definition.mapping, nest.path);
    this.#mapping = mapping === null ? null : new Mapping(mapping);
    this.#ownField = field;
  }

  placeOf(image: Image): NestedPlace {
    const key = this.#parents.of(image);
    const { path: steps } = this.#nest;
    const path: NestStep[] = [];
    let inside = '';
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i] as NestPathStep;
      if (step.kind === 'name') {
        path.push(step.name);
        continue;
      }
      const value = identifying(image, step.column, 'nesting_key');
      const text = columnText(value);
      inside += `${text.length}:${text}`;
      if (step.kind === 'entry') path.push(text);
      else path.push({ field: i === steps.length - 1 ? this.#ownField : step.column, value });
    }
    return { key, inside, path };
  }

  write(place: NestedPlace, image: Image, stamp: Stamp, expire: number | null): TargetWrite {
    const row = this.#mapping === null ? this.#whole.of(image) : this.#mapping.rowOf(image);
    return { ...this.#writeAt(place, stamp), row, ...lasting(expire) };
  }

  remove(place: NestedPlace, _image: Image, stamp: Stamp): TargetWrite {
    return this.#writeAt(place, stamp);
  }

  #writeAt({ key, path }: NestedPlace, { index, origin }: Stamp): NestWrite {
    const createsParent = this.#nest.missingParent === 'create';
    return { kind: 'nest', key, index, origin, path, row: null, createsParent };
  }
}

/** Keys of parents, letter for letter as the parent's own default keys. */
class ParentKeys {
  readonly #nest: NestDefinition;
  readonly #template: KeyTemplate;
  readonly #around = new WeakMap<TableIdentity, readonly [before: string, behind: string]>();

  constructor(nest: NestDefinition, template: KeyTemplate) {
    this.#nest = nest;
    this.#template = template;
  }

  of(image: Image): string {
    const [before, behind] = this.#aroundFor(image.event.table);
    let text = before;
    let separator = '';
    for (const { parent, child } of this.#nest.parentKey) {
      text += `${separator}${parent}:${columnText(identifying(image, child, 'parent_key'))}`;
      separator = ':';
    }
    return text + behind;
  }

  /** What the job does not say of the parent, it shares with the child. */
  #aroundFor(child: TableIdentity): readonly [before: string, behind: string] {
    let around = this.#around.get(child);
    if (around === undefined) {
      const { table, serverName, schema } = this.#nest.parent;
      around = this.#template.around({
        table,
        db: child.db,
        serverName: serverName ?? child.serverName,
        schema: schema ?? child.schema,
      });
      this.#around.set(child, around);
    }
    return around;
  }
}

/** The value of a column that says where a row belongs. Only a single value can. */
function identifying(image: Image, column: string, property: 'parent_key' | 'nesting_key'): Writable {
  const value: Value = columnAt(image, [column]);
  if (value === null || typeof value === 'symbol') throw unplaced(image, column, property, value);
  if (typeof value === 'object' && /^[[{]/.test(value.text)) {
    throw rejected(
      `The ${property} column ${column} holds an array or object, which cannot name a place. Use a column with a single value.`,
    );
  }
  return value;
}

function unplaced(
  image: Image,
  column: string,
  property: 'parent_key' | 'nesting_key',
  value: null | symbol,
): OutputRejection {
  const isAbsent = value !== null || !image.columns.has(column);
  const state = isAbsent ? 'is not in the change' : 'is null';
  const place = property === 'parent_key' ? 'no parent is known' : 'no place in the parent is known';
  const fix =
    isAbsent || image.operation === 'd'
      ? DELIVER_ALL_COLUMNS
      : 'Filter such rows out, or name a column that is never null.';
  return rejected(`The ${property} column ${column} ${state}, so ${place} for this row. ${fix}`);
}

function columnsOf(path: readonly NestPathStep[]): string[] {
  return path.flatMap((step) => (step.kind === 'name' ? [] : [step.column]));
}

/**
 * The element of an array is found again by a field of the row. A mapping may rename it; where it leaves it out, the column
 * is added.
 */
function identified(
  mapping: readonly MappingItem[] | null,
  path: readonly NestPathStep[],
): { readonly mapping: readonly MappingItem[] | null; readonly field: string } {
  const last = path.at(-1);
  const column = last === undefined || last.kind === 'name' ? '' : last.column;
  if (mapping === null || last?.kind !== 'element') return { mapping, field: column };
  const item = mapping.find(({ source, alias }) => source.length === 1 && source[0] === column && alias.length === 1);
  if (item !== undefined) return { mapping, field: item.alias[0] as string };
  return { mapping: [...mapping, { source: [column], alias: [column] }], field: column };
}
