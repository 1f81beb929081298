/**
 * A second decoder, slow and simple, built on JSON.parse, to compare the fast one with. It follows the same specification
 * but shares only the conversion of single values, which has its own table of tests, and the names of metadata fields.
 */
import { compileConvert, isDropped } from '../../../src/decode/convert.ts';
import type { Decoded } from '../../../src/decode/index.ts';
import { isMetadataName } from '../../../src/decode/metadata.ts';
import { type ConnectSchema, isConnectSchema, parseSchema } from '../../../src/decode/schema.ts';
import { JsonText, NumberText, type Row, UNAVAILABLE, type Value } from '../../../src/types.ts';

/** A JSON number as it was written. */
class Digits {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Json = null | boolean | string | Digits | Json[] | { [name: string]: Json };
type JsonRecord = { [name: string]: Json };

export function parseExact(text: string): Json {
  const parse = JSON.parse as (
    text: string,
    reviver: (name: string, value: unknown, context: { source: string }) => unknown,
  ) => unknown;
  return parse(text, (_name, value, context) =>
    typeof value === 'number' ? new Digits(context.source) : value,
  ) as Json;
}

/** JSON text without blanks, escapes normalised and digits kept, members sorted. */
export function canonical(json: Json): string {
  if (json instanceof Digits) return json.text;
  if (Array.isArray(json)) return `[${json.map(canonical).join(',')}]`;
  if (isRecord(json)) {
    const names = Object.keys(json).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(json[name]!)}`).join(',')}}`;
  }
  return JSON.stringify(json);
}

function isRecord(json: Json | undefined): json is JsonRecord {
  return typeof json === 'object' && json !== null && !Array.isArray(json) && !(json instanceof Digits);
}

const has = (record: JsonRecord, name: string): boolean => Object.hasOwn(record, name);

const WORD = '__debezium_unavailable_value';
const PLACEHOLDERS = new Set([
  WORD,
  Buffer.from(WORD).toString('base64'),
  Buffer.from(WORD).toString('base64url'),
  Buffer.from(WORD).toString('hex'),
]);

function keptValue(json: Json): Value {
  if (typeof json === 'string') return PLACEHOLDERS.has(json) ? UNAVAILABLE : json;
  if (json instanceof Digits)
    return String(Number(json.text)) === json.text ? Number(json.text) : new NumberText(json.text);
  if (json === null || typeof json === 'boolean') return json;
  const [only] = Array.isArray(json) && json.length === 1 ? json : [];
  return typeof only === 'string' && PLACEHOLDERS.has(only) ? UNAVAILABLE : new JsonText(canonical(json));
}

/** A row as comparable object; throws where a column's value does not fit its schema. */
function rowOf(
  record: JsonRecord,
  columns: ReadonlyMap<string, ConnectSchema> | null,
  isColumn: (name: string) => boolean,
) {
  const row: Record<string, unknown> = Object.create(null);
  for (const name of Object.keys(record).filter(isColumn)) {
    const schema = columns?.get(name);
    if (schema !== undefined && isDropped(schema)) continue;
    const value = keptValue(record[name]!);
    const convert = schema === undefined ? null : compileConvert(schema, () => {});
    row[name] = comparable(convert === null || value === null || value === UNAVAILABLE ? value : convert(value));
  }
  return row;
}

function comparable(value: Value): unknown {
  if (value === UNAVAILABLE) return 'UNAVAILABLE';
  if (value instanceof NumberText) return { number: value.text };
  return value instanceof JsonText ? { json: canonical(parseExact(value.text)) } : value;
}

function comparableRow(row: Row | null): unknown {
  if (row === null) return null;
  const values: Record<string, unknown> = Object.create(null);
  for (const [index, name] of row.names.entries()) values[name] = comparable(row.values[index]!);
  return values;
}

