import { ConfigError, type ConfigProblem } from '../errors.ts';
import type { PathProblem } from './validate.ts';
import type { YamlFile } from './yaml-file.ts';

/** A problem with its place in the file. */
export function placed(file: YamlFile, problem: PathProblem): ConfigProblem {
  const place = problem.onKey ? file.locateKey(problem.path) : file.locate(problem.path);
  return { file: file.file, ...place, message: problem.message };
}

/** The error that shows all problems in reading order, each once. */
export function invalid(problems: readonly ConfigProblem[]): ConfigError {
  const all = sorted([...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()]);
  const what = all.length === 1 ? 'the configuration has a problem' : `the configuration has ${all.length} problems`;
  return new ConfigError('CONFIG_INVALID', what, { problems: all });
}

/** By file, line and column. */
export function sorted<T extends ConfigProblem>(problems: readonly T[]): T[] {
  return problems.toSorted((a, b) => compare(a.file, b.file) || a.line - b.line || a.col - b.col);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
