import { conditionsOf, idNumber } from './dlq-filter.ts';
import { DlqRows } from './dlq-rows.ts';
import type { StateStore } from './state-store.ts';
import type {
  DlqChange,
  DlqFilter,
  DlqRecord,
  DlqRow,
  DlqRowRecord,
  DlqStore,
  NewDlqRecord,
  StoredDlqRecord,
  StreamCounters,
} from './types.ts';

interface CountedRow {
  readonly stream: string;
  readonly row_key: string | null;
  readonly old_row_key: string | null;
  readonly superseded: number | null;
}

interface RecordRow extends CountedRow {
  readonly id: number;
  readonly fields: string;
  readonly entry: Uint8Array;
  readonly db: number;
  readonly position: number;
  readonly row_table: string;
  readonly source: string | null;
  readonly parked: number;
}

type AccountListener = (stream: number, change: Readonly<Partial<StreamCounters>>) => void;

const COUNTED = 'stream, row_key, old_row_key, superseded';
const COUNTERS = [
  ...['written', 'filtered', 'superseded', 'rejected', 'skipped'],
  ...['inserted', 'updated', 'deleted'],
] as const satisfies (keyof StreamCounters)[];

/** Dead letter queues in the state store. Record ids are numbers that grow. */
export class SqliteDlq implements DlqStore {
  readonly #state: StateStore;
  readonly #withRoom: (change: () => void) => void;
  readonly #onAccount: AccountListener;
  readonly #rows = new DlqRows();

  /**
   * `withRoom` runs a change, and again with the room kept for full disks: settling waits for these records. `onAccount` is told
   * what was stored of accounts.
   */
  constructor(
    state: StateStore,
    withRoom: (change: () => void) => void = (change) => change(),
    onAccount: AccountListener = () => {},
  ) {
    this.#state = state;
    this.#withRoom = withRoom;
    this.#onAccount = onAccount;
    const counted = state.prepare(`SELECT ${COUNTED} FROM dlq`).iterate() as unknown as Iterable<CountedRow>;
    for (const row of counted) this.#count(row, 1);
  }

  get size(): number {
    return this.#rows.size;
  }

  count(stream: string): number {
    return this.#rows.count(stream);
  }

  rowCount(stream: string, key: string): { open: number; all: number } {
    return this.#rows.row(stream, key);
  }

  add(records: readonly NewDlqRecord[], cap: number): void {
    this.change({ add: records }, cap);
  }

