import { PatternProblem, type Translated } from './python-pattern-types.ts';

/** Pieces of a replacement in order: text, or the number of a group (0 is the whole match). */
export type Replacement = readonly (string | number)[];

const PIECE = /\\g<([^>]*)>|\\(0[0-7]{0,2}|[0-3][0-7]{2})|\\([1-9]\d?)|\\([\s\S])|[^\\]+|\\/g;
const CONTROLS: Readonly<Record<string, string>> = {
  '\\': '\\',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/**
 * Reads a replacement of Python's `re.sub`: `\1`, `\g<1>`, `\g<name>`, `\n` and the like.
 * @throws PatternProblem for groups that the pattern does not have and escapes that mean nothing.
 */
export function parseReplacement(text: string, pattern: Translated): Replacement {
  const pieces: (string | number)[] = [];
  for (const match of text.matchAll(PIECE)) {
    const [all, name, octal, digits, letter] = match;
    if (name !== undefined) pieces.push(groupOf(name, pattern, match.index));
    else if (octal !== undefined) pieces.push(String.fromCodePoint(Number.parseInt(octal, 8)));
    else if (digits !== undefined) pieces.push(groupOf(digits, pattern, match.index));
    else pieces.push(letter === undefined ? all : escaped(letter, match.index));
  }
  return pieces;
}

function groupOf(name: string, { groups, names }: Translated, offset: number): number {
  const group = /^\d+$/.test(name) ? Number(name) : names.get(name);
  if (group === undefined || group > groups) throw new PatternProblem(`the pattern has no group ${name}`, offset);
  return group;
}

function escaped(letter: string, offset: number): string {
  const control = CONTROLS[letter];
  if (control !== undefined) return control;
  if (/[A-Za-z]/.test(letter)) throw new PatternProblem(`there is no escape \\${letter}`, offset);
  return `\\${letter}`;
}
