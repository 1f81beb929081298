import { type Row, type TableIdentity, UNAVAILABLE, type Value } from '../../../types.ts';
import { toColumns } from '../../expressions/values.ts';
import type { Image } from '../image.ts';

/** Rows of all columns. Names are shared between rows of a table as long as they stay the same: encoders cache by them. */
export class WholeRow {
  readonly #names = new WeakMap<TableIdentity, readonly string[]>();
  readonly #withMissing = new WeakMap<readonly string[], Map<string, readonly string[]>>();

  of({ event, columns, missing }: Image): Row {
    const known = this.#names.get(event.table);
    const { names, values } = toColumns(columns, known);
    if (names !== known) this.#names.set(event.table, names);
    if (missing === null) return { names, values, partial: false };
    return this.#partial(names, values, missing);
  }

  /** Columns that were seen of a table last; what a row that is only a key has besides it. */
  namesOf(table: TableIdentity): readonly string[] {
    return this.#names.get(table) ?? [];
  }

  #partial(names: readonly string[], values: Value[], missing: ReadonlySet<string>): Row {
    // Partial even when none is named: a row that brought only what changed may lack any.
    const absent = [...missing].filter((name) => !names.includes(name));
    for (const _ of absent) values.push(UNAVAILABLE);
    let byAbsent = this.#withMissing.get(names);
    if (byAbsent === undefined) {
      byAbsent = new Map();
      this.#withMissing.set(names, byAbsent);
    }
    const which = absent.join('\0');
    let all = byAbsent.get(which);
    if (all === undefined) {
      all = [...names, ...absent];
      byAbsent.set(which, all);
    }
    return { names: all, values, partial: true };
  }
}
