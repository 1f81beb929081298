import { parseYaml } from '../../../../src/config/yaml-file.ts';
import { formatProblem } from '../../../../src/errors.ts';
import type { JobContext, JobDefinition, ReadJobs } from '../../../../src/transform/jobs/definition.ts';
import { readJobs } from '../../../../src/transform/jobs/read-jobs.ts';

const CONTEXT: JobContext = {
  connections: ['target', 'cache'],
  sources: [],
  dataType: 'hash',
  jsonUpdate: 'replace',
  filterRemoves: false,
  strictKeys: false,
};

/** Reads job files given as text by their names. */
export function readTexts(texts: Readonly<Record<string, string>>, context: Partial<JobContext> = {}): ReadJobs {
  const files = Object.entries(texts).map(([file, text]) => {
    const { content, problems, locate } = parseYaml(file, text);
    if (problems.length > 0) throw new Error(`the test's YAML is broken: ${JSON.stringify(problems)}`);
    return { file, content: content as Record<string, unknown>, locate };
  });
  return readJobs(files, { ...CONTEXT, ...context });
}

/** Problems of one file, as `line:col: message`. */
export function problemsOf(text: string, context: Partial<JobContext> = {}): string[] {
  return readTexts({ 'a.yaml': text }, context).problems.map((problem) =>
    formatProblem(problem).replace('a.yaml:', ''),
  );
}

/** Notices of one file without problems, as `level line:col: message`. */
export function noticesOf(text: string, context: Partial<JobContext> = {}): string[] {
  const { notices, problems } = readTexts({ 'a.yaml': text }, context);
  if (problems.length > 0) throw new Error(`the job has problems: ${problems.map(formatProblem).join('; ')}`);
  return notices.map((notice) => `${notice.level} ${formatProblem(notice).replace('a.yaml:', '')}`);
}

/** The job of one file without problems. */
export function jobOf(text: string, context: Partial<JobContext> = {}): JobDefinition {
  const { jobs, problems } = readTexts({ 'a.yaml': text }, context);
  if (jobs[0] === undefined) throw new Error(`there is no job: ${problems.map(formatProblem).join('; ')}`);
  return jobs[0];
}

/** A job for table `t` with one block. */
export function withBlock(uses: string, properties: string): string {
  return `source: {table: t}\ntransform:\n  - uses: ${uses}\n    with: ${properties}\n`;
}

/** A job for table `t` with outputs. */
export function withOutputs(...properties: string[]): string {
  const items = properties.map((item) => `  - uses: redis.write\n    with: ${item}\n`);
  return `source: {table: t}\noutput:\n${items.join('')}`;
}
