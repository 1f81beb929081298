import { type Command, Option } from 'commander';
import type { Instance, InstanceOption, LoadedPipeline } from '../config/index.ts';
import { ConfigError, formatProblem } from '../errors.ts';
import { expectShortLives } from '../lib/short-lived-objects.ts';
import { VERSION } from '../lib/version.ts';
import type { Logger } from '../observe/logger.ts';
import type { JobDefinition } from '../transform/index.ts';
import type { AddCommand, Context } from './context.ts';
import { operate } from './operate.ts';
import type { Terminal } from './terminal.ts';

/** The command without the instance's own flags, for a program that only lists its commands. */
export function describeRun(program: Command): Command {
  return program
    .command('run')
    .summary('start rdi: accept feeders and keep the target in step')
    .description(
      'Starts the endpoint that Debezium’s Redis sink connects to, writes what arrives to the target Redis, and ' +
        'serves status and metrics over HTTP.\n\nNeeds no file: rdi run --target redis://127.0.0.1:6379\n\n' +
        'Ctrl-C or SIGTERM stops accepting, writes what is on its way, and ends; a second one ends at once. ' +
        'Nothing that was accepted is lost either way: the next start goes on where this one ended.',
    )
    .option('--dir <folder>', 'pipeline folder with config.yaml and jobs/ (default: this one, without --target)')
    .option('--instance <file>', 'instance file (default: rdi.yaml of the pipeline folder, where there is one)');
}

export const addRun: AddCommand = async (program: Command, context: Context) => {
  const { INSTANCE_OPTIONS } = await import('../config/index.ts');
  const command = describeRun(program);
  for (const option of INSTANCE_OPTIONS) command.addOption(flagOf(option));
  command.action(async (flags: Readonly<Record<string, unknown>>) => {
    expectShortLives();
    const { pipeline, jobs, instance } = await loadConfiguration(flags, context.terminal.env);
    const { createLogger } = await import('../observe/logger.ts');
    const secrets = [...pipeline.secrets, ...instance.secrets];
    const level = pipeline.settings.logLevel ?? instance.logLevel;
    const { logger } = await createLogger({ level, format: instance.logFormat, secrets });
    logStart(logger, pipeline, instance);
    context.exitCode = await operate({
      terminal: context.terminal,
      logger,
      http: instance.http,
      deadlineMs: instance.shutdownDeadlineMs,
      startEngine: async () => {
        const { startEngine } = await import('../control/engine.ts');
        return startEngine({ pipeline, jobs, instance, logger });
      },
    });
  });
};

function flagOf({ flag, kind, placeholder, description, variable, defaultText, secret }: InstanceOption): Option {
  const facts = [`variable ${variable}`, ...(defaultText === undefined || secret ? [] : [`default ${defaultText}`])];
  const value = kind === 'switch' ? '' : ` <${placeholder}>`;
  return new Option(`--${flag}${value}`, `${description.replace(/\.$/, '')} (${facts.join(', ')})`);
}

interface Configuration {
  readonly pipeline: LoadedPipeline;
  readonly jobs: readonly JobDefinition[];
  readonly instance: Instance;
}

/**
 * Pipeline with its jobs, and instance, as flags, variables and files say.
 *
 * @throws ConfigError with every problem
 */
async function loadConfiguration(
  flags: Readonly<Record<string, unknown>>,
  env: Terminal['env'],
): Promise<Configuration> {
  const { loadInstance, loadPipeline, pipelineForTarget, requireTarget } = await import('../config/index.ts');
  const { dir: givenDir, instance: file, ...values } = flags as { dir?: string; instance?: string; target?: string };
  if (givenDir !== undefined && values.target !== undefined) {
    throw new ConfigError('CONFIG_INVALID', '--dir and --target exclude each other', {
      fix: 'Leave --target out: config.yaml of the folder names the target. Or leave --dir out, to run without a folder.',
    });
  }
  const dir = givenDir ?? (values.target === undefined ? '.' : undefined);
  const instance = loadInstance({ dir, file, flags: values, env });
  const usesTarget = givenDir === undefined && instance.target !== undefined;
  const pipeline = usesTarget ? pipelineForTarget(instance.target, { env }) : loadPipeline(dir ?? '.', { env });
  if (pipeline.jobs.length > 0) return { ...(await readJobs(pipeline)), instance };
  requireTarget(pipeline);
  return { pipeline, jobs: [], instance };
}

/** The jobs, whose languages take a moment to load. Which targets they need is known only when they are put together. */
async function readJobs(pipeline: LoadedPipeline): Promise<Omit<Configuration, 'instance'>> {
  const { loadJobs } = await import('../control/load-jobs.ts');
  const { jobs, problems, notices } = loadJobs(pipeline);
  if (problems.length > 0) {
    const what = problems.length === 1 ? 'a job has a problem' : `the jobs have ${problems.length} problems`;
    throw new ConfigError('CONFIG_INVALID', what, { problems });
  }
  return { pipeline: { ...pipeline, notices: [...pipeline.notices, ...notices] }, jobs };
}

function logStart(logger: Logger, pipeline: LoadedPipeline, instance: Instance): void {
  logger.info({ version: VERSION, node: process.versions.node, dataDir: instance.dataDir }, 'rdi is starting');
  for (const notice of [...pipeline.notices, ...instance.notices]) logger[notice.level](formatProblem(notice));
}
