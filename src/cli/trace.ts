import type { Command } from 'commander';
import { count, formatDuration } from '../lib/plain-words.ts';
import type { RehearsedEvent } from '../rehearsal/index.ts';
import { type ApiOptions, connectApi, withApi } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { untilInterrupted } from './interrupt.ts';
import { wholeNumber } from './numbers.ts';
import { type OutputFormat, withOutput } from './output.ts';
import { type PipelineOption, pipelinePath, withPipeline } from './pipeline-path.ts';
import { describeWords, operationName } from './rehearsal-view.ts';
import { paint, printable, type Terminal } from './terminal.ts';

/** Of a raw key or value, where people read it. */
const SHOWN_CHARACTERS = 300;

interface TraceOptions extends ApiOptions, PipelineOption {
  readonly maxChangeRecords: number;
  readonly timeout: number;
  readonly traceOnlyRejected?: boolean;
  readonly stream?: string;
  readonly output: OutputFormat;
}

export interface TraceRecord extends Omit<RehearsedEvent, 'outcome'> {
  readonly outcome: RehearsedEvent['outcome'] | 'superseded';
  readonly stream: string;
  readonly entry_id: string;
  readonly target_key: string | null;
  readonly source_at: number | null;
  readonly arrived_at: number;
  readonly settled_at: number;
  readonly raw_key: string | null;
  readonly raw_value: string | null;
}

export interface TraceTotals {
  readonly records: number;
  readonly rejected: number;
  readonly min_ms: number | null;
  readonly avg_ms: number | null;
  readonly max_ms: number | null;
}

type Line = { readonly record: TraceRecord } | { readonly totals: TraceTotals };

export const addTrace: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('trace')
    .summary('follow records through the engine, live')
    .description(
      'Shows records that are settled from now on: when they were changed, when they arrived, what each block of the job ' +
        'made of them, the commands, and how it ended. Records that come faster than they can be shown are left out; none is ' +
        'held back.',
    )
    .option('--max-change-records <n>', 'end after so many', wholeNumber(1, 10_000), 10)
    .option('--timeout <seconds>', 'end after so long, 1 to 600', wholeNumber(1, 600), 20)
    .option('--trace-only-rejected', 'only records that are rejected')
    .option('--stream <name>', 'only this stream, as status shows it, or the end of its name');
  withOutput(withApi(withPipeline(command))).action(async (options: TraceOptions) => {
    await untilInterrupted((signal) => trace(context, options, signal));
  });
};

async function trace(context: Context, options: TraceOptions, signal: AbortSignal): Promise<void> {
  const { terminal } = context;
  const { maxChangeRecords, timeout, traceOnlyRejected = false, stream, output } = options;
  const api = await connectApi(context, options);
  if (output === 'table') {
    terminal.err(`Trace started: ${count(maxChangeRecords, 'record')} or ${timeout} s. Ctrl-C ends it.\n`);
  }
  const body = { max_change_records: maxChangeRecords, timeout, rejected_only: traceOnlyRejected, stream };
  const lines = api.lines<Line>('POST', pipelinePath(options.pipeline, 'traces'), body, signal);
  for await (const line of lines) await show(line, output, terminal);
}

/** Lines of JSON, documents of YAML, or paragraphs, as they come. */
async function show(line: Line, output: OutputFormat, terminal: Terminal): Promise<void> {
  if (output === 'json') terminal.out(`${JSON.stringify(line)}\n`);
  else if (output === 'yaml') terminal.out(`---\n${(await import('yaml')).stringify(line)}`);
  else if ('record' in line) terminal.out(`${describeRecord(line.record, terminal)}\n`);
  else terminal.out(describeTotals(line.totals));
}

/** The way of one record, each line behind its id and key. */
export function describeRecord(record: TraceRecord, terminal: Pick<Terminal, 'isScreen'>): string {
  const { source_at: source, arrived_at: arrived, settled_at: settled, stream, op, table, key, before, after } = record;
  const start = source ?? arrived;
  const prefix = paint(terminal, 'dim', printable(`${record.entry_id} ${record.target_key ?? '-'}`));
  const lines = [
    source === null ? 'source time unknown' : `changed in the source at ${new Date(source).toISOString()} (+0 ms)`,
    `arrived at ${new Date(arrived).toISOString()} (+${Math.max(0, arrived - start)} ms)`,
    `raw record: key ${shorten(record.raw_key)} value ${shorten(record.raw_value)}`,
    `${operationName(op) || 'no change of a row'} in stream ${stream}${table === '' ? '' : `, table ${table} ${key ?? ''}`}`,
    record.job === null ? 'no job: the default mapping' : `job ${record.job}`,
    ...(before === null ? [] : [`row before the change: ${before}`]),
    ...(after === null ? [] : [`row: ${after}`]),
    ...record.blocks.map(({ step, record: row }) => `after ${step}: ${row ?? 'filtered out'}`),
    ...record.lookups.map(({ command }) => `lookup: ${describeWords(command)}`),
    ...record.commands.map(({ connection, words }) => `command for ${connection}: ${describeWords(words)}`),
    `${record.outcome}${record.reason === null ? '' : `: ${record.reason}`}`,
    `end of processing at ${new Date(settled).toISOString()} (+${Math.max(0, settled - start)} ms)`,
  ];
  return lines.map((text) => `${prefix}  ${printable(text)}\n`).join('');
}

/** Schemas make raw records fill several screens; programs get them whole. */
function shorten(raw: string | null): string {
  if (raw === null) return '-';
  return raw.length <= SHOWN_CHARACTERS ? raw : `${raw.slice(0, SHOWN_CHARACTERS)}… (whole with -o json)`;
}

function describeTotals({ records, rejected, min_ms: min, avg_ms: average, max_ms: max }: TraceTotals): string {
  if (min === null || average === null || max === null) return 'No record was settled in this time.\n';
  const times = [
    `at least ${formatDuration(min)}`,
    `on average ${formatDuration(average)}`,
    `at most ${formatDuration(max)}`,
  ];
  return `${count(records, 'record')}, ${rejected} rejected. From change to settled: ${times.join(', ')}.\n`;
}