/** The fast decoder's answer in the form that {@link decodeSlowly} answers. */
export function comparableEvent(decoded: Decoded): unknown {
  if (decoded.kind === 'undecodable') return 'undecodable';
  if (decoded.kind === 'control') return decoded.control;
  const { op, table, key, before, after, sourceMs, snapshot } = decoded;
  return {
    op,
    table: { ...table },
    key: comparableRow(key),
    before: comparableRow(before),
    after: comparableRow(after),
    sourceMs,
    snapshot,
  };
}

interface Payload {
  json: Json;
  schema: ConnectSchema | null;
}

function unwrap(json: Json, text: string): Payload {
  const plain: Payload = { json, schema: null };
  if (!isRecord(json) || !has(json, 'schema') || !has(json, 'payload') || Object.keys(json).length !== 2) return plain;
  const schema: unknown = (JSON.parse(text) as Record<string, unknown>)['schema'];
  if (schema !== null && !isConnectSchema(schema)) return plain;
  return { json: json['payload']!, schema: schema === null ? null : parseSchema(schema) };
}

const NOTHING = new Set(['default', '', 'null']);
const textOf = (json: Json | undefined): string | null =>
  typeof json === 'string'
    ? json
    : json instanceof Digits && String(Number(json.text)) === json.text
      ? json.text
      : typeof json === 'boolean'
        ? String(json)
        : null;
const numberOf = (json: Json | undefined): number =>
  json instanceof Digits && String(Number(json.text)) === json.text
    ? Number(json.text)
    : typeof json === 'string'
      ? Number(json) || 0
      : 0;

/** Stands for a record without value, which depends on what the stream held before. */
export const NO_VALUE = 'no value';

export interface TextEntry {
  key: string;
  value: string;
  headers: ReadonlyMap<string, string>;
  streamName: string;
}

/** What {@link comparableEvent} must give for a key text and a value text. */
export function decodeSlowly(entry: TextEntry): unknown {
  try {
    return decode(entry);
  } catch {
    return 'undecodable';
  }
}

function decode(entry: TextEntry): unknown {
  if (NOTHING.has(entry.value)) return NO_VALUE;
  const { json, schema } = unwrap(parseExact(entry.value), entry.value);
  if (json === null) return NO_VALUE;
  if (!isRecord(json)) return 'undecodable';
  const key = decodeKey(entry.key);
  const kind = kindOf(json, schema?.name ?? '', key);
  if (kind === 'envelope') return envelope(json, schema, key, entry);
  if (kind === 'flat') return flat(json, schema, key, entry);
  return kind;
}

function decodeKey(text: string): Record<string, unknown> | null {
  if (NOTHING.has(text)) return null;
  const { json, schema } = unwrap(parseExact(text), text);
  if (!isRecord(json)) return null;
  const row = rowOf(json, schema?.fields ?? null, () => true);
  return Object.keys(row).length === 0 ? null : row;
}

function kindOf(json: JsonRecord, schemaName: string, key: Record<string, unknown> | null): string {
  const names = Object.keys(json);
  const keyNames = Object.keys(key ?? {});
  if (/common\.Heartbeat/.test(schemaName)) return 'heartbeat';
  if (/\.SchemaChange/.test(schemaName)) return 'schema-change';
  if (/\.MessageValue$/.test(schemaName)) return 'message';
  if (has(json, 'op')) {
    const op = textOf(json['op']);
    if (isRecord(json['source'])) {
      const hasRows = has(json, 'before') || has(json, 'after');
      if (op === 'm' && isRecord(json['message'])) return 'message';
      if (op === 't' && (hasRows || has(json, 'ts_ms'))) return 'truncate';
      return hasRows ? 'envelope' : 'undecodable';
    }
    if (op !== null && /^[crud]$/.test(op) && (isRecord(json['before']) || isRecord(json['after'])))
      return 'undecodable';
  } else if (
    (has(json, 'ddl') || has(json, 'tableChanges')) &&
    (keyNames.length === 0 || keyNames.join() === 'databaseName') &&
    has(json, 'databaseName') &&
    isRecord(json['source'])
  ) {
    return 'schema-change';
  }
  const transaction = ['status', 'id', 'event_count', 'data_collections', 'ts_ms', 'ts_us', 'ts_ns'];
  if (
    has(json, 'event_count') &&
    has(json, 'data_collections') &&
    names.every((name) => transaction.includes(name)) &&
    /^(BEGIN|END)$/.test(textOf(json['status']) ?? '')
  ) {
    return 'transaction';
  }
  if (
    has(json, 'ts_ms') &&
    names.every((name) => /^ts_[mun]s$/.test(name)) &&
    keyNames.length === 1 &&
    keyNames[0] === 'serverName'
  ) {
    return 'heartbeat';
  }
  return names.length === 0 ? 'undecodable' : 'flat';
}

