import { type Command, Option } from 'commander';
import type { DlqRecord } from '../control/index.ts';
import { callApi, withApiUrl } from './api-client.ts';
import type { AddCommand, Context } from './context.ts';
import { wholeNumber } from './numbers.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { printable } from './terminal.ts';

interface RecordsOptions {
  readonly apiUrl?: string;
  readonly output: OutputFormat;
  readonly limit: number;
  readonly offset: number;
  readonly sortOrder: 'asc' | 'desc';
}

export const addListDlqRecords: AddCommand = (program: Command, { terminal }: Context) => {
  const command = program
    .command('list-dlq-records')
    .alias('get-rejected')
    .summary('show rejected records of a stream with the reason')
    .description(
      'Shows the rejected records of a stream, each with the reason and what to do about it. ' +
        'The name may be short where only one stream fits: orders for data:{rdi}:shop.orders.',
    )
    .argument('<stream>', 'name of the stream, as list-dlqs shows it')
    .addOption(new Option('--limit <n>', 'at most so many, 1 to 1000').default(20).argParser(wholeNumber(1, 1000)))
    .addOption(new Option('--offset <n>', 'leave out the first').default(0).argParser(wholeNumber(0, 999_999_999)))
    .addOption(new Option('--sort-order <order>', 'newest or oldest first').choices(['desc', 'asc']).default('desc'));
  withOutput(withApiUrl(command)).action(async (stream: string, options: RecordsOptions) => {
    const { limit, offset, sortOrder } = options;
    const query = `limit=${limit}&offset=${offset}&sort_order=${sortOrder}`;
    const path = `/api/v2/pipelines/default/dlqs/${encodeURIComponent(stream)}/records?${query}`;
    const page = await callApi<{ stream: string; records: DlqRecord[] }>(terminal, options.apiUrl, path);
    const found = { ...page, records: page.records.map(withOperationName) };
    await print(terminal, options.output, found, formatRecords);
  });
};

const OPERATIONS: Readonly<Record<string, string>> = {
  c: 'create',
  u: 'update',
  d: 'delete',
  r: 'read',
  t: 'truncate',
  m: 'message',
};

function withOperationName(record: DlqRecord): DlqRecord {
  return { ...record, opcode: OPERATIONS[record.opcode] ?? record.opcode };
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

function formatRecords({ stream, records }: { stream: string; records: DlqRecord[] }): string {
  if (records.length === 0) return `No rejected records of ${printable(stream)} here.\n`;
  return records.map(formatRecord).join('\n');
}

function formatRecord(record: DlqRecord): string {
  const { entry_id, timestamp, opcode, schema, db, table } = record;
  const tableName = table === undefined ? '' : [schema || db, table].filter(Boolean).join('.');
  const heading = [entry_id, timestamp, opcode, tableName].filter((part) => part !== '').map(printable);
  const width = Math.max(...SHOWN.map((field) => field.length));
  const lines = SHOWN.flatMap((field) => {
    const value = record[field];
    return value ? [`  ${field.padEnd(width)}  ${printable(value)}\n`] : [];
  });
  return `${heading.join('  ')}\n${lines.join('')}`;
}
