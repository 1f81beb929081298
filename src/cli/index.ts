/**
 * The command line: one file per command, which parses, asks `control`, `config`, `replay` or a running rdi, and prints.
 *
 * In: the arguments and a terminal. Out: results on standard output, diagnostics on standard error, and an exit code:
 * 0 done · 1 failed · 2 wrong usage or configuration · 3 no rdi reached · 4 waited too long · 5 not found · 130 interrupted.
 * Promises: errors are `CODE: what, where, how to fix` without stack traces; control characters in names are shown, not
 * sent to the terminal; a command loads only what it needs. Does not: hold state, or know how anything works.
 */
import { Command, CommanderError } from 'commander';
import { RdiError } from '../errors.ts';
import { VERSION } from '../lib/version.ts';
import { connectionOptions, takesApi } from './api.ts';
import { addCompletion } from './completion.ts';
import type { Context } from './context.ts';
import { addContexts } from './contexts.ts';
import { addDelete, addFlushTarget } from './delete.ts';
import { addDeploy } from './deploy.ts';
import { addEditDlqRecord, addGetDlqRecord } from './dlq-record.ts';
import { addGetDlq, addListDlqs } from './dlqs.ts';
import { addDoctor } from './doctor.ts';
import { addDryRun } from './dry-run.ts';
import { addDumpSupportPackage } from './dump-support-package.ts';
import { EXIT, exitCodeOf, Interrupted, TimedOut } from './exit-codes.ts';
import { addExplain } from './explain.ts';
import { addExportDlq } from './export-dlq.ts';
import { addConfigure, addFormerOptions, addReplaced } from './former.ts';
import { addDescribeJob, addGetJob, addListJobs } from './jobs.ts';
import { addListDlqRecords } from './list-dlq-records.ts';
import { addGetMetricCollection, addListMetricCollections } from './metric-collections.ts';
import { addMonitor } from './monitor.ts';
import { addGet, addInfo, addList } from './pipelines.ts';
import { addRepair } from './repair.ts';
import { addReplay } from './replay.ts';
import { addReset } from './reset.ts';
import { addResume } from './resume.ts';
import { addDropDlq, addRetryDlq } from './retry-dlq.ts';
import { addGetRevision, addListRevisions, addRollback } from './revisions.ts';
import { addRun, describeRun } from './run.ts';
import { addScaffold } from './scaffold.ts';
import { addDescribeSecret, addGetSecret, addListSecrets } from './secrets.ts';
import { addDeleteSecret, addSetSecret } from './secrets-change.ts';
import { addStart, addStop } from './start-stop.ts';
import { addStatus } from './status.ts';
import { printableLines, processTerminal, type Terminal } from './terminal.ts';
import { addTest } from './test.ts';
import { addTrace } from './trace.ts';
import { addValidate } from './validate.ts';
import { addVersion } from './version.ts';

export type { Terminal } from './terminal.ts';

/**
 * Runs one command.
 *
 * @param args what follows the program's name
 * @returns the exit code; never throws
 */
export async function main(args: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  const context: Context = { terminal, exitCode: EXIT.done };
  try {
    const program = await buildProgram(args, context);
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync(isHelpForUnknown(program, args) ? args.slice(1, 2) : args, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    // Commander has printed its own message, with "did you mean" where it knows better.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (!(error instanceof Interrupted)) terminal.err(`${printableLines(describe(error, terminal))}\n`);
    return exitCodeOf(error);
  }
}

/** Help for a command that there is not: commander would explain the program, instead of saying which one was probably meant. */
function isHelpForUnknown(program: Command, [first, name]: readonly string[]): boolean {
  if (first !== 'help' || name === undefined || name.startsWith('-')) return false;
  return !program.commands.some((command) => command.name() === name || command.aliases().includes(name));
}

/** All commands. The flags of `run` are there only when `args` hold its name. */
export async function buildProgram(args: readonly string[], context: Context): Promise<Command> {
  const { terminal } = context;
  const program = new Command('rdi')
    .description('Keeps Redis in step with a relational database: Debezium in, hashes and JSON documents out.')
    .version(`rdi ${VERSION}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain the program, or a command')
    .helpCommand('help [command]', 'explain a command')
    .showHelpAfterError('Add --help to see what is possible.')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: (text) => terminal.err(printableLines(text)) })
    .addHelpText('after', EXAMPLES);
  addGlobalOptions(program);
  // The flags of the instance come from the configuration's schema, which other commands need not wait for.
  if (args.some((arg) => arg === 'run' || arg === 'completion')) await addRun(program, context);
  else describeRun(program);
  for (const add of [
    addScaffold,
    addDoctor,
    addDumpSupportPackage,
    addValidate,
    addTest,
    addDryRun,
    addStatus,
    addInfo,
    addList,
    addGet,
    addDeploy,
    addListRevisions,
    addGetRevision,
    addRollback,
    addDelete,
    addStart,
    addStop,
    addReset,
    addFlushTarget,
    addResume,
    addListJobs,
    addGetJob,
    addDescribeJob,
    addListMetricCollections,
    addGetMetricCollection,
    addListDlqs,
    addGetDlq,
    addListDlqRecords,
    addGetDlqRecord,
    addEditDlqRecord,
    addRetryDlq,
    addDropDlq,
    addExportDlq,
    addListSecrets,
    addGetSecret,
    addDescribeSecret,
    addSetSecret,
    addDeleteSecret,
    addTrace,
    addExplain,
    addReplay,
    addRepair,
    addMonitor,
    addContexts,
    addConfigure,
    addReplaced,
    addVersion,
    addCompletion,
  ]) {
    await add(program, context);
  }
  addFormerOptions(program, context);
  return program;
}

/** RDI's global options may stand before the command, too; what stands behind it is stronger. */
function addGlobalOptions(program: Command): void {
  for (const option of connectionOptions())
    program.addOption(option.helpGroup('Connection options of all commands that ask a running rdi:'));
  program.hook('preAction', (_program, command) => {
    if (!takesApi(command)) return;
    for (const [name, value] of Object.entries(program.opts())) {
      if (command.getOptionValue(name) === undefined) command.setOptionValueWithSource(name, value, 'cli');
    }
  });
}

/** What the help ends with. */
export const EXAMPLES = `
Examples:
  rdi run --target redis://127.0.0.1:6379       every table that arrives becomes hashes in that Redis
  rdi run --dir pipeline                        the same with an RDI folder: config.yaml and jobs/
  rdi status                                    what it is doing, problems first
  rdi list-dlq-records orders                   which records were rejected, and why

Exit codes:
  0 done, 1 failed, 2 wrong usage or configuration, 3 no rdi reached, 4 waited too long, 5 not found, 130 interrupted`;

function describe(error: unknown, terminal: Terminal): string {
  if (error instanceof TimedOut) return error.message;
  if (error instanceof RdiError) return `${error.code}: ${error.message}`;
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const evidence = terminal.env['RDI_DEBUG'] === undefined ? 'Set RDI_DEBUG=1 to see where.' : stack;
  return `INTERNAL: ${message}. This is a bug in rdi, please report it. ${evidence}`;
}
