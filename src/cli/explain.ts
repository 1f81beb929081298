import type { Command } from 'commander';
import { count, formatDuration } from '../lib/plain-words.ts';
import type { KeyEvent, KeyNow } from '../rehearsal/index.ts';
import { type ApiOptions, connectApi, withApi, withQuery } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { untilInterrupted } from './interrupt.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { type PipelineOption, pipelinePath, withPipeline } from './pipeline-path.ts';
import { Progress } from './progress.ts';
import { describeWords, operationName } from './rehearsal-view.ts';
import { paint, printable, type Terminal } from './terminal.ts';

interface ExplainOptions extends ApiOptions, PipelineOption {
  readonly target: string;
  readonly since?: string;
  readonly asDeployed?: boolean;
  readonly output: OutputFormat;
}

interface Explanation {
  readonly key: string;
  readonly target: string;
  readonly events: number;
  readonly scanned: number;
  readonly since: number | null;
  readonly now: KeyNow | null;
}

type Line =
  | { readonly progress: number }
  | { readonly event: KeyEvent }
  | { readonly notice: string }
  | { readonly end: Explanation };

export const addExplain: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('explain')
    .summary('show which events, jobs and commands made a key what it is')
    .description(
      'Goes through the entries that rdi still keeps and shows each one that touched the key, oldest first: where it comes ' +
        'from, what the blocks of its job changed, and the commands. At the end stands what the key is now.\n\nEntries are ' +
        'kept until they are written, and longer with `retention` in rdi.yaml. They are sent through the present jobs once ' +
        'more, and nothing is written; lookups find what the target holds now.',
    )
    .argument('<key>', 'key of the target')
    .option('--target <name>', 'which target, by its name in config.yaml', 'target')
    .option('--since <moment>', 'from there on only: an age such as 1h or 7d, or a date in ISO 8601')
    .option('--as-deployed', 'send each event through the jobs that were deployed when it arrived');
  withOutput(withApi(withPipeline(command))).action(async (key: string, options: ExplainOptions) => {
    const end = await untilInterrupted((signal) => explain(context, key, options, signal));
    if (end.events === 0 && (end.now === null || end.now.type === 'none')) context.exitCode = EXIT.notFound;
  });
};

async function explain(
  context: Context,
  key: string,
  options: ExplainOptions,
  signal: AbortSignal,
): Promise<Explanation> {
  const { terminal } = context;
  const { target, since, asDeployed, output } = options;
  const api = await connectApi(context, options);
  const path = withQuery(pipelinePath(options.pipeline, 'explain'), { key, target, since, as_deployed: asDeployed });
  const progress = new Progress(terminal);
  const events: KeyEvent[] = [];
  const notices: string[] = [];
  let end: Explanation | undefined;
  try {
    for await (const line of api.lines<Line>('GET', path, undefined, signal)) {
      if ('progress' in line) progress.update(count(events.length, 'event'), line.progress);
      else if ('notice' in line) notices.push(line.notice);
      else if ('end' in line) end = line.end;
      else {
        events.push(line.event);
        if (output !== 'table') continue;
        progress.close();
        terminal.out(`${describeKeyEvent(line.event, terminal)}\n`);
      }
    }
  } finally {
    progress.close();
  }
  if (end === undefined) throw new Error('the answer ended early');
  const { events: _number, ...rest } = end;
  await print(terminal, output, { ...rest, events, notices }, () => describeEnd(end, terminal));
  for (const notice of notices) terminal.err(`warning: ${printable(notice)}\n`);
  return end;
}

/** An event that touched the key, as a paragraph. */
export function describeKeyEvent(event: KeyEvent, terminal: Pick<Terminal, 'isScreen'>): string {
  const { arrived_at: arrived, source_at: source, source_position: position, op, table, key, outcome } = event;
  const delay = source === null ? '' : `, ${formatDuration(arrived - source)} after the change`;
  const heading = `${new Date(arrived).toISOString()}  ${operationName(op)} ${table} ${key ?? ''}`;
  const revision = event.revision === null ? '' : `, revision ${event.revision} in force`;
  const lines: [string, string][] = [
    ['entry', `${event.entry_id} of ${event.stream}${delay}${revision}`],
    ...some('source', position),
    ...some('before', event.before),
    ...some('after', event.after),
    ['job', event.job ?? 'none: the default mapping'],
    ...event.blocks.map(({ step, record }): [string, string] => [step, record ?? 'filtered out']),
    ...event.lookups.map(({ command }): [string, string] => ['lookup', describeWords(command)]),
    ...event.commands.map(({ words }): [string, string] => ['command', describeWords(words)]),
  ];
  const width = Math.max(...lines.map(([title]) => title.length));
  const body = lines.map(([title, text]) => `   ${paint(terminal, 'dim', title.padEnd(width))}  ${printable(text)}\n`);
  return `${paint(terminal, 'bold', printable(heading.trimEnd()))}\n${body.join('')}${ending(outcome, event.reason, terminal)}`;
}

function some(title: string, text: string | null): [string, string][] {
  return text === null ? [] : [[title, text]];
}

function ending(outcome: KeyEvent['outcome'], reason: string | null, terminal: Pick<Terminal, 'isScreen'>): string {
  if (outcome === 'written') return '';
  if (outcome === 'pending') return `   ${paint(terminal, 'yellow', 'not written yet')}\n`;
  return `   ${paint(terminal, 'red', `rejected: ${printable(reason ?? '')}`)}\n`;
}

/** What was found altogether, what the key is now, and what cannot be known. */
export function describeEnd(end: Explanation, terminal: Pick<Terminal, 'isScreen'>): string {
  const { key, target, events, scanned, since, now } = end;
  const from = since === null ? 'no entry is kept' : `kept since ${new Date(since).toISOString()}`;
  const found = `${count(events, 'event')} touched it, of ${count(scanned, 'entry', 'entries')} (${from}).`;
  const more =
    'What came before cannot be known. The setting retention (--retention 24h, or in rdi.yaml) says how long entries are kept. Of several events ' +
    'that were written together the target got the last state only.';
  return `${paint(terminal, 'bold', printable(`${key} in ${target}`))}: ${describeNow(now)}\n${found} ${more}\n`;
}

function describeNow(now: KeyNow | null): string {
  if (now === null) return 'the target does not answer.';
  if (now.type === 'none') return 'there is no such key now.';
  const ttl = now.ttl_ms === null ? '' : `, expires in ${formatDuration(now.ttl_ms)}`;
  const type = now.type === 'ReJSON-RL' ? 'json' : now.type;
  const value = now.value === null ? '' : `\n   ${printable(now.value)}${now.is_cut ? ' … (cut)' : ''}`;
  return `${printable(type)}${ttl}${value}`;
}
