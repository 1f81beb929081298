import type { ChangeEvent, Operation, Row, TableIdentity, Value } from '../types.ts';
import type { EntryFields } from './fields.ts';
import { isMetadataName } from './metadata.ts';
import { readDocumentKey } from './mongo.ts';
import type { StreamState } from './stream-state.ts';
import { type Tables, tableOfStream } from './table.ts';

/** Metadata of a flattened row by its name in lower-case form, from added fields and added headers. */
type Metadata = Map<string, Value>;

/**
 * A row as ExtractNewRecordState makes it: the columns alone, perhaps with metadata. It is a delete when `__deleted` is true
 * or `__op` says so; else an upsert.
 */
export function flatChange(
  state: StreamState,
  fields: EntryFields,
  tables: Tables,
  row: Row,
  metadata: Metadata,
  key: Row | null,
): ChangeEvent {
  addHeaders(fields, metadata);
  const deleted = metadata.get('__deleted');
  const given = metadata.get('__op');
  const op: Operation = deleted === true || deleted === 'true' ? 'd' : isOperation(given) ? given : 'u';
  if (key !== null && key.names.length === 1 && key.names[0] === 'id' && typeof key.values[0] === 'string') {
    if (row.names.includes('_id')) state.hasDocuments = true;
  }
  return {
    kind: 'change',
    op,
    table: flatTable(state, fields, tables, metadata),
    key: key !== null && state.hasDocuments ? readDocumentKey(key) : key,
    before: op === 'd' ? row : null,
    after: op === 'd' ? null : row,
    sourceMs: milliseconds(metadata.get('__source_ts_ms')),
    snapshot: op === 'r',
  };
}

function isOperation(value: Value | undefined): value is Operation {
  return value === 'c' || value === 'u' || value === 'd' || value === 'r';
}

function milliseconds(value: Value | undefined): number {
  return typeof value === 'number' ? value : typeof value === 'string' ? Number(value) || 0 : 0;
}

/** Headers hold what the row does not: `add.headers` writes `__op` as `__OP`. */
function addHeaders(fields: EntryFields, metadata: Metadata): void {
  for (const [header, text] of fields.metadataHeaders()) {
    const name = header.toLowerCase();
    if (isMetadataName(name) && !metadata.has(name)) metadata.set(name, headerValue(text));
  }
}

/** Headers are JSON texts, mostly wrapped with their schema whatever the value's setting is; other converters write plain text. */
function headerValue(text: string): Value {
  try {
    const parsed: unknown = JSON.parse(text);
    const isWrapped = typeof parsed === 'object' && parsed !== null && 'schema' in parsed && 'payload' in parsed;
    const value = isWrapped ? parsed.payload : parsed;
    return value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? value
      : null;
  } catch {
    return text;
  }
}

function flatTable(state: StreamState, fields: EntryFields, tables: Tables, metadata: Metadata): TableIdentity {
  const table = text(metadata, 'table') || text(metadata, 'collection');
  const db = text(metadata, 'db') || text(metadata, 'keyspace');
  const schema = text(metadata, 'schema');
  const id = `${table}\n${db}\n${schema}`;
  let identity = state.flatTables.get(id);
  if (identity === undefined) {
    identity = tables.intern(
      text(metadata, 'connector') || headerText(fields, '__DEBEZIUM.CONTEXT.CONNECTORNAME'),
      text(metadata, 'name') || headerText(fields, '__DEBEZIUM.CONTEXT.CONNECTORLOGICALNAME'),
      db,
      schema,
      table || tableOfStream(state.stream.name),
    );
    if (state.flatTables.size < 100) state.flatTables.set(id, identity);
  }
  return identity;
}

/** The table of a record that has only a key: that of the stream's rows, or null when they were of several. */
export function tableWithoutRow(state: StreamState, fields: EntryFields, tables: Tables): TableIdentity | null {
  const metadata: Metadata = new Map();
  addHeaders(fields, metadata);
  if (metadata.has('__table') || state.flatTables.size === 0) return flatTable(state, fields, tables, metadata);
  const [first, second] = state.flatTables.values();
  return second === undefined ? (first ?? null) : null;
}

function text(metadata: Metadata, name: string): string {
  const value = metadata.get(`__${name}`) ?? metadata.get(`__source_${name}`);
  return typeof value === 'string' ? value : '';
}

function headerText(fields: EntryFields, name: string): string {
  const found = fields.header(name);
  const value = found === null ? null : headerValue(found);
  return typeof value === 'string' ? value : '';
}
