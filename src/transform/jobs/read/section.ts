import type { JobFile } from '../../../config/index.ts';
import type { ConfigNotice, ConfigProblem } from '../../../errors.ts';
import { closestWord } from '../../../lib/closest.ts';

export type Path = readonly PropertyKey[];
type Mapping = Readonly<Record<string, unknown>>;

/** Everything that is found out about one file, each with its place. */
export class Findings {
  readonly problems: ConfigProblem[] = [];
  readonly notices: ConfigNotice[] = [];
  readonly #job: JobFile;

  constructor(job: JobFile) {
    this.#job = job;
  }

  problem(path: Path, message: string): void {
    this.problems.push({ ...this.#at(path), message });
  }

  notice(level: ConfigNotice['level'], path: Path, message: string): void {
    this.notices.push({ ...this.#at(path), level, message });
  }

  /** `orders.yaml:3:5`, for messages about two files. */
  place(path: Path): string {
    const { file, line, col } = this.#at(path);
    return `${file}:${line}:${col}`;
  }

  #at(path: Path): { file: string; line: number; col: number } {
    return { file: this.#job.file, ...this.#job.locate(path) };
  }
}

/**
 * A map in a job file. Its members are read strictly: what has the wrong type or is not known becomes a problem with the
 * place and the words of the file, and the reader goes on, so that one run shows all problems.
 */
export class Section {
  readonly findings: Findings;
  readonly path: Path;
  /** What messages begin with, for example `transform[0] filter`; empty at the top of a file. */
  readonly title: string;
  readonly #content: Mapping;
  /** Names of the maps around this one below the title: `nest.parent.`. */
  readonly #prefix: string;

  constructor(findings: Findings, title: string, path: Path, content: Mapping, prefix = '') {
    this.findings = findings;
    this.title = title;
    this.path = path;
    this.#content = content;
    this.#prefix = prefix;
  }

  get keys(): string[] {
    return Object.keys(this.#content);
  }

  /** A key without a value counts as written: mostly something was forgotten behind it. */
  has(key: string): boolean {
    return Object.hasOwn(this.#content, key);
  }

  value(key: string): unknown {
    return this.has(key) ? this.#content[key] : undefined;
  }

  at(key: string): Path {
    return [...this.path, key];
  }

  /** How messages name a member. */
  name(key: string): string {
    return `\`${this.#prefix}${key}\``;
  }

  /** A problem with a member, or with the whole section when `key` is null. */
  problem(key: string | null, message: string): null {
    this.findings.problem(key === null ? this.path : this.at(key), this.told(message));
    return null;
  }

  warn(key: string | null, message: string): void {
    this.findings.notice('warn', key === null ? this.path : this.at(key), this.told(message));
  }

  told(message: string): string {
    return this.title === '' ? message : `${this.title}: ${message}`;
  }

  /** Reports every key that is not `known`; `hints` say more about some. */
  allow(known: readonly string[], hints: Readonly<Record<string, string>> = {}): void {
    for (const key of this.keys) {
      if (known.includes(key)) continue;
      this.problem(key, `unknown property ${this.name(key)}${advice(key, known, hints)}`);
    }
  }

  /** Text that is not empty; null and a problem otherwise. */
  text(key: string): string | null {
    const value = this.value(key);
    if (typeof value === 'string' && value !== '') return value;
    return this.#wrong(
      key,
      'text',
      typeof value === 'number' || typeof value === 'boolean' ? '; put it in quotes' : '',
    );
  }

  /** One of some words; null and a problem otherwise. */
  choice<const T extends string>(key: string, words: readonly T[]): T | null {
    const value = this.value(key);
    const word = words.find((candidate) => candidate === value);
    if (word !== undefined) return word;
    const close = typeof value === 'string' ? closestWord(value, words) : undefined;
    const expected = `one of ${words.map((candidate) => `\`${candidate}\``).join(', ')}`;
    return this.#wrong(key, expected, close === undefined ? '' : `; did you mean \`${close}\`?`);
  }

  /** `fallback` when it is not written, or wrong. */
  flag(key: string, fallback: boolean): boolean {
    const value = this.value(key);
    if (typeof value === 'boolean') return value;
    if (this.has(key)) this.#wrong(key, '`true` or `false`');
    return fallback;
  }

  /** A whole number above zero; `fallback` when it is not written, or wrong. */
  positive(key: string, fallback: number): number {
    const value = this.value(key);
    if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
    if (this.has(key)) this.#wrong(key, 'a whole number of at least 1');
    return fallback;
  }

  /** The map at a key; null and a problem when there is none. */
  section(key: string, expected = 'a map'): Section | null {
    const value = this.value(key);
    if (isMapping(value)) return this.inner(key, value);
    return this.#wrong(key, expected);
  }

  /** The section of a map that stands at a key. */
  inner(key: string, content: Mapping): Section {
    return new Section(this.findings, this.title, this.at(key), content, `${this.#prefix}${key}.`);
  }

  /** The section of an element of the list at a key; null and a problem when it is no map. */
  item(key: string, index: number, value: unknown, expected: string): Section | null {
    const path = [...this.at(key), index];
    if (isMapping(value))
      return new Section(this.findings, this.title, path, value, `${this.#prefix}${key}[${index}].`);
    const message = `\`${this.#prefix}${key}[${index}]\` must be ${expected}, not ${shown(value)}`;
    this.findings.problem(path, this.told(message));
    return null;
  }

  /** The list at a key; null and a problem when it is none, or empty. */
  list(key: string, expected = 'a list with at least one entry'): readonly unknown[] | null {
    const value = this.value(key);
    return Array.isArray(value) && value.length > 0 ? value : this.#wrong(key, expected);
  }

  /** Says that a value is wrong. */
  wrong(key: string, expected: string, hint = ''): null {
    return this.#wrong(key, expected, hint);
  }

  #wrong(key: string, expected: string, hint = ''): null {
    const value = this.value(key);
    const name = this.name(key);
    if (!this.has(key)) return this.problem(null, `${name} is missing; it must be ${expected}`);
    if (value === null) return this.problem(key, `${name} has no value; it must be ${expected}`);
    return this.problem(key, `${name} must be ${expected}, not ${shown(value)}${hint}`);
  }
}

function advice(key: string, known: readonly string[], hints: Readonly<Record<string, string>>): string {
  if (Object.hasOwn(hints, key)) return `: ${hints[key]}`;
  const close = closestWord(key, known);
  if (close !== undefined) return `; did you mean \`${close}\`?`;
  return `; known are ${known.map((name) => `\`${name}\``).join(', ')}`;
}

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value in a message, cut where it is long. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (value === '') return 'empty text';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
