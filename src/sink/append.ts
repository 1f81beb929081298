import type { StoredEntry } from '../streams/resends.ts';
import type { StoredStream } from '../streams/types.ts';
import type { Client, Comparing, EntryIdPair, Fields, HeldEntry } from './client.ts';
import { bulk, error, OOM } from './resp-text.ts';

const STAR = 42;
/**
 * Debezium 1.9.0 sends no other command between attempts; its shortest retry delay ends a refusal instead. A rest inside
 * a command, or of a client that does send other commands, is a stall of the network and ends nothing.
 */
const QUIET_MS = 300;

/**
 * Runs the current command as an `XADD` to a data stream: the hot path of the endpoint. Whatever it holds, the reply is
 * an id (once durable) or OOM.
 */
export function xadd(connection: Client): void {
  const { parser } = connection;
  const { buffer, starts, ends, count } = parser;
  const key = buffer.latin1Slice(starts[1], ends[1]);
  if (isMetadata(connection, key)) {
    appendMetadata(connection, key);
    return;
  }
  if (!connection.hasAppended && mayBeSentAgain(connection)) return;
  connection.hasAppended = true;
  const stream = streamOf(connection, key);
  const isPlain = count > 3 && ends[2] === (starts[2] as number) + 1 && buffer[starts[2] as number] === STAR;
  const idIndex = isPlain ? 2 : findId(connection);
  const explicitId = isPlain ? undefined : parseId(connection, idIndex);
  const fields = fieldsFrom(connection, idIndex + 1);
  if (connection.comparing) compare(connection, connection.comparing, { stream, fields, explicitId });
  else appendEntry(connection, stream, fields, explicitId);
}

/** Feeders send runs of entries of one stream: the last one is remembered. */
function streamOf(connection: Client, key: string): StoredStream {
  const { lastStream } = connection;
  if (lastStream?.rawName === key && lastStream.db === connection.db) return lastStream;
  const stream = connection.context.store.stream(connection.db, key);
  connection.lastStream = stream;
  return stream;
}

/** The pipeline under comparison is not the stored one: its entries so far are new after all. */
export function decide(connection: Client): void {
  const held = connection.comparing?.held ?? [];
  connection.comparing = null;
  for (const { stream, fields, explicitId } of held) appendEntry(connection, stream, fields, explicitId);
}

/** Appends an entry and queues its reply. */
function appendEntry(
  connection: Client,
  stream: StoredStream,
  fields: Fields,
  explicitId: EntryIdPair | undefined,
): void {
  if (connection.isSticky && !connection.separates && connection.restMs > QUIET_MS) connection.isSticky = false;
  connection.restMs = 0;
  const startsSubBatch = !connection.isInSubBatch;
  connection.isInSubBatch = true;
  const position = connection.isSticky ? -1 : append(connection, stream, fields, explicitId, startsSubBatch);
  if (position < 0) {
    refuse(connection);
    return;
  }
  const id = `${stream.lastMs}-${stream.lastSeq}`;
  connection.replies.pushAppend(`$${id.length}\r\n${id}\r\n`, position);
}

function append(
  connection: Client,
  stream: StoredStream,
  { bytes, start, end, count }: Fields,
  explicitId: EntryIdPair | undefined,
  startsSubBatch: boolean,
): number {
  const { store, testMaxmemory } = connection.context;
  if (testMaxmemory > 0 || store.pressure === 'refusing' || connection.mustStartAnew) return -1;
  return store.append(stream, connection.origin, startsSubBatch, bytes, start, end, count, explicitId);
}

/** OOM, and nothing more is stored until another command comes. A cluster client would stop at OOM: it is cut instead. */
function refuse(connection: Client): void {
  if (connection.isOfCluster) {
    connection.destroy();
    return;
  }
  connection.isSticky = true;
  connection.replies.pushReady(OOM);
}

/** The arguments from `first` on: where they stand, or put together for an inline command. */
function fieldsFrom({ parser }: Client, first: number): Fields {
  const { buffer, starts, ends, isInline } = parser;
  const count = Math.max(0, parser.count - first);
  if (!isInline) {
    const start = (ends[first - 1] as number) + 2;
    return { bytes: buffer, start, end: Math.max(start, (ends[parser.count - 1] as number) + 2), count };
  }
  let text = '';
  for (let i = first; i < parser.count; i++) text += bulk(buffer.latin1Slice(starts[i], ends[i]));
  const bytes = Buffer.from(text, 'latin1');
  return { bytes, start: 0, end: bytes.length, count };
}

