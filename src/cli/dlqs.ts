import type { Command } from 'commander';
import { type ApiOptions, connectApi, withApi } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { type PipelineOption, pipelinePath, withPipeline } from './pipeline-path.ts';
import { formatTable, left, right } from './table.ts';

/** DLQs by the name of their stream. */
export type Dlqs = Readonly<Record<string, { readonly total_count: number; readonly evicted?: number }>>;

type DlqsOptions = ApiOptions & PipelineOption & { readonly output: OutputFormat };

export const addListDlqs: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('list-dlqs')
    .summary('list the streams that have rejected records')
    .description('Lists the streams that have rejected records, with how many are kept and how many were dropped.');
  withApi(withOutput(withPipeline(command))).action(async (options: DlqsOptions) => {
    const api = await connectApi(context, options);
    const dlqs = await api.get<Dlqs>(pipelinePath(options.pipeline, 'dlqs'));
    await print(context.terminal, options.output, dlqs, formatDlqs);
  });
};

export const addGetDlq: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('get-dlq')
    .summary('show how many records of a stream were rejected')
    .description('Shows one line of list-dlqs.')
    .argument('<name>', 'name of the stream, or its table where only one fits');
  withApi(withOutput(withPipeline(command))).action(async (name: string, options: DlqsOptions) => {
    const api = await connectApi(context, options);
    const dlqs = await api.get<Dlqs>(pipelinePath(options.pipeline, 'dlqs', name));
    await print(context.terminal, options.output, dlqs, formatDlqs);
  });
};

function formatDlqs(dlqs: Dlqs): string {
  const rows = Object.entries(dlqs).map(([stream, { total_count, evicted }]) => [stream, total_count, evicted ?? 0]);
  if (rows.length === 0) return 'No record was rejected.\n';
  return formatTable([left('Stream'), right('Records'), right('Dropped')], rows);
}
