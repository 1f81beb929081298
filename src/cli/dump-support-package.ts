import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { ConfigError } from '../errors.ts';
import { count, formatBytes } from '../lib/plain-words.ts';
import { type ApiOptions, connectApi, withApi } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { wholeNumber } from './numbers.ts';
import { printable } from './terminal.ts';

interface PackageOptions extends ApiOptions {
  readonly dir: string;
  readonly pipelineDir: string;
  readonly instance?: string;
  readonly dataDir?: string;
  readonly dumpRejected?: number | true;
  readonly logDays: number;
  readonly rdiPassword?: string;
  readonly rdiKeyPassword?: string;
}

/** Records of each stream when `--dump-rejected` is given without a number. */
const SOME_REJECTED = 100;

export const addDumpSupportPackage: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('dump-support-package')
    .summary('collect everything that is needed to understand a problem, without secrets')
    .description(
      'Writes one .tar.gz: versions, status, configuration and jobs, revisions, names of secrets, metrics, findings of doctor, log, ' +
        'counts, feeders and their positions. Works also when rdi does not run: then with what folder and data folder show. ' +
        'Secrets are replaced before anything is written. It holds no rows, unless --dump-rejected asks for rejected records.',
    )
    .option('--dir <folder>', 'where to write it', '.')
    .option('--pipeline-dir <folder>', 'the pipeline folder', '.')
    .option('--instance <file>', 'the instance file, where it is not rdi.yaml of the pipeline folder')
    .option('--data-dir <folder>', 'the data folder (variable RDI_DATA_DIR)')
    .addOption(
      new Option(
        '--dump-rejected [n]',
        `add rejected records, at most so many of a stream (${SOME_REJECTED}): they hold rows`,
      ).argParser(wholeNumber(0, 1000)),
    )
    .addOption(
      new Option('--log-days <n>', 'how old lines of the log may be').default(2).argParser(wholeNumber(1, 3650)),
    );
  for (const flags of FORMER_FLAGS) command.addOption(new Option(flags).hideHelp());
  withApi(command).action((options: PackageOptions) => run(context, options));
};

/** Of RDI's earlier versions, which reached for the RDI database and traced; accepted so that scripts go on working. */
const FORMER_FLAGS = [
  '--trace-timeout <seconds>',
  '--max-change-records <n>',
  '--trace-only-rejected',
  '--rdi-host <host>',
  '--rdi-port <port>',
  '--rdi-user <name>',
  '--rdi-password <text>',
  '--rdi-key <file>',
  '--rdi-cert <file>',
  '--rdi-cacert <file>',
  '--rdi-key-password <text>',
  '--rdi-namespace <name>',
];

async function run(context: Context, options: PackageOptions): Promise<void> {
  const { terminal } = context;
  const { collectPackage } = await import('../support/index.ts');
  const { dumpRejected = 0, password, rdiPassword, rdiKeyPassword } = options;
  const made = await collectPackage({
    dir: options.pipelineDir,
    instanceFile: options.instance,
    dataDir: options.dataDir,
    env: terminal.env,
    connect: () => connectApi(context, options),
    mustRun: options.apiUrl !== undefined || options.context !== undefined,
    secrets: [password, rdiPassword, rdiKeyPassword].filter((secret) => secret !== undefined),
    logDays: options.logDays,
    rejectedPerStream: dumpRejected === true ? SOME_REJECTED : dumpRejected,
    at: Date.now(),
  });
  const file = join(options.dir, made.name);
  try {
    // For its owner only: it tells much about the machine even without secrets.
    writeFileSync(file, made.bytes, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    throw new ConfigError('CONFIG_NOT_FOUND', `${file} cannot be written: ${(cause as NodeJS.ErrnoException).code}`, {
      fix: 'Name a folder that can be written with --dir',
      cause,
    });
  }
  for (const what of made.missing) terminal.err(`Missing: ${printable(what)}\n`);
  if (made.files.includes('rejected.jsonl')) {
    terminal.err('rejected.jsonl in it HOLDS ROWS of your database. Look at it before you send it to anybody.\n');
  }
  terminal.out(`${file} (${count(made.files.length, 'file')}, ${formatBytes(made.bytes.length)})\n`);
}
