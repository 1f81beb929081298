import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, type ConfigProblem } from '../errors.ts';
import { readTestFile } from './test-file.ts';
import type { JobTest } from './types.ts';

/**
 * Reads all job tests of a pipeline folder, `jobs/tests/*.yaml` and `*.yml`, in the order of their names.
 *
 * @throws ConfigError with every problem of every file, or that there is no test
 */
export function findTests(dir: string): JobTest[] {
  const folder = join(dir, 'jobs', 'tests');
  const problems: ConfigProblem[] = [];
  const tests = fileNames(folder).flatMap((name) => {
    try {
      return readTests(join(folder, name));
    } catch (error) {
      if (!(error instanceof ConfigError) || error.problems.length === 0) throw error;
      problems.push(...error.problems);
      return [];
    }
  });
  if (problems.length > 0) throw new ConfigError('CONFIG_INVALID', 'the job tests have problems', { problems });
  if (tests.length > 0) return tests;
  throw new ConfigError('CONFIG_NOT_FOUND', 'There are no job tests', {
    where: folder,
    fix: 'Write one: a YAML file with a list of {name, given, expect}.',
  });
}

function fileNames(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.'))
      .sort();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new ConfigError('CONFIG_NOT_FOUND', `The folder of job tests cannot be read: ${code}`, {
      where: folder,
      cause,
    });
  }
}

function readTests(file: string): JobTest[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError('CONFIG_NOT_FOUND', `The job tests cannot be read: ${code}`, { where: file, cause });
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const problems = [{ file, line: 1, col: 1, message: 'the file is not UTF-8 text' }];
    throw new ConfigError('CONFIG_INVALID', 'the job tests have problems', { problems });
  }
  return readTestFile(file, text);
}
