import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../../helpers/temp-folder.ts';

const SCRIPT = join(import.meta.dirname, '../../../scripts/lib/count-tests.ts');

/** Runs the script on a report (null: none was written) and gives back its ledger line and what it says about failures. */
function count(report: object | null, exitCode: number, output = ''): { line: string; failures: string } {
  const folder = tempFolder();
  const [reportFile, outputFile, failuresFile] = ['r.json', 'out', 'failures'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  if (report) writeFileSync(reportFile, JSON.stringify(report));
  writeFileSync(outputFile, output);
  const args = [SCRIPT, reportFile, outputFile, String(exitCode), failuresFile, 'the', 'suite'];
  const line = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 }).trim();
  return { line, failures: existsSync(failuresFile) ? readFileSync(failuresFile, 'utf8') : '' };
}

const failedTest = (fullName: string, message: string) => ({ fullName, status: 'failed', failureMessages: [message] });
const fileOf = (tests: readonly object[]) => ({
  name: join(process.cwd(), 'test/a.test.ts'),
  status: 'failed',
  message: 'cannot load',
  assertionResults: tests,
});

describe('a run that failed', () => {
  test('is told with file, full name and the reason, without colours and frames of libraries', () => {
    const message =
      '\u001b[31mError: 2 is not 3\u001b[39m\n    at /x/node_modules/vitest/a.js:1:1\n    at test/a.test.ts:7:3';
    const report = {
      numPassedTests: 4,
      numFailedTests: 1,
      testResults: [fileOf([failedTest('group is kept', message)])],
    };
    const { line, failures } = count(report, 1);
    expect(line).toBe('4 1 0 the suite');
    expect(failures.split('\n')).toEqual([
      'failed in the suite:',
      '  test/a.test.ts > group is kept',
      '      Error: 2 is not 3',
      '          at test/a.test.ts:7:3',
      '',
    ]);
  });

  test('because a file does not load counts once and says why', () => {
    const { line, failures } = count({ numPassedTests: 4, numFailedTests: 0, testResults: [fileOf([])] }, 1);
    expect(line).toBe('4 1 0 the suite');
    expect(failures).toContain('test/a.test.ts > (the file itself)\n      cannot load');
  });

  test('without a failed test or a report counts once and shows the end of its output', () => {
    const output = Array.from({ length: 50 }, (_, i) => `line ${i}`).join('\n');
    for (const report of [null, { numPassedTests: 0, numFailedTests: 0, testResults: [] }]) {
      const { line, failures } = count(report, 137, output);
      expect(line).toBe('0 1 0 the suite');
      expect(failures).toContain('ended with 137');
      expect(failures).toContain('line 49');
      expect(failures).not.toContain('line 19\n');
    }
  });

  test('in hundreds of tests shows the first of them and how many more there are', () => {
    const tests = Array.from({ length: 200 }, (_, i) => failedTest(`test ${i}`, 'no'));
    const { failures } = count({ numFailedTests: 200, testResults: [fileOf(tests)] }, 1);
    expect(failures).toContain('and 175 more');
    expect(failures).not.toContain('test 30');
  });
});

test('a run in which all passed says nothing', () => {
  const report = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 1, numTodoTests: 1, testResults: [] };
  expect(count(report, 0)).toEqual({ line: '3 0 2 the suite', failures: '' });
});

test('a test that passed only at the second attempt is green, and told of', () => {
  const again = { ...failedTest('waits for the master', 'Error: too late'), status: 'passed' };
  const report = { numPassedTests: 3, numFailedTests: 0, testResults: [{ ...fileOf([again]), status: 'passed' }] };
  const { line, failures } = count(report, 0);
  expect(line).toBe('3 0 0 the suite');
  expect(failures).toBe(
    'passed only at the second attempt in the suite:\n  test/a.test.ts > waits for the master\n      Error: too late\n',
  );
});
