import { type ChangeEvent, JsonText, NumberText, type Row, UNAVAILABLE, type Value } from '../../types.ts';
import { has, type Names } from './place.ts';

/** Whether an update changed a column on which the place of the row depends; one per table and job. */
export class PlaceChange {
  /** Columns, or null for any. Empty when the event's key alone says the place. */
  readonly #columns: Names;
  #names: readonly string[] | null = null;
  /** Where in `#names` the columns are. */
  #indexes: readonly number[] = [];

  /** `reads` are fields of the record; in the full format any column may be behind `before` and `after`. */
  constructor(reads: Names, isFull: boolean) {
    this.#columns = isFull ? columnsBehind(reads) : reads;
  }

  /** Whether the place depends on columns that are not part of the event's key. */
  dependsOnMoreThan(key: Row | null): boolean {
    if (this.#columns === null) return true;
    for (const name of this.#columns) if (!key?.names.includes(name)) return true;
    return false;
  }

  isChangedBy({ before, after }: ChangeEvent): boolean {
    if (this.#columns?.size === 0 || before === null || after === null) return false;
    if (before.names !== after.names) return this.#isChangedByName(before, after);
    if (this.#names !== after.names) this.#learn(after.names);
    for (const i of this.#indexes) if (isChanged(before.values[i] as Value, after.values[i] as Value)) return true;
    return false;
  }

  #learn(names: readonly string[]): void {
    this.#names = names;
    this.#indexes = [...names.keys()].filter((i) => has(this.#columns, names[i] as string));
  }

  #isChangedByName(before: Row, after: Row): boolean {
    for (const name of new Set([...before.names, ...after.names])) {
      if (has(this.#columns, name) && isChanged(valueIn(before, name), valueIn(after, name))) return true;
    }
    return false;
  }
}

function columnsBehind(reads: Names): Names {
  return has(reads, 'after') || has(reads, 'before') ? null : new Set();
}

function valueIn(row: Row, name: string): Value {
  return row.values[row.names.indexOf(name)] ?? null;
}

/** A column that was not delivered has not been changed. */
function isChanged(before: Value, after: Value): boolean {
  if (before === after || after === UNAVAILABLE) return false;
  if (before instanceof NumberText) return !(after instanceof NumberText && after.text === before.text);
  if (before instanceof JsonText) return !(after instanceof JsonText && after.text === before.text);
  return true;
}
