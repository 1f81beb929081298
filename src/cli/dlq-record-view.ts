import type { DlqRecord } from '../control/index.ts';
import { operationName } from './rehearsal-view.ts';
import { printable } from './terminal.ts';

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

type Fact = readonly [string, string | null | undefined];

/** A rejected record as a heading and one line per fact, `more` at the end. */
export function formatRecord(record: DlqRecord, more: readonly Fact[] = []): string {
  const { entry_id, timestamp, opcode, schema, db, table } = record;
  const tableName = table === undefined ? '' : [schema || db, table].filter(Boolean).join('.');
  const heading = [entry_id, timestamp, operationName(opcode), tableName].filter((part) => part !== '').map(printable);
  const facts = SHOWN.map((field): Fact => [field, record[field]]);
  // `get-dlq-record`, `edit-dlq-record` and `--id` ask for this id, not for the one of the entry.
  return `${heading.join('  ')}\n${formatFacts([['record id', record.__dlq_stream_entry_id], ...facts, ...more])}`;
}

/** Names and values below each other, aligned and indented; empty values are left out. */
export function formatFacts(facts: readonly Fact[]): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  const shown = facts.filter(([, value]) => value !== undefined && value !== null && value !== '');
  return shown.map(([name, value]) => `  ${name.padEnd(width)}  ${printable(value!)}\n`).join('');
}
