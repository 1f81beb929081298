import type { EmbeddedStore, StoredStream } from '../streams/index.ts';
import { bulk, latin1 } from './resp-text.ts';

/** An entry as `XRANGE` shows it: fields in RESP form. */
export interface ShownEntry {
  readonly id: string;
  readonly fields: string;
  readonly fieldCount: number;
}

export type IdPair = readonly [number, number];
export const LOWEST: IdPair = [0, 0];
export const HIGHEST: IdPair = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

/** A key that can be looked at: entries waiting in a data stream, the feeder's own state, a dead letter queue. */
export interface KeyView {
  readonly type: 'stream' | 'hash';
  length(): number;
  /** Entries between two ids, oldest first. */
  entries(from: IdPair, to: IdPair): AsyncIterable<ShownEntry>;
  /** The same where their number can be told before they are read, so that a reply of any size can be sent as it is read. */
  counted?(from: IdPair, to: IdPair, reverse: boolean): { total: number; entries: Iterable<ShownEntry> };
  readonly lastId: string;
  /** A reply is collected before it is sent, because its length comes first; a larger one must be asked for in parts. */
  readonly maxReplyBytes: number;
}

const MAX_REPLY_BYTES = 64 << 20;

/** Finds a key by its name in Latin-1; null when there is none. A data stream whose entries are all settled is empty. */
export function findKey(store: EmbeddedStore, db: number, key: string): KeyView | null {
  const type = store.metadata.type(db, key);
  if (type === 'hash') return hashView(store, db, key);
  if (type === 'stream') return historyView(store, db, key);
  const stream = store.find(db, key);
  if (stream) return dataView(store, stream);
  if (key.startsWith('dlq:') && db === 0) return dlqView(store, key.slice(4));
  return null;
}

export function keyNames(store: EmbeddedStore, db: number): string[] {
  const data = store.streams().filter((stream) => stream.db === db);
  const dlqs = db === 0 ? store.deadLetters.queues() : [];
  return [
    ...data.map((stream) => stream.rawName),
    ...store.metadata.keys(db).map(({ key }) => key),
    ...dlqs.map(({ stream }) => latin1(`dlq:${stream}`)),
  ];
}

export function compareIds(a: IdPair, b: IdPair): number {
  return a[0] - b[0] || a[1] - b[1];
}

function hashView(store: EmbeddedStore, db: number, key: string): KeyView {
  return {
    type: 'hash',
    length: () => store.metadata.fields(db, key).length,
    entries: async function* () {},
    lastId: '0-0',
    maxReplyBytes: MAX_REPLY_BYTES,
  };
}

function historyView(store: EmbeddedStore, db: number, key: string): KeyView {
  return {
    type: 'stream',
    length: () => store.metadata.length(db, key),
    async *entries(from, to) {
      yield* historyEntries(store, db, key, from, to, false);
    },
    // Debezium reads its whole schema history in one reply.
    counted(from, to, reverse) {
      const [lastMs = 0, lastSeq = 0] = this.lastId.split('-').map(Number);
      // What is appended while the reply is sent is not part of it.
      const end = compareIds(to, [lastMs, lastSeq]) < 0 ? to : ([lastMs, lastSeq] as const);
      const total = store.metadata.count(db, key, from, end);
      return { total, entries: historyEntries(store, db, key, from, end, reverse) };
    },
    maxReplyBytes: MAX_REPLY_BYTES,
    get lastId() {
      for (const { id } of store.metadata.range(db, key, LOWEST, HIGHEST, true)) return id;
      return '0-0';
    },
  };
}

function* historyEntries(
  store: EmbeddedStore,
  db: number,
  key: string,
  from: IdPair,
  to: IdPair,
  reverse: boolean,
): Generator<ShownEntry> {
  for (const { id, fields, fieldCount } of store.metadata.range(db, key, from, to, reverse)) {
    yield { id, fields: fields.toString('latin1'), fieldCount };
  }
}

function dataView(store: EmbeddedStore, stream: StoredStream): KeyView {
  return {
    type: 'stream',
    length: () => store.pendingCount(stream),
    async *entries(from, to) {
      for await (const { ms, seq, bytes, start, end, fieldCount } of store.pending(stream)) {
        if (compareIds([ms, seq], to) > 0) return;
        if (compareIds([ms, seq], from) < 0) continue;
        yield { id: `${ms}-${seq}`, fields: bytes.latin1Slice(start, end), fieldCount };
      }
    },
    maxReplyBytes: MAX_REPLY_BYTES,
    get lastId() {
      return `${stream.lastMs}-${stream.lastSeq}`;
    },
  };
}

function dlqView(store: EmbeddedStore, rawName: string): KeyView | null {
  const name = Buffer.from(rawName, 'latin1').toString('utf8');
  const queue = store.deadLetters.queues().find(({ stream }) => stream === name);
  if (!queue) return null;
  return {
    type: 'stream',
    length: () => queue.count,
    async *entries(from, to) {
      for (const { id, fields } of store.deadLetters.records(name, { limit: queue.count, offset: 0, order: 'asc' })) {
        // A record's id is a plain number; as a stream id it is the first half.
        const pair: IdPair = [Number(id), 0];
        if (compareIds(pair, from) < 0 || compareIds(pair, to) > 0) continue;
        const text = Object.entries(fields).map(([field, value]) => bulk(latin1(field)) + bulk(latin1(value)));
        yield { id: `${id}-0`, fields: text.join(''), fieldCount: text.length * 2 };
      }
    },
    lastId: '0-0',
    maxReplyBytes: MAX_REPLY_BYTES,
  };
}
