import {
  type ChangeEvent,
  type JsonText,
  type NumberText,
  type Rejection,
  type Row,
  type TableIdentity,
  UNAVAILABLE,
  type Value,
} from '../types.ts';
import type { TargetWrite } from '../write/types.ts';

export interface MappingSettings {
  readonly dataType: 'hash' | 'json';
  /** How an update of a JSON document is written. */
  readonly jsonUpdate: 'replace' | 'merge';
}

/** The part of a key that is the same for all rows of a table: `orders:id:`, `:line_no:`. */
interface KeyTemplate {
  readonly names: readonly string[];
  readonly parts: readonly string[];
}

/** The mapping for tables without a job. Key templates are made once per table and set of key columns. */
export class DefaultMapping {
  readonly #settings: MappingSettings;
  readonly #templates = new WeakMap<TableIdentity, KeyTemplate>();

  constructor(settings: MappingSettings) {
    this.#settings = settings;
  }

  /** Adds the event's write to `writes`, or returns why there is none. `index` is the entry's place in its batch. */
  apply(event: ChangeEvent, index: number, writes: TargetWrite[]): Rejection | null {
    const { op, after } = event;
    const key = this.#key(event);
    if (typeof key !== 'string') return key;
    if (op === 'd' || after === null) writes.push({ kind: 'delete', key, index });
    else if (this.#settings.dataType === 'json') {
      writes.push({ kind: 'json', key, index, row: after, mode: this.#settings.jsonUpdate });
    } else {
      // A create has nothing to remove. A snapshot row may meet the hash that an earlier snapshot left.
      writes.push({ kind: 'hash', key, index, row: after, removeNulls: op !== 'c' });
    }
    return null;
  }

  #key(event: ChangeEvent): string | Rejection {
    const { key, table } = event;
    if (key === null || key.names.length === 0) {
      return {
        code: 'TRANSFORM_NO_KEY',
        reason: `The table ${qualified(table)} has no primary key, so no target key can be built. Give it one, or name the columns that identify a row: "keys" of the table in config.yaml, or debezium.source.message.key.columns.`,
      };
    }
    const { parts } = this.#template(table, key);
    let text = '';
    for (let i = 0; i < parts.length; i++) {
      const value = key.values[i] as Value;
      if (value === null || value === UNAVAILABLE) {
        return {
          code: 'TRANSFORM_BAD_KEY',
          reason: `The key column "${key.names[i]}" of ${qualified(table)} is ${value === null ? 'null' : 'not delivered'}, so no target key can be built. Name only columns that are never null in debezium.source.message.key.columns.`,
        };
      }
      text += (parts[i] as string) + keyText(value);
    }
    return text;
  }

  #template(table: TableIdentity, key: Row): KeyTemplate {
    const known = this.#templates.get(table);
    if (known?.names === key.names) return known;
    const parts = key.names.map((name, i) => `${i === 0 ? table.table : ''}:${name}:`);
    const template = { names: key.names, parts };
    this.#templates.set(table, template);
    return template;
  }
}

/** The text of a key column, the same as in a hash field. */
function keyText(value: string | number | boolean | NumberText | JsonText): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? '1' : '0';
  return value.text;
}

function qualified({ db, schema, table }: TableIdentity): string {
  return `${schema || db}.${table}`;
}
