import { type Command, Option } from 'commander';
import type { PipelineDocument } from '../config/index.ts';
import type { Deployment, DeploymentCheck } from '../control/index.ts';
import { ConfigError } from '../errors.ts';
import { type Api, type ApiOptions, connectApi, withApi, withQuery } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { checkOffline, inFolder, orProblems } from './deploy-check.ts';
import { formatDeployment, formatDifferences, formatNotices, formatProblems } from './deploy-view.ts';
import { ApiError, EXIT } from './exit-codes.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { pipelinePath, withPipelineArgument } from './pipeline-path.ts';
import { withProgress } from './progress.ts';
import { printable } from './terminal.ts';
import { switchOption } from './values.ts';
import { type WaitOptions, waitForStatus, withWait } from './wait.ts';

interface DeployOptions extends ApiOptions, WaitOptions {
  readonly dir?: string;
  readonly dryRun: boolean;
  readonly start: boolean | undefined;
  readonly empty: boolean;
  readonly note?: string;
  readonly validateTables: boolean;
  readonly validateCdc: boolean;
  readonly output: OutputFormat;
}

export const addDeploy: AddCommand = (program: Command, context: Context) => {
  const start = switchOption(
    '--start',
    'start a stopped pipeline, too; --start=false leaves it stopped (default: true)',
    true,
  );
  const command = withPipelineArgument(program.command('deploy'))
    .alias('set')
    .summary('check a pipeline folder and have the running rdi change over to it')
    .description(
      'Sends config.yaml, jobs/*.yaml and jobs/tests/*.yaml of a folder to a running rdi, which checks them and stores ' +
        'them as a new revision. The engine changes over without a restart: nothing that is queued is lost or gets out of ' +
        'order.\n\nPrints every problem as file:line:col and deploys nothing then (exit code 1). Otherwise prints what ' +
        'differs from what was deployed. With --dry-run it only does that, and without a running rdi it checks the ' +
        'folder by itself.',
    )
    .option('--dir <folder>', 'the pipeline folder (default: this one)')
    .option('--dry-run', 'check and compare only', false)
    .addOption(start.default(undefined))
    .option('--empty', 'deploy an empty configuration and stop', false)
    .option('--note <text>', 'what the change is about, for list-revisions')
    .addOption(switchOption('--validate-tables', 'has no effect: rdi does not read source databases', true).hideHelp())
    .addOption(switchOption('--validate-cdc', 'has no effect: rdi does not read source databases', false).hideHelp())
    .addOption(new Option('-f, --force', 'has no effect').hideHelp());
  withApi(withOutput(withWait(command))).action(async (pipeline: string, options: DeployOptions) => {
    if (options.empty && options.dir !== undefined) {
      throw new ConfigError('CONFIG_INVALID', '--empty and --dir exclude each other', {
        fix: 'Leave one of them out.',
      });
    }
    if (options.validateCdc)
      context.terminal.err('--validate-cdc has no effect: rdi does not read source databases.\n');
    const document = await readDocument(context, options);
    await (options.dryRun
      ? tryOut(context, pipeline, document, options)
      : deploy(context, pipeline, document, options));
  });
};

/** The texts of the folder, each job announced as RDI does. */
async function readDocument({ terminal }: Context, { dir = '.', empty }: DeployOptions): Promise<PipelineDocument> {
  if (empty) return { config: '', jobs: {}, tests: {}, folder: process.cwd() };
  const { readPipelineDocument } = await import('../config/index.ts');
  const document = readPipelineDocument(dir);
  for (const name of Object.keys(document.jobs)) terminal.err(`INFO - Reading ${printable(name)} job\n`);
  return document;
}

async function deploy(context: Context, pipeline: string, document: PipelineDocument, options: DeployOptions) {
  const { terminal } = context;
  const api = await connectApi(context, options);
  const timeoutMs = options.wait ? options.timeout : undefined;
  const isStart = options.start ?? !options.empty;
  if (options.empty && !isStart) await api.send('POST', pipelinePath(pipeline, 'stop'), undefined, timeoutMs);
  const body = {
    document,
    ...(options.note === undefined ? {} : { note: options.note }),
    ...(isStart ? { start: true } : {}),
  };
  const send = () => api.send<Deployment>('POST', pipelinePath(pipeline, 'revisions'), body, timeoutMs);
  const answer = await orProblems(() => withProgress(terminal, 'Deploying', send));
  const result = inFolder(options.dir, answer);
  if (result.problems.length > 0) {
    await showProblems(context, result, options);
    return;
  }
  const wanted = isStart ? ['started'] : ['started', 'stopped'];
  if (options.wait) await waitForStatus(api, terminal, pipeline, wanted, options.timeout);
  const { address } = api;
  await print(terminal, options.output, result, (done) => {
    const text = formatDifferences(done.differences, terminal) + formatNotices(done) + formatDeployment(done);
    return `${text}Deployed to ${address}.\nTask \`deploy\` completed successfully.\n`;
  });
}

async function tryOut(context: Context, pipeline: string, document: PipelineDocument, options: DeployOptions) {
  const { terminal } = context;
  const check = inFolder(options.dir, await checkAnywhere(context, pipeline, document, options));
  if (check.problems.length > 0) {
    await showProblems(context, check, options);
    return;
  }
  await print(terminal, options.output, check, ({ differences, notices }) => {
    const changes = differences.length === 0 ? '' : formatDifferences(differences, terminal);
    return `${changes}${formatNotices({ notices })}The pipeline is valid; nothing was deployed.\n`;
  });
}

/** By the running rdi, or by this process where none answers. */
async function checkAnywhere(context: Context, pipeline: string, document: PipelineDocument, options: DeployOptions) {
  const { terminal } = context;
  const path = withQuery(pipelinePath(pipeline, 'revisions'), { dry_run: true });
  const ask = async (api: Api) => api.send<Deployment>('POST', path, { document });
  try {
    const api = await connectApi(context, options);
    const check = await orProblems(() => ask(api));
    if (check.differences.length === 0 && check.problems.length === 0)
      terminal.err(`Nothing differs from what ${api.address} has.\n`);
    return check;
  } catch (error) {
    if (!(error instanceof ApiError && error.code === 'API_UNREACHABLE')) throw error;
    terminal.err(`${error.message}\nThe folder is checked here, and not compared with what is deployed.\n`);
    return checkOffline(document, terminal.env);
  }
}

async function showProblems(context: Context, check: DeploymentCheck, { output }: DeployOptions): Promise<void> {
  context.exitCode = EXIT.failed;
  if (output === 'table') context.terminal.err(`${formatProblems(check)}Nothing was deployed.\n`);
  else await print(context.terminal, output, check, formatProblems);
}
