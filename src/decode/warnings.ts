import type { ChangeEvent, JsonText, Row } from '../types.ts';
import type { Form } from './form.ts';
import { JsonObject, type Tree } from './tree.ts';
import type { FeederWarning } from './types.ts';

const DECIMAL_MODE = 'debezium.source.decimal.handling.mode=string';
const UNSIGNED_MODE = 'debezium.source.bigint.unsigned.handling.mode=precise';
const NULL_DEFAULT = 'debezium.format.value.replace.null.with.default=false';

/** Column types, known from schema-change events, whose values can prove a damaging mode. */
type SuspectType = 'unsigned' | 'decimal';

/** Suspect columns by `db.table`, learned from the schema-change events of all feeders. */
export class TableColumns {
  readonly #suspects = new Map<string, ReadonlyMap<string, SuspectType>>();
  /** Grows with each change, so that streams notice it cheaply. */
  version = 0;

  /** `tableChanges` of a schema-change event (Debezium's `TableChanges`: `type`, `id`, `table.columns[]`). */
  learn(tableChanges: Tree): void {
    for (const change of Array.isArray(tableChanges) ? tableChanges : []) {
      const id = member(change, 'id');
      const columns = member(member(change, 'table'), 'columns');
      if (typeof id !== 'string' || !Array.isArray(columns)) continue;
      const suspects = new Map<string, SuspectType>();
      for (const column of columns) {
        const name = member(column, 'name');
        const type = suspectType(member(column, 'typeName'));
        if (typeof name === 'string' && type !== null) suspects.set(name, type);
      }
      this.#suspects.set(id.replaceAll('"', ''), suspects);
      this.version++;
    }
  }

  of(db: string, table: string): ReadonlyMap<string, SuspectType> | null {
    return this.#suspects.get(`${db}.${table}`) ?? null;
  }
}

function member(tree: Tree | undefined, name: string): Tree | undefined {
  return tree instanceof JsonObject ? tree.members.get(name) : undefined;
}

function suspectType(typeName: Tree | undefined): SuspectType | null {
  if (typeof typeName !== 'string') return null;
  if (/^BIGINT UNSIGNED/i.test(typeName)) return 'unsigned';
  return /^(DECIMAL|NUMERIC)/i.test(typeName) ? 'decimal' : null;
}

/**
 * Watches one stream for feeder settings that damage data, and reports each property once.
 *
 * Values alone prove nothing ("1234" may be a text, a decimal or base64), so each finding rests on something that only the
 * damaging setting produces:
 * - precise decimals without schema: an object `{"scale":<int>,"value":"<base64>"}`, the shape of VariableScaleDecimal,
 *   which no other column type has; or a string that is no number in a column that a schema change declared DECIMAL.
 * - `bigint unsigned` as long: a whole number in a column that a schema change declared BIGINT UNSIGNED (the other modes write
 *   text or a double with a point); or an int64 field whose propagated source type says BIGINT UNSIGNED.
 * - NULL replaced by default: an optional field with a default in the schema. Not reported when the same event proves that
 *   nulls are kept: such a column is null, or `source.snapshot` is, which has a default too.
 */
export class FeederWatch {
  readonly #stream: string;
  readonly #report: (warning: FeederWarning) => void;
  readonly #reported = new Set<string>();
  readonly #tables: TableColumns;
  #tablesVersion = -1;
  #watched: ReadonlyMap<string, SuspectType> | null = null;
  #defaults: readonly string[] = [];

  constructor(stream: string, tables: TableColumns, report: (warning: FeederWarning) => void) {
    this.#stream = stream;
    this.#tables = tables;
    this.#report = report;
  }

  /** A value schema was seen for the first time; the next event that changes a row is judged by it. */
  learned(form: Form): void {
    const columns = form.columns?.size ? form.columns : (form.schema?.fields ?? null);
    if (columns === null) return;
    const fields = [...columns];
    this.#defaults = fields.filter(([, field]) => field.optional && field.hasDefault).map(([name]) => name);
    const unsigned = fields.filter(
      ([, field]) =>
        field.type === 'int64' && /^BIGINT UNSIGNED/i.test(field.parameters.get('__debezium.source.column.type') ?? ''),
    );
    if (unsigned.length > 0) this.#warnUnsigned(unsigned.map(([name]) => name));
  }

