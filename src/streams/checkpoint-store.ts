import type { StateStore } from './state-store.ts';
import type { BehindStream, CheckpointState, StoredStream, StreamCounters } from './types.ts';

interface CounterRow extends StreamCounters {
  stream: number;
  db: number;
  name: string;
  deduplicated: number;
}

interface BehindRow {
  stream: number;
  position: number;
  reason: string | null;
  entry_id: string;
  since: number;
}

/** Position, streams that are behind, and accounting, stored together in one transaction. */
export class CheckpointStore {
  readonly #state: StateStore;

  constructor(state: StateStore) {
    this.#state = state;
  }

  /** The position alone, for recovery; 0 in a new folder. */
  position(): number {
    const row = this.#state.prepare('SELECT position FROM checkpoint').get() as { position: number } | undefined;
    return row?.position ?? 0;
  }

  /** Position before which the journal was durable when the checkpoint was stored last, or when the store was closed. */
  durable(): number {
    const row = this.#state.prepare('SELECT durable FROM checkpoint').get() as { durable: number } | undefined;
    return row?.durable ?? 0;
  }

  saveDurable(durable: number): void {
    const save = this.#state.prepare(
      'INSERT INTO checkpoint VALUES (1, 0, ?) ON CONFLICT DO UPDATE SET durable = excluded.durable',
    );
    this.#state.transaction(() => save.run(BigInt(durable)));
  }

  /** The position from which segments are still needed. */
  lowestPosition(): number {
    const row = this.#state.prepare('SELECT min(position) AS position FROM stream_behind').get();
    const { position } = row as { position: number | null };
    return position === null ? this.position() : Math.min(position, this.position());
  }

  load(streams: ReadonlyMap<number, StoredStream>): CheckpointState {
    const counters = new Map<StoredStream, StreamCounters>();
    for (const row of this.#state.prepare('SELECT * FROM stream_counters').all() as unknown as CounterRow[]) {
      const { stream: number, db: _db, name: _name, deduplicated, ...rest } = row;
      const stream = streams.get(number);
      if (!stream) continue;
      stream.deduplicated = deduplicated;
      counters.set(stream, { ...rest });
    }
    const behind = new Map<StoredStream, BehindStream>();
    for (const row of this.#state.prepare('SELECT * FROM stream_behind').all() as unknown as BehindRow[]) {
      const stream = streams.get(row.stream);
      const { position, reason, entry_id: entryId, since } = row;
      if (stream) behind.set(stream, { position, stopped: reason === null ? null : { reason, entryId, since } });
    }
    return { position: this.position(), behind, counters };
  }

  /** Positions at which a reader may begin after a start. */
  boundaries(): number[] {
    const rows = this.#state.prepare('SELECT position FROM stream_behind').all() as unknown as { position: number }[];
    return [this.position(), ...rows.map(({ position }) => position)];
  }

  /** What is known of the streams apart from the journal, for its repair. */
  settledStreams(): { number: number; db: number; rawName: string; settledEntries: number; settledTo: number }[] {
    const behind = new Map<number, number>();
    for (const row of this.#state.prepare('SELECT * FROM stream_behind').all() as unknown as BehindRow[]) {
      behind.set(row.stream, row.position);
    }
    const rows = this.#state.prepare('SELECT * FROM stream_counters').all() as unknown as CounterRow[];
    return rows.map(({ stream: number, db, name: rawName, written, filtered, superseded, rejected, skipped }) => ({
      number,
      db,
      rawName,
      settledEntries: written + filtered + superseded + rejected + skipped,
      settledTo: behind.get(number) ?? this.position(),
    }));
  }

  save(checkpoint: CheckpointState, durable: number): void {
    const position = this.#state.prepare('INSERT OR REPLACE INTO checkpoint VALUES (1, ?, ?)');
    const count = this.#state.prepare(
      'INSERT OR REPLACE INTO stream_counters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    const leave = this.#state.prepare('INSERT INTO stream_behind VALUES (?, ?, ?, ?, ?)');
    this.#state.transaction(() => {
      position.run(BigInt(checkpoint.position), BigInt(durable));
      for (const [stream, c] of checkpoint.counters) {
        const outcomes = [c.written, c.filtered, c.superseded, c.rejected, c.skipped];
        count.run(
          stream.number,
          stream.db,
          stream.rawName,
          stream.deduplicated,
          ...outcomes,
          c.inserted,
          c.updated,
          c.deleted,
        );
      }
      this.#state.prepare('DELETE FROM stream_behind').run();
      for (const [stream, { position: at, stopped }] of checkpoint.behind) {
        const [reason, entryId, since] = stopped
          ? [stopped.reason, stopped.entryId, stopped.since]
          : [null, null, null];
        leave.run(stream.number, BigInt(at), reason, entryId, since);
      }
    });
  }
}

/** Position from which the journal is still needed. */
export function neededFrom({ position, behind }: CheckpointState): number {
  let needed = position;
  for (const stream of behind.values()) needed = Math.min(needed, stream.position);
  return needed;
}
