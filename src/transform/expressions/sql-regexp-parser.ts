import { ExpressionSyntaxError } from './types.ts';

type Matcher = (code: number) => boolean;

/** One step of the program of a pattern; characters are code points, places in the program count from 0. */
export type Instruction =
  | { readonly kind: 'character'; readonly matches: (code: number) => boolean }
  | { readonly kind: 'assertion'; readonly holds: (before: number, after: number) => boolean }
  | { readonly kind: 'split'; first: number; second: number }
  | { readonly kind: 'jump'; target: number }
  | { readonly kind: 'match' };

/** What an assertion sees beyond the ends of the text. */
export const NO_CHARACTER = -1;

/** A larger program would make one text cost too much; `{m,n}` repeats its atom in the program. */
const MAX_INSTRUCTIONS = 5_000;
const MAX_DEPTH = 100;
const MAX_REPEAT = 1_000;

const isDigit: Matcher = (code) => code >= 0x30 && code <= 0x39;
const isLower: Matcher = (code) => code >= 0x61 && code <= 0x7a;
const isUpper: Matcher = (code) => code >= 0x41 && code <= 0x5a;
const isWord: Matcher = (code) => isLower(code) || isUpper(code) || isDigit(code) || code === 0x5f;
const isSpace: Matcher = (code) => code === 0x20 || (code >= 0x09 && code <= 0x0d);
const isAny: Matcher = (code) => code !== 0x0a;
const not =
  (matches: Matcher): Matcher =>
  (code) =>
    !matches(code);

const CLASSES: Readonly<Record<string, Matcher>> = {
  d: isDigit,
  D: not(isDigit),
  w: isWord,
  W: not(isWord),
  s: isSpace,
  S: not(isSpace),
};
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 };

/** The program of a pattern; see the grammar at the top of `sql-regexp.ts`. Throws {@link ExpressionSyntaxError}. */
export function parsePattern(pattern: string): Instruction[] {
  return new PatternParser(pattern).parse();
}

class PatternParser {
  readonly #characters: readonly string[];
  readonly #program: Instruction[] = [];
  #at = 0;
  #depth = 0;
  #ignoresCase = false;

  constructor(pattern: string) {
    this.#characters = [...pattern];
  }

  parse(): Instruction[] {
    if (this.#characters.slice(0, 4).join('') === '(?i)') {
      this.#ignoresCase = true;
      this.#at = 4;
    }
    this.#choice();
    if (this.#at < this.#characters.length) this.#fail('This ")" closes nothing; write "\\)" for the character.');
    this.#emit({ kind: 'match' });
    return this.#program;
  }

  #choice(): void {
    if (++this.#depth > MAX_DEPTH) this.#fail('The pattern is nested too deeply.');
    const ends: { target: number }[] = [];
    for (;;) {
      const start = this.#program.length;
      this.#sequence();
      if (this.#peek() !== '|') break;
      this.#at++;
      const end = { kind: 'jump' as const, target: 0 };
      ends.push(end);
      this.#emit(end);
      this.#insert(start, { kind: 'split', first: start + 1, second: this.#program.length + 1 });
    }
    for (const end of ends) end.target = this.#program.length;
    this.#depth--;
  }

  #sequence(): void {
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek()) {
      const start = this.#program.length;
      this.#atom();
      this.#repetition(start);
    }
  }

  #repetition(start: number): void {
    const counts = this.#counts();
    if (counts === null) return;
    // Whether a repetition is greedy makes no difference to the question whether there is a match.
    if (this.#peek() === '?') this.#at++;
    const atom = this.#program.splice(start);
    const [least, most] = counts;
    for (let i = 0; i < least; i++) this.#repeat(atom, start);
    if (most === Number.POSITIVE_INFINITY) this.#loop(atom, start);
    else this.#options(atom, start, most - least);
    const beyond = this.#at;
    if (this.#counts() !== null) this.#fail('A repetition cannot be repeated; put a group around it.', beyond);
  }

  #loop(atom: readonly Instruction[], start: number): void {
    const loop = this.#program.length;
    this.#emit({ kind: 'split', first: loop + 1, second: loop + atom.length + 2 });
    this.#repeat(atom, start);
    this.#emit({ kind: 'jump', target: loop });
  }

