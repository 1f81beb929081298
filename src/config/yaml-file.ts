import { readFileSync } from 'node:fs';
import {
  Document,
  type ErrorCode,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
} from 'yaml';
import type { ConfigProblem } from '../errors.ts';

/** Line and column, from 1. */
interface Position {
  readonly line: number;
  readonly col: number;
}

/** A YAML file with the places of its values. */
export interface YamlFile {
  readonly file: string;
  /** Plain data; undefined when the text is not YAML, null when it is empty. */
  readonly content: unknown;
  readonly problems: readonly ConfigProblem[];
  /** Place of the value at `path`; of its nearest written parent where it has none itself. */
  readonly locate: (path: readonly PropertyKey[]) => Position;
  /** The same for the key of the last step. */
  readonly locateKey: (path: readonly PropertyKey[]) => Position;
}

/** Reads and parses a file. Throws the error of the file system when it cannot be read. */
export function readYamlFile(file: string): YamlFile {
  const bytes = readFileSync(file);
  try {
    return parseYaml(file, new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const start = () => ({ line: 1, col: 1 });
    const problems = [{ file, line: 1, col: 1, message: 'the file is not UTF-8 text' }];
    return { file, content: undefined, problems, locate: start, locateKey: start };
  }
}

/** Parses YAML 1.2 with merge keys. Never throws: what is wrong is in `problems`. */
export function parseYaml(file: string, text: string): YamlFile {
  const lines = new LineCounter();
  const problems: ConfigProblem[] = [];
  const report = (offset: number, message: string) => problems.push({ file, ...position(lines, offset), message });
  let document: Document;
  let content: unknown;
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error', merge: true });
    if (document.errors.some(({ code }) => code === 'RESOURCE_EXHAUSTION')) throw new RangeError('nested too deeply');
    reportSyntax(document, report);
    if (problems.length === 0) content = document.toJS() ?? null;
    if (depthOf(content) > MAX_DEPTH) throw new RangeError('nested too deeply');
  } catch {
    // The library gives up on aliases that multiply and on nesting that exhausts the stack.
    document = new Document(null);
    content = undefined;
    report(0, 'not usable as YAML: it is nested too deeply, or its aliases multiply');
  }
  const root = document.contents;
  const resolve = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);
  const walk = (path: readonly PropertyKey[], wantKey: boolean) =>
    position(lines, locateOffset(root, path, wantKey, resolve));
  return {
    file,
    content,
    problems,
    locate: (path) => walk(path, false),
    locateKey: (path) => walk(path, true),
  };
}

const MAX_DEPTH = 60;

function depthOf(value: unknown, depth = 0): number {
  if (depth > MAX_DEPTH || value === null || typeof value !== 'object') return depth;
  let deepest = depth;
  for (const member of Object.values(value)) deepest = Math.max(deepest, depthOf(member, depth + 1));
  return deepest;
}

/** One slip makes the parser stumble over everything behind it; the first few places are enough to find it. */
const MAX_SYNTAX_ERRORS = 3;

function reportSyntax(document: Document, report: (offset: number, message: string) => void): void {
  for (const { code, pos } of [...document.errors, ...document.warnings].slice(0, MAX_SYNTAX_ERRORS)) {
    report(pos[0], `not valid YAML: ${SYNTAX_ERRORS[code] ?? 'something is out of place here'}`);
  }
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return;
      report(
        startOf(alias),
        'not valid YAML: `*` refers to an anchor that is not there; text that begins with `*` needs quotes',
      );
    },
    Pair(_, { key }) {
      if (!isScalar(key)) report(startOf(key), 'a key must be plain text, not a map or list');
      else if (key.value === '__proto__') report(startOf(key), 'the key `__proto__` is not allowed');
    },
  });
}

/** In our own words, because the library quotes the text, which may be a password. */
const SYNTAX_ERRORS: Readonly<Partial<Record<ErrorCode, string>>> = {
  ALIAS_PROPS: 'an alias can have neither anchor nor tag',
  BAD_ALIAS: 'an alias is not complete; text that begins with `*` needs quotes',
  BAD_DIRECTIVE: 'a line that begins with `%` is a directive; text that begins with `%` needs quotes',
  BAD_DQ_ESCAPE: 'an escape in double quotes is not known; write `\\\\` for a backslash or use single quotes',
  BAD_INDENT: 'the indentation does not fit the lines before',
  BAD_SCALAR_START: 'text that begins with this character needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second `: ` in one line; text that holds `: ` needs quotes',
  BLOCK_IN_FLOW: 'lines of their own cannot stand inside `{}` or `[]`',
  DUPLICATE_KEY: 'the same key is there twice',
  MISSING_CHAR: 'a character is missing: a closing quote, a comma, a bracket, or the blank after `:`',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line; is a `:` missing?',
  MULTIPLE_DOCS: 'a second document begins here; only one is allowed per file',
  TAB_AS_INDENT: 'a tab cannot be used for indentation; use blanks',
  TAG_RESOLVE_FAILED: 'the tag is not known; text that begins with `!` needs quotes',
};

function startOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

function position(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), col: Math.max(col, 1) };
}

function locateOffset(
  root: unknown,
  path: readonly PropertyKey[],
  wantKey: boolean,
  resolve: (node: unknown) => unknown,
): number {
  let node = resolve(root);
  let offset = startOf(root);
  for (const [index, step] of path.entries()) {
    const last = index === path.length - 1;
    if (isMap(node)) {
      const pair = findPair(node.items, step);
      if (pair === undefined) return offset;
      offset = (last && wantKey) || isLeftToKey(pair.value) ? startOf(pair.key) : startOf(pair.value as Node);
      node = resolve(pair.value);
    } else if (isSeq(node)) {
      const item = node.items[Number(step)];
      if (item === undefined) return offset;
      offset = startOf(item);
      node = resolve(item);
    } else {
      return offset;
    }
  }
  return offset;
}

/** A block begins on the next line and a missing value nowhere: there the key is what the reader looks for. */
function isLeftToKey(value: unknown): boolean {
  return value === null || isMap(value) || isSeq(value) || (isScalar(value) && value.value === null);
}

function findPair(items: readonly Pair[], step: PropertyKey): Pair | undefined {
  return items.find((pair) => isScalar(pair.key) && String(pair.key.value ?? '') === String(step));
}