function fallbackTable(streamName: string): string {
  return streamName.replace('data:', '').replace('{rdi}:', '').split('.').at(-1)!;
}

function envelope(
  json: JsonRecord,
  schema: ConnectSchema | null,
  key: Record<string, unknown> | null,
  entry: TextEntry,
): unknown {
  const source = json['source'] as JsonRecord;
  const op = textOf(json['op']) ?? '';
  const columns =
    schema === null ? null : ((schema.fields.get('after') ?? schema.fields.get('before'))?.fields ?? new Map());
  const state = (name: string) => {
    const row = json[name];
    if (row === undefined || row === null) return null;
    if (isRecord(row)) return rowOf(row, columns, () => true);
    if (textOf(row) !== null) throw new Error('a document');
    return null;
  };
  const before = state('before');
  const after = state('after');
  const connector = textOf(source['connector']) ?? '';
  if (connector === 'mongodb' || has(json, 'updateDescription')) throw new Error('documents are not compared');
  if (!/^[crud]$/.test(op)) return 'undecodable';
  if (op === 'd' ? before === null && key === null : after === null) return 'undecodable';
  const snapshot = textOf(source['snapshot']);
  return {
    op,
    table: {
      connector,
      serverName: textOf(source['name']) ?? '',
      db: textOf(source['db']) ?? textOf(source['keyspace']) ?? textOf(source['database_id']) ?? '',
      schema: textOf(source['schema']) ?? '',
      table: (textOf(source['table']) ?? textOf(source['collection'])) || fallbackTable(entry.streamName),
    },
    key,
    before,
    after: op === 'd' ? null : after,
    sourceMs: numberOf(source['ts_ms']),
    snapshot: op === 'r' || snapshot === 'incremental',
  };
}

function flat(
  json: JsonRecord,
  schema: ConnectSchema | null,
  key: Record<string, unknown> | null,
  entry: TextEntry,
): unknown {
  const row = rowOf(json, schema?.fields ?? null, (name) => !isMetadataName(name));
  const header = (name: string) => {
    const text = entry.headers.get(name);
    return text === undefined ? undefined : (unwrap(parseExact(text), text).json as Json);
  };
  const metadata = (name: string) => (has(json, name) ? json[name] : header(name.toUpperCase()));
  const given = metadata('__op');
  const deleted = json['__deleted'] === true || json['__deleted'] === 'true';
  if (given === 't' && has(json, '__op')) return 'truncate';
  const op = deleted ? 'd' : typeof given === 'string' && /^[crud]$/.test(given) ? given : 'u';
  const table = json['__table'];
  return {
    op,
    table: {
      connector: header('__DEBEZIUM.CONTEXT.CONNECTORNAME') ?? '',
      serverName: header('__DEBEZIUM.CONTEXT.CONNECTORLOGICALNAME') ?? '',
      db: '',
      schema: '',
      table: typeof table === 'string' && table !== '' ? table : fallbackTable(entry.streamName),
    },
    key,
    before: op === 'd' ? row : null,
    after: op === 'd' ? null : row,
    sourceMs: numberOf(metadata('__source_ts_ms')),
    snapshot: op === 'r',
  };
}
