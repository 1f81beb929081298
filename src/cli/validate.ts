import type { Command } from 'commander';
import type { LoadedPipeline } from '../config/index.ts';
import { ConfigError, type ConfigNotice, type ConfigProblem, formatProblem } from '../errors.ts';
import { count } from '../lib/plain-words.ts';
import type { AddCommand, Context } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import type { Terminal } from './terminal.ts';

interface Verdict {
  readonly valid: boolean;
  readonly problems: readonly ConfigProblem[];
  readonly notices: readonly ConfigNotice[];
  /** One sentence. */
  readonly summary: string;
}

export const addValidate: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('validate')
    .summary('check a pipeline folder and its rdi.yaml; list every problem')
    .description(
      'Checks config.yaml, jobs/*.yaml and rdi.yaml of a folder without connecting to anything. ' +
        'Prints every problem as file:line:col: message and ends with exit code 2 when there is one.',
    )
    .option('--dir <folder>', 'the pipeline folder', '.')
    .option('--instance <file>', 'the instance file, where it is not rdi.yaml of the folder');
  withOutput(command).action(async (options: { dir: string; instance?: string; output: OutputFormat }) => {
    const { terminal } = context;
    const verdict = await judge(options.dir, options.instance, terminal.env);
    if (!verdict.valid) context.exitCode = EXIT.usage;
    if (options.output === 'table' && !verdict.valid) terminal.err(describe(verdict));
    else await print(terminal, options.output, verdict, describe);
  });
};

async function judge(dir: string, instanceFile: string | undefined, env: Terminal['env']): Promise<Verdict> {
  const { loadInstance, loadPipeline } = await import('../config/index.ts');
  const pipeline = attempt(() => loadPipeline(dir, { env }));
  const instance = attempt(() => loadInstance({ dir, file: instanceFile, env }));
  const jobs = await judgeJobs(pipeline.value);
  const problems = [...pipeline.problems, ...instance.problems, ...jobs.problems];
  const notices = [...(pipeline.value?.notices ?? []), ...(instance.value?.notices ?? []), ...jobs.notices];
  if (problems.length > 0) return { valid: false, problems, notices, summary: count(problems.length, 'problem') };
  const targets = Object.keys(pipeline.value?.targets ?? {}).length;
  const what = `${count(targets, 'target')}, ${count(pipeline.value?.jobs.length ?? 0, 'job')}`;
  const lack = targets === 0 ? ' rdi run needs a target.' : '';
  return { valid: true, problems, notices, summary: `${dir} is valid: ${what}.${lack}` };
}

/** Expressions are compiled only where there are some: their languages take a moment to load. */
async function judgeJobs(
  pipeline: LoadedPipeline | undefined,
): Promise<{ problems: readonly ConfigProblem[]; notices: readonly ConfigNotice[] }> {
  if (!pipeline || pipeline.jobs.length === 0) return { problems: [], notices: [] };
  const { loadJobs } = await import('../control/load-jobs.ts');
  return loadJobs(pipeline);
}

/** The value, or the problems of the configuration error that came instead. */
function attempt<T>(load: () => T): { value?: T; problems: readonly ConfigProblem[] } {
  try {
    return { value: load(), problems: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (error.problems.length > 0) return { problems: error.problems };
    return { problems: [{ file: error.code, line: 0, col: 0, message: error.message }] };
  }
}

function describe({ problems, notices, summary }: Verdict): string {
  const notes = notices.map((notice) => formatProblem({ ...notice, message: `${notice.level}: ${notice.message}` }));
  return `${[...problems.map(formatProblem), ...notes, summary].join('\n')}\n`;
}
