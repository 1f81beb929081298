import type { DlqRow } from '../streams/types.ts';
import type { ChangeEvent, TableIdentity } from '../types.ts';
import { type EntryBytes, keyAndValue, payload } from './entry-texts.ts';
import { readSourcePosition, type SourcePosition } from './source-position.ts';

/** Values above are not looked into. */
export const MAX_PARSED_BYTES = 8 << 20;

/**
 * Keys of the rows that an entry concerns: its own, and the one that its row had before where an update changed it. Always
 * from the key as it was sent, so that it is the same text whether the entry could be decoded or not. Empty where it has none.
 */
export function rowKeys(entry: EntryBytes, db: number, event: ChangeEvent | null): string[] {
  const { key, value } = keyAndValue(entry);
  const tree = payload(key);
  const own = keyText(tree, db);
  if (own === null) return [];
  if (event?.op !== 'u' || event.before === null || !mayHaveMoved(event)) return [own];
  const before = (payload(value) as { before?: unknown } | undefined)?.before;
  const old = keyText(oldKeyOf(tree, before), db);
  return old === null || old === own ? [own] : [own, old];
}

/** What the store keeps of a record to compare it by. */
export function rowOf(entry: EntryBytes, db: number, event: ChangeEvent | null): DlqRow {
  const [key = null, oldKey = null] = rowKeys(entry, db, event);
  const source = sourceOf(entry);
  const position = readSourcePosition(source);
  return {
    ...{ key, oldKey },
    table: event ? tableText(event.table) : tableOfSource(source),
    source: position && JSON.stringify(position),
  };
}

/** Where the change stands at its source; null where the entry does not say it. */
export function sourcePositionOf(entry: EntryBytes): SourcePosition | null {
  return readSourcePosition(sourceOf(entry));
}

export function tableText({ db, schema, table }: TableIdentity): string {
  return [db, schema, table].filter((part) => part !== '').join('.');
}

function sourceOf(entry: EntryBytes): unknown {
  const { value } = keyAndValue(entry);
  if (!value || value.length > MAX_PARSED_BYTES) return undefined;
  return (payload(value) as { source?: unknown } | null | undefined)?.source;
}

/** The same text as {@link tableText} of an event with this source. */
function tableOfSource(source: unknown): string {
  if (typeof source !== 'object' || source === null) return '';
  const { db, keyspace, database_id, schema, table, collection } = source as Record<string, unknown>;
  const name = table ?? collection;
  if (typeof name !== 'string' || name === '') return '';
  return [db ?? keyspace ?? database_id, schema, name]
    .filter((part) => typeof part === 'string' && part !== '')
    .join('.');
}

/** One text for one key, whatever the order of its columns. A null column is a value like any other. */
function keyText(tree: unknown, db: number): string | null {
  const prefix = db === 0 ? '' : `${db}:`;
  if (typeof tree === 'string' || typeof tree === 'number' || isRaw(tree)) return prefix + JSON.stringify(tree);
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) return null;
  const columns = Object.entries(tree).sort(([one], [other]) => (one < other ? -1 : 1));
  return columns.length === 0 ? null : prefix + JSON.stringify(Object.fromEntries(columns));
}

function isRaw(value: unknown): boolean {
  // An object of a JSON text has a prototype, also one with a member of this name.
  return typeof value === 'object' && value !== null && 'rawJSON' in value && Object.getPrototypeOf(value) === null;
}

/** Whether a key column has another value in the row before; undelivered ones say nothing. */
function mayHaveMoved({ key, before, after }: ChangeEvent): boolean {
  if (!key || !before || !after) return false;
  return key.names.some((name) => {
    const [old, now] = [before, after].map((row) => row.values[row.names.indexOf(name)]);
    return old !== undefined && old !== null && typeof old !== 'symbol' && String(textOf(old)) !== String(textOf(now));
  });
}

function textOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'text' in value ? value.text : value;
}

function oldKeyOf(key: unknown, before: unknown): unknown {
  if (typeof key !== 'object' || key === null || typeof before !== 'object' || before === null) return null;
  const names = Object.keys(key);
  const row = before as Record<string, unknown>;
  if (!names.every((name) => row[name] !== undefined && row[name] !== null)) return null;
  return Object.fromEntries(names.map((name) => [name, row[name]]));
}
