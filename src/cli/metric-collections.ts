import type { Command } from 'commander';
import { type ApiOptions, connectApi, withApi } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { type PipelineOption, pipelinePath, withPipeline } from './pipeline-path.ts';
import { formatTable, left } from './table.ts';
import { paint, type Terminal } from './terminal.ts';

type MetricOptions = ApiOptions & PipelineOption & { readonly output: OutputFormat };

/** Figures of one component; their layout is its own. */
interface MetricCollection {
  readonly name: string;
  readonly component: string;
  readonly metrics: Readonly<Record<string, unknown>>;
}

export const addListMetricCollections: AddCommand = (program: Command, context: Context) => {
  const command = program.command('list-metric-collections').summary('show the figures of all components');
  withApi(withOutput(withPipeline(command))).action(async (options: MetricOptions) => {
    const api = await connectApi(context, options);
    const all = await api.get<MetricCollection[]>(pipelinePath(options.pipeline, 'metric-collections'));
    await print(context.terminal, options.output, all, (found) =>
      found.map((one) => formatCollection(one, context.terminal)).join('\n'),
    );
  });
};

export const addGetMetricCollection: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('get-metric-collection')
    .summary('show the figures of one component')
    .argument('<name>', 'for example processor');
  withApi(withOutput(withPipeline(command))).action(async (name: string, options: MetricOptions) => {
    const api = await connectApi(context, options);
    const one = await api.get<MetricCollection>(pipelinePath(options.pipeline, 'metric-collections', name));
    await print(context.terminal, options.output, one, (found) => formatCollection(found, context.terminal));
  });
};

function formatCollection({ name, component, metrics }: MetricCollection, terminal: Terminal): string {
  const heading = paint(terminal, 'bold', `${name} of ${component}`);
  return `${heading}\n${formatTable([left('Metric'), left('Value')], leaves(metrics))}`;
}

/** Each value with its path, `a.b.c`. */
function leaves(value: unknown, path: readonly string[] = []): [string, string][] {
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
    return Object.entries(value).flatMap(([name, part]) => leaves(part, [...path, name]));
  }
  return [[path.join('.'), typeof value === 'string' ? value : JSON.stringify(value)]];
}
