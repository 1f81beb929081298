/**
 * Turns vitest's JSON report into one ledger line, "passed failed skipped name", and writes down what failed.
 *
 * Arguments: report file, file with vitest's output, exit code of vitest, file to append the failures to, name of the
 * suite. A run that ended badly without a failed test (no report, a file that does not load, an unhandled error) counts as
 * one failure, so that it can never look green. Of every failed test the file, the full name and the first lines of the
 * message are kept: a log of a long run is often cut from above, and a failure without its name cannot be mended. The same of
 * tests that passed only at the second attempt.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

interface TestResult {
  fullName: string;
  status: string;
  failureMessages?: string[] | null;
}

interface FileResult {
  name: string;
  status: string;
  message?: string;
  assertionResults: TestResult[];
}

interface Report {
  numPassedTests?: number;
  numFailedTests?: number;
  numPendingTests?: number;
  numTodoTests?: number;
  testResults?: FileResult[];
}

/** A hundred failures have one reason; the first of them are enough to find it. */
const SHOWN_FAILURES = 25;
const MESSAGE_LINES = 14;
const OUTPUT_LINES = 30;

/** Its lines without colours and empty ones. */
function linesOf(text: string): string[] {
  return stripVTControlCharacters(text)
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
}

/** The lines of one message that help: no frames of libraries, and not more than fit on a screen. */
function messageLines(message: string): string[] {
  const useful = linesOf(message).filter((line) => !/^\s+at .*(node_modules|node:internal|<anonymous>)/.test(line));
  const shown = useful.slice(0, MESSAGE_LINES);
  const ownFrame = useful.slice(MESSAGE_LINES).find((line) => /^\s+at /.test(line));
  return indented(ownFrame === undefined ? shown : [...shown, ownFrame]);
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `      ${line.slice(0, 400)}`);
}

/** What failed in one file: its tests, or the file itself when it could not be loaded or a hook of it threw. */
function failuresOfFile(file: FileResult): string[][] {
  const place = relative(process.cwd(), file.name);
  const tests = file.assertionResults.filter((test) => test.status === 'failed');
  if (tests.length === 0 && file.status === 'failed') {
    return [[`  ${place} > (the file itself)`, ...messageLines(file.message ?? '')]];
  }
  return tests.map((test) => [`  ${place} > ${test.fullName}`, ...(test.failureMessages ?? []).flatMap(messageLines)]);
}

/** Tests of one file that failed once and passed then: they stay green, and are told of all the same. */
function secondAttemptsOfFile(file: FileResult): string[][] {
  return file.assertionResults
    .filter((test) => test.status === 'passed' && (test.failureMessages ?? []).length > 0)
    .map((test) => [
      `  ${relative(process.cwd(), file.name)} > ${test.fullName}`,
      ...(test.failureMessages ?? []).flatMap(messageLines),
    ]);
}

function main([reportFile = '', outputFile = '', exitCode = '1', failuresFile = '', ...name]: string[]): void {
  const written = existsSync(reportFile);
  const report: Report = written ? (JSON.parse(readFileSync(reportFile, 'utf8')) as Report) : {};
  const failed = report.numFailedTests ?? 0;
  const failures = (report.testResults ?? []).flatMap(failuresOfFile);
  const endedBadly = exitCode !== '0' || !written;
  if (failures.length === 0 && endedBadly) {
    const reason = written ? 'no test failed: an unhandled error, or ended from outside' : 'no report was written';
    const output = linesOf(readFileSync(outputFile, 'utf8')).slice(-OUTPUT_LINES);
    failures.push([`  (the run itself) ended with ${exitCode}; ${reason}. Its last lines:`, ...indented(output)]);
  }
  if (failures.length > 0) {
    const more = failures.length - SHOWN_FAILURES;
    const lines = [`failed in ${name.join(' ')}:`, ...failures.slice(0, SHOWN_FAILURES).flat()];
    if (more > 0) lines.push(`  and ${more} more`);
    appendFileSync(failuresFile, `${lines.join('\n')}\n`);
  }
  const again = (report.testResults ?? []).flatMap(secondAttemptsOfFile);
  if (again.length > 0) {
    const lines = [`passed only at the second attempt in ${name.join(' ')}:`, ...again.slice(0, SHOWN_FAILURES).flat()];
    appendFileSync(failuresFile, `${lines.join('\n')}\n`);
  }
  const skipped = (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0);
  const counted = failed === 0 && endedBadly ? 1 : failed;
  console.log(`${report.numPassedTests ?? 0} ${counted} ${skipped} ${name.join(' ')}`);
}

main(process.argv.slice(2));