/**
 * Index of the id argument, behind `NOMKSTREAM` and `MAXLEN|MINID [=|~] threshold [LIMIT count]`. Trimming options are
 * accepted and have no effect: entries leave when they are settled.
 */
function findId(connection: Client): number {
  const { count } = connection.parser;
  let i = 2;
  for (;;) {
    const word = i < count ? argument(connection, i).toUpperCase() : '';
    if (word === 'NOMKSTREAM') i++;
    else if (word === 'MAXLEN' || word === 'MINID') {
      i++;
      if (i < count && /^[=~]$/.test(argument(connection, i))) i++;
      i++;
      if (i + 1 < count && argument(connection, i).toUpperCase() === 'LIMIT') i += 2;
    } else break;
  }
  const isId = i < count && /^(\*|\d+(-(\d+|\*))?)$/.test(argument(connection, i));
  // Without an id everything behind the key is kept as it came; the engine will say what is wrong with it.
  return isId ? i : 1;
}

function parseId(connection: Client, index: number): EntryIdPair | undefined {
  const match = /^(\d{1,15})-(\d{1,9})$/.exec(index > 1 ? argument(connection, index) : '');
  return match ? [Number(match[1]), Number(match[2])] : undefined;
}

function argument({ parser: { buffer, starts, ends } }: Client, index: number): string {
  return buffer.latin1Slice(starts[index], ends[index]);
}

/** Keys of Debezium's own state (its schema history is the one stream of it); a hash is never taken for a stream. */
function isMetadata(connection: Client, key: string): boolean {
  if (connection.name === 'debezium:redis:sink') return false;
  const isHistory = connection.name === 'debezium:schema_history' || connection.name === 'debezium:db_history';
  if (!isHistory && !key.startsWith('metadata:')) return false;
  return isHistory || connection.context.store.metadata.type(connection.db, key) !== 'hash';
}

/** Schema history is exempt from back-pressure: it is small, and needed for progress. */
function appendMetadata(connection: Client, key: string): void {
  const { context, replies } = connection;
  const { store } = context;
  // A feeder that did not start anew after a reset must not fill the history again; an error makes it stop, as it should.
  if (connection.mustStartAnew) {
    refuse(connection);
    return;
  }
  const { bytes, start, end, count } = fieldsFrom(connection, findId(connection) + 1);
  try {
    const id = store.metadata.append(connection.db, key, Buffer.from(bytes.subarray(start, end)), count);
    replies.pushAfterChange(bulk(id), store.appended - 1, store.metadata.changed);
    context.requestSync();
  } catch (cause) {
    replies.pushReady(error(`OOM command not allowed when used memory > 'maxmemory'. ${(cause as Error).message}`));
  }
}

/** On the first `XADD` of a feeder that was here before: fetches what its last sub-batch left, then runs it again. */
function mayBeSentAgain(connection: Client): boolean {
  const { context, origin } = connection;
  const { subBatches } = context.store;
  if (origin === 0 || !subBatches.has(origin)) return false;
  connection.hasAppended = true;
  connection.pauseFor(
    subBatches.stored(origin).then((stored) => {
      if (stored.length > 0) connection.comparing = { stored, held: [] };
    }),
  );
  return true;
}

function compare(connection: Client, comparing: Comparing, entry: HeldEntry): void {
  const { stored, held } = comparing;
  const expected = stored[held.length] as StoredEntry;
  const { fields } = entry;
  const bytes = Buffer.from(fields.bytes.subarray(fields.start, fields.end));
  held.push({ ...entry, fields: { bytes, start: 0, end: bytes.length, count: fields.count } });
  const isSame =
    expected.stream === entry.stream &&
    expected.fieldCount === fields.count &&
    bytes.equals(expected.bytes.subarray(expected.start, expected.end));
  if (!isSame) {
    decide(connection);
    return;
  }
  if (held.length < stored.length) return;
  connection.comparing = null;
  connection.isInSubBatch = true;
  for (const { stream, ms, seq, position } of stored) {
    stream.deduplicated++;
    connection.replies.pushAppend(bulk(`${ms}-${seq}`), position);
  }
}
