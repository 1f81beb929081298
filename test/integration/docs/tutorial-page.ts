/** A page of shell blocks, each followed by what one sees, taken apart and compared. */

/** A shell block, and what the page promises that one sees. */
export interface Step {
  /** Line of the page on which the block begins. */
  readonly line: number;
  readonly script: string;
  /** Set for a block that goes into a terminal of its own and stays there. */
  readonly terminal: string | null;
  /** What the `text` block behind it holds; empty when there is none. */
  readonly expected: string;
  /** With which code its last failing command ends; 0 when none may fail. */
  readonly exitCode: number;
}

const FENCE = /^```(\w+)([^\n]*)\n(.*?)^```$/gms;

/** The steps of a page in order. A `text` block belongs to the `sh` block before it; `exit=N` on it says that this fails. */
export function readSteps(page: string): Step[] {
  const steps: Step[] = [];
  for (const { 1: language, 2: info = '', 3: body = '', index } of page.matchAll(FENCE)) {
    const line = page.slice(0, index).split('\n').length;
    if (language === 'sh') {
      const terminal = /terminal=(\w+)/.exec(info)?.[1] ?? null;
      steps.push({ line, script: body, terminal, expected: '', exitCode: 0 });
    } else if (language === 'text') {
      const step = steps.pop();
      if (step === undefined || step.expected !== '') throw new Error(`Line ${line}: nothing runs before this text.`);
      steps.push({ ...step, expected: body, exitCode: Number(/exit=(\d+)/.exec(info)?.[1] ?? 0) });
    }
  }
  return steps;
}

/**
 * The first expected line that the output does not show, or undefined when it shows all of them. Lines follow each other,
 * unless a line `…` stands between them; `…` inside a line is any text. Blank lines and the width of columns do not count.
 */
export function findMissing(expected: string, output: string): string | undefined {
  const seen = `${plainLines(output).join('\n')}\n`;
  let pattern = '^';
  let mayLeaveOut = true;
  for (const line of plainLines(expected)) {
    if (line === '…') {
      mayLeaveOut = true;
      continue;
    }
    const gap = mayLeaveOut ? '(?:[^\\n]*\\n)*?' : '';
    pattern += `${gap}${line.split('…').map(escapeForRegExp).join('[^\\n]*')}\\n`;
    mayLeaveOut = false;
    if (!new RegExp(pattern).test(seen)) return line;
  }
  return undefined;
}

function plainLines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .filter((line) => line !== '');
}

function escapeForRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