  /** A column without schema held an array or object. */
  nested(column: string, json: JsonText): void {
    if (!json.text.startsWith('{"scale":') || this.#reported.has(DECIMAL_MODE)) return;
    if (/^\{"scale":-?\d+,"value":"(?:[A-Za-z0-9+/]{4})*[A-Za-z0-9+/]{2,4}={0,2}"\}$/.test(json.text))
      this.#warnDecimal(column);
  }

  /** True when {@link inspect} has something to find out; asked for each event. */
  get isCurious(): boolean {
    return this.#defaults.length > 0 || this.#tablesVersion !== this.#tables.version || this.#watched !== null;
  }

  /** `keepsNulls`: the event's `source.snapshot` is null. `hasSchema`: its columns have types. */
  inspect(event: ChangeEvent, keepsNulls: boolean, hasSchema: boolean): void {
    if (this.#defaults.length > 0 && event.after !== null) this.#inspectDefaults(event.after, keepsNulls);
    if (this.#tablesVersion !== this.#tables.version) {
      this.#tablesVersion = this.#tables.version;
      this.#watched = this.#tables.of(event.table.db, event.table.table);
    }
    if (hasSchema) this.#watched = null;
    if (this.#watched !== null && event.after !== null) this.#inspectColumns(event.after, this.#watched);
  }

  #inspectDefaults(row: Row, keepsNulls: boolean): void {
    const columns = this.#defaults;
    this.#defaults = [];
    if (keepsNulls || columns.some((name) => row.values[row.names.indexOf(name)] === null)) return;
    this.#warn(
      NULL_DEFAULT,
      `NULL in ${list(columns)} arrives as the column’s default, unless the feeder already sets ${NULL_DEFAULT}`,
    );
  }

  #inspectColumns(row: Row, watched: ReadonlyMap<string, SuspectType>): void {
    const open = new Map(watched);
    for (const [column, type] of watched) {
      const value = row.values[row.names.indexOf(column)];
      if (value === null || value === undefined) continue;
      if (type === 'unsigned') {
        open.delete(column);
        const digits = typeof value === 'number' ? String(value) : typeof value === 'object' ? value.text : '';
        if (/^-?\d+$/.test(digits)) this.#warnUnsigned([column]);
      } else if (typeof value !== 'string' || value.includes('.')) open.delete(column);
      else if (!/^[+-]?\d+$|^-?(?:nan|infinity)$/i.test(value)) {
        open.delete(column);
        this.#warnDecimal(column);
      }
      // Digits alone may be a decimal or base64: the next row may tell.
    }
    this.#watched = open.size === 0 ? null : open;
  }

  #warnUnsigned(columns: readonly string[]): void {
    this.#warn(
      UNSIGNED_MODE,
      `BIGINT UNSIGNED values beyond 9223372036854775807 in ${list(columns)} arrive as negative numbers; set precise together with debezium.format.key.decimal.format=numeric and debezium.format.value.decimal.format=numeric (or with schemas); where both are set already, all is well`,
    );
  }

  #warnDecimal(column: string): void {
    this.#warn(
      DECIMAL_MODE,
      `Decimals in ${list([column])} arrive as base64 of their digits, and without schemas nothing says their scale`,
    );
  }

  #warn(property: string, message: string): void {
    if (this.#reported.has(property)) return;
    this.#reported.add(property);
    this.#report({ stream: this.#stream, property, message: `${message}. Set ${property} at the feeder.` });
  }
}

function list(columns: readonly string[]): string {
  const shown = columns.slice(0, 5).map((name) => `"${name}"`);
  return `${columns.length === 1 ? 'column' : 'columns'} ${shown.join(', ')}${columns.length > 5 ? ', …' : ''}`;
}
