import {
  type Environment,
  type Instance,
  type LoadedPipeline,
  loadInstance,
  loadPipeline,
  pipelineForTarget,
} from '../config/index.ts';
import { ConfigError, formatProblem } from '../errors.ts';
import type { Report } from './types.ts';

export interface Configuration {
  /** Null when there is none, or it is wrong. */
  readonly pipeline: LoadedPipeline | null;
  /** With its defaults where `rdi.yaml` is wrong; null only when even these cannot be had. */
  readonly instance: Instance | null;
}

/** Reads the folder as `rdi run` would, and reports every problem with its place. */
export async function examineConfiguration(
  { dir, instanceFile, env }: { dir: string; instanceFile?: string | undefined; env: Environment },
  report: Report,
): Promise<Configuration> {
  const instance =
    attempt(() => loadInstance({ dir, file: instanceFile, env }), report) ?? attempt(() => loadInstance({ env: {} }));
  const target = instance?.target;
  const pipeline = attempt(
    () => (target === undefined ? loadPipeline(dir, { env }) : pipelineForTarget(target, { env })),
    (severity, check, where, what, fix) => {
      // Whoever runs with --target has no folder, and a running rdi has its own.
      if (/has no config\.yaml|there is no folder/.test(what)) report('info', check, where, what, NO_FOLDER);
      else report(severity, check, where, what, fix);
    },
  );
  if (pipeline === null) return { pipeline, instance };
  const { loadJobs } = pipeline.jobs.length === 0 ? { loadJobs: noJobs } : await import('../control/load-jobs.ts');
  const { problems, notices } = loadJobs(pipeline);
  for (const problem of problems) report('error', 'configuration', problem.file, formatProblem(problem));
  for (const notice of [...pipeline.notices, ...(instance?.notices ?? []), ...notices]) {
    report(notice.level === 'warn' ? 'warning' : 'info', 'configuration', notice.file, formatProblem(notice));
  }
  const where = pipeline.file ?? '--target';
  if (problems.length === 0) report('ok', 'configuration', where, 'The configuration is valid.');
  return { pipeline, instance };
}

const NO_FOLDER =
  'Name the folder with --dir to have configuration and target looked at, or make one: rdi scaffold --dir.';

const noJobs = () => ({ problems: [], notices: [] });

/** The value; null, and a finding for each problem, where there is none. */
function attempt<T>(load: () => T, report: Report = () => {}): T | null {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) {
      report(
        'error',
        'configuration',
        problem.file,
        formatProblem(problem),
        'See docs/config.md; rdi validate checks again.',
      );
    }
    const [what = ''] = error.message.split('\n');
    if (error.problems.length === 0) report('error', 'configuration', error.where ?? '', what, error.fix);
    return null;
  }
}