  change({ add = [], supersede = [], doubt = [], remove = [], renew = [], accounts }: DlqChange, cap: number): void {
    const renewed = this.#state.prepare('UPDATE dlq SET fields = ?, parked = 0 WHERE id = ?');
    const doubted = this.#state.prepare('UPDATE dlq SET superseded = NULL WHERE id = ? AND superseded = 0');
    this.#transaction((counted) => {
      for (const record of add) this.#insert(record, counted);
      for (const id of doubt) doubted.run(idNumber(id));
      for (const id of supersede) this.#supersede(idNumber(id), counted);
      for (const { id, fields } of renew) renewed.run(JSON.stringify(fields), idNumber(id));
      for (const id of remove) this.#delete('id = ?', [idNumber(id)], counted);
      for (const stream of new Set(add.map((record) => record.stream))) this.#evict(stream, cap, counted);
      for (const [stream, counters] of accounts ?? []) this.#addToAccount(stream, counters);
    });
    for (const [stream, counters] of accounts ?? []) this.#onAccount(stream, counters);
  }

  queues(): { stream: string; count: number; evicted: number }[] {
    const sql = `SELECT dlq.stream, count(*) AS count, coalesce(max(evicted), 0) AS evicted
      FROM dlq LEFT JOIN dlq_evicted USING (stream) GROUP BY dlq.stream ORDER BY dlq.stream`;
    return this.#state.prepare(sql).all() as unknown as { stream: string; count: number; evicted: number }[];
  }

  records(stream: string, options: { limit: number; offset: number; order: 'asc' | 'desc' }): DlqRecord[] {
    const order = options.order === 'asc' ? 'ASC' : 'DESC';
    const sql = `SELECT id, fields FROM dlq WHERE stream = ? ORDER BY id ${order} LIMIT ? OFFSET ?`;
    const rows = this.#state.prepare(sql).all(stream, options.limit, options.offset);
    return (rows as unknown as { id: number; fields: string }[]).map(({ id, fields }) => ({
      id: String(id),
      fields: JSON.parse(fields),
    }));
  }

  original(stream: string, id: string): Buffer | null {
    const sql = 'SELECT entry FROM dlq WHERE stream = ? AND id = ?';
    const row = this.#state.prepare(sql).get(stream, idNumber(id)) as { entry: Uint8Array } | undefined;
    return row ? Buffer.from(row.entry) : null;
  }

  record(stream: string, id: string): StoredDlqRecord | null {
    const sql = 'SELECT * FROM dlq WHERE stream = ? AND id = ?';
    const row = this.#state.prepare(sql).get(stream, idNumber(id)) as unknown as RecordRow | undefined;
    return row ? recordOf(row) : null;
  }

  rowRecords(stream: string, key: string): DlqRowRecord[] {
    const columns = `id, json_extract(fields, '$.entry_id') AS entry_id, row_key, old_row_key, row_table, source, superseded`;
    const by = (column: string) => `SELECT ${columns} FROM dlq WHERE stream = ?1 AND ${column} = ?2`;
    const sql = `${by('row_key')} UNION ${by('old_row_key')} ORDER BY id`;
    const rows = this.#state.prepare(sql).all(stream, key) as unknown as (RecordRow & { entry_id: string | null })[];
    return rows.map((row) => ({
      id: String(row.id),
      entryId: row.entry_id ?? '',
      isSuperseded: row.superseded === null ? null : row.superseded === 1,
      ...rowOf(row),
    }));
  }

  freedRows(stream: string, limit: number): string[] {
    const sql = `SELECT row_key AS key FROM dlq AS head WHERE stream = ?1 AND parked = 1 AND row_key IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM dlq WHERE stream = ?1 AND row_key = head.row_key AND id < head.id) LIMIT ?2`;
    return (this.#state.prepare(sql).all(stream, limit) as unknown as { key: string }[]).map(({ key }) => key);
  }

  select(filter: DlqFilter, page: { after: string; limit: number }): { stream: string; id: string }[] {
    const { sql, values } = conditionsOf(filter);
    const select = this.#state.prepare(`SELECT id, stream FROM dlq WHERE id > ? AND ${sql} ORDER BY id LIMIT ?`);
    const rows = select.all(Number(page.after), ...values, page.limit) as unknown as { id: number; stream: string }[];
    return rows.map(({ id, stream }) => ({ stream, id: String(id) }));
  }

  countOf(filter: DlqFilter): number {
    const { sql, values } = conditionsOf(filter);
    return (this.#state.prepare(`SELECT count(*) AS count FROM dlq WHERE ${sql}`).get(...values) as { count: number })
      .count;
  }

  newestId(): string {
    const row = this.#state.prepare('SELECT max(id) AS id FROM dlq').get() as { id: number | null };
    return String(row.id ?? 0);
  }

  drop(ids: readonly string[]): number {
    let dropped = 0;
    this.#transaction((counted) => {
      dropped = 0;
      for (const id of ids) dropped += this.#delete('id = ?', [idNumber(id)], counted);
    });
    return dropped;
  }

  edit(
    id: string,
    edited: Pick<StoredDlqRecord, 'fields' | 'entry' | 'isSuperseded'> & { readonly row: DlqRow },
  ): boolean {
    const { fields, entry, isSuperseded, row } = edited;
    const select = this.#state.prepare(`SELECT ${COUNTED} FROM dlq WHERE id = ?`);
    const update = this.#state.prepare(
      `UPDATE dlq SET fields = ?, entry = ?, superseded = ?, row_key = ?, old_row_key = ?, row_table = ?, source = ? WHERE id = ?`,
    );
    const number = idNumber(id);
    let isThere = false;
    this.#transaction((counted) => {
      const before = select.get(number) as unknown as CountedRow | undefined;
      isThere = before !== undefined;
      if (!before) return;
      const place = [row.key, row.oldKey ?? null, row.table, row.source];
      update.run(JSON.stringify(fields), entry, flag(isSuperseded), ...place, number);
      counted.push([before, -1], [select.get(number) as unknown as CountedRow, 1]);
    });
    return isThere;
  }

  forgetFrom(stream: string, db: number, position: number): void {
    const condition = 'stream = ? AND db = ? AND position >= ?';
    const found = this.#state.prepare(`SELECT 1 FROM dlq WHERE ${condition} LIMIT 1`).get(stream, db, BigInt(position));
    if (found) this.#transaction((counted) => void this.#delete(condition, [stream, db, BigInt(position)], counted));
  }

  /** Runs a change; what it counts holds once it is committed. */
  #transaction(change: (counted: [CountedRow, 1 | -1 | 'closed'][]) => void): void {
    let counted: [CountedRow, 1 | -1 | 'closed'][] = [];
    this.#withRoom(() => {
      counted = [];
      this.#state.transaction(() => change(counted));
    });
    for (const [row, by] of counted) {
      if (by === 'closed') this.#rows.close(row.stream, [row.row_key, row.old_row_key]);
      else this.#count(row, by);
    }
  }

  #count({ stream, row_key, old_row_key, superseded }: CountedRow, by: 1 | -1): void {
    this.#rows.add(stream, [row_key, old_row_key], superseded !== 1, by);
  }

  #insert(record: NewDlqRecord, counted: [CountedRow, 1 | -1 | 'closed'][]): void {
    const { stream, fields, entry, db = 0, position = -1, row, isSuperseded = false, isParked } = record;
    const insert = this.#state.prepare(
      `INSERT INTO dlq (stream, fields, entry, db, position, row_key, old_row_key, row_table, source, superseded, parked)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const { key = null, oldKey = null, table = '', source = null } = row ?? {};
    const superseded = row ? flag(isSuperseded) : null;
    const values = [db, BigInt(position), key, oldKey, table, source, superseded, flag(isParked ?? false)];
    insert.run(stream, JSON.stringify(fields), entry, ...values);
    counted.push([{ stream, row_key: key, old_row_key: oldKey, superseded }, 1]);
  }

  #supersede(id: number, counted: [CountedRow, 1 | -1 | 'closed'][]): void {
    const sql = `UPDATE dlq SET superseded = 1 WHERE id = ? AND superseded IS NOT 1 RETURNING ${COUNTED}`;
    const row = this.#state.prepare(sql).get(id) as unknown as CountedRow | undefined;
    if (row) counted.push([row, 'closed']);
  }

  #delete(
    condition: string,
    values: readonly (string | number | bigint)[],
    counted: [CountedRow, 1 | -1 | 'closed'][],
  ): number {
    const sql = `DELETE FROM dlq WHERE ${condition} RETURNING ${COUNTED}`;
    const rows = this.#state.prepare(sql).all(...values) as unknown as CountedRow[];
    for (const row of rows) counted.push([row, -1]);
    return rows.length;
  }

  #evict(stream: string, cap: number, counted: [CountedRow, 1 | -1 | 'closed'][]): void {
    if (!Number.isFinite(cap)) return;
    const oldest = '(SELECT id FROM dlq WHERE stream = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)';
    const evicted = this.#delete(`stream = ?1 AND id <= ${oldest}`, [stream, cap], counted);
    if (evicted === 0) return;
    const count =
      'INSERT INTO dlq_evicted VALUES (?, ?) ON CONFLICT DO UPDATE SET evicted = evicted + excluded.evicted';
    this.#state.prepare(count).run(stream, evicted);
  }

  #addToAccount(stream: number, change: Readonly<Partial<StreamCounters>>): void {
    const names = COUNTERS.filter((name) => change[name]);
    if (names.length === 0) return;
    const sql = `UPDATE stream_counters SET ${names.map((name) => `${name} = ${name} + ?`).join(', ')} WHERE stream = ?`;
    this.#state.prepare(sql).run(...names.map((name) => change[name] ?? 0), stream);
  }
}

function recordOf(row: RecordRow): StoredDlqRecord {
  const { id, stream, db, position, fields, entry, superseded, parked } = row;
  return {
    id: String(id),
    ...{ stream, db, position },
    fields: JSON.parse(fields),
    entry: Buffer.from(entry.buffer, entry.byteOffset, entry.byteLength),
    isSuperseded: superseded === null ? null : superseded === 1,
    isParked: parked === 1,
    ...rowOf(row),
  };
}

function rowOf({ row_key: key, old_row_key: oldKey, row_table: table, source }: RecordRow): DlqRow {
  return { key, oldKey, table, source };
}

function flag(value: boolean | null): number | null {
  return value === null ? null : Number(value);
}
