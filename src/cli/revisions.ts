import { type Command, InvalidArgumentError } from 'commander';
import type { Deployment, Revision, RevisionContent } from '../control/index.ts';
import { type ApiOptions, connectApi, withApi } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { formatDeployment, formatDifferences } from './deploy-view.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { type PipelineOption, pipelinePath, withPipeline } from './pipeline-path.ts';
import { withProgress } from './progress.ts';
import { formatTable, left, right } from './table.ts';
import { paint, printable, printableLines, type Terminal } from './terminal.ts';
import { type WaitOptions, waitForStatus, withWait } from './wait.ts';

type RevisionOptions = ApiOptions & PipelineOption & { readonly output: OutputFormat };

export const addListRevisions: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('list-revisions')
    .summary('list what was deployed, newest first')
    .description('Lists the stored configurations, newest first. The one that is in force is marked.');
  withApi(withOutput(withPipeline(command))).action(async (options: RevisionOptions) => {
    const api = await connectApi(context, options);
    const revisions = await api.get<Revision[]>(pipelinePath(options.pipeline, 'revisions'));
    await print(context.terminal, options.output, revisions, formatRevisions);
  });
};

export const addGetRevision: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('get-revision')
    .summary('show the files of a stored configuration')
    .description(
      'Shows the files of a stored configuration. Secrets that are written out in them are replaced by ********.',
    )
    .argument('<number>', 'number of the revision', revisionNumber);
  withApi(withOutput(withPipeline(command))).action(async (number: number, options: RevisionOptions) => {
    const api = await connectApi(context, options);
    const content = await api.get<RevisionContent>(pipelinePath(options.pipeline, 'revisions', String(number)));
    await print(context.terminal, options.output, content, (found) => formatContent(found, context.terminal));
  });
};

export const addRollback: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('rollback')
    .summary('deploy an earlier configuration again')
    .description(
      'Deploys the files of an earlier revision as a new one. The pipeline changes over as after rdi deploy.',
    )
    .argument('<number>', 'number of the revision, as list-revisions shows it', revisionNumber);
  withApi(withOutput(withWait(withPipeline(command)))).action(
    async (number: number, options: RevisionOptions & WaitOptions) => {
      const { terminal } = context;
      const api = await connectApi(context, options);
      const path = pipelinePath(options.pipeline, 'revisions', String(number), 'rollback');
      const ask = () => api.send<Deployment>('POST', path, undefined, options.wait ? options.timeout : undefined);
      const deployment = await withProgress(terminal, 'Deploying', ask);
      if (options.wait) {
        await waitForStatus(api, terminal, options.pipeline, ['started', 'stopped'], options.timeout);
      }
      const show = (done: Deployment) => formatDifferences(done.differences, terminal) + formatDeployment(done);
      await print(terminal, options.output, deployment, show);
    },
  );
};

function revisionNumber(text: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (value > 0) return value;
  throw new InvalidArgumentError('It must be a number that list-revisions shows.');
}

function formatRevisions(revisions: readonly Revision[]): string {
  if (revisions.length === 0) return 'Nothing was deployed yet. Deploy a folder with rdi deploy --dir FOLDER.\n';
  const columns = [right('Number'), left('Created'), left('Origin'), left('Current'), left('Note')];
  const newestFirst = [...revisions].sort((one, other) => other.number - one.number);
  const rows = newestFirst.map(({ number, createdAt, origin, isCurrent, note }) => [
    number,
    new Date(createdAt).toISOString().replace('T', ' ').replace(/\..*/, ''),
    origin,
    isCurrent ? 'yes' : '-',
    note === '' ? '-' : note,
  ]);
  return formatTable(columns, rows);
}

function formatContent({ number, document }: RevisionContent, terminal: Terminal): string {
  const files: [string, string][] = [
    ['config.yaml', document.config],
    ...Object.entries(document.jobs).map(([name, text]): [string, string] => [`jobs/${name}`, text]),
    ...Object.entries(document.tests).map(([name, text]): [string, string] => [`jobs/tests/${name}`, text]),
  ];
  return files
    .map(([name, text]) => `${paint(terminal, 'bold', `# ${printable(name)} of revision ${number}`)}\n${lines(text)}`)
    .join('\n');
}

/** The text with a line end, and nothing in it that drives a terminal. */
function lines(text: string): string {
  const shown = printableLines(text);
  return shown === '' || shown.endsWith('\n') ? shown : `${shown}\n`;
}
