import type { Command } from 'commander';
import { type ApiOptions, connectApi, withApi } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { pipelinePath, withPipelineArgument } from './pipeline-path.ts';
import { formatTable, left } from './table.ts';
import { errorMessages, type RdiPipeline } from './wait.ts';

type PipelineOptions = ApiOptions & { readonly output: OutputFormat };

export const addInfo: AddCommand = (program: Command, context: Context) => {
  const command = program.command('info').summary('show the version of the running rdi');
  withApi(withOutput(command)).action(async (options: PipelineOptions) => {
    const api = await connectApi(context, options);
    const info = await api.get<{ version: string }>('/api/v2/info');
    await print(context.terminal, options.output, info, ({ version }) => `rdi ${version} at ${api.address}\n`);
  });
};

export const addList: AddCommand = (program: Command, context: Context) => {
  const command = program.command('list').summary('list the pipelines with their status');
  withApi(withOutput(command)).action(async (options: PipelineOptions) => {
    const api = await connectApi(context, options);
    const pipelines = await api.get<RdiPipeline[]>('/api/v2/pipelines');
    await print(context.terminal, options.output, pipelines, formatPipelines);
  });
};

export const addGet: AddCommand = (program: Command, context: Context) => {
  const command = withPipelineArgument(program.command('get')).summary('show the status of a pipeline in one line');
  withApi(withOutput(command)).action(async (pipeline: string, options: PipelineOptions) => {
    const api = await connectApi(context, options);
    const found = await api.get<RdiPipeline>(pipelinePath(pipeline));
    await print(context.terminal, options.output, found, (one) => formatPipelines([one]));
  });
};

/** RDI's head of a pipeline, one line each. */
export function formatPipelines(pipelines: readonly RdiPipeline[]): string {
  const columns = ['Name', 'Active', 'Status', 'Current', 'Errors'].map(left);
  const rows = pipelines.map((pipeline) => [
    pipeline.name,
    pipeline.active ? 'yes' : 'no',
    pipeline.status,
    pipeline.current === false ? 'no' : 'yes',
    errorMessages(pipeline).join(' ') || '-',
  ]);
  return formatTable(columns, rows);
}
