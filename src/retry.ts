import { type Checkpoint, OUTCOME, type RetriedOutcome } from './checkpoint/index.ts';
import { type AppliedEntry, type Dlq, fieldCount, type RejectedEntry } from './dlq/index.ts';
import type { Lane, Passage, RetriedRecords, Retrier } from './lane.ts';
import type { StoredDlqRecord, StoredStream } from './streams/index.ts';
import type { StreamEntry } from './types.ts';

/** A batch of records that are tried again; what is beyond waits for the next one. */
const MAX_RECORDS = 200;
const MAX_BYTES = 8 << 20;

/** What became of a record; see `RetriedRecord` in `control/`. */
export interface RetryResult {
  readonly id: string;
  readonly outcome: 'written' | 'filtered' | 'superseded' | 'kept';
  readonly reason?: string;
}

export interface RetryOptions {
  readonly stream: StoredStream;
  readonly ids: readonly string[];
  /** Write also where a newer value of the row may be there. */
  readonly force: boolean;
  readonly parksKeys: boolean;
  readonly dlq: Dlq;
  readonly checkpoint: Checkpoint;
  /** Whether the stream is meant for this pipeline. */
  readonly isSelected: boolean;
  readonly signal: AbortSignal;
  /** Has the stream move to the lane that its tables need now; false when it is there. */
  readonly movesAway: (lane: Lane, entries: readonly StreamEntry[]) => boolean;
}

/** What one batch holds so far, and the ids of the records of its rows in order. */
interface Taken {
  readonly ids: Set<string>;
  readonly rows: Map<string, readonly string[]>;
}

/**
 * One person's wish to have records of one stream tried again: hands them to the lane of the stream, batch after batch, and
 * settles what comes back. Rows whose first record is settled are followed up: what waited behind it is tried at once.
 */
export class Retry implements Retrier {
  readonly results: RetryResult[] = [];
  /** The lane that it is in at the moment. */
  lane: Lane | null = null;
  readonly #options: RetryOptions;
  readonly #ids: string[];
  /** Rows of which something was settled. */
  readonly #freed: Set<string>;
  readonly #seen = new Set<string>();

  constructor(options: RetryOptions) {
    this.#options = options;
    this.#ids = [...options.ids].sort((one, other) => Number(one) - Number(other));
    this.#freed = new Set(options.dlq.freedRows(options.stream));
  }

  async next(): Promise<RetriedRecords | 'moved' | null> {
    const { checkpoint, stream, movesAway } = this.#options;
    const lane = this.lane as Lane;
    if (checkpoint.laneOf(stream) !== lane.progress || lane.progress.isParked(stream)) return 'moved';
    const obstacle = await this.#obstacle();
    if (obstacle !== null) {
      this.giveUp(obstacle);
      return null;
    }
    const taken = this.#take();
    if (taken.length === 0) return null;
    const records = taken.map(({ record }) => record);
    const entries = records.map((record) => entryOf(stream, record));
    if (movesAway(lane, entries)) {
      for (const { id } of records) this.#seen.delete(id);
      this.#ids.unshift(...records.map(({ id }) => id));
      return 'moved';
    }
    const outdated = new Set(taken.flatMap(({ isOutdated }, i) => (isOutdated ? [i] : [])));
    const settle = (passage: Passage) => this.#settle(passage);
    return { entries, records, outdated, notTried: new Map(), failed: new Map(), settle };
  }

  /** Reports everything that was not tried as kept. */
  giveUp(reason: string): void {
    for (const id of this.#ids.splice(0)) this.results.push({ id, outcome: 'kept', reason });
    this.#freed.clear();
  }

  async #obstacle(): Promise<string | null> {
    const { checkpoint, stream, isSelected } = this.#options;
    if (!isSelected) return `The pipeline does not read the stream ${stream.name}.`;
    // A record is taken out of the account that the store has, so its rejection must be in there.
    if (await checkpoint.persist()) return null;
    return `The store takes no changes now: ${checkpoint.failure}`;
  }

