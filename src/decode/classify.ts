import type { Members } from './members.ts';
import type { ControlKind } from './types.ts';

/** What an object is, judged by its schema's name and its members. */
export type EventKind = 'envelope' | 'cloudevent' | 'flat' | 'unknown' | ControlKind;

/** Schema names of Debezium 1.9 to 3.6 for records that are no rows; Connect adds `Value` to some. */
const CONTROL_SCHEMAS: readonly (readonly [RegExp, ControlKind])[] = [
  [/^io\.debezium\.connector\.common\.Heartbeat/, 'heartbeat'],
  [/^io\.debezium\.connector\.common\.TransactionMetadata/, 'transaction'],
  [/^io\.debezium\.connector\.[a-z0-9]+\.SchemaChange/, 'schema-change'],
  [/^io\.debezium\.connector\.[a-z0-9]+\.Message(?:Value)?$/, 'message'],
  [/^io\.debezium\.connector\.common\.Notification|^io\.debezium\.notification\./, 'notification'],
];

/** Members of a notification; a table with some of these names has others besides. */
const NOTIFICATION: ReadonlySet<string> = new Set(['id', 'aggregate_type', 'type', 'additional_data', 'timestamp']);
const TRANSACTION: ReadonlySet<string> = new Set([
  'status',
  'id',
  'event_count',
  'data_collections',
  'ts_ms',
  'ts_us',
  'ts_ns',
]);

/** Names that make a flattened row look like something else, so that one look at its names does not settle what it is. */
const AMBIGUOUS: ReadonlySet<string> = new Set([
  'op',
  'before',
  'after',
  'source',
  'schema',
  'payload',
  'specversion',
  'ddl',
  'tableChanges',
  'event_count',
  'aggregate_type',
]);

/** Whether rows with these member names are rows whatever their values are. */
export function isSurelyRow(names: readonly string[]): boolean {
  return !(names.length === 1 && names[0] === 'ts_ms') && !names.some((name) => AMBIGUOUS.has(name));
}

/** `keyNames` are the columns of the record's key. */
export function classify(members: Members, schemaName: string, keyNames: readonly string[]): EventKind {
  for (const [pattern, kind] of CONTROL_SCHEMAS) {
    if (pattern.test(schemaName)) return kind;
  }
  const { names } = members;
  if (members.has('specversion') && isCloudEvent(members)) return 'cloudevent';
  if (members.has('op')) {
    const kind = classifyOperation(members);
    if (kind !== null) return kind;
  }
  if (isSchemaChange(members, keyNames)) return 'schema-change';
  if (
    members.has('event_count') &&
    members.has('data_collections') &&
    names.every((name) => TRANSACTION.has(name)) &&
    /^(BEGIN|END)$/.test(members.text('status') ?? '')
  ) {
    return 'transaction';
  }
  if (
    members.has('aggregate_type') &&
    members.has('additional_data') &&
    names.every((name) => NOTIFICATION.has(name))
  ) {
    return 'notification';
  }
  const isHeartbeat = names.every((name) => name === 'ts_ms' || name === 'ts_us' || name === 'ts_ns');
  if (isHeartbeat && members.has('ts_ms') && keyNames.length === 1 && keyNames[0] === 'serverName') return 'heartbeat';
  return names.length === 0 ? 'unknown' : 'flat';
}

function isCloudEvent(members: Members): boolean {
  return members.has('data') || members.names.some((name) => name.toLowerCase().startsWith('iodebezium'));
}

/** Its key names the database, and its source is a block; a table that logs DDL has columns and keys of its own. */
function isSchemaChange(members: Members, keyNames: readonly string[]): boolean {
  if (members.has('op') || !(members.has('ddl') || members.has('tableChanges'))) return false;
  const isOfDatabase = keyNames.length === 0 || (keyNames.length === 1 && keyNames[0] === 'databaseName');
  return isOfDatabase && members.has('databaseName') && members.isObject('source');
}

const ROW_OPERATION = /^[crud]$/;

/** Null: the object has an `op`, but as a column of a flattened row. */
function classifyOperation(members: Members): EventKind | null {
  const operation = members.text('op');
  const hasRows = members.has('before') || members.has('after');
  if (!members.isObject('source')) {
    // Rows with columns named so exist; but a letter and an object beside it are an envelope that lost its source.
    const broken = ROW_OPERATION.test(operation ?? '') && (members.isObject('after') || members.isObject('before'));
    return broken ? 'unknown' : null;
  }
  if (operation === 'm' && members.isObject('message')) return 'message';
  if (operation === 't' && (hasRows || members.has('ts_ms'))) return 'truncate';
  return hasRows ? 'envelope' : 'unknown';
}
