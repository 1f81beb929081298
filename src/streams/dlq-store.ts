import type { StateStore } from './state-store.ts';
import type { DlqRecord, DlqStore, NewDlqRecord } from './types.ts';

/** Dead letter queues in the state store. Record ids are numbers that grow. */
export class SqliteDlq implements DlqStore {
  readonly #state: StateStore;
  readonly #withRoom: (change: () => void) => void;

  /** `withRoom` runs a change, and again with the room kept for full disks: settling waits for these records. */
  constructor(state: StateStore, withRoom: (change: () => void) => void = (change) => change()) {
    this.#state = state;
    this.#withRoom = withRoom;
  }

  add(records: readonly NewDlqRecord[], cap: number): void {
    const insert = this.#state.prepare('INSERT INTO dlq (stream, fields, entry) VALUES (?, ?, ?)');
    const streams = new Set(records.map((record) => record.stream));
    const change = () => {
      for (const { stream, fields, entry } of records) insert.run(stream, JSON.stringify(fields), entry);
      for (const stream of streams) this.#evict(stream, cap);
    };
    this.#withRoom(() => this.#state.transaction(change));
  }

  #evict(stream: string, cap: number): void {
    const sql = `DELETE FROM dlq WHERE stream = ?1 AND id <= (
      SELECT id FROM dlq WHERE stream = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)`;
    const evicted = this.#state.prepare(sql).run(stream, cap).changes;
    if (!evicted) return;
    const count =
      'INSERT INTO dlq_evicted VALUES (?, ?) ON CONFLICT DO UPDATE SET evicted = evicted + excluded.evicted';
    this.#state.prepare(count).run(stream, evicted);
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
    const row = this.#state.prepare(sql).get(stream, Number(id)) as { entry: Uint8Array } | undefined;
    return row ? Buffer.from(row.entry) : null;
  }
}
