import type { DlqRecord } from '../control/index.ts';
import { printable } from './terminal.ts';

const OPERATIONS: Readonly<Record<string, string>> = {
  c: 'create',
  u: 'update',
  d: 'delete',
  r: 'read',
  t: 'truncate',
  m: 'message',
};

/** Debezium's letter as a word. */
export function operationName(letter: string): string {
  return OPERATIONS[letter] ?? letter;
}

/** The fields that explain a record, in reading order; the raw bytes are for JSON output. */
const SHOWN = [
  'reason_rejected',
  'key',
  'before',
  'after',
  'job',
  'step',
  'expression',
  'target',
  'removed_fields',
] as const;

/** A rejected record as a heading and one line per fact. */
export function formatRecord(record: DlqRecord): string {
  const { entry_id, timestamp, opcode, schema, db, table } = record;
  const tableName = table === undefined ? '' : [schema || db, table].filter(Boolean).join('.');
  const heading = [entry_id, timestamp, operationName(opcode), tableName].filter((part) => part !== '').map(printable);
  return `${heading.join('  ')}\n${formatFacts(SHOWN.map((field) => [field, record[field]]))}`;
}

/** Names and values below each other, aligned and indented; empty values are left out. */
export function formatFacts(facts: readonly (readonly [string, string | null | undefined])[]): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  const shown = facts.filter(([, value]) => value !== undefined && value !== null && value !== '');
  return shown.map(([name, value]) => `  ${name.padEnd(width)}  ${printable(value!)}\n`).join('');
}
