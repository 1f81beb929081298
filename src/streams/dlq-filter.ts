import type { DlqFilter } from './types.ts';

/** The conditions of a filter as SQL over the table `dlq`, with their values in order. */
export function conditionsOf({ stream, ids, reason, job, since }: DlqFilter): {
  sql: string;
  values: (string | number)[];
} {
  const conditions: string[] = [];
  const values: (string | number)[] = [];
  const add = (condition: string, value: string | number) => {
    conditions.push(condition);
    values.push(value);
  };
  if (stream !== undefined) add('stream = ?', stream);
  if (ids !== undefined) add('id IN (SELECT value FROM json_each(?))', JSON.stringify(ids.map(idNumber)));
  // SQLite lowers ASCII letters only, so both sides are lowered by it.
  if (reason !== undefined) add(`instr(lower(${field('reason_rejected')}), lower(?)) > 0`, reason);
  if (job !== undefined) add(`${field('job')} = ?`, job);
  if (since !== undefined) add(`${field('timestamp')} >= ?`, new Date(since).toISOString());
  return { sql: conditions.length === 0 ? '1' : conditions.join(' AND '), values };
}

/** The number of a record; -1, which no record has, for a text that is none. */
export function idNumber(id: string): number {
  return /^\d{1,15}$/.test(id) ? Number(id) : -1;
}

function field(name: string): string {
  return `json_extract(fields, '$.${name}')`;
}
