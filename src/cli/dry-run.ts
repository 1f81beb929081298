import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { ConfigError, formatProblem } from '../errors.ts';
import { count } from '../lib/plain-words.ts';
import type { GivenLookup, RehearsedEvent } from '../rehearsal/index.ts';
import type { StreamEntry } from '../types.ts';
import type { AddCommand, Context } from './context.ts';
import { wholeNumber } from './numbers.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { describeEvent } from './rehearsal-view.ts';
import { printable, type Terminal } from './terminal.ts';

interface DryRunOptions {
  readonly dir: string;
  readonly event?: string;
  readonly recording?: string;
  readonly table: readonly string[];
  readonly limit: number;
  readonly lookup: readonly string[];
  readonly output: OutputFormat;
}

export const addDryRun: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('dry-run')
    .summary('show what the jobs make of events; nothing is written')
    .description(
      'Sends events through the jobs of a pipeline folder and prints the record after each block and the commands that a ' +
        'target would get. Nothing is connected to.\n\nEvents are JSON: {"key": …, "value": …} as Debezium sends them, with ' +
        'or without schemas, the value alone, or short: {"table": "orders", "op": "c", "key": {"id": 1}, "after": {"id": 1}}.',
    )
    .option('--dir <folder>', 'the pipeline folder', '.')
    .option('--event <file>', 'events as JSON; - reads standard input (default without --recording)')
    .option('--recording <file>', 'recorded traffic: sink.client.resp, entries.ndjson, also .gz')
    .option('--table <name>', 'only changes of this table, as name or schema.name (repeatable)', gather, [])
    .option('--limit <n>', 'at most so many events', wholeNumber(1, 1_000_000), 10)
    .option('--lookup <reply>', 'what a lookup finds: "HGET tier:gold label=Best" (repeatable)', gather, []);
  withOutput(command).action(async (options: DryRunOptions) => {
    const { terminal } = context;
    const { events, warnings } = await dryRun(options, terminal);
    await print(terminal, options.output, { events, warnings }, () => describe(events, terminal));
    for (const warning of warnings) terminal.err(`warning: ${printable(warning)}\n`);
  });
};

function gather(value: string, earlier: readonly string[]): string[] {
  return [...earlier, value];
}

async function dryRun(
  options: DryRunOptions,
  terminal: Terminal,
): Promise<{ events: RehearsedEvent[]; warnings: readonly string[] }> {
  const { Entries, loadForRehearsal, parseLookup, Rehearsal, requireJobs } = await import('../rehearsal/index.ts');
  const lookups = options.lookup.map((text) => requireLookup(text, parseLookup(text)));
  const pipeline = loadForRehearsal(options.dir, terminal.env);
  const jobs = requireJobs(pipeline);
  for (const notice of pipeline.notices) {
    if (notice.level === 'warn') terminal.err(`${formatProblem(notice)}\n`);
  }
  const { settings } = pipeline;
  const rehearsal = new Rehearsal({ jobs, settings, lookups, keys: new Map(), tables: options.table });
  const events: RehearsedEvent[] = [];
  for await (const entry of await entriesFrom(options, new Entries())) {
    const event = await rehearsal.run(entry);
    if (event !== null) events.push(event);
    if (events.length >= options.limit) break;
  }
  return { events, warnings: rehearsal.warnings };
}

function requireLookup(text: string, lookup: GivenLookup | null): GivenLookup {
  if (lookup !== null) return lookup;
  throw new ConfigError('CONFIG_INVALID', `--lookup ${text} is no reply of a lookup`, {
    fix: 'Write the command, = and the reply, for example --lookup "HGET tier:gold label=Best".',
  });
}

type EntrySource = InstanceType<typeof import('../rehearsal/index.ts')['Entries']>;

async function entriesFrom(options: DryRunOptions, entries: EntrySource): Promise<AsyncIterable<StreamEntry>> {
  const { readEntries, readJson, readJsonFile } = await import('../rehearsal/index.ts');
  const { event, recording } = options;
  if (event !== undefined && recording !== undefined) {
    throw new ConfigError('CONFIG_INVALID', '--event and --recording exclude each other', { fix: 'Give one of them.' });
  }
  if (recording !== undefined) return readEntries(recording, entries);
  if (event !== undefined && event !== '-') return readJsonFile(event, entries);
  return readJson(Readable.from(process.stdin), 'standard input', entries);
}

function describe(events: readonly RehearsedEvent[], terminal: Terminal): string {
  if (events.length === 0) return 'No events.\n';
  const commands = events.reduce((sum, event) => sum + event.commands.length, 0);
  const sum = `${count(events.length, 'event')}, ${count(commands, 'command')}; nothing was written.\n`;
  return `${events.map((event) => `${describeEvent(event, terminal)}\n`).join('')}${sum}`;
}
