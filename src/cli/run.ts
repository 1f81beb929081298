import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { Instance, InstanceOption } from '../config/index.ts';
import type { StartWith } from '../control/engine.ts';
import { ConfigError, formatProblem } from '../errors.ts';
import { expectShortLives } from '../lib/short-lived-objects.ts';
import { VERSION } from '../lib/version.ts';
import type { Logger } from '../observe/logger.ts';
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
    const { withSecretFiles } = await import('../secrets/index.ts');
    const env = withSecretFiles(context.terminal.env);
    const { start, instance } = await loadConfiguration(flags, env);
    const { createLogger } = await import('../observe/logger.ts');
    const { LogMemory } = await import('../observe/log-memory.ts');
    const logMemory = new LogMemory();
    const { logLevel: level, logFormat: format, secrets } = instance;
    const { logger, addSecrets } = await createLogger({ level, format, secrets, memory: logMemory });
    logStart(logger, instance);
    context.exitCode = await operate({
      terminal: context.terminal,
      logger,
      http: instance.http,
      deadlineMs: instance.shutdownDeadlineMs,
      startEngine: async () => {
        const { startEngine } = await import('../control/engine.ts');
        // The engine reads secret files itself: one that goes away must not stay behind as a variable.
        return startEngine({ start, instance, env: context.terminal.env, logger, addSecrets, logMemory });
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
  readonly start: StartWith;
  readonly instance: Instance;
}

/**
 * Where the pipeline comes from, and the instance, as flags, variables and files say.
 *
 * @throws ConfigError with every problem of the instance, or when a folder that was asked for is no pipeline
 */
async function loadConfiguration(
  flags: Readonly<Record<string, unknown>>,
  env: Terminal['env'],
): Promise<Configuration> {
  const { loadInstance, pipelineForTarget, readPipelineDocument } = await import('../config/index.ts');
  const { dir: givenDir, instance: file, ...values } = flags as { dir?: string; instance?: string; target?: string };
  if (givenDir !== undefined && values.target !== undefined) {
    throw new ConfigError('CONFIG_INVALID', '--dir and --target exclude each other', {
      fix: 'Leave --target out: config.yaml of the folder names the target. Or leave --dir out, to run without a folder.',
    });
  }
  const folder = givenDir ?? (values.target === undefined ? '.' : undefined);
  const instance = loadInstance({ dir: folder, file, flags: values, env });
  if (givenDir === undefined && instance.target !== undefined) {
    return { start: { kind: 'target', pipeline: pipelineForTarget(instance.target, { env }) }, instance };
  }
  const dir = givenDir ?? '.';
  // Without a folder that was asked for, what was deployed is run.
  if (givenDir === undefined && !existsSync(join(dir, 'config.yaml'))) return { start: { kind: 'deployed' }, instance };
  return { start: { kind: 'folder', document: readPipelineDocument(dir), dir }, instance };
}

function logStart(logger: Logger, instance: Instance): void {
  logger.info({ version: VERSION, node: process.versions.node, dataDir: instance.dataDir }, 'rdi is starting');
  for (const notice of instance.notices) logger[notice.level](formatProblem(notice));
}
