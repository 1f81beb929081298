import { ConfigError, type ConfigProblem } from '../errors.ts';
import { closestWord } from '../lib/closest.ts';
import type { JobObject } from '../transform/expressions/types.ts';
import type { Member, Place, Tree } from './yaml-tree.ts';

type Members = ReadonlyMap<string, Member>;

/** Reads the values of one file strictly and gathers what is wrong with them; what cannot be read reads as empty. */
export class StrictReader {
  readonly file: string;
  readonly problems: ConfigProblem[] = [];

  constructor(file: string) {
    this.file = file;
  }

  report(place: Place, message: string): void {
    this.problems.push({ file: this.file, ...place, message });
  }

  /** Throws a {@link ConfigError} with all problems when there is one. */
  finish(): void {
    if (this.problems.length === 0) return;
    throw new ConfigError('CONFIG_INVALID', 'job tests are wrong', {
      problems: this.problems.toSorted((a, b) => a.line - b.line || a.col - b.col),
    });
  }

  /** A map of which every key must be known. */
  members(tree: Tree, what: string, known: readonly string[]): Members {
    const members = this.anyMembers(tree, what);
    for (const [name, { keyPlace }] of members) {
      if (known.includes(name)) continue;
      const near = closestWord(name, known);
      const advice = near === undefined ? `known are ${known.join(', ')}` : `did you mean \`${near}\`?`;
      this.report(keyPlace, `\`${name}\` is not known in ${what}; ${advice}`);
    }
    return members;
  }

  /** A map whose keys are the user's. */
  anyMembers(tree: Tree, what: string): Members {
    if (tree.members !== null) return tree.members;
    this.report(tree.place, `${what} must be a map`);
    return new Map();
  }

  elements(tree: Tree, what: string): readonly Tree[] {
    if (tree.elements !== null) return tree.elements;
    this.report(tree.place, `${what} must be a list`);
    return [];
  }

  /** A scalar's text as written: `7`, `100.0` and `true` are texts, too. */
  text(tree: Tree, what: string): string {
    if (tree.text !== null && tree.value !== null) return tree.text;
    this.report(tree.place, `${what} must be a text`);
    return '';
  }

  word<T extends string>(tree: Tree, what: string, words: readonly T[]): T {
    const { text } = tree;
    const found = words.find((word) => word === text);
    if (found === undefined) this.report(tree.place, `${what} must be one of ${words.join(', ')}`);
    return found ?? words[0]!;
  }

  yesOrNo(tree: Tree, what: string): boolean {
    if (typeof tree.value !== 'boolean') this.report(tree.place, `${what} must be true or false`);
    return tree.value === true;
  }

  /** A whole number, not negative. */
  wholeNumber(tree: Tree, what: string): number {
    if (typeof tree.value === 'number' && Number.isSafeInteger(tree.value) && tree.value >= 0) return tree.value;
    this.report(tree.place, `${what} must be a whole number`);
    return 0;
  }

  /** A map of values as columns have them, or null. */
  row(tree: Tree, what: string): JobObject | null {
    if (tree.value === null || tree.value instanceof Map) return tree.value;
    this.report(tree.place, `${what} must be a map of columns, or null`);
    return null;
  }
}