  #options(atom: readonly Instruction[], start: number, count: number): void {
    const end = this.#program.length + count * (atom.length + 1);
    for (let i = 0; i < count; i++) {
      this.#emit({ kind: 'split', first: this.#program.length + 1, second: end });
      this.#repeat(atom, start);
    }
  }

  /** Adds a copy of an atom that was written for the place `start`. */
  #repeat(atom: readonly Instruction[], start: number): void {
    const shift = this.#program.length - start;
    for (const step of atom) this.#emit(moved(step, shift));
  }

  #counts(): [least: number, most: number] | null {
    switch (this.#peek()) {
      case '*':
        this.#at++;
        return [0, Number.POSITIVE_INFINITY];
      case '+':
        this.#at++;
        return [1, Number.POSITIVE_INFINITY];
      case '?':
        this.#at++;
        return [0, 1];
      case '{':
        return this.#bracedCounts();
      default:
        return null;
    }
  }

  /** A `{` that begins no counts is the character itself. */
  #bracedCounts(): [least: number, most: number] | null {
    const written = /^\{(\d{1,9})(?:(,)(\d{1,9})?)?\}/.exec(this.#characters.slice(this.#at, this.#at + 22).join(''));
    if (written === null) return null;
    const [text, first, comma, second] = written;
    const least = Number(first);
    const most = second !== undefined ? Number(second) : comma ? Number.POSITIVE_INFINITY : least;
    if (least > most) this.#fail(`The counts in "${text}" are in the wrong order.`);
    if (least > MAX_REPEAT || (most > MAX_REPEAT && most !== Number.POSITIVE_INFINITY)) {
      this.#fail(`"${text}" repeats too often; the limit is ${MAX_REPEAT}.`);
    }
    this.#at += text.length;
    return [least, most];
  }

  #atom(): void {
    const character = this.#characters[this.#at] as string;
    if ('*+?'.includes(character))
      this.#fail(`"${character}" repeats nothing; write "\\${character}" for the character.`);
    if (character === '(') this.#group();
    else if (character === '[') this.#character(this.#class());
    else if (character === '\\') this.#escape();
    else {
      this.#at++;
      this.#plain(character);
    }
  }

  #plain(character: string): void {
    if (character === '.') this.#character(isAny);
    else if (character === '^') this.#emit({ kind: 'assertion', holds: (before) => before === NO_CHARACTER });
    else if (character === '$') this.#emit({ kind: 'assertion', holds: (_, after) => after === NO_CHARACTER });
    else this.#character(oneOf(character.codePointAt(0) as number));
  }

  #group(): void {
    const start = this.#at;
    this.#at++;
    if (this.#peek() === '?') {
      if (this.#characters[this.#at + 1] !== ':') {
        this.#fail('Only plain groups are known: "(…)" and "(?:…)", and "(?i)" at the very beginning.', start);
      }
      this.#at += 2;
    }
    this.#choice();
    if (this.#peek() !== ')') this.#fail('This "(" is never closed; write "\\(" for the character.', start);
    this.#at++;
  }

  #escape(): void {
    const letter = this.#characters[this.#at + 1];
    if (letter === 'b' || letter === 'B') {
      this.#at += 2;
      const inside = letter === 'B';
      const holds = (before: number, after: number) => (isWord(before) === isWord(after)) === inside;
      this.#emit({ kind: 'assertion', holds });
    } else this.#character(this.#escapedMatcher());
  }

  #escapedMatcher(): Matcher {
    const matches = CLASSES[this.#characters[this.#at + 1] ?? ''];
    if (matches === undefined) return oneOf(this.#escapedCode());
    this.#at += 2;
    return matches;
  }

  #escapedCode(): number {
    const letter = this.#characters[this.#at + 1];
    if (letter === undefined) this.#fail('The pattern ends with a single "\\"; write "\\\\" for the character.');
    const length = letter === 'x' ? 2 : letter === 'u' ? 4 : 0;
    if (length > 0) {
      const digits = this.#characters.slice(this.#at + 2, this.#at + 2 + length).join('');
      if (digits.length !== length || !/^[0-9a-f]+$/i.test(digits)) this.#fail(`"\\${letter}" needs ${length} digits.`);
      this.#at += 2 + length;
      return Number.parseInt(digits, 16);
    }
    const control = CONTROLS[letter];
    if (control === undefined && /[A-Za-z0-9]/.test(letter)) {
      this.#fail(`"\\${letter}" is not known. References to groups cannot be matched in bounded time.`);
    }
    this.#at += 2;
    return control ?? (letter.codePointAt(0) as number);
  }

  #class(): Matcher {
    const start = this.#at++;
    const inverted = this.#peek() === '^';
    if (inverted) this.#at++;
    const matchers: Matcher[] = [];
    // A "]" right at the beginning is the character itself.
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      if (this.#peek() === undefined) this.#fail('This "[" is never closed; write "\\[" for the character.', start);
      matchers.push(this.#classMember());
    }
    this.#at++;
    // Case is folded before the inversion, or "[^a]" would match "a" as its capital.
    const matches: Matcher = this.#folded((code) => matchers.some((matcher) => matcher(code)));
    return inverted ? not(matches) : matches;
  }

  #classMember(): Matcher {
    if (this.#peek() === '\\' && CLASSES[this.#characters[this.#at + 1] ?? ''] !== undefined)
      return this.#escapedMatcher();
    const first = this.#classCode();
    if (this.#peek() !== '-' || this.#characters[this.#at + 1] === ']') return oneOf(first);
    this.#at++;
    if (this.#peek() === undefined) return oneOf(first);
    const last = this.#classCode();
    if (last < first) this.#fail('The ends of this range are in the wrong order.');
    return (code) => code >= first && code <= last;
  }

  #classCode(): number {
    if (this.#peek() === '\\') return this.#escapedCode();
    return (this.#characters[this.#at++] as string).codePointAt(0) as number;
  }

  #character(matches: Matcher): void {
    this.#emit({ kind: 'character', matches: this.#folded(matches) });
  }

  #folded(matches: Matcher): Matcher {
    if (!this.#ignoresCase) return matches;
    return (code) => matches(code) || matches(otherCase(code));
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #emit(step: Instruction): void {
    if (this.#program.length >= MAX_INSTRUCTIONS) this.#fail('The pattern is too large.');
    this.#program.push(step);
  }

  /** Puts a step before those of the sequence that begins at `start`; jumps inside it move along. */
  #insert(start: number, step: Instruction): void {
    const sequence = this.#program.splice(start);
    this.#emit(step);
    for (const later of sequence) this.#emit(shiftInPlace(later));
  }

  #fail(message: string, at = this.#at): never {
    throw new ExpressionSyntaxError(message, this.#characters.slice(0, at).join('').length);
  }
}

const oneOf =
  (wanted: number): Matcher =>
  (code) =>
    code === wanted;

function otherCase(code: number): number {
  const character = String.fromCodePoint(code);
  const lower = character.toLowerCase();
  const other = lower === character ? character.toUpperCase() : lower;
  return other.length === character.length ? (other.codePointAt(0) as number) : code;
}

function moved(step: Instruction, shift: number): Instruction {
  if (step.kind === 'jump') return { kind: 'jump', target: step.target + shift };
  if (step.kind === 'split') return { kind: 'split', first: step.first + shift, second: step.second + shift };
  return step;
}

/** By one place, keeping the object: a choice that is still being read sets the target of its jumps at its end. */
function shiftInPlace(step: Instruction): Instruction {
  if (step.kind === 'jump') step.target++;
  else if (step.kind === 'split') {
    step.first++;
    step.second++;
  }
  return step;
}
