import { JsonText, NumberText, UNAVAILABLE, type Value } from '../types.ts';
import { BRACE, BRACKET } from './json-bytes.ts';
import { DecodeProblem } from './problem.ts';
import { Scanner } from './scanner.ts';

/** An object with its members in source order; duplicate names keep the last value. */
export class JsonObject {
  readonly members: Map<string, Tree>;
  constructor(members: Map<string, Tree>) {
    this.members = members;
  }
}

/** JSON as values whose digits are exact. Used where values inside arrays or objects must change, never on plain rows. */
export type Tree = Value | JsonObject | Tree[];

/** Far beyond what databases nest (MongoDB stops at 100), far below what would exhaust the stack. */
const MAX_DEPTH = 500;

/** @throws DecodeProblem when the text is not JSON or nested too deeply. */
export function parseTree(text: string): Tree {
  const scanner = new Scanner();
  const bytes = Buffer.from(text);
  scanner.load(bytes, 0, bytes.length);
  scanner.skipBlanks();
  const tree = readTree(scanner, 0);
  scanner.expectEnd();
  return tree;
}

/** Reads the value at the scanner's position as tree. */
export function readTree(scanner: Scanner, depth = 0): Tree {
  const byte = scanner.bytes[scanner.at];
  if (byte !== BRACE.open && byte !== BRACKET.open) return scanner.readValue();
  if (depth > MAX_DEPTH) {
    throw new DecodeProblem('DECODE_BAD_VALUE', 'a value is nested too deeply', `Send at most ${MAX_DEPTH} levels`);
  }
  if (byte === BRACKET.open) {
    const items: Tree[] = [];
    let more = scanner.opens(BRACKET.open, BRACKET.close);
    while (more) {
      items.push(readTree(scanner, depth + 1));
      more = scanner.readsOn(BRACKET.close);
    }
    return items;
  }
  const members = new Map<string, Tree>();
  let more = scanner.opens(BRACE.open, BRACE.close);
  while (more) {
    const name = scanner.readName();
    members.set(name, readTree(scanner, depth + 1));
    more = scanner.readsOn(BRACE.close);
  }
  return new JsonObject(members);
}

/** Compact JSON; digits and nested JSON texts are written as they are. */
export function encodeTree(tree: Tree): string {
  if (tree === null || tree === UNAVAILABLE) return 'null';
  if (tree instanceof NumberText || tree instanceof JsonText) return tree.text;
  if (Array.isArray(tree)) return `[${tree.map(encodeTree).join(',')}]`;
  if (tree instanceof JsonObject) {
    return `{${[...tree.members].map(([name, value]) => `${JSON.stringify(name)}:${encodeTree(value)}`).join(',')}}`;
  }
  return JSON.stringify(tree);
}

/** A tree as column value: arrays and objects become their text. */
export function valueOfTree(tree: Tree): Value {
  return Array.isArray(tree) || tree instanceof JsonObject ? new JsonText(encodeTree(tree)) : tree;
}
