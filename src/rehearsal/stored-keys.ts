import type { JobValue } from '../transform/expressions/types.ts';
import { compactJson, isEqual } from '../transform/expressions/values.ts';
import type { StoredKey, StoredValue } from './keyspace.ts';
import type { StrictReader } from './strict-reader.ts';
import type { StoredKeys } from './types.ts';
import type { Tree } from './yaml-tree.ts';

/** What keys hold, as job tests write it: `{hash: {…}}`, `{set: […], ttl: 60}`; read, compared, and told line by line. */

const TYPES = ['hash', 'json', 'set', 'zset', 'stream', 'string'] as const;
const SCORE = /^[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|inf)$/;

/** Reads a map of keys. */
export function readStoredKeys(reader: StrictReader, tree: Tree, what: string): StoredKeys {
  const keys = new Map<string, StoredKey>();
  for (const [key, member] of reader.anyMembers(tree, what)) {
    const stored = readStoredKey(reader, member.tree, `\`${key}\``);
    if (stored !== null) keys.set(key, stored);
  }
  return keys;
}

function readStoredKey(reader: StrictReader, tree: Tree, what: string): StoredKey | null {
  const members = reader.members(tree, what, [...TYPES, 'ttl']);
  const types = TYPES.filter((type) => members.has(type));
  const [type] = types;
  if (type === undefined || types.length > 1) {
    if (tree.members !== null) reader.report(tree.place, `${what} must hold one of ${TYPES.join(', ')}`);
    return null;
  }
  const ttl = members.get('ttl')?.tree;
  const value = readValue(reader, type, members.get(type)!.tree, `${type} of ${what}`);
  return { value, ttl: ttl === undefined ? null : reader.wholeNumber(ttl, `ttl of ${what}`) };
}

function readValue(reader: StrictReader, type: (typeof TYPES)[number], tree: Tree, what: string): StoredValue {
  switch (type) {
    case 'hash':
      return { type, fields: new Map(textPairs(reader, tree, what)) };
    case 'json':
      return { type, document: tree.value };
    case 'set':
      return {
        type,
        members: new Set(reader.elements(tree, what).map((item) => reader.text(item, `a member of ${what}`))),
      };
    case 'zset':
      return { type, scores: readScores(reader, tree, what) };
    case 'stream':
      return {
        type,
        entries: reader.elements(tree, what).map((item) => textPairs(reader, item, `an entry of ${what}`)),
      };
    case 'string':
      return { type, text: reader.text(tree, what) };
  }
}

function textPairs(reader: StrictReader, tree: Tree, what: string): [string, string][] {
  const members = [...reader.anyMembers(tree, what)];
  return members.map(([name, member]) => [name, reader.text(member.tree, `\`${name}\` in ${what}`)]);
}

function readScores(reader: StrictReader, tree: Tree, what: string): Map<string, string> {
  const scores = new Map<string, string>();
  for (const [member, { tree: score }] of reader.anyMembers(tree, what)) {
    const text = reader.text(score, `the score of \`${member}\` in ${what}`);
    if (!SCORE.test(text))
      reader.report(score.place, `the score of \`${member}\` in ${what} must be a number, inf or -inf`);
    scores.set(member, text);
  }
  return scores;
}

/** Whether both hold the same: numbers by value, sets and members of objects in any order, streams in theirs. */
export function isSameKey(a: StoredKey, b: StoredKey): boolean {
  return a.ttl === b.ttl && a.value.type === b.value.type && isEqual(comparable(a.value), comparable(b.value));
}

/** The value as JSON has it; sets in order of their members. */
function comparable(value: StoredValue): JobValue {
  switch (value.type) {
    case 'hash':
      return new Map(value.fields);
    case 'json':
      return value.document;
    case 'set':
      return [...value.members].sort();
    case 'zset':
      return new Map([...value.scores].map(([member, score]) => [member, scoreOf(score)]));
    case 'stream':
      return value.entries.map((entry) => new Map(entry));
    case 'string':
      return value.text;
  }
}

/** Numbers by value, infinities by name. */
function scoreOf(text: string): JobValue {
  if (/inf/i.test(text)) return text.startsWith('-') ? '-inf' : 'inf';
  return Number(text) + 0;
}

/** A key for people, one line per field, member or entry, in an order that does not depend on how it came about. */
export function describeKey(key: string, { value, ttl }: StoredKey): string[] {
  const plain = comparable(value);
  const heading = `${key}: ${value.type}${ttl === null ? '' : `, ttl ${ttl}`}`;
  return [heading, ...describeValue(plain, 1)];
}

/** Deeper values stand in one line. */
const MAX_INDENT = 6;

function describeValue(value: JobValue, indent: number): string[] {
  const blanks = '  '.repeat(indent);
  if (value instanceof Map && value.size > 0) {
    return [...value.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, member]) => {
        if (!isNested(member) || indent >= MAX_INDENT) return [`${blanks}${name}: ${compactJson(member)}`];
        return [`${blanks}${name}:`, ...describeValue(member, indent + 1)];
      });
  }
  if (Array.isArray(value) && value.length > 0) return value.map((element) => `${blanks}- ${compactJson(element)}`);
  return [`${blanks}${compactJson(value)}`];
}

function isNested(value: JobValue): boolean {
  return (value instanceof Map && value.size > 0) || (Array.isArray(value) && value.length > 0);
}

/** A key for tools: `{hash: {…}, ttl: …}` as JSON text. */
export function keyAsJson({ value, ttl }: StoredKey): string {
  const members: [string, JobValue][] = [[value.type, comparable(value)]];
  if (ttl !== null) members.push(['ttl', ttl]);
  return compactJson(new Map(members));
}
