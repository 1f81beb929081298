import type { TableIdentity } from '../../../types.ts';
import { compileWholePattern, UnusablePattern } from './pattern.ts';
import type { Section } from './section.ts';

export const SELECTORS = ['server_name', 'db', 'schema', 'table'] as const;
type Selector = (typeof SELECTORS)[number];

const PATTERN_MARK = 'regex:';

interface Entry {
  /** As written. */
  readonly text: string;
  readonly isPattern: boolean;
  readonly test: (name: string) => boolean;
}

/** Which tables a job is for. A selector that is not there matches anything. */
export interface Selection {
  readonly entries: Readonly<Partial<Record<Selector, readonly Entry[]>>>;
  readonly ignoresCase: boolean;
  /** `table: "*"`: for tables that no other job selects. */
  readonly isDefault: boolean;
}

/** Reads the four selectors; null after a problem. Source: specification of jobs, section 3. */
export function readSelection(source: Section): Selection | null {
  const ignoresCase = source.flag('case_insensitive', true);
  const isDefault = isStar(source.value('table'));
  const entries: Partial<Record<Selector, readonly Entry[]>> = {};
  let isComplete = true;
  for (const name of SELECTORS) {
    if (name === 'table' && isDefault) continue;
    if (!source.has(name) && name !== 'table') continue;
    const list = readEntries(source, name, ignoresCase);
    if (list === null) isComplete = false;
    else entries[name] = list;
  }
  return isComplete ? { entries, ignoresCase, isDefault } : null;
}

function isStar(value: unknown): boolean {
  return value === '*' || (Array.isArray(value) && value.length === 1 && value[0] === '*');
}

function readEntries(source: Section, name: Selector, ignoresCase: boolean): readonly Entry[] | null {
  const written = source.value(name);
  if (Array.isArray(written) && written.length === 0) return source.wrong(name, 'a name, or a list of names');
  const texts: readonly unknown[] = Array.isArray(written) ? written : [source.text(name)];
  const entries = texts.map((text, index) => {
    if (typeof text === 'string' && text !== '') return readEntry(source, name, text, index, ignoresCase);
    if (Array.isArray(written)) problemAt(source, name, index, `${source.name(name)} must list names as text`);
    return null;
  });
  return entries.includes(null) ? null : (entries as Entry[]);
}

function readEntry(source: Section, name: Selector, text: string, index: number, ignoresCase: boolean): Entry | null {
  if (!text.startsWith(PATTERN_MARK)) {
    if (name === 'table' && text === '*') {
      return problemAt(source, name, index, 'the default job has `table: "*"` and no other table beside it');
    }
    const wanted = fold(text, ignoresCase);
    return { text, isPattern: false, test: (value) => fold(value, ignoresCase) === wanted };
  }
  try {
    return { text, isPattern: true, test: compileWholePattern(text.slice(PATTERN_MARK.length), ignoresCase) };
  } catch (error) {
    if (!(error instanceof UnusablePattern)) throw error;
    return problemAt(source, name, index, `\`${text}\` is no pattern that rdi can use: ${error.message}`);
  }
}

function problemAt(source: Section, name: Selector, index: number, message: string): null {
  const path = Array.isArray(source.value(name)) ? [...source.at(name), index] : source.at(name);
  source.findings.problem(path, source.told(message));
  return null;
}

function fold(text: string, ignoresCase: boolean): string {
  return ignoresCase ? text.toLowerCase() : text;
}

/** Whether all selectors match a table. Where there are no schemas (MySQL, MariaDB) `schema` means the database. */
export function compileSelection({ entries }: Selection): (table: TableIdentity) => boolean {
  const { server_name, db, schema, table } = entries;
  return (identity) =>
    accepts(table, identity.table) &&
    accepts(schema, identity.schema === '' ? identity.db : identity.schema) &&
    accepts(db, identity.db) &&
    accepts(server_name, identity.serverName);
}

function accepts(entries: readonly Entry[] | undefined, name: string): boolean {
  return entries === undefined || entries.some(({ test }) => test(name));
}

/** Whether a selection may hold a table of which only some names are known; null stands for one that is not. */
export function mayHold(selection: Selection, names: Readonly<Record<Selector, string | null>>): boolean {
  return SELECTORS.every((selector) => {
    const name = names[selector];
    return name === null || accepts(selection.entries[selector], name);
  });
}

export type Overlap = 'none' | 'possible' | 'certain';

/**
 * Whether two selections can hold the same table. Two different patterns can only be compared by the tables that are known;
 * where none of these is in both, it stays `possible`.
 */
export function overlapOf(a: Selection, b: Selection, tables: readonly string[] = []): Overlap {
  let overlap: Overlap = 'certain';
  for (const selector of SELECTORS) {
    const isShared =
      selector === 'table' && tables.some((name) => accepts(a.entries.table, name) && accepts(b.entries.table, name));
    const common = isShared ? 'certain' : overlapOfEntries(a, b, selector);
    if (common === 'none') return 'none';
    if (common === 'possible') overlap = 'possible';
  }
  return overlap;
}

function overlapOfEntries(a: Selection, b: Selection, selector: Selector): Overlap {
  const left = a.entries[selector];
  const right = b.entries[selector];
  if (left === undefined || right === undefined) return 'certain';
  let overlap: Overlap = 'none';
  for (const one of left) {
    for (const other of right) {
      const common = overlapOfTwo(one, other);
      if (common === 'certain') return 'certain';
      if (common === 'possible') overlap = 'possible';
    }
  }
  return overlap;
}

function overlapOfTwo(one: Entry, other: Entry): Overlap {
  if (one.text === other.text) return 'certain';
  if (one.isPattern && other.isPattern) return 'possible';
  const isCommon = one.isPattern ? isCommonName(other, one) : isCommonName(one, other);
  return isCommon ? 'certain' : 'none';
}

/** Whether `other` matches a name that `literal` stands for: where case does not count, there is more than one. */
function isCommonName({ text, test }: Entry, other: Entry): boolean {
  const names = [text, text.toLowerCase(), text.toUpperCase(), ...(other.isPattern ? [] : [other.text])];
  return names.some((name) => test(name) && other.test(name));
}

/** Literal names of a selector; empty where there are patterns only, or the selector is not there. */
export function literalsOf(selection: Selection, selector: Selector): string[] {
  return (selection.entries[selector] ?? []).flatMap(({ text, isPattern }) => (isPattern ? [] : [text]));
}

/** Entries of a selector that match none of these names. */
export function strangersTo(selection: Selection, selector: Selector, names: readonly string[]): string[] {
  return (selection.entries[selector] ?? []).filter(({ test }) => !names.some(test)).map(({ text }) => text);
}
