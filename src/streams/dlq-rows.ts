interface RowCount {
  /** Records of which nobody has noted that something newer is there. */
  open: number;
  all: number;
}

const NONE: Readonly<RowCount> = { open: 0, all: 0 };

/** How many records each queue and each row has, in memory: asked for every event of a stream that has records. */
export class DlqRows {
  readonly #streams = new Map<string, { count: number; readonly rows: Map<string, RowCount> }>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  count(stream: string): number {
    return this.#streams.get(stream)?.count ?? 0;
  }

  row(stream: string, key: string): Readonly<RowCount> {
    return this.#streams.get(stream)?.rows.get(key) ?? NONE;
  }

  /** Counts a record in (`by` 1) or out (-1). */
  add(stream: string, keys: readonly (string | null)[], isOpen: boolean, by: 1 | -1): void {
    const known = this.#streams.get(stream) ?? { count: 0, rows: new Map<string, RowCount>() };
    this.#streams.set(stream, known);
    known.count += by;
    this.#size += by;
    for (const key of keys) if (key !== null) count(known.rows, key, by, isOpen ? by : 0);
    if (known.count === 0) this.#streams.delete(stream);
  }

  /** Notes that a record is superseded. */
  close(stream: string, keys: readonly (string | null)[]): void {
    const rows = this.#streams.get(stream)?.rows;
    if (rows) for (const key of keys) if (key !== null) count(rows, key, 0, -1);
  }
}

function count(rows: Map<string, RowCount>, key: string, all: number, open: number): void {
  const known = rows.get(key) ?? { open: 0, all: 0 };
  known.all += all;
  known.open += open;
  if (known.all === 0) rows.delete(key);
  else rows.set(key, known);
}
