import { PatternClassReader } from './python-class.ts';
import { type Flags, literalOf, PatternProblem, type Translated } from './python-pattern-types.ts';

const MAX_DEPTH = 50;
const MAX_REPEAT = 1_000;

/** What one part of a pattern came to. */
interface Part {
  readonly source: string;
  /** It may match in more than one way: it holds a quantifier or an alternative. */
  readonly hasChoice: boolean;
}

const NO_FLAGS: Flags = { ignoreCase: false, multiline: false, dotAll: false, verbose: false, ascii: false };
const FLAG_OF: Readonly<Record<string, keyof Flags | 'unicode'>> = {
  i: 'ignoreCase',
  m: 'multiline',
  s: 'dotAll',
  x: 'verbose',
  a: 'ascii',
  u: 'unicode',
};

/** End of the text; `$` alone would be that of any line, or miss a last line feed. */
const END = '(?![^])';

/**
 * Translates a pattern of Python's `re` into one for `RegExp` with the flags `gv`. Refused are possessive quantifiers, atomic
 * groups, conditions, `\N{…}`, and flags for letter case that hold for a part only: V8 lets them act on other parts too.
 * It matches what Python matches, but for two oddities: where a pattern prefers to match nothing, Python tries the same
 * place once more for something; and a reference to a group that took no part matches nothing here instead of failing.
 * @throws PatternProblem
 */
export function translatePattern(pattern: string): Translated {
  return new Translator(pattern).translate();
}

class Translator {
  readonly #pattern: string;
  readonly #names = new Map<string, number>();
  #at = 0;
  #flags: Flags = NO_FLAGS;
  #depth = 0;
  #groups = 0;
  #referred = 0;
  #degree = 0;
  #factor = 1;
  #isNested = false;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  translate(): Translated {
    this.#leadingFlags();
    const { ignoreCase } = this.#flags;
    const { source } = this.#choice();
    if (this.#at < this.#pattern.length) this.#fail('there is a ) without its (');
    if (this.#referred > this.#groups) this.#fail(`there is no group ${this.#referred}`);
    return {
      source,
      ignoreCase,
      groups: this.#groups,
      names: this.#names,
      degree: this.#degree,
      factor: this.#factor,
      isNested: this.#isNested,
    };
  }

  #fail(problem: string): never {
    throw new PatternProblem(problem, this.#at);
  }

  get #next(): string {
    const code = this.#pattern.codePointAt(this.#at);
    return code === undefined ? '' : String.fromCodePoint(code);
  }

  #takes(literal: string): boolean {
    if (!this.#pattern.startsWith(literal, this.#at)) return false;
    this.#at += literal.length;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#pattern);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  #leadingFlags(): void {
    for (;;) {
      const match = this.#match(/(?:\(\?#[^)]*\))*\(\?([a-zA-Z]+)\)/y);
      if (match === null) return;
      this.#flags = this.#changed(this.#flags, match[1]!, true);
    }
  }

