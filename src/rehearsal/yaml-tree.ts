import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { ConfigError, type ConfigProblem } from '../errors.ts';
import { numberOfJson } from '../transform/expressions/numbers.ts';
import type { JobObject, JobValue } from '../transform/expressions/types.ts';

/** Line and column, from 1. */
export interface Place {
  readonly line: number;
  readonly col: number;
}

/** A value of a YAML file with its place. Numbers keep the digits they were written with. */
export interface Tree {
  readonly place: Place;
  readonly value: JobValue;
  /** The text of a scalar as it was written, without quotes; null for lists and maps. */
  readonly text: string | null;
  /** Of a map. */
  readonly members: ReadonlyMap<string, Member> | null;
  /** Of a list. */
  readonly elements: readonly Tree[] | null;
  /** Number of values in it, those of aliases counted each time. */
  readonly size: number;
}

export interface Member {
  readonly keyPlace: Place;
  readonly tree: Tree;
}

/** Aliases can multiply: a few lines may stand for more values than fit into memory. */
const MAX_SIZE = 1_000_000;
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A value of the file cannot be read; `offset` is its place in the text. */
class TreeProblem extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/**
 * Parses one YAML document with anchors, aliases and merge keys (`<<`).
 *
 * @throws ConfigError with file, line and column
 */
export function parseTree(file: string, text: string): Tree {
  const lines = new LineCounter();
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), col: Math.max(col, 1) };
  };
  const refuse = (problems: readonly ConfigProblem[]): never => {
    throw new ConfigError('CONFIG_INVALID', 'a file of job tests cannot be read', { problems });
  };
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
    const errors = document.errors.slice(0, 3);
    if (errors.length > 0) {
      refuse(errors.map(({ message, pos }) => ({ file, ...placeOf(pos[0]), message: `not valid YAML: ${message}` })));
    }
    return new TreeReader((alias) => alias.resolve(document as Document), placeOf).read(document.contents);
  } catch (error) {
    if (error instanceof TreeProblem) return refuse([{ file, ...placeOf(error.offset), message: error.message }]);
    if (error instanceof RangeError) return refuse([{ file, line: 1, col: 1, message: 'it is nested too deeply' }]);
    throw error;
  }
}

class TreeReader {
  readonly #resolve: (alias: Alias) => unknown;
  readonly #placeOf: (offset: number) => Place;
  /** Undefined while a node is being read: an alias to it would never end. */
  readonly #known = new Map<unknown, Tree | undefined>();

  constructor(resolve: (alias: Alias) => unknown, placeOf: (offset: number) => Place) {
    this.#resolve = resolve;
    this.#placeOf = placeOf;
  }

  read(node: unknown): Tree {
    const offset = offsetOf(node);
    if (isAlias(node)) {
      const meant = this.#resolve(node);
      if (meant === undefined) throw new TreeProblem(`there is no anchor \`&${node.source}\` before this`, offset);
      return { ...this.read(meant), place: this.#placeOf(offset) };
    }
    if (this.#known.has(node)) {
      const known = this.#known.get(node);
      if (known === undefined) throw new TreeProblem('an alias stands inside what it stands for', offset);
      return known;
    }
    this.#known.set(node, undefined);
    const tree = this.#readNew(node, offset);
    if (tree.size > MAX_SIZE) throw new TreeProblem('aliases multiply to more than a million values', offset);
    this.#known.set(node, tree);
    return tree;
  }

  #readNew(node: unknown, offset: number): Tree {
    const place = this.#placeOf(offset);
    if (isMap(node)) return this.#readMap(node, place);
    if (isScalar(node)) {
      return {
        place,
        value: scalarValue(node, offset),
        text: scalarText(node),
        members: null,
        elements: null,
        size: 1,
      };
    }
    if (node === null || node === undefined) {
      return { place, value: null, text: '', members: null, elements: null, size: 1 };
    }
    const elements = (node as { items: unknown[] }).items.map((item) => this.read(item));
    const size = elements.reduce((sum, element) => sum + element.size, 1);
    return { place, value: elements.map(({ value }) => value), text: null, members: null, elements, size };
  }

  #readMap(map: YAMLMap, place: Place): Tree {
    const members = new Map<string, Member>();
    let size = 1;
    // What is merged in comes first, so that a member of the map's own replaces it at its place.
    for (const isMerge of [true, false]) {
      for (const { key, value } of map.items) {
        if (!isScalar(key)) throw new TreeProblem('a key must be plain text, not a map or list', offsetOf(key));
        const name = scalarText(key);
        if (isMergeKey(key) !== isMerge) continue;
        const tree = this.read(value);
        size += tree.size;
        if (isMerge) this.#merge(members, tree, offsetOf(value));
        else members.set(name, { keyPlace: this.#placeOf(offsetOf(key)), tree });
      }
    }
    const value: JobObject = new Map([...members].map(([name, { tree }]) => [name, tree.value]));
    return { place, value, text: null, members, elements: null, size };
  }

  #merge(members: Map<string, Member>, merged: Tree, offset: number): void {
    for (const part of merged.elements ?? [merged]) {
      if (part.members === null) throw new TreeProblem('`<<` takes a map, or a list of maps', offset);
      for (const [name, member] of part.members) if (!members.has(name)) members.set(name, member);
    }
  }
}

function isMergeKey(key: Scalar): boolean {
  return key.source === '<<' && (key.type === undefined || key.type === 'PLAIN');
}

function scalarText({ value, source }: Scalar): string {
  return typeof value === 'string' ? value : (source ?? String(value));
}

function scalarValue({ value, source }: Scalar, offset: number): JobValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  const written = source?.trim() ?? '';
  if (JSON_NUMBER.test(written)) return numberOfJson(written);
  if (typeof value === 'number' && Number.isFinite(value)) return numberOfJson(String(value));
  throw new TreeProblem('a number as JSON has them is needed; text needs quotes', offset);
}

function offsetOf(node: unknown): number {
  return (node as { range?: readonly number[] } | null)?.range?.[0] ?? 0;
}
