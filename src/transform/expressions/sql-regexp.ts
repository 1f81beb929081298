/**
 * The patterns of `x REGEXP 'pattern'`, which SQLite leaves to its host. A pattern is compiled into a small program that
 * follows all its alternatives at once (Thompson 1968, Pike 1987), so a match takes time in proportion to text times pattern
 * whatever they hold: there is no pattern that hangs the engine, as there is with the backtracking `RegExp`.
 *
 *   pattern     = [(?i)] choice
 *   choice      = sequence { "|" sequence }
 *   sequence    = { atom [ "*" | "+" | "?" | "{m}" | "{m,}" | "{m,n}" ] ["?"] }
 *   atom        = character | "." | class | escape | "^" | "$" | "(" ["?:"] choice ")"
 *   class       = "[" ["^"] { character | character "-" character | escape } "]"
 *   escape      = \d \D \w \W \s \S \b \B \t \n \r \f \v \xHH \uHHHH, or "\" before a mark, which stands for itself
 *
 * Works on code points. `.` is any character but a line feed, `^` and `$` are the ends of the text, classes are ASCII.
 * References to groups and looking ahead or behind cannot be matched like this and are refused.
 *
 * Text times pattern may still be much, so a match that takes more than {@link MAX_STEPS} steps (a quarter of a second) fails.
 */
import { type Instruction, NO_CHARACTER, parsePattern } from './sql-regexp-parser.ts';
import { ExpressionError } from './types.ts';

const MAX_STEPS = 5_000_000;

/**
 * A test whether some part of a text matches. Throws `ExpressionSyntaxError` with the offset in the pattern; the test throws
 * {@link ExpressionError} when the text is too long for the pattern.
 */
export function compilePattern(pattern: string): (text: string) => boolean {
  const program = parsePattern(pattern);
  return (text) => run(program, text);
}

/** The instructions that are reached at one place of the text, each once. */
class Threads {
  readonly list: Int32Array;
  size = 0;
  readonly #reached: Int32Array;
  #generation = 0;

  constructor(length: number) {
    this.list = new Int32Array(length);
    this.#reached = new Int32Array(length);
  }

  clear(): void {
    this.size = 0;
    this.#generation++;
  }

  /** False when the instruction was reached before at this place. */
  reach(index: number): boolean {
    if (this.#reached[index] === this.#generation) return false;
    this.#reached[index] = this.#generation;
    return true;
  }
}

function run(program: readonly Instruction[], text: string): boolean {
  let current = new Threads(program.length);
  let next = new Threads(program.length);
  const pending: number[] = [];
  let before = NO_CHARACTER;
  let steps = 0;
  current.clear();
  for (let at = 0; ; ) {
    const after = at < text.length ? (text.codePointAt(at) as number) : NO_CHARACTER;
    // A match may begin at every place, so the first instruction joins those that are already under way.
    if (follow(program, 0, current, pending, before, after)) return true;
    if (after === NO_CHARACTER) return false;
    steps += current.size + 1;
    if (steps > MAX_STEPS)
      throw new ExpressionError('the text is too long for the pattern of REGEXP. Simplify the pattern.');
    at += after > 0xffff ? 2 : 1;
    const beyond = at < text.length ? (text.codePointAt(at) as number) : NO_CHARACTER;
    next.clear();
    for (let i = 0; i < current.size; i++) {
      const index = current.list[i] as number;
      const step = program[index] as Instruction & { kind: 'character' };
      if (step.matches(after) && follow(program, index + 1, next, pending, after, beyond)) return true;
    }
    [current, next] = [next, current];
    before = after;
  }
}

/** Adds all character steps that are reached from `start` without reading; true when the pattern ends there. */
function follow(
  program: readonly Instruction[],
  start: number,
  threads: Threads,
  pending: number[],
  before: number,
  after: number,
): boolean {
  pending.push(start);
  for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
    if (!threads.reach(index)) continue;
    const step = program[index] as Instruction;
    switch (step.kind) {
      case 'match':
        pending.length = 0;
        return true;
      case 'character':
        threads.list[threads.size++] = index;
        break;
      case 'jump':
        pending.push(step.target);
        break;
      case 'split':
        pending.push(step.first, step.second);
        break;
      case 'assertion':
        if (step.holds(before, after)) pending.push(index + 1);
    }
  }
  return false;
}