  #changed(flags: Flags, letters: string, value: boolean): Flags {
    const changed = { ...flags };
    for (const letter of letters) {
      const flag = FLAG_OF[letter];
      if (flag === undefined) this.#fail(`there is no flag ${letter}`);
      if (flag === 'unicode') changed.ascii = false;
      else changed[flag] = value;
    }
    return changed;
  }

  #choice(): Part {
    const first = this.#sequence();
    if (this.#next !== '|') return first;
    const sources = [first.source];
    while (this.#takes('|')) {
      sources.push(this.#sequence().source);
      this.#factor *= 2;
    }
    return { source: sources.join('|'), hasChoice: true };
  }

  #sequence(): Part {
    let source = '';
    let hasChoice = false;
    for (;;) {
      if (this.#flags.verbose) this.#match(/(?:\s|#.*)*/y);
      const next = this.#next;
      if (next === '' || next === '|' || next === ')') return { source, hasChoice };
      const part = this.#quantified(this.#atom(next));
      source += part.source;
      hasChoice ||= part.hasChoice;
    }
  }

  #atom(next: string): Part & { canRepeat: boolean } {
    this.#at += next.length;
    switch (next) {
      case '(':
        return this.#group();
      case '[':
        return atom(this.#class());
      case '.':
        return atom(this.#flags.dotAll ? '[^]' : '[^\\n]');
      case '^':
        return assertion(this.#flags.multiline ? '(?<![^\\n])' : '(?<![^])');
      case '$':
        return assertion(this.#flags.multiline ? '(?![^\\n])' : `(?=\\n?${END})`);
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        this.#at--;
        return this.#fail(`there is nothing before ${next} to repeat`);
      default:
        return atom(literalOf(next));
    }
  }

  #class(): string {
    const reader = new PatternClassReader(this.#pattern, this.#at, this.#flags);
    const source = reader.read();
    this.#at = reader.at;
    return source;
  }

  #escape(): Part & { canRepeat: boolean } {
    const letter = this.#next;
    const digits = this.#match(/(?![0-3][0-7]{2})[1-9]\d?/y);
    if (digits) return this.#reference(Number(digits[0]));
    const word = this.#flags.ascii ? '[a-zA-Z0-9_]' : '[\\p{L}\\p{N}_]';
    const boundaries: Readonly<Record<string, string>> = {
      A: '(?<![^])',
      Z: END,
      b: `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`,
      B: `(?:(?<=${word})(?=${word})|(?<!${word})(?!${word}))`,
    };
    const boundary = Object.hasOwn(boundaries, letter) ? boundaries[letter] : undefined;
    if (boundary !== undefined) {
      this.#at++;
      return assertion(boundary);
    }
    const reader = new PatternClassReader(this.#pattern, this.#at, this.#flags);
    const source = reader.readEscape();
    this.#at = reader.at;
    return atom(source.set ?? literalOf(source.character!));
  }

  #reference(group: number): Part & { canRepeat: boolean } {
    this.#referred = Math.max(this.#referred, group);
    this.#degree++;
    return atom(`(?:\\${group})`);
  }

  #group(): Part & { canRepeat: boolean } {
    if (++this.#depth > MAX_DEPTH) this.#fail(`it is nested more than ${MAX_DEPTH} levels deep`);
    const flags = this.#flags;
    const part = this.#takes('?') ? this.#extension() : this.#captured();
    this.#flags = flags;
    this.#depth--;
    return { canRepeat: true, ...part };
  }

  #captured(name?: string): Part {
    this.#groups++;
    if (name !== undefined) {
      if (this.#names.has(name)) this.#fail(`the group ${name} stands twice`);
      this.#names.set(name, this.#groups);
    }
    return this.#inside('(');
  }

  #inside(opening: string): Part {
    const { source, hasChoice } = this.#choice();
    if (!this.#takes(')')) this.#fail('a group has no )');
    return { source: `${opening}${source})`, hasChoice };
  }

  /** Behind `(?`. */
  #extension(): Part {
    if (this.#takes(':')) return this.#inside('(?:');
    if (this.#takes('P=')) return this.#namedReference();
    const named = this.#match(/P<([\p{L}_][\p{L}\p{N}_]*)>/uy);
    if (named) return this.#captured(named[1]!);
    const around = this.#match(/<?[=!]/y);
    if (around) {
      const { source, hasChoice } = this.#inside(`(?${around[0]}`);
      return { source: `(?:${source})`, hasChoice };
    }
    if (this.#takes('#')) {
      if (!this.#match(/[^)]*\)/y)) this.#fail('a comment has no )');
      return { source: '', hasChoice: false };
    }
    return this.#scopedFlags();
  }

  #namedReference(): Part {
    const match = this.#match(/([\p{L}_][\p{L}\p{N}_]*)\)/uy);
    const group = match ? this.#names.get(match[1]!) : undefined;
    return group === undefined ? this.#fail('(?P=…) names no group before it') : this.#reference(group);
  }

  #scopedFlags(): Part {
    const match = this.#match(/([a-zA-Z]*)(?:-([a-zA-Z]+))?:/y);
    if (!match) return this.#fail('this kind of group (?… is not known here');
    const [, on = '', off = ''] = match;
    if (/i/.test(on + off)) this.#fail('letter case can be ignored in the whole pattern only: begin it with (?i)');
    this.#flags = this.#changed(this.#changed(this.#flags, on, true), off, false);
    return this.#inside('(?:');
  }

  #quantified(part: Part & { canRepeat: boolean }): Part {
    const match = this.#match(/[*+?]|\{(\d*)(,?)(\d*)\}/y);
    if (match === null || match[0] === '{}') {
      if (match) this.#at -= match[0].length;
      return part;
    }
    if (!part.canRepeat || part.source === '') this.#fail(`there is nothing before ${match[0]} to repeat`);
    const [quantifier, isVariable] = this.#weigh(match, part.hasChoice);
    const lazy = this.#takes('?') ? '?' : '';
    if (this.#takes('+')) this.#fail('possessive quantifiers are not known here');
    if (/[*+?]|\{\d/y.test(this.#pattern.slice(this.#at))) this.#fail('a quantifier follows another');
    return { source: `${part.source}${quantifier}${lazy}`, hasChoice: part.hasChoice || isVariable };
  }

  /** The quantifier for `RegExp`, and whether it leaves a choice; adds to what the pattern may cost. */
  #weigh([text, least = '', comma = '', most = '']: RegExpExecArray, isChosenInside: boolean): [string, boolean] {
    if (text === '?') this.#factor *= 2;
    if (text === '?') return [text, true];
    if (text.length > 1) {
      if (Number(least) > MAX_REPEAT || Number(most) > MAX_REPEAT)
        this.#fail(`it repeats more than ${MAX_REPEAT} times`);
      if (most !== '' && Number(most) < Number(least)) this.#fail('a quantifier has its limits in the wrong order');
    }
    if (isChosenInside) this.#isNested = true;
    const isVariable = text.length === 1 || comma !== '';
    if (isVariable) this.#degree++;
    else this.#factor *= Math.max(1, Number(least));
    return [text.length > 1 && least === '' ? `{0,${most}}` : text, isVariable];
  }
}

function atom(source: string): Part & { canRepeat: boolean } {
  return { source, hasChoice: false, canRepeat: true };
}

function assertion(source: string): Part & { canRepeat: boolean } {
  return { source, hasChoice: false, canRepeat: false };
}
