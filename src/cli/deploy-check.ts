import { join } from 'node:path';
import type { LoadedPipeline, PipelineDocument } from '../config/index.ts';
import type { Deployment } from '../control/index.ts';
import { ConfigError, type ConfigProblem } from '../errors.ts';
import { ApiError } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

/** Checks texts without a running rdi. Placeholders are filled from the variables of this process. */
export async function checkOffline(document: PipelineDocument, env: Terminal['env']): Promise<Deployment> {
  const { loadPipelineDocument } = await import('../config/index.ts');
  let pipeline: LoadedPipeline;
  try {
    pipeline = loadPipelineDocument(document, { env });
  } catch (error) {
    if (!(error instanceof ConfigError) || error.problems.length === 0) throw error;
    return verdict(error.problems, []);
  }
  if (pipeline.jobs.length === 0) return verdict([], pipeline.notices);
  const { loadJobs } = await import('../control/load-jobs.ts');
  const { problems, notices } = loadJobs(pipeline);
  return verdict(problems, [...pipeline.notices, ...notices]);
}

function verdict(problems: readonly ConfigProblem[], notices: Deployment['notices']): Deployment {
  return { problems, notices, differences: [], revision: null };
}

/** The answer, or the problems of a refusal: each item of a 422 holds one as its details. */
export async function orProblems(ask: () => Promise<Deployment>): Promise<Deployment> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 422) throw error;
    const problems = error.items.map(({ details }) => details).filter(isProblem);
    if (problems.length === 0) throw error;
    return { problems, notices: [], differences: [], revision: null };
  }
}

function isProblem(details: unknown): details is ConfigProblem {
  return typeof details === 'object' && details !== null && 'file' in details && 'message' in details;
}

/** With the folder as it was given, so that an editor finds the place. */
/** With the folder as the person wrote it before each file, so that an editor finds the places. */
export function inFolder(dir: string | undefined, deployment: Deployment): Deployment {
  const place = <T extends ConfigProblem>(one: T): T =>
    /^[^/].*\.ya?ml$/.test(one.file) ? { ...one, file: join(dir ?? '.', one.file) } : one;
  return { ...deployment, problems: deployment.problems.map(place), notices: deployment.notices.map(place) };
}
