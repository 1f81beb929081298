import { type Command, Option } from 'commander';
import type { Status, TableReset } from '../control/index.ts';
import { count } from '../lib/plain-words.ts';
import { type Api, type ApiOptions, connectApi, withApi, withQuery } from './api.ts';
import { confirm } from './confirm.ts';
import type { AddCommand, Context } from './context.ts';
import { pipelinePath, withPipelineArgument } from './pipeline-path.ts';
import { withProgress } from './progress.ts';
import { refuseSource } from './start-stop.ts';
import { printable } from './terminal.ts';
import { type WaitOptions, waitForStatus, withWait } from './wait.ts';

interface ResetOptions extends ApiOptions, WaitOptions {
  readonly force: boolean;
  readonly pauseForConfirmation: boolean;
  readonly table?: string;
  readonly flushTarget: boolean;
  readonly source?: string;
}

export const addReset: AddCommand = (program: Command, context: Context) => {
  const command = withPipelineArgument(program.command('reset'))
    .summary('go back to the initial full sync')
    .description(
      'Deletes the queued entries, the feeders’ offsets and schema history, the DLQs and the statistics, so that a feeder ' +
        'that is started again reads all rows anew. Configuration and secrets stay.\n\nThe target keeps its keys: rows that ' +
        'are deleted in the source meanwhile stay there, unless --flush-target empties it.',
    )
    .option('-f, --force', 'do not ask', false)
    .option('--table <name>', 'forget only the rejected records of this table or stream, and say how to fetch its rows')
    .option('--flush-target', 'also delete every key of the target, or with --table those of that table', false)
    .addOption(new Option('--pause-for-confirmation', 'ask before going on, as without --force').default(false))
    .addOption(new Option('--source <name>', 'refused: see start --help').hideHelp());
  withApi(withWait(command)).action(async (pipeline: string, options: ResetOptions) => {
    refuseSource(options.source, 'reset');
    const isForced = options.force && !options.pauseForConfirmation;
    await confirm(context, describeLoss(pipeline, options), isForced);
    const api = await connectApi(context, options);
    await (options.table === undefined
      ? resetPipeline(context, api, pipeline, options)
      : resetTable(context, api, pipeline, options.table, options));
  });
};

function describeLoss(pipeline: string, { table, flushTarget }: ResetOptions): string {
  if (table === undefined) {
    const target = flushTarget ? ' and EVERY KEY OF THE TARGETS' : '';
    return `This deletes queued entries, offsets, rejected records and statistics of pipeline ${pipeline}${target}`;
  }
  const target = flushTarget ? ' and the keys of that table in the target' : '';
  return `This deletes the rejected records of ${table}${target}`;
}

async function resetPipeline({ terminal }: Context, api: Api, pipeline: string, options: ResetOptions): Promise<void> {
  const path = withQuery(pipelinePath(pipeline, 'reset'), { flush_target: options.flushTarget || undefined });
  const timeoutMs = options.wait ? options.timeout : undefined;
  await withProgress(terminal, 'Resetting the pipeline', () => api.send('POST', path, undefined, timeoutMs));
  if (options.wait) await waitForStatus(api, terminal, pipeline, ['started', 'stopped'], options.timeout);
  terminal.out(`Pipeline ${printable(pipeline)} ${options.wait ? 'is reset' : 'is being reset'}.\n`);
  const { pipeline: summary } = await api.get<Status>('/api/v2/overview');
  if (summary.awaitsFeederRestart) {
    terminal.out(
      'Restart the feeder (Debezium Server) now: until it starts anew it is held back, so that no gap arises.\n',
    );
  }
}

async function resetTable({ terminal }: Context, api: Api, pipeline: string, table: string, options: ResetOptions) {
  const path = withQuery(pipelinePath(pipeline, 'reset'), { table, flush_target: options.flushTarget || undefined });
  const timeoutMs = options.wait ? options.timeout : undefined;
  const done = await withProgress(terminal, `Resetting ${table}`, () =>
    api.send<TableReset>('POST', path, undefined, timeoutMs),
  );
  terminal.out(`Forgot ${count(done.droppedRecords, 'rejected record')} of ${printable(done.stream)}.\n`);
  if (done.removedKeys !== null) terminal.out(`Removed ${count(done.removedKeys, 'key')} from the target.\n`);
  terminal.out(`${printable(done.next)}\n`);
}
