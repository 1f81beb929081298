import { describeEdited, fieldTexts, replaceKeyAndValue, rowOf } from '../dlq/index.ts';
import type { Pipeline } from '../pipeline.ts';
import { entryOf, type RetryResult } from '../retry.ts';
import type { EmbeddedStore, StoredDlqRecord, StoredStream } from '../streams/index.ts';
import type { StreamEntry } from '../types.ts';
import type { DlqControl, DlqRecordDetail, DlqSelection, RetriedRecord, RetryReport } from './operations.ts';
import type { DlqPage, DlqRecord } from './types.ts';

/** Records that are looked up, and handed to the pipeline, in one go. */
const PAGE = 1000;
const REPORTED = 1000;
const STOPPED = 'The pipeline is stopped. Start it, then retry.';

export interface DlqDeskParts {
  readonly store: () => EmbeddedStore;
  /** Null while the pipeline is stopped. */
  readonly pipeline: () => Pipeline | null;
  readonly now: () => number;
}

/** What people do with rejected records. */
export class DlqDesk implements DlqControl {
  readonly #parts: DlqDeskParts;

  constructor(parts: DlqDeskParts) {
    this.#parts = parts;
  }

  records(stream: string, page: DlqPage): DlqRecord[] {
    return this.#dlqs.records(stream, page).map(shown);
  }

  record(stream: string, id: string): DlqRecordDetail | null {
    const record = this.#dlqs.record(stream, id);
    return record && detailOf(record);
  }

  count(selection: DlqSelection): number {
    return this.#dlqs.countOf(selection);
  }

  entry(stream: string, id: string): StreamEntry | null {
    const record = this.#dlqs.record(stream, id);
    return record && entryOf(this.#streamOf(record), record);
  }

  async edit(stream: string, id: string, change: { readonly key?: string; readonly value?: string }): Promise<boolean> {
    const record = this.#dlqs.record(stream, id);
    if (!record) return false;
    const entry = replaceKeyAndValue(wholeOf(record), change);
    const edited = { ...record, entry };
    const source = this.#streamOf(record);
    const row = rowOf(wholeOf(edited), record.db, null);
    // Nobody has watched the row that the record is of now.
    const isSuperseded = row.key === record.key ? record.isSuperseded : null;
    const timestamp = new Date(this.#parts.now()).toISOString();
    const fields = describeEdited(record.fields, entryOf(source, edited), timestamp);
    // What the entry does not say of itself is known from when it was decoded.
    const known = { ...row, table: row.table || record.table, source: row.source ?? record.source };
    if (!this.#dlqs.edit(id, { fields, entry, isSuperseded, row: known })) return false;
    await this.#parts.store().sync();
    if (row.key !== record.key) this.#followUp(stream);
    return true;
  }

  async retry(selection: DlqSelection, { force }: { readonly force: boolean }): Promise<RetryReport> {
    const sums = { written: 0, filtered: 0, superseded: 0, kept: 0 };
    const records: RetriedRecord[] = [];
    for (const ids of this.#pages(selection)) {
      for (const [stream, ofStream] of ids) {
        for (const result of await this.#retry(stream, ofStream, force)) {
          sums[result.outcome]++;
          if (records.length < REPORTED) records.push({ stream, ...result });
        }
      }
    }
    return { ...sums, records };
  }

  async drop(selection: DlqSelection): Promise<number> {
    let dropped = 0;
    const streams = new Set<string>();
    for (const ids of this.#pages(selection)) {
      for (const [stream, ofStream] of ids) {
        dropped += this.#dlqs.drop(ofStream);
        streams.add(stream);
      }
      // Other work comes in between.
      await this.#parts.store().sync();
    }
    for (const stream of streams) this.#followUp(stream);
    return dropped;
  }

  async *export(selection: DlqSelection): AsyncGenerator<DlqRecordDetail> {
    for (const ids of this.#pages(selection)) {
      for (const [stream, ofStream] of ids) {
        for (const id of ofStream) {
          const record = this.#dlqs.record(stream, id);
          if (record) yield detailOf(record);
        }
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /**
   * Tries records that wait behind nothing any more, because a crash came between the end of the record before them and their
   * own turn. To be called when a pipeline has begun.
   */
  followUpAll(): void {
    for (const { stream } of this.#dlqs.queues()) this.#followUp(stream);
  }

  get #dlqs(): EmbeddedStore['deadLetters'] {
    return this.#parts.store().deadLetters;
  }

  /** Ids of the selected records by stream, oldest first; those that are added meanwhile are not among them. */
  *#pages(selection: DlqSelection): Generator<Map<string, string[]>> {
    const last = Number(this.#dlqs.newestId());
    for (let after = '0'; ; ) {
      const page = this.#dlqs.select(selection, { after, limit: PAGE }).filter(({ id }) => Number(id) <= last);
      const newest = page.at(-1);
      if (!newest) return;
      const byStream = Map.groupBy(page, ({ stream }) => stream);
      yield new Map([...byStream].map(([stream, found]) => [stream, found.map(({ id }) => id)]));
      after = newest.id;
    }
  }

  async #retry(name: string, ids: readonly string[], force: boolean): Promise<RetryResult[]> {
    const results: RetryResult[] = [];
    // Streams of one name in several databases share a queue; each takes its own.
    for (const stream of this.#streamsOf(name)) {
      const pipeline = this.#parts.pipeline();
      if (!pipeline) return ids.map((id) => ({ id, outcome: 'kept', reason: STOPPED }));
      results.push(...(await pipeline.retry(stream, ids, { force })));
    }
    return results;
  }

  #followUp(name: string): void {
    const pipeline = this.#parts.pipeline();
    if (!pipeline) return;
    for (const stream of this.#streamsOf(name)) {
      if (this.#dlqs.freedRows(name, 1).length > 0) void pipeline.retry(stream, [], { force: false });
    }
  }

  #streamsOf(name: string): StoredStream[] {
    return this.#parts
      .store()
      .streams()
      .filter((stream) => stream.name === name);
  }

  #streamOf({ stream, db }: StoredDlqRecord): StoredStream {
    const known = this.#streamsOf(stream).find((one) => one.db === db);
    // A record can outlive what the store knows of its stream.
    return known ?? this.#parts.store().stream(db, Buffer.from(stream).toString('latin1'));
  }
}

function shown({ id, fields }: { readonly id: string; readonly fields: Readonly<Record<string, string>> }): DlqRecord {
  return { __dlq_stream_entry_id: id, ...(fields as Omit<DlqRecord, '__dlq_stream_entry_id'>) };
}

function detailOf(record: StoredDlqRecord): DlqRecordDetail {
  const { key, isSuperseded } = record;
  return {
    ...shown(record),
    fields: fieldTexts(wholeOf(record)),
    is_superseded: isSuperseded === true ? true : key === null ? null : isSuperseded,
  };
}

function wholeOf({ entry }: Pick<StoredDlqRecord, 'entry'>): { bytes: Buffer; start: number; end: number } {
  return { bytes: entry, start: 0, end: entry.length };
}
