import type { Command } from 'commander';
import { type ApiOptions, connectApi, withApi } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { formatFacts } from './dlq-record-view.ts';
import { ApiError } from './exit-codes.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { type PipelineOption, pipelinePath, withPipeline } from './pipeline-path.ts';
import { formatTable, left, right } from './table.ts';
import { paint, type Terminal } from './terminal.ts';

type JobOptions = ApiOptions & PipelineOption & { readonly output: OutputFormat };

interface JobSummary {
  readonly name: string;
  readonly source: string;
  readonly transformations: number;
  readonly outputs: number;
  readonly connections: readonly string[];
}

interface JobDescription {
  readonly name: string;
  readonly source: unknown;
  readonly transformations: readonly { readonly step: string; readonly uses: string; readonly text: string }[];
  readonly outputs: readonly unknown[];
  /** The file as deployed. */
  readonly text: string;
}

export const addListJobs: AddCommand = (program: Command, context: Context) => {
  const command = program.command('list-jobs').summary('list the deployed jobs');
  withApi(withOutput(withPipeline(command))).action(async (options: JobOptions) => {
    const api = await connectApi(context, options);
    const jobs = await api.get<JobSummary[]>(pipelinePath(options.pipeline, 'jobs'));
    await print(context.terminal, options.output, jobs, (found) => formatJobs(found) || 'No job is deployed.\n');
  });
};

export const addGetJob: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('get-job')
    .summary('show a deployed job in one line')
    .argument('<name>', 'name of the job, as list-jobs shows it');
  withApi(withOutput(withPipeline(command))).action(async (name: string, options: JobOptions) => {
    const api = await connectApi(context, options);
    const jobs = await api.get<JobSummary[]>(pipelinePath(options.pipeline, 'jobs'));
    const wanted = withoutEnding(name);
    const job = jobs.find((one) => withoutEnding(one.name) === wanted);
    if (job === undefined) throw new ApiError('API_REFUSED', `There is no job ${name}`, 404, 'See rdi list-jobs.');
    await print(context.terminal, options.output, job, (one) => formatJobs([one]));
  });
};

export const addDescribeJob: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('describe-job')
    .summary('show what a deployed job does')
    .description(
      'Shows source, transformations and outputs of a deployed job. With -o yaml: its file as it was deployed.',
    )
    .argument('<name>', 'name of the job, as list-jobs shows it');
  withApi(withOutput(withPipeline(command))).action(async (name: string, options: JobOptions) => {
    const api = await connectApi(context, options);
    const job = await api.get<JobDescription>(pipelinePath(options.pipeline, 'jobs', withoutEnding(name)));
    if (options.output === 'yaml') {
      context.terminal.out(job.text.endsWith('\n') ? job.text : `${job.text}\n`);
      return;
    }
    await print(context.terminal, options.output, job, (found) => formatJob(found, context.terminal));
  });
};

function withoutEnding(name: string): string {
  return name.replace(/\.ya?ml$/, '');
}

/** RDI's table of jobs; empty for none. */
export function formatJobs(jobs: readonly JobSummary[]): string {
  if (jobs.length === 0) return '';
  const columns = [left('Name'), left('Source'), right('Transformations'), right('Outputs'), left('Connections')];
  const rows = jobs.map((job) => [job.name, job.source, job.transformations, job.outputs, job.connections.join(', ')]);
  return formatTable(columns, rows);
}

function formatJob({ name, source, transformations, outputs }: JobDescription, terminal: Terminal): string {
  const title = (text: string): string => `${paint(terminal, 'bold', text)}\n`;
  const properties = isMap(source) ? Object.entries(source) : [['source', source] as const];
  const facts = formatFacts(properties.map(([key, value]) => [key, asText(value)]));
  const sections = [title(`Job ${name}`), facts, `\n${title('Transformations')}`];
  if (transformations.length === 0) sections.push('  None.\n');
  else {
    const rows = transformations.map(({ step, uses, text }) => [step, uses, text.replaceAll('\n', ' ')]);
    sections.push(formatTable([left('Step'), left('Block'), left('Properties')], rows));
  }
  sections.push(`\n${title('Outputs')}`, formatOutputs(outputs));
  return sections.join('');
}

function formatOutputs(outputs: readonly unknown[]): string {
  if (outputs.length === 0) return '  The default output: target, under the default key.\n';
  const rows = outputs.map((output) => {
    const { uses, with: given } = isMap(output) ? output : {};
    const { connection, data_type: type, ...rest } = isMap(given) ? given : {};
    return [
      asText(uses),
      asText(connection ?? 'target'),
      asText(type),
      Object.keys(rest).length === 0 ? '-' : asText(rest),
    ];
  });
  return formatTable([left('Output'), left('Connection'), left('Data Type'), left('Properties')], rows);
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
