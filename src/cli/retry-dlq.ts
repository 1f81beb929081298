import { type Command, Option } from 'commander';
import type { RetriedRecord, RetryReport } from '../control/index.ts';
import { count } from '../lib/plain-words.ts';
import { connectApi, withApi } from './api.ts';
import { confirm } from './confirm.ts';
import type { AddCommand, Context } from './context.ts';
import { type SelectionOptions, selectionOf, withSelection } from './dlq-selection.ts';
import { EXIT } from './exit-codes.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { pipelinePath, withPipeline } from './pipeline-path.ts';
import { withProgress } from './progress.ts';
import { formatTable, left } from './table.ts';
import { duration } from './values.ts';

interface RetryOptions extends SelectionOptions {
  readonly force: boolean;
  readonly timeout: number;
  readonly output: OutputFormat;
}

export const addRetryDlq: AddCommand = (program: Command, context: Context) => {
  const command = withSelection(program.command('retry-dlq').alias('replay-dlq'))
    .summary('send rejected records through the current jobs again')
    .description(
      'Sends rejected records through the jobs as they are now, oldest first. What is written leaves the DLQ; what is ' +
        'rejected again stays, with the new reason. A row that has a newer value by now keeps it: the record is dropped as ' +
        'superseded.\n\nThe exit code is 1 when a record is still rejected.',
    )
    .option('-f, --force', 'write also where a newer value may be there, which it then overwrites', false)
    .addOption(new Option('--timeout <duration>', 'how long to wait').default(600_000, '10m').argParser(duration));
  withApi(withOutput(withPipeline(command))).action(async (dlq: string | undefined, options: RetryOptions) => {
    const body = { ...selectionOf(dlq, options), ...(options.force ? { force: true } : {}) };
    const api = await connectApi(context, options);
    const path = pipelinePath(options.pipeline, 'dlqs', 'retry');
    const report = await withProgress(context.terminal, 'Retrying', () =>
      api.send<RetryReport>('POST', path, body, options.timeout),
    );
    if (report.kept > 0) context.exitCode = EXIT.failed;
    if (body.ids !== undefined && report.records.length === 0) context.exitCode = EXIT.notFound;
    await print(context.terminal, options.output, report, formatReport);
  });
};

/** Records that a table shows; the JSON form has up to a thousand. */
const SHOWN_RECORDS = 20;

function formatReport({ written, filtered, superseded, kept, records }: RetryReport): string {
  const all = written + filtered + superseded + kept;
  if (all === 0) return 'No such record is there.\n';
  const parts = [`${written} written`, `${filtered} filtered`, `${superseded} superseded`, `${kept} still rejected`];
  const sum = `Retried ${count(all, 'record')}: ${parts.join(', ')}.\n`;
  const remaining = records.filter(({ outcome }) => outcome === 'kept').slice(0, SHOWN_RECORDS);
  if (remaining.length === 0) return sum;
  const row = ({ stream, id, reason }: RetriedRecord) => [stream, id, reason ?? '-'];
  return `${sum}\n${formatTable([left('Stream'), left('Id'), left('Still Rejected Because')], remaining.map(row))}`;
}

export const addDropDlq: AddCommand = (program: Command, context: Context) => {
  const command = withSelection(program.command('drop-dlq'))
    .summary('delete rejected records without applying them')
    .option('-f, --force', 'do not ask', false);
  withApi(withPipeline(command)).action(async (dlq: string | undefined, options: RetryOptions) => {
    const body = selectionOf(dlq, options);
    const api = await connectApi(context, options);
    const counted = await api.send<{ count: number }>('POST', pipelinePath(options.pipeline, 'dlqs', 'count'), body);
    if (counted.count === 0) {
      context.terminal.out('No such record is there.\n');
      if (body.ids !== undefined) context.exitCode = EXIT.notFound;
      return;
    }
    await confirm(context, `This deletes ${count(counted.count, 'rejected record')} for good`, options.force);
    const path = pipelinePath(options.pipeline, 'dlqs', 'drop');
    const { dropped } = await withProgress(context.terminal, 'Dropping', () =>
      api.send<{ dropped: number }>('POST', path, body),
    );
    context.terminal.out(`Dropped ${count(dropped, 'record')}.\n`);
  });
};