  /** The next records to try, oldest first; the others are reported. */
  #take(): { record: StoredDlqRecord; isOutdated: boolean }[] {
    const taken: { record: StoredDlqRecord; isOutdated: boolean }[] = [];
    let bytes = 0;
    const known: Taken = { ids: new Set(), rows: new Map() };
    const take = (id: string): boolean => {
      const record = this.#seen.has(id) ? null : this.#options.dlq.record(this.#options.stream, id);
      if (!record || record.db !== this.#options.stream.db) return true;
      if (taken.length >= MAX_RECORDS || (taken.length > 0 && bytes + record.entry.length > MAX_BYTES)) return false;
      this.#seen.add(id);
      const kept = this.#whyKept(record, known);
      if (kept !== null) {
        this.results.push({ id, outcome: 'kept', reason: kept });
        return true;
      }
      known.ids.add(id);
      bytes += record.entry.length;
      taken.push({ record, isOutdated: record.isSuperseded === true && !this.#options.force });
      return true;
    };
    if (this.#takeFreed(take)) while (this.#ids.length > 0 && take(this.#ids[0] as string)) this.#ids.shift();
    return taken.sort((one, other) => Number(one.record.id) - Number(other.record.id));
  }

  /** Records of rows whose oldest one was never tried, because it waited behind one that is settled. False: no more room. */
  #takeFreed(take: (id: string) => boolean): boolean {
    const { dlq, stream } = this.#options;
    for (const key of this.#freed) {
      const records = dlq.recordsOfRow(stream, key);
      const oldest = records[0] && dlq.record(stream, records[0].id);
      if (oldest?.isParked && !this.#seen.has(oldest.id)) {
        for (const { id } of records) if (!take(id)) return false;
      }
      this.#freed.delete(key);
    }
    return true;
  }

  /** The last record of its rows before it, unless that one goes along; they were taken in order, so then all before do. */
  #olderOfRow({ id, key, oldKey }: StoredDlqRecord, taken: ReadonlySet<string>, rows: Taken['rows']): string | null {
    const { dlq, stream } = this.#options;
    for (const row of [key, oldKey]) {
      if (!row) continue;
      const ids = rows.get(row) ?? dlq.recordsOfRow(stream, row).map((record) => record.id);
      rows.set(row, ids);
      const before = ids[ids.indexOf(id) - 1];
      if (before !== undefined && !taken.has(before)) return before;
    }
    return null;
  }

  #whyKept(record: StoredDlqRecord, taken: Taken): string | null {
    const { force, parksKeys } = this.#options;
    const before = parksKeys ? this.#olderOfRow(record, taken.ids, taken.rows) : null;
    if (before !== null) {
      return `Record ${before} of the same row is older, and on_reject is park_key. Retry or drop that one; this one follows by itself.`;
    }
    if (force || record.isSuperseded === true) return null;
    if (record.key === null) {
      return 'It has no key, so that nobody knows whether a newer value of its row has arrived since. Retry it with force, or drop it.';
    }
    return record.isSuperseded === false
      ? null
      : 'A newer change of its row may be there, or came without all columns, so that writing this one could undo it. Compare the row, then retry it with force or drop it.';
  }

  /** Takes what was applied out of the DLQ, in one transaction with the account, and notes why the rest failed. */
  async #settle({ entries, events, outcomes, operations, retried }: Passage): Promise<void> {
    const { dlq, checkpoint, stream, signal } = this.#options;
    const { records, notTried, failed } = retried as RetriedRecords;
    const results: RetryResult[] = [];
    const moved: RetriedOutcome[] = [];
    const removed: StoredDlqRecord[] = [];
    const renewed: { record: StoredDlqRecord; rejected: RejectedEntry }[] = [];
    const applied: AppliedEntry[] = [];
    for (const [i, record] of records.entries()) {
      const { id } = record;
      const event = events[i];
      // Nobody has tried what somebody wrote meanwhile.
      if (dlq.record(stream, id)?.entry.equals(record.entry) === false) {
        results.push({ id, outcome: 'kept', reason: EDITED });
        if (event && outcomes[i] !== OUTCOME.rejected) applied.push({ entry: entries[i] as StreamEntry, event, id });
        continue;
      }
      const rejected = failed.get(i);
      const reason = rejected ? `${rejected.rejection.code}: ${rejected.rejection.reason}` : notTried.get(i);
      if (rejected) renewed.push({ record, rejected });
      if (reason !== undefined) results.push({ id, outcome: 'kept', reason });
      else {
        const outcome = outcomes[i] as number;
        removed.push(record);
        moved.push({ outcome, operation: operations[i] as number });
        results.push({ id, outcome: NAMES[outcome] ?? 'filtered' });
        if (event) applied.push({ entry: entries[i] as StreamEntry, event, id });
      }
    }
    const change = checkpoint.changeOf(stream, moved);
    const accounts = new Map([[stream.number, change]]);
    await dlq.settleRetried({ removed: removed.map(({ id }) => id), renewed, applied, accounts }, signal);
    checkpoint.settleRetried(stream, change);
    this.results.push(...results);
    for (const { key, oldKey } of removed) for (const row of [key, oldKey]) if (row) this.#freed.add(row);
  }
}

const EDITED = 'It was edited while it was tried. Retry it again.';

const NAMES: Readonly<Record<number, RetryResult['outcome']>> = {
  [OUTCOME.written]: 'written',
  [OUTCOME.filtered]: 'filtered',
  [OUTCOME.superseded]: 'superseded',
};

/** The entry of a record, at its place in its stream. */
export function entryOf(stream: StoredStream, record: StoredDlqRecord): StreamEntry {
  const { entry, position } = record;
  const [ms = 0, seq = 0] = (record.fields['entry_id'] ?? '0-0').split('-').map(Number);
  return {
    stream,
    ms,
    seq,
    position,
    bytes: entry,
    start: 0,
    end: entry.length,
    fieldCount: fieldCount({ bytes: entry, start: 0, end: entry.length }),
  };
}
