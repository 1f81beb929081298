import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { ConfigError } from '../errors.ts';
import { count } from '../lib/plain-words.ts';
import type { TestResult } from '../rehearsal/index.ts';
import type { AddCommand, Context } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { describeEvent, indent } from './rehearsal-view.ts';
import { paint, printable, type Terminal } from './terminal.ts';

interface TestOptions {
  readonly dir: string;
  readonly junit?: string;
  readonly trace: boolean;
  readonly output: OutputFormat;
}

interface Report {
  readonly passed: number;
  readonly failed: number;
  readonly tests: readonly TestResult[];
}

export const addTest: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('test')
    .summary('run the tests of jobs; no target is needed')
    .description(
      'Runs jobs/tests/*.yaml of a pipeline folder: each test gives changes to the jobs and says which keys, commands or ' +
        'rejections it expects. A failed test shows what differs, and the record after each block. ' +
        'Ends with 1 when a test failed, and with 2 when a file is wrong or there is no test.',
    )
    .option('--dir <folder>', 'the pipeline folder', '.')
    .option('--junit <file>', 'write the results as JUnit XML, too')
    .option('--trace', 'show what became of each event also for tests that passed', false);
  withOutput(command).action(async (options: TestOptions) => {
    const { terminal } = context;
    const tests = await runTests(options, terminal);
    const failed = tests.filter(({ passed }) => !passed).length;
    if (failed > 0) context.exitCode = EXIT.failed;
    if (options.junit !== undefined) await writeJunit(options.junit, tests);
    const report = {
      passed: tests.length - failed,
      failed,
      tests: tests.map((test) => withNeededEvents(test, options)),
    };
    await print<Report>(terminal, options.output, report, (all) => describe(all, terminal));
  });
};

async function runTests({ dir }: TestOptions, terminal: Terminal): Promise<TestResult[]> {
  const { findTests, loadForRehearsal, TestRunner } = await import('../rehearsal/index.ts');
  const runner = new TestRunner(loadForRehearsal(dir, terminal.env));
  const results: TestResult[] = [];
  for (const test of findTests(dir)) results.push(await runner.run(test));
  return results;
}

async function writeJunit(file: string, tests: readonly TestResult[]): Promise<void> {
  const { junitXml } = await import('../rehearsal/index.ts');
  try {
    await writeFile(file, junitXml(tests));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError('CONFIG_NOT_FOUND', `The report cannot be written: ${code}`, {
      where: file,
      fix: 'Check --junit.',
      cause,
    });
  }
}

function withNeededEvents(test: TestResult, { trace }: TestOptions): TestResult {
  return trace || !test.passed ? test : { ...test, events: [] };
}

function describe({ passed, failed, tests }: Report, terminal: Terminal): string {
  const files = [...Map.groupBy(tests, ({ file }) => file)];
  const parts = files.map(
    ([file, ofFile]) => `${printable(file)}\n${ofFile.map((test) => describeTest(test, terminal)).join('')}`,
  );
  const sum = failed > 0 ? `${count(failed, 'test')} failed, ${passed} passed` : `${count(passed, 'test')} passed`;
  return `${parts.join('\n')}\n${paint(terminal, failed > 0 ? 'red' : 'green', sum)}\n`;
}

function describeTest(test: TestResult, terminal: Terminal): string {
  const mark = test.passed ? paint(terminal, 'green', '✓') : paint(terminal, 'red', '✗');
  const place = test.passed ? '' : paint(terminal, 'dim', `  (line ${test.line})`);
  const differences = test.differences.map(({ of, lines }) => {
    const painted = lines.map((line) => paintLine(printable(line), terminal)).join('\n');
    return `${printable(of)}:\n${indent(painted, 2)}\n`;
  });
  const legend = test.passed ? [] : [paint(terminal, 'dim', '- expected  + what came\n')];
  const warnings = test.warnings.map((warning) => `${paint(terminal, 'yellow', 'warning')} ${printable(warning)}\n`);
  const events = test.events.map((event) => describeEvent(event, terminal));
  const body = [...legend, ...differences, ...(test.passed ? [] : warnings), ...events].join('');
  return `  ${mark} ${printable(test.name)}${place}\n${indent(body, 6)}`;
}

function paintLine(line: string, terminal: Terminal): string {
  if (line.startsWith('-')) return paint(terminal, 'red', line);
  return line.startsWith('+') ? paint(terminal, 'green', line) : line;
}
