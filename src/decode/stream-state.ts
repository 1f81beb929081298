import { NumberText, type Row, type Stream, type TableIdentity } from '../types.ts';
import { type Convert, compileConvert, isDropped } from './convert.ts';
import { type Form, type FormContext, Forms } from './form.ts';
import { isMetadataName } from './metadata.ts';
import { type ColumnRule, type RowContext, TAKE } from './row-reader.ts';
import type { ConnectSchema } from './schema.ts';
import type { Placeholders } from './unavailable.ts';
import type { FeederWatch } from './warnings.ts';

const DROP: ColumnRule = { fate: 'drop', convert: null };
const METADATA: ColumnRule = { fate: 'metadata', convert: null };

/** Lists of column names kept for sharing; documents of MongoDB may have endless variants. */
const MAX_NAME_LISTS = 1000;

/** Called about a column: stream name, column, reason. */
export type ColumnNotice = (stream: string, column: string, why: string) => void;

/** What is remembered about one stream: how its events look, so that the next one is read faster. */
export class StreamState implements FormContext {
  readonly stream: Stream;
  readonly watch: FeederWatch;
  readonly keys: Forms;
  readonly values: Forms;
  /** `data` of CloudEvents. */
  readonly data: Forms;
  /** What the last row came as; decides what an empty value means. */
  kind: 'unknown' | 'envelope' | 'flat' = 'unknown';
  /** The flattened rows are MongoDB documents. */
  hasDocuments: boolean = false;
  /** Tables whose flattened rows this stream held, by the table, db and schema that they named. */
  readonly flatTables = new Map<string, TableIdentity>();
  readonly #placeholders: Placeholders;
  readonly #onDropped: ColumnNotice;
  readonly #onUnconverted: ColumnNotice;
  readonly #reportedDrops = new Set<string>();
  readonly #nameLists = new Map<string, readonly string[]>();

  constructor(
    stream: Stream,
    watch: FeederWatch,
    placeholders: Placeholders,
    onDropped: ColumnNotice,
    onUnconverted: ColumnNotice,
  ) {
    this.stream = stream;
    this.watch = watch;
    this.#placeholders = placeholders;
    this.#onDropped = onDropped;
    this.#onUnconverted = onUnconverted;
    this.keys = new Forms('key', this);
    this.values = new Forms('value', this);
    this.data = new Forms('value', this);
  }

  learned(form: Form): void {
    this.watch.learned(form);
  }

  readonly internNames = (names: string[]): readonly string[] => {
    const id = JSON.stringify(names);
    const known = this.#nameLists.get(id);
    if (known !== undefined) return known;
    if (this.#nameLists.size >= MAX_NAME_LISTS) this.#nameLists.clear();
    this.#nameLists.set(id, names);
    return names;
  };

  rowContext(columns: ReadonlyMap<string, ConnectSchema> | null, part: 'key' | 'row' | 'flat'): RowContext {
    return {
      placeholders: this.#placeholders,
      internNames: this.internNames,
      ruleOf: (column) => {
        if (part === 'flat' && isMetadataName(column)) return METADATA;
        const schema = columns?.get(column);
        if (schema === undefined) return TAKE;
        if (isDropped(schema)) return DROP;
        return { fate: 'take', convert: this.#compile(column, schema) };
      },
      dropped: (column) => {
        if (this.#reportedDrops.has(column)) return;
        this.#reportedDrops.add(column);
        this.#onDropped(this.stream.name, column, `${columns?.get(column)?.name || 'its type'} has no form in Redis`);
      },
      nested: (column, json) => {
        if (columns === null && !this.hasDocuments) this.watch.nested(column, json);
      },
    };
  }

  #compile(column: string, schema: ConnectSchema): Convert | null {
    return compileConvert(schema, (literal) =>
      this.#onUnconverted(this.stream.name, column, `${literal} lies beyond every calendar and is passed on as text`),
    );
  }
}

/** Value of a row's column as text; empty when it is absent, null or no scalar. */
export function columnText(row: Row, column: string): string {
  const value = row.values[row.names.indexOf(column)];
  if (value instanceof NumberText) return value.text;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
