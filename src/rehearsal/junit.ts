import type { TestResult } from './types.ts';

/**
 * The results as JUnit XML: a `testsuite` for each file, a `testcase` for each test, a `failure` with the differences.
 * Format: as CI servers read it, after the schema of Apache Ant's JUnit task.
 */
export function junitXml(results: readonly TestResult[]): string {
  const suites = Map.groupBy(results, ({ file }) => file);
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${totals(results)}>`,
    ...[...suites].flatMap(([file, tests]) => [
      `  <testsuite name="${escapeXml(file)}"${totals(tests)}>`,
      ...tests.flatMap(testCase),
      '  </testsuite>',
    ]),
    '</testsuites>',
  ];
  return `${lines.join('\n')}\n`;
}

function totals(results: readonly TestResult[]): string {
  const failures = results.filter(({ passed }) => !passed).length;
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  return ` tests="${results.length}" failures="${failures}" errors="0" time="${seconds.toFixed(3)}"`;
}

function testCase({ name, file, line, seconds, passed, differences }: TestResult): string[] {
  const attributes = `name="${escapeXml(name)}" classname="${escapeXml(file)}" file="${escapeXml(file)}" line="${line}" time="${seconds.toFixed(3)}"`;
  if (passed) return [`    <testcase ${attributes}/>`];
  const kinds = differences.map(({ of }) => of).join(', ');
  const text = differences.map(({ of, lines }) => `${of}:\n${lines.join('\n')}`).join('\n');
  return [
    `    <testcase ${attributes}>`,
    `      <failure message="${escapeXml(`${kinds} differ from what is expected`)}" type="difference">${escapeXml(text)}</failure>`,
    '    </testcase>',
  ];
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** XML 1.0 has no form for most control characters and for halves of characters; they become U+FFFD. */
function escapeXml(text: string): string {
  return (
    text
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that XML cannot hold
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replace(/[&<>"']/g, (char) => ENTITIES[char]!)
  );
}
