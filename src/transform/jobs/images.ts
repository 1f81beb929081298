/**
 * Change events become records for the blocks, and records become images for the outputs. Source: specification of jobs,
 * section 4.
 *
 * A full record has these fields, in this order: `key`, `before`, `after`, `opcode`, `db`, `schema`, `table`, `server_name`,
 * `source`, `source_type`, `timestamp`, `removed_fields`. Names that the source does not have are null.
 *
 * A column that was not delivered is taken from `before` where that has it. Where nothing has it, it counts as missing; null
 * says nothing, because a `before` of key columns alone shows the others so, and a null would have been delivered.
 */
import { type ChangeEvent, type Operation, type Row, UNAVAILABLE, type Value } from '../../types.ts';
import type { JobObject, JobValue } from '../expressions/types.ts';
import { rowToObject } from '../expressions/values.ts';
import { BlockFailure, DELIVER_ALL_COLUMNS } from './evaluation.ts';
import type { Image } from './image.ts';
import { PartialObject } from './partial-object.ts';
import { JobRecord, operationOf } from './record.ts';

/** What the event does: one that brings no row can only take one away. */
function operationOfEvent({ op, after }: ChangeEvent): Operation {
  return after === null ? 'd' : op;
}

/** The record of an event in the partial format: the row alone, on a delete the row before or the columns of its key. */
export function rowRecord(event: ChangeEvent): JobRecord {
  const operation = operationOfEvent(event);
  const row = operation === 'd' ? (event.before ?? event.key) : completed(event.after as Row, event.before);
  return row === null
    ? new JobRecord(new Map(), false, operation, false, null)
    : new JobRecord(objectOf(row), false, operation, row.partial, null);
}

/** The record of an event in the full format. */
export function fullRecord(event: ChangeEvent): JobRecord {
  const { before, after } = event;
  return full(event, operationOfEvent(event), before, after === null ? null : completed(after, before));
}

/** The record of the row as it was before an update. In the full format it is an update that changed nothing. */
export function oldRecord(event: ChangeEvent, before: Row, isFull: boolean): JobRecord {
  if (isFull) return full(event, 'u', before, before);
  return new JobRecord(objectOf(before), false, 'u', before.partial, null);
}

function full(event: ChangeEvent, operation: Operation, before: Row | null, after: Row | null): JobRecord {
  const { table, key, sourceMs } = event;
  const rows: JobObject[] = [];
  const root: JobObject = new Map<string, JobValue>()
    .set('key', memberOf(key, rows))
    .set('before', memberOf(before, rows))
    .set('after', memberOf(after, rows))
    .set('opcode', operation)
    .set('db', table.db || null)
    .set('schema', table.schema || null)
    .set('table', table.table)
    .set('server_name', table.serverName)
    .set('source', table.serverName)
    .set('source_type', table.connector)
    .set('timestamp', sourceMs || null)
    .set('removed_fields', null);
  const hasMissing = (before?.partial ?? false) || (after?.partial ?? false) || (key?.partial ?? false);
  return new JobRecord(root, true, operation, hasMissing, rows);
}

function memberOf(row: Row | null, rows: JobObject[]): JobObject | null {
  if (row === null) return null;
  const object = objectOf(row);
  rows.push(object);
  return object;
}

function objectOf(row: Row): JobObject {
  const object = rowToObject(row);
  if (!row.partial) return object;
  const missing = row.names.filter((_, i) => row.values[i] === UNAVAILABLE);
  // A partial row of which nothing is marked brought only what changed: any other column may exist.
  return new PartialObject(object, missing, missing.length === 0);
}

/** The row with what `before` knows of the columns that were not delivered. */
function completed(after: Row, before: Row | null): Row {
  if (!after.partial || before === null || !after.values.includes(UNAVAILABLE)) return after;
  const { names } = after;
  const values: Value[] = after.values.map((value, i) =>
    value === UNAVAILABLE ? valueIn(before, names[i] as string) : value,
  );
  return { names, values, partial: values.includes(UNAVAILABLE) };
}

function valueIn(row: Row, name: string): Value {
  return row.values[row.names.indexOf(name)] ?? UNAVAILABLE;
}

/**
 * The image that the outputs write; null when a record that is to be written has no row. `isLeaving`: it is to be removed,
 * whatever it says itself.
 * @throws BlockFailure when the blocks left no row where one is due.
 */
export function imageOf(record: JobRecord, event: ChangeEvent, isLeaving: boolean): Image | null {
  const operation = record.isFull ? operationOf(record.root.get('opcode'), record.operation) : record.operation;
  const root = record.hasMissing ? withoutWatch(record) : record.root;
  const columns = record.isFull ? columnsOf(root, record.root, operation) : root;
  if (columns === null) return null;
  return {
    event,
    operation: isLeaving ? 'd' : operation,
    record: root,
    columns,
    missing: record.hasMissing ? missingOf(record, columns) : null,
    isLeaving,
  };
}

/** The columns of a full record: `after`; on a delete `before`, or without one whatever is known of the row. */
function columnsOf(root: JobObject, watched: JobObject, operation: Operation): JobObject | null {
  const after = root.get('after') ?? null;
  if (operation !== 'd') {
    if (after instanceof Map) return after;
    if (after === null && !(watched instanceof PartialObject && watched.missing.has('after'))) return null;
    throw new BlockFailure(
      'TRANSFORM_FAILED',
      after === null
        ? `the "after" of the record depends on a column that was not delivered with this change. ${DELIVER_ALL_COLUMNS}`
        : 'the "after" of the record is no longer an object with the columns of the row',
    );
  }
  for (const name of ['before', 'after', 'key']) {
    const row = root.get(name);
    if (row instanceof Map) return row;
  }
  return new Map();
}

/** The record with plain objects: outputs look after columns that were not delivered by themselves. */
function withoutWatch({ root, isFull }: JobRecord): JobObject {
  const plain = root instanceof PartialObject ? root.delivered : root;
  if (!isFull) return plain;
  return new Map([...plain].map(([name, value]) => [name, value instanceof PartialObject ? value.delivered : value]));
}

function missingOf({ root, isFull }: JobRecord, columns: JobObject): ReadonlySet<string> | null {
  if (!isFull) return root instanceof PartialObject ? missingIn(root) : null;
  for (const row of [root.get('before'), root.get('after'), root.get('key')]) {
    if (row instanceof PartialObject && row.delivered === columns) return missingIn(row);
  }
  return null;
}

/** Empty means "any name that is not there", so a row whose missing columns the blocks set or removed has none. */
function missingIn({ missing, isOpen }: PartialObject): ReadonlySet<string> | null {
  if (isOpen) return ANY_NAME;
  return missing.size === 0 ? null : missing;
}

const ANY_NAME: ReadonlySet<string> = new Set();
