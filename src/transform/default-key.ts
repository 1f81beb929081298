import type { ErrorCode } from '../errors.ts';
import {
  JsonText,
  NumberText,
  type Rejection,
  type Row,
  type TableIdentity,
  UNAVAILABLE,
  type Value,
} from '../types.ts';

/** What keys look like unless `processors.key_template` says otherwise. */
export const DEFAULT_KEY_TEMPLATE = '{table}:{key}';

/** Why a row has no default key. */
export interface KeyFailure extends Rejection {
  readonly code: ErrorCode;
}

/** What a template needs to know of a table. */
type TableNames = Pick<TableIdentity, 'serverName' | 'db' | 'schema' | 'table'>;

/** The parts of a key that are the same for all rows of a table: `orders:id:`, `:line_no:`, and what follows. */
interface TableKey {
  readonly names: readonly string[];
  readonly parts: readonly string[];
  readonly end: string;
}

/**
 * Default keys: `{server_name}`, `{db}`, `{schema}` and `{table}` of a template stand for names as the source writes them,
 * `{key}` for `<column>:<value>[:<column>:<value>…]` of the event key. Source: specification of jobs, §7.1. Made once per table and
 * set of key columns.
 */
export class KeyTemplate {
  readonly #template: string;
  readonly #tables = new WeakMap<TableIdentity, TableKey>();

  constructor(template: string = DEFAULT_KEY_TEMPLATE) {
    this.#template = template;
  }

  /** The key of the event's row, or why it has none. */
  keyOf(key: Row | null, table: TableIdentity): string | KeyFailure {
    if (key === null || key.names.length === 0) return noKey(table);
    const { parts, end } = this.#partsOf(table, key.names);
    const { values } = key;
    let text = '';
    for (let i = 0; i < parts.length; i++) {
      const value = values[i] as Value;
      if (value === null || value === UNAVAILABLE) return badKey(table, key.names[i] as string, value);
      text += (parts[i] as string) + columnText(value);
    }
    return text + end;
  }

  /** What stands before and behind `{key}` for a table. A second `{key}` of a template stays as it is written. */
  around(table: TableNames): readonly [before: string, behind: string] {
    const at = this.#template.indexOf('{key}');
    const [before, behind] =
      at < 0 ? [this.#template, ''] : [this.#template.slice(0, at), this.#template.slice(at + '{key}'.length)];
    return [fillIn(before, table), fillIn(behind, table)];
  }

  #partsOf(table: TableIdentity, names: readonly string[]): TableKey {
    const known = this.#tables.get(table);
    if (known?.names === names) return known;
    const [before, end] = this.around(table);
    const made = { names, parts: names.map((name, i) => `${i === 0 ? before : ':'}${name}:`), end };
    this.#tables.set(table, made);
    return made;
  }
}

/** The text of a key column, the same as in a hash field. */
export function columnText(value: Exclude<Value, null | symbol>): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? '1' : '0';
  return value instanceof NumberText || value instanceof JsonText ? value.text : String(value);
}

function fillIn(template: string, { serverName, db, schema, table }: TableNames): string {
  // One pass over the template, so that a name with braces is never taken for a placeholder.
  return template.replace(/\{(server_name|db|schema|table)\}/g, (_, name: string) => {
    if (name === 'table') return table;
    if (name === 'db') return db;
    return name === 'schema' ? schema : serverName;
  });
}

function noKey(table: TableIdentity): KeyFailure {
  return {
    code: 'TRANSFORM_NO_KEY',
    reason: `The table ${qualified(table)} has no primary key, so no target key can be built. Give it one, or name the columns that identify a row: "keys" of the table in config.yaml, or debezium.source.message.key.columns.`,
  };
}

function badKey(table: TableIdentity, column: string, value: null | symbol): KeyFailure {
  return {
    code: 'TRANSFORM_BAD_KEY',
    reason: `The key column "${column}" of ${qualified(table)} is ${value === null ? 'null' : 'not delivered'}, so no target key can be built. Name only columns that are never null in debezium.source.message.key.columns.`,
  };
}

function qualified({ db, schema, table }: TableIdentity): string {
  return `${schema || db}.${table}`;
}
