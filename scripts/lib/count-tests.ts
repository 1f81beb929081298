/**
 * Turns vitest's JSON report into one ledger line, "passed failed skipped name".
 *
 * Arguments: report file, exit code of vitest, name of the suite. A run that ended badly without a failed test (no
 * report, a file that does not load, an unhandled error) counts as one failure, so that it can never look green.
 */
import { existsSync, readFileSync } from 'node:fs';

interface Report {
  numPassedTests?: number;
  numFailedTests?: number;
  numPendingTests?: number;
  numTodoTests?: number;
}

const [reportFile = '', exitCode = '1', ...name] = process.argv.slice(2);
const report: Report = existsSync(reportFile) ? (JSON.parse(readFileSync(reportFile, 'utf8')) as Report) : {};
const passed = report.numPassedTests ?? 0;
const skipped = (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0);
const failed = report.numFailedTests ?? 0;
const endedBadly = exitCode !== '0' || !existsSync(reportFile);
console.log(`${passed} ${failed === 0 && endedBadly ? 1 : failed} ${skipped} ${name.join(' ')}`);
