import { type Flags, literalOf, PatternProblem } from './python-pattern-types.ts';

const CONTROLS: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Classes of Python for text: they know all scripts. */
const SETS: Readonly<Record<string, string>> = {
  d: '\\p{Nd}',
  s: '\\p{White_Space}\\x1c-\\x1f',
  w: '\\p{L}\\p{N}_',
};
const ASCII_SETS: Readonly<Record<string, string>> = { d: '0-9', s: '\\x20\\t-\\r', w: 'a-zA-Z0-9_' };

/** One element of a class: a set of characters as a class of its own, or a single character. */
type Item = { readonly set: string; readonly character?: never } | { readonly character: string; readonly set?: never };

/** Reads `[…]` of Python's `re`, and the escapes that may stand in it and outside. */
export class PatternClassReader {
  at: number;
  readonly #pattern: string;
  readonly #flags: Flags;

  /** `at` is behind the bracket, or behind the backslash of an escape. */
  constructor(pattern: string, at: number, flags: Flags) {
    this.#pattern = pattern;
    this.at = at;
    this.#flags = flags;
  }

  /** The class for `RegExp`. */
  read(): string {
    const start = this.at;
    const isNegated = this.#pattern[this.at] === '^';
    if (isNegated) this.at++;
    let source = '';
    const first = this.at;
    while (this.at === first || this.#pattern[this.at] !== ']') {
      if (this.at >= this.#pattern.length) throw new PatternProblem('a [ has no ]', start);
      source += this.#range();
    }
    this.at++;
    return `[${isNegated ? '^' : ''}${source}]`;
  }

  #range(): string {
    const low = this.#item();
    const following = this.#pattern[this.at + 1];
    if (this.#pattern[this.at] !== '-' || following === ']' || following === undefined) return sourceOf(low);
    this.at++;
    const high = this.#item();
    if (
      low.set !== undefined ||
      high.set !== undefined ||
      low.character.codePointAt(0)! > high.character.codePointAt(0)!
    ) {
      throw new PatternProblem('a range in a class has no order', this.at);
    }
    return `${literalOf(low.character)}-${literalOf(high.character)}`;
  }

  #item(): Item {
    const character = String.fromCodePoint(this.#pattern.codePointAt(this.at)!);
    this.at += character.length;
    return character === '\\' ? this.readEscape() : { character };
  }

  /** Behind a backslash. */
  readEscape(): Item {
    const code = this.#pattern.codePointAt(this.at);
    if (code === undefined) throw new PatternProblem('it ends with a backslash', this.at);
    const letter = String.fromCodePoint(code);
    const set = this.#setOf(letter);
    if (set !== undefined) {
      this.at++;
      return { set };
    }
    return { character: this.#number() ?? this.#plain(letter) };
  }

  #setOf(letter: string): string | undefined {
    const sets = this.#flags.ascii ? ASCII_SETS : SETS;
    const small = letter.toLowerCase();
    if (!Object.hasOwn(sets, small) || letter.length > 1) return undefined;
    return `[${letter === small ? '' : '^'}${sets[small]}]`;
  }

  /** `\x41`, `\u0041`, `\U0001f600` or octal. */
  #number(): string | undefined {
    const pattern = /x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})|(0[0-7]{0,2}|[0-3][0-7]{2})/iy;
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.#pattern);
    if (match === null || /^X/.test(match[0])) return undefined;
    const [, two, four, eight, octal] = match;
    const code = octal === undefined ? Number.parseInt((two ?? four ?? eight)!, 16) : Number.parseInt(octal, 8);
    if (code > 0x10ffff) throw new PatternProblem('there is no such character', this.at);
    this.at = pattern.lastIndex;
    return String.fromCodePoint(code);
  }

  #plain(letter: string): string {
    if (/[A-Za-z0-9]/.test(letter) && !Object.hasOwn(CONTROLS, letter)) {
      throw new PatternProblem(`there is no escape \\${letter}`, this.at);
    }
    this.at += letter.length;
    return CONTROLS[letter] ?? letter;
  }
}

function sourceOf(item: Item): string {
  return item.set ?? literalOf(item.character);
}
