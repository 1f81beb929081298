/** A pattern, or a replacement for it, cannot be used. `offset` is the place in it, from 0. */
export class PatternProblem extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

export interface Flags {
  ignoreCase: boolean;
  multiline: boolean;
  dotAll: boolean;
  verbose: boolean;
  ascii: boolean;
}

/** A pattern for `RegExp` with flags `gv`, and how much trying it may ask for. */
export interface Translated {
  readonly source: string;
  readonly ignoreCase: boolean;
  readonly groups: number;
  readonly names: ReadonlyMap<string, number>;
  /** Quantifiers without a fixed count: each may be tried with as many lengths as the text has characters. */
  readonly degree: number;
  /** Tries that do not depend on the text: alternatives, `?`, fixed counts. */
  readonly factor: number;
  /** A repeated part holds a choice itself, so tries may double with every character. */
  readonly isNested: boolean;
}

/** A character as itself in a pattern, inside or outside a class. */
export function literalOf(character: string): string {
  const code = character.codePointAt(0)!;
  if (code >= 0xd800 && code <= 0xdfff) return `\\u${code.toString(16)}`;
  if (code >= 0x80 || /[A-Za-z0-9]/.test(character)) return character;
  return `\\x${code.toString(16).padStart(2, '0')}`;
}
