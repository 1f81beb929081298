/**
 * Rows that are all of a key: hashes, JSON documents and strings.
 */
import { type Row, UNAVAILABLE } from '../../../types.ts';
import type { DeleteWrite, TargetWrite } from '../../../write/types.ts';
import type { OutputDefinition } from '../definition.ts';
import type { Image } from '../image.ts';
import type { OutputArgument } from './argument.ts';
import type { OutputContext } from './context.ts';
import { Mapping } from './mapping.ts';
import type { NamePath } from './nested-paths.ts';
import type { Place, RowKeeper, Stamp } from './place.ts';
import type { RowKey } from './row-key.ts';
import { WholeRow } from './whole-row.ts';

abstract class KeyedRows implements RowKeeper {
  readonly reads: readonly string[] | null;
  readonly #key: RowKey;

  constructor(key: RowKey) {
    this.reads = key.reads;
    this.#key = key;
  }

  placeOf(image: Image): Place {
    return { key: this.#key.of(image), inside: '' };
  }

  abstract write(place: Place, image: Image, stamp: Stamp, expire: number | null): TargetWrite | null;

  remove({ key }: Place, _image: Image, { index, origin }: Stamp): TargetWrite | null {
    return deletion(key, index, origin);
  }
}

function deletion(key: string, index: number, origin: Stamp['origin']): DeleteWrite {
  return { kind: 'delete', key, index, origin };
}

/** Rows with names: what hashes and documents have in common. */
abstract class NamedRows extends KeyedRows {
  readonly #mapping: Mapping | null;
  readonly #whole = new WholeRow();
  readonly #removesFields: boolean;
  protected abstract readonly type: 'hash' | 'json';

  constructor(definition: OutputDefinition, key: RowKey) {
    super(key);
    this.#mapping = definition.mapping === null ? null : new Mapping(definition.mapping);
    this.#removesFields = definition.onDelete === 'fields';
  }

  /** Whether the row is written with all its columns. */
  protected get isWhole(): boolean {
    return this.#mapping === null;
  }

  /** Adds to `undelivered` the places inside a document whose column was not delivered. */
  protected rowOf(image: Image, undelivered?: NamePath[]): Row {
    return this.#mapping === null ? this.#whole.of(image) : this.#mapping.rowOf(image, undelivered);
  }

  override remove(place: Place, image: Image, stamp: Stamp): TargetWrite | null {
    if (!this.#removesFields) return super.remove(place, image, stamp);
    const paths = this.#pathsOf(image);
    if (paths.length === 0) return null;
    return { kind: 'remove_fields', key: place.key, index: stamp.index, origin: stamp.origin, type: this.type, paths };
  }

  /** What the output writes. Without a mapping: the columns of the row, and those that the table had last. */
  #pathsOf({ columns, missing, event }: Image): readonly NamePath[] {
    if (this.#mapping !== null) return this.#mapping.paths;
    const names = new Set([...columns.keys(), ...(missing ?? []), ...this.#whole.namesOf(event.table)]);
    return [...names].map((name) => [name]);
  }
}

export class HashRows extends NamedRows {
  protected readonly type = 'hash';
  readonly #replaces: boolean;

  constructor(definition: OutputDefinition, key: RowKey) {
    super(definition, key);
    this.#replaces = definition.onUpdate === 'replace';
  }

  write({ key }: Place, image: Image, { index, origin }: Stamp, expire: number | null): TargetWrite {
    const row = this.rowOf(image);
    // A create has nothing to remove. A snapshot row may meet the hash that an earlier snapshot left.
    const removeNulls = image.operation !== 'c';
    // Of a row that brought only what changed nobody knows which other fields belong to it.
    const replaces = this.#replaces && !(this.isWhole && image.missing?.size === 0);
    if (expire === null && !replaces) return { kind: 'hash', key, index, origin, row, removeNulls };
    const replace = replaces ? { replace: true } : null;
    return { kind: 'hash', key, index, origin, row, removeNulls, ...replace, ...lasting(expire) };
  }
}

export class JsonRows extends NamedRows {
  protected readonly type = 'json';
  readonly #replaces: boolean;
  readonly #connection: string;
  readonly #context: OutputContext;

  constructor(definition: OutputDefinition, key: RowKey, context: OutputContext) {
    super(definition, key);
    this.#replaces = definition.onUpdate === 'replace';
    this.#connection = definition.connection;
    this.#context = context;
  }

  write({ key }: Place, image: Image, { index, origin }: Stamp, expire: number | null): TargetWrite {
    const nested = this.#replaces ? this.#context.nested.into(image.event.table, this.#connection) : null;
    if (!this.#replaces || nested?.atRoot) {
      const row = this.rowOf(image);
      if (expire === null) return { kind: 'json', key, index, origin, row, mode: 'merge' };
      return { kind: 'json', key, index, origin, row, mode: 'merge', expire };
    }
    const keep: NamePath[] = nested === null ? [] : [...nested.keep];
    const row = this.rowOf(image, keep);
    if (expire === null && keep.length === 0) return { kind: 'json', key, index, origin, row, mode: 'replace' };
    const kept = keep.length === 0 ? null : { keep };
    return { kind: 'json', key, index, origin, row, mode: 'replace', ...kept, ...lasting(expire) };
  }
}

export class StringRows extends KeyedRows {
  readonly #value: OutputArgument;

  constructor(key: RowKey, value: OutputArgument) {
    super(key);
    this.#value = value;
  }

  write({ key }: Place, image: Image, { index, origin }: Stamp, expire: number | null): TargetWrite | null {
    const value = this.#value.of(image);
    if (value === null) return deletion(key, index, origin);
    if (value === UNAVAILABLE) return null;
    return { kind: 'string', key, index, origin, value, ...lasting(expire) };
  }
}

/** The time to live as a property of a write, or none. */
export function lasting(expire: number | null): { readonly expire: number } | null {
  return expire === null ? null : { expire };
}
