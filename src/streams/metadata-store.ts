import type { StateStore } from './state-store.ts';
import type { MetadataStore } from './types.ts';

interface HashRow {
  field: string;
  value: Uint8Array;
}

interface StreamRow {
  ms: number;
  seq: number;
  fields: Uint8Array;
  field_count: number;
}

const PAGE_ENTRIES = 256;

/** Hashes and streams of the feeder's own state, in the state store. Keys and fields are Latin-1, byte for byte. */
export class SqliteMetadata implements MetadataStore {
  readonly #state: StateStore;
  readonly #now: () => number;

  constructor(state: StateStore, now: () => number) {
    this.#state = state;
    this.#now = now;
  }

  get changed(): number {
    return this.#state.changed;
  }

  get synced(): number {
    return this.#state.synced;
  }

  setFields(db: number, key: string, fields: readonly [string, Buffer][]): number {
    const exists = this.#state.prepare('SELECT 1 FROM metadata_hash WHERE db = ? AND key = ? AND field = ?');
    const put = this.#state.prepare(
      'INSERT INTO metadata_hash VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
    );
    return this.#state.transaction(() => {
      let added = 0;
      for (const [field, value] of fields) {
        if (!exists.get(db, key, field)) added++;
        put.run(db, key, field, value);
      }
      return added;
    });
  }

  fields(db: number, key: string): [string, Buffer][] {
    const rows = this.#state.prepare('SELECT field, value FROM metadata_hash WHERE db = ? AND key = ?').all(db, key);
    return (rows as unknown as HashRow[]).map(({ field, value }) => [field, Buffer.from(value)]);
  }

  field(db: number, key: string, field: string): Buffer | null {
    const sql = 'SELECT value FROM metadata_hash WHERE db = ? AND key = ? AND field = ?';
    const row = this.#state.prepare(sql).get(db, key, field) as unknown as HashRow | undefined;
    return row ? Buffer.from(row.value) : null;
  }

  append(db: number, key: string, fields: Buffer, fieldCount: number): string {
    const sql = 'SELECT ms, seq FROM metadata_stream WHERE db = ? AND key = ? ORDER BY ms DESC, seq DESC LIMIT 1';
    const last = this.#state.prepare(sql).get(db, key) as unknown as StreamRow | undefined;
    const now = this.#now();
    const ms = last && last.ms >= now ? last.ms : now;
    const seq = last && last.ms === ms ? last.seq + 1 : 0;
    const insert = this.#state.prepare('INSERT INTO metadata_stream VALUES (?, ?, ?, ?, ?, ?)');
    this.#state.transaction(() => insert.run(db, key, BigInt(ms), BigInt(seq), fields, fieldCount));
    return `${ms}-${seq}`;
  }

  length(db: number, key: string): number {
    const sql = 'SELECT count(*) AS n FROM metadata_stream WHERE db = ? AND key = ?';
    return (this.#state.prepare(sql).get(db, key) as { n: number }).n;
  }

  count(db: number, key: string, from: readonly [number, number], to: readonly [number, number]): number {
    const sql = `SELECT count(*) AS n FROM metadata_stream WHERE db = ? AND key = ?
      AND (ms, seq) >= (?, ?) AND (ms, seq) <= (?, ?)`;
    return (this.#state.prepare(sql).get(db, key, ...boundsOf(from, to)) as { n: number }).n;
  }

  *range(
    db: number,
    key: string,
    from: readonly [number, number],
    to: readonly [number, number],
    reverse: boolean,
  ): IterableIterator<{ id: string; fields: Buffer; fieldCount: number }> {
    // Page by page, so that no statement stays open while a slow client reads and others write.
    let [low, high] = [from, to];
    const order = reverse ? 'DESC' : 'ASC';
    const sql = `SELECT ms, seq, fields, field_count FROM metadata_stream WHERE db = ? AND key = ?
      AND (ms, seq) >= (?, ?) AND (ms, seq) <= (?, ?) ORDER BY ms ${order}, seq ${order} LIMIT ${PAGE_ENTRIES}`;
    for (;;) {
      const rows = this.#state.prepare(sql).all(db, key, ...boundsOf(low, high)) as unknown as StreamRow[];
      for (const { ms, seq, fields, field_count } of rows) {
        yield { id: `${ms}-${seq}`, fields: Buffer.from(fields), fieldCount: field_count };
      }
      const last = rows[rows.length - 1];
      if (!last || rows.length < PAGE_ENTRIES) return;
      if (reverse) high = last.seq > 0 ? [last.ms, last.seq - 1] : [last.ms - 1, Number.MAX_SAFE_INTEGER];
      else low = [last.ms, last.seq + 1];
    }
  }

  keys(db: number): { key: string; type: 'hash' | 'stream' }[] {
    const sql = `SELECT DISTINCT key, 'hash' AS type FROM metadata_hash WHERE db = ?1
      UNION ALL SELECT DISTINCT key, 'stream' FROM metadata_stream WHERE db = ?1`;
    return this.#state.prepare(sql).all(db) as unknown as { key: string; type: 'hash' | 'stream' }[];
  }

  type(db: number, key: string): 'hash' | 'stream' | null {
    if (this.#state.prepare('SELECT 1 FROM metadata_hash WHERE db = ? AND key = ? LIMIT 1').get(db, key)) return 'hash';
    if (this.#state.prepare('SELECT 1 FROM metadata_stream WHERE db = ? AND key = ? LIMIT 1').get(db, key)) {
      return 'stream';
    }
    return null;
  }

  delete(db: number, key: string): boolean {
    return this.#state.transaction(() => {
      const hash = this.#state.prepare('DELETE FROM metadata_hash WHERE db = ? AND key = ?').run(db, key);
      const stream = this.#state.prepare('DELETE FROM metadata_stream WHERE db = ? AND key = ?').run(db, key);
      return Number(hash.changes) + Number(stream.changes) > 0;
    });
  }
}

function boundsOf(from: readonly [number, number], to: readonly [number, number]): bigint[] {
  return [...from, ...to].map((n) => BigInt(Math.min(n, Number.MAX_SAFE_INTEGER)));
}
