import { NumberText, type Row, type Value } from '../types.ts';
import { numberOf } from './numbers.ts';
import { BadValue, DecodeProblem } from './problem.ts';
import { Beyond, epochMsOfZoned } from './times.ts';
import { JsonObject, parseTree, type Tree, valueOfTree } from './tree.ts';

/** Shares one array between documents with the same members. */
type InternNames = (names: string[]) => readonly string[];

/**
 * MongoDB's documents come as text in extended JSON. Version 1 (`{"$date":1709214330123}`, `{"$binary":"…","$type":"00"}`) and
 * version 2 (`{"$date":{"$numberLong":"…"}}`, `{"$binary":{"base64":"…","subType":"00"}}`), strict and relaxed, are all taken.
 * Numbers become numbers with their digits, dates epoch ms, ids and binary data text; other wrappers stay objects.
 */
export function readDocument(text: string, internNames: InternNames): Row {
  const tree = documentTree(text);
  if (!(tree instanceof JsonObject)) {
    throw new DecodeProblem(
      'DECODE_BAD_VALUE',
      'a MongoDB document is no JSON object',
      'Send events of Debezium’s MongoDB connector unchanged',
    );
  }
  return {
    names: internNames([...tree.members.keys()]),
    values: [...tree.members.values()].map((member) => valueOfTree(unwrap(member))),
    partial: false,
  };
}

function documentTree(text: string): Tree {
  try {
    return parseTree(text);
  } catch (error) {
    if (!(error instanceof DecodeProblem)) throw error;
    throw new DecodeProblem(
      'DECODE_BAD_VALUE',
      `a MongoDB document is not JSON: ${error.message}`,
      'Send events of Debezium’s MongoDB connector unchanged',
    );
  }
}

/**
 * The row of an update that brought only what changed: `updatedFields` as they are, `removedFields` as null. Dotted paths
 * stay the names they are. Partial, so that no writer erases what was not delivered. Null when nothing was delivered.
 */
export function readUpdateDescription(tree: Tree, internNames: InternNames): Row | null {
  if (!(tree instanceof JsonObject)) return null;
  const names: string[] = [];
  const values: Value[] = [];
  const updated = tree.members.get('updatedFields');
  if (typeof updated === 'string') {
    const row = readDocument(updated, internNames);
    names.push(...row.names);
    values.push(...row.values);
  }
  const removed = tree.members.get('removedFields');
  for (const name of Array.isArray(removed) ? removed : []) {
    if (typeof name !== 'string' || names.includes(name)) continue;
    names.push(name);
    values.push(null);
  }
  return names.length === 0 ? null : { names: internNames(names), values, partial: true };
}

/** Key of a document, `{"id":"<extended JSON of _id>"}`, as row with the value that the JSON stands for. */
export function readDocumentKey(key: Row): Row {
  const [text] = key.values;
  if (key.names.length !== 1 || typeof text !== 'string') return key;
  try {
    return { ...key, values: [valueOfTree(unwrap(parseTree(text)))] };
  } catch {
    // Not extended JSON, so somebody's transform has already replaced it.
    return key;
  }
}

function unwrap(tree: Tree): Tree {
  if (Array.isArray(tree)) return tree.map(unwrap);
  if (!(tree instanceof JsonObject)) return tree;
  const scalar = tree.members.size <= 2 ? unwrapScalar(tree.members) : undefined;
  if (scalar !== undefined) return scalar;
  return new JsonObject(new Map([...tree.members].map(([name, value]) => [name, unwrap(value)])));
}

/** Undefined when the members are not those of a wrapper that has a plain value. */
function unwrapScalar(members: ReadonlyMap<string, Tree>): Value | undefined {
  const [first] = members;
  if (first === undefined) return undefined;
  const [name, value] = first;
  if (name === '$binary') return binaryText(members);
  if (members.size !== 1) return undefined;
  switch (name) {
    case '$oid':
    case '$uuid':
      return typeof value === 'string' ? value : undefined;
    case '$numberInt':
    case '$numberLong':
    case '$numberDouble':
    case '$numberDecimal':
      return typeof value === 'string' ? numberOrText(value) : isNumber(value) ? value : undefined;
    case '$date':
      return dateMs(value);
    default:
      return undefined;
  }
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** `NaN`, `Infinity` and what else JSON has no number for stay text. */
function numberOrText(text: string): Value {
  return JSON_NUMBER.test(text) ? numberOf(text) : text;
}

function isNumber(tree: Tree | undefined): tree is number | NumberText {
  return typeof tree === 'number' || tree instanceof NumberText;
}

function binaryText(members: ReadonlyMap<string, Tree>): Value | undefined {
  const value = members.get('$binary');
  if (typeof value === 'string' && members.has('$type')) return value;
  const base64 = value instanceof JsonObject && members.size === 1 ? value.members.get('base64') : undefined;
  return typeof base64 === 'string' ? base64 : undefined;
}

function dateMs(value: Tree): Value | undefined {
  if (isNumber(value)) return value;
  if (value instanceof JsonObject) {
    const inner = unwrapScalar(value.members);
    return isNumber(inner) ? inner : undefined;
  }
  if (typeof value !== 'string') return undefined;
  try {
    const ms = epochMsOfZoned(value);
    return ms instanceof Beyond ? ms.text : ms;
  } catch (error) {
    if (error instanceof BadValue) return undefined;
    throw error;
  }
}
