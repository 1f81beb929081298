/**
 * Job files become compiled jobs, or problems. Everything that is written is looked at in one run: each property, expression,
 * path and command of each file by itself (`read/job.ts` and what it calls), then what holds between the jobs
 * (`read/between.ts`). Format: specification of jobs, sections 1 to 3, 5 to 8, 11, 12 and 14.
 */
import type { JobFile } from '../../config/index.ts';
import type { JobContext, JobDefinition, ReadJobs } from './definition.ts';
import { checkBetween } from './read/between.ts';
import { readJob } from './read/job.ts';

/**
 * Reads and compiles job files. Never throws for what a file says: every problem and notice has its `file:line:col`, in the
 * order of the files, and `jobs` holds what is left without a problem. Nothing is run but expressions that read no record.
 */
export function readJobs(files: readonly JobFile[], context: JobContext): ReadJobs {
  const drafts = files.map((file) => readJob(file, context));
  checkBetween(drafts, context);
  const jobs: JobDefinition[] = [];
  for (const { job, findings } of drafts) if (job !== null && findings.problems.length === 0) jobs.push(job);
  return {
    jobs,
    problems: drafts.flatMap(({ findings }) => inOrder(findings.problems)),
    notices: drafts.flatMap(({ findings }) => inOrder(findings.notices)),
  };
}

function inOrder<T extends { readonly line: number; readonly col: number }>(found: readonly T[]): T[] {
  return found.toSorted((a, b) => a.line - b.line || a.col - b.col);
}
