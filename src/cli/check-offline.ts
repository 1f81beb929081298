import type { LoadedPipeline, PipelineDocument } from '../config/index.ts';
import type { Deployment } from '../control/index.ts';
import { ConfigError, type ConfigProblem } from '../errors.ts';
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
