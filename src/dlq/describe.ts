import { type ChangeEvent, formatEntryId, type Rejection, type StreamEntry } from '../types.ts';
import { keyAndValue, payload, text } from './entry-texts.ts';
import { MAX_PARSED_BYTES } from './row.ts';

/** Longer texts are cut; the entry itself is always kept whole beside them. */
const MAX_TEXT_BYTES = 1 << 20;

export interface RejectedEntry {
  readonly entry: StreamEntry;
  readonly rejection: Rejection;
  /** The decoded event; null when the entry could not be decoded. */
  readonly event: ChangeEvent | null;
  /** Key of the target, when a write was refused. */
  readonly targetKey?: string;
}

type Fields = Readonly<Record<string, string>>;

/** The fields of a record (spec/streams.md §13). */
export function describe({ entry, rejection, event, targetKey }: RejectedEntry, timestamp: string): Fields {
  const table = event?.table;
  return filled({
    ...reasonFields(rejection, timestamp, targetKey),
    opcode: event?.op ?? '',
    server_name: table?.serverName,
    source: table?.serverName,
    source_type: table?.connector,
    db: table?.db,
    schema: table?.schema,
    table: table?.table,
    stream: entry.stream.name,
    entry_id: formatEntryId(entry),
    ...contentFields(entry),
  });
}

/** The fields of a record that failed again: its place in time, reason and number of attempts are new. */
export function describeAgain(before: Fields, rejected: RejectedEntry, timestamp: string): Fields {
  const fresh = describe(rejected, timestamp);
  // What could not be decoded now says nothing of itself; the old words are better than none.
  const known = rejected.event ? {} : pick(before, ROW_FIELDS);
  const kept = pick(before, ['edited']);
  return { ...fresh, ...known, ...kept, attempt: String(Number(before['attempt'] ?? '1') + 1) };
}

const ROW_FIELDS = ['opcode', 'server_name', 'source', 'source_type', 'db', 'schema', 'table'];

/** The fields of a record whose entry was edited. What is said of the row comes from the new texts, as far as they tell. */
export function describeEdited(before: Fields, entry: StreamEntry, timestamp: string): Fields {
  const {
    key: _key,
    before: _before,
    after: _after,
    raw_key: _rawKey,
    raw_value: _rawValue,
    cut: _cut,
    ...rest
  } = before;
  const tree = payload(keyAndValue(entry).value) as { op?: unknown; source?: Record<string, unknown> } | undefined;
  const { name, connector, db, schema, table } = (tree?.source ?? {}) as Record<string, unknown>;
  const named = { opcode: tree?.op, server_name: name, source: name, source_type: connector, db, schema, table };
  const texts = Object.entries(named).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
  return filled({ ...rest, ...Object.fromEntries(texts), ...contentFields(entry), edited: timestamp });
}

function reasonFields({ code, reason, origin }: Rejection, timestamp: string, target: string | undefined) {
  return {
    reason_rejected: `${code}: ${reason}`,
    code,
    timestamp,
    ...(origin ? { job: origin.job, step: origin.step, expression: origin.expression, error: reason } : {}),
    target,
  };
}

function contentFields(entry: StreamEntry) {
  const { key, value } = keyAndValue(entry);
  return {
    ...(entry.end - entry.start > MAX_PARSED_BYTES ? {} : rowsOf(key, value)),
    raw_key: text(key, MAX_TEXT_BYTES),
    raw_value: text(value, MAX_TEXT_BYTES),
    cut: cutNote(value) ?? cutNote(key),
  };
}

function filled(fields: Readonly<Record<string, string | undefined>>): Fields {
  return Object.fromEntries(Object.entries(fields).filter((pair): pair is [string, string] => Boolean(pair[1])));
}

function pick(fields: Fields, names: readonly string[]): Fields {
  return filled(Object.fromEntries(names.map((name) => [name, fields[name]])));
}

function cutNote(bytes: Buffer | undefined): string | undefined {
  if (!bytes || bytes.length <= MAX_TEXT_BYTES) return undefined;
  return `only the first ${MAX_TEXT_BYTES} of ${bytes.length} bytes are shown; the whole entry is kept`;
}

/** Key and rows as JSON with the digits that were sent, as far as the entry is an envelope. */
function rowsOf(key: Buffer | undefined, value: Buffer | undefined): { key?: string; before?: string; after?: string } {
  const keyTree = payload(key);
  const tree = payload(value) as { before?: unknown; after?: unknown } | null | undefined;
  return {
    ...(typeof keyTree === 'object' && keyTree !== null ? { key: JSON.stringify(keyTree) } : {}),
    ...(tree?.before ? { before: JSON.stringify(tree.before) } : {}),
    ...(tree?.after ? { after: JSON.stringify(tree.after) } : {}),
  };
}
