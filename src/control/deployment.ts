import {
  isMaskable,
  loadPipelineDocument,
  maskDocument,
  type PipelineDocument,
  type Resolution,
} from '../config/index.ts';
import { ConfigError, type ConfigNotice, type ConfigProblem } from '../errors.ts';
import { loadJobs } from './load-jobs.ts';
import type { FileDifference, RunningPipeline } from './operations.ts';

/** Texts that were checked: what would run, or why not. */
export interface Judged {
  /** Null when there are problems. */
  readonly running: Omit<RunningPipeline, 'revision'> | null;
  readonly problems: readonly ConfigProblem[];
  readonly notices: readonly ConfigNotice[];
}

/** Checks the texts and compiles the jobs; every problem of every file at once. `dir` is shown before the names of files. */
export function judge(document: PipelineDocument, values: Resolution, dir?: string): Judged {
  try {
    const loaded = loadPipelineDocument(document, { ...values, ...(dir === undefined ? {} : { dir }) });
    const { jobs, problems, notices } = loadJobs(loaded);
    const pipeline = { ...loaded, notices: [...loaded.notices, ...notices] };
    return { running: problems.length > 0 ? null : { pipeline, jobs }, problems, notices: pipeline.notices };
  } catch (error) {
    return { running: null, problems: problemsOf(error), notices: [] };
  }
}

/** The problems that a configuration error tells of; throws every other error again. */
export function problemsOf(error: unknown): readonly ConfigProblem[] {
  if (!(error instanceof ConfigError)) throw error;
  if (error.problems.length > 0) return error.problems;
  return [{ file: 'config.yaml', line: 0, col: 0, message: error.message }];
}

/** The files of a document by the path under which they are shown. */
function filesOf({ config, jobs, tests }: PipelineDocument): ReadonlyMap<string, string> {
  return new Map([
    ['config.yaml', config],
    ...Object.entries(jobs).map(([name, text]) => [`jobs/${name}`, text] as const),
    ...Object.entries(tests).map(([name, text]) => [`jobs/tests/${name}`, text] as const),
  ]);
}

/** Whether two documents say the same, wherever their folders are. */
export function isSame(one: PipelineDocument, other: PipelineDocument): boolean {
  const [files, others] = [filesOf(one), filesOf(other)];
  return files.size === others.size && [...files].every(([file, text]) => others.get(file) === text);
}

const NOT_YAML = 'It is not YAML, so that the secrets in it could not be told from the rest and hidden.\n';

/** How the files of two documents differ; null stands for none at all. Secrets are replaced. */
export async function differencesOf(
  before: PipelineDocument | null,
  after: PipelineDocument,
): Promise<FileDifference[]> {
  const { createTwoFilesPatch } = await import('diff');
  const [old, current] = [before === null ? new Map<string, string>() : filesOf(before), filesOf(after)];
  const [shownOld, shown] = [before === null ? new Map() : filesOf(maskDocument(before)), filesOf(maskDocument(after))];
  const names = [...new Set([...old.keys(), ...current.keys()])].sort();
  return names.flatMap((file): FileDifference[] => {
    const [was, is] = [old.get(file), current.get(file)];
    if (was === is) return [];
    const [from, to] = [(shownOld.get(file) as string | undefined) ?? '', shown.get(file) ?? ''];
    const patch = () => createTwoFilesPatch(file, file, from, to, 'deployed', 'new', { context: 3 });
    const isHidden = file === 'config.yaml' && !isMaskable(to);
    const isSecret = from === to && was !== undefined && is !== undefined;
    const diff = isHidden ? NOT_YAML : isSecret ? 'Only a secret that is written out differs.\n' : patch();
    return [{ file, change: was === undefined ? 'added' : is === undefined ? 'removed' : 'changed', diff }];
  });
}
