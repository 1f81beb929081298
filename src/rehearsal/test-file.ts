import { dirname, resolve } from 'node:path';
import type { JobObject } from '../transform/expressions/types.ts';
import { readStoredKeys } from './stored-keys.ts';
import { StrictReader } from './strict-reader.ts';
import type {
  Expectation,
  GivenEntry,
  GivenEvent,
  GivenLookup,
  GivenRecording,
  JobTest,
  LookupText,
  SettingOverrides,
  StoredKeys,
} from './types.ts';
import { type Member, parseTree, type Tree } from './yaml-tree.ts';

type Members = ReadonlyMap<string, Member>;

const TEST = ['name', 'config', 'given', 'lookups', 'keys', 'keys_of', 'expect'];
const EVENT = ['table', 'op', 'key', 'before', 'after', 'server_name', 'db', 'schema', 'connector'];
const RECORDING = ['recorded', 'tables', 'limit'];
const ENTRY = ['stream', 'fields'];
const EXPECT = ['keys', 'keys_of', 'commands', 'rejected', 'filtered'];
const SETTINGS = [
  'target_data_type',
  'json_update_strategy',
  'use_native_json_merge',
  'filter_removes',
  'strict_keys',
  'key_template',
];
/** What an event calls its members, and what the `source` block of Debezium does. */
const SOURCE = { server_name: 'name', db: 'db', schema: 'schema', connector: 'connector' } as const;
const OPERATIONS = ['c', 'u', 'd', 'r'] as const;

/** The connection that `keys` is about. */
export const DEFAULT_CONNECTION = 'target';

/**
 * Reads a file of job tests; the format is on the page of this room.
 *
 * @throws ConfigError with every problem as file:line:col
 */
export function readTestFile(file: string, text: string): JobTest[] {
  const reader = new StrictReader(file);
  const tree = parseTree(file, text);
  const tests = reader.elements(tree, 'a file of job tests').map((test) => readTest(reader, test));
  const names = new Set<string>();
  for (const { name, place } of tests) {
    if (names.has(name)) reader.report(place, `there is another test named "${name}" in this file`);
    names.add(name);
  }
  reader.finish();
  return tests;
}

/** A change in the short form of job tests. Throws a ConfigError when it is none. */
export function readEvent(file: string, tree: Tree): GivenEvent {
  const reader = new StrictReader(file);
  const event = readGivenEvent(reader, tree);
  reader.finish();
  return event;
}

function readTest(reader: StrictReader, tree: Tree): JobTest {
  const members = reader.members(tree, 'a test', TEST);
  const need = (name: string): Tree | undefined => {
    const found = members.get(name)?.tree;
    if (found === undefined && tree.members !== null) reader.report(tree.place, `the test has no \`${name}\``);
    return found;
  };
  const name = need('name');
  const given = need('given');
  const expect = need('expect');
  const lookups = members.get('lookups')?.tree;
  const config = members.get('config')?.tree;
  return {
    name: name === undefined ? '' : reader.text(name, '`name`'),
    file: reader.file,
    place: tree.place,
    settings: config === undefined ? {} : readSettings(reader, config),
    given: given === undefined ? [] : reader.elements(given, '`given`').map((item) => readGiven(reader, item)),
    lookups: lookups === undefined ? [] : reader.elements(lookups, '`lookups`').map((item) => readLookup(reader, item)),
    keys: readKeys(reader, members),
    expect: readExpectation(reader, expect),
  };
}

function readSettings(reader: StrictReader, tree: Tree): SettingOverrides {
  const settings: Record<string, unknown> = {};
  for (const [name, { tree: value }] of reader.members(tree, '`config`', SETTINGS)) {
    if (name === 'target_data_type') settings[name] = reader.word(value, name, ['hash', 'json']);
    else if (name === 'json_update_strategy') settings[name] = reader.word(value, name, ['replace', 'merge']);
    else if (name === 'key_template') settings[name] = readKeyTemplate(reader, value);
    else settings[name] = reader.yesOrNo(value, name);
  }
  return settings;
}

function readKeyTemplate(reader: StrictReader, tree: Tree): string {
  const text = reader.text(tree, 'key_template');
  if (!text.includes('{key}')) reader.report(tree.place, 'key_template must hold {key}');
  return text;
}

function readGiven(reader: StrictReader, tree: Tree): GivenEvent | GivenEntry | GivenRecording {
  if (tree.members?.has('recorded')) return readRecording(reader, tree);
  return tree.members?.has('fields') ? readEntry(reader, tree) : readGivenEvent(reader, tree);
}

function readEntry(reader: StrictReader, tree: Tree): GivenEntry {
  const members = reader.members(tree, 'an entry', ENTRY);
  const stream = members.get('stream')?.tree;
  if (stream === undefined) reader.report(tree.place, 'the entry has no `stream`');
  const fields = reader.elements(members.get('fields')!.tree, '`fields`').map((field): [string, string] => {
    const [name = '', value = '', ...rest] = readWords(reader, field, 'a field');
    if (field.elements?.length !== 2 || rest.length > 0) {
      reader.report(field.place, 'a field must be a list of its name and its value');
    }
    return [name, value];
  });
  return { stream: stream === undefined ? '' : reader.text(stream, '`stream`'), fields };
}

function readRecording(reader: StrictReader, tree: Tree): GivenRecording {
  const members = reader.members(tree, 'a recording', RECORDING);
  const tables = members.get('tables')?.tree;
  const limit = members.get('limit')?.tree;
  return {
    recorded: resolve(dirname(reader.file), reader.text(members.get('recorded')!.tree, '`recorded`')),
    tables: tables === undefined ? [] : reader.elements(tables, '`tables`').map((item) => reader.text(item, 'a table')),
    limit: limit === undefined ? Number.POSITIVE_INFINITY : reader.wholeNumber(limit, '`limit`'),
  };
}

function readGivenEvent(reader: StrictReader, tree: Tree): GivenEvent {
  const members = reader.members(tree, 'a change', EVENT);
  const table = members.get('table')?.tree;
  const op = members.get('op')?.tree;
  if (tree.members !== null) {
    if (table === undefined) reader.report(tree.place, 'the change has no `table`');
    if (op === undefined) reader.report(tree.place, 'the change has no `op`: one of c, u, d, r');
  }
  const row = (name: string): JobObject | null => {
    const found = members.get(name)?.tree;
    return found === undefined ? null : reader.row(found, `\`${name}\``);
  };
  const source = new Map<string, string>();
  for (const [name, member] of Object.entries(SOURCE)) {
    const found = members.get(name)?.tree;
    if (found !== undefined) source.set(member, reader.text(found, `\`${name}\``));
  }
  return {
    table: table === undefined ? '' : reader.text(table, '`table`'),
    op: op === undefined ? 'c' : reader.word(op, '`op`', OPERATIONS),
    key: row('key'),
    before: row('before'),
    after: row('after'),
    source,
  };
}

function readLookup(reader: StrictReader, tree: Tree): GivenLookup {
  const members = reader.members(tree, 'a lookup', ['command', 'reply', 'error']);
  const command = members.get('command')?.tree;
  const reply = members.get('reply')?.tree;
  const error = members.get('error')?.tree;
  if (tree.members !== null) {
    if (command === undefined) reader.report(tree.place, 'the lookup has no `command`');
    if ((reply === undefined) === (error === undefined)) {
      reader.report(tree.place, 'the lookup needs either `reply` or `error`');
    }
  }
  return {
    command: command === undefined ? [] : readWords(reader, command, '`command`'),
    reply: reply === undefined ? null : readReply(reader, reply),
    error: error === undefined ? null : reader.text(error, '`error`'),
  };
}

/** A map is a reply as HGETALL gives it: names and values in turn. */
function readReply(reader: StrictReader, tree: Tree): LookupText {
  if (tree.value === null) return null;
  if (tree.elements !== null) return tree.elements.map((element) => readReply(reader, element));
  if (tree.members === null) return reader.text(tree, '`reply`');
  return [...tree.members].flatMap(([name, member]) => [name, readReply(reader, member.tree)]);
}

function readWords(reader: StrictReader, tree: Tree, what: string): string[] {
  return reader.elements(tree, what).map((word) => reader.text(word, `a word of ${what}`));
}

function readKeys(reader: StrictReader, members: Members): Map<string, StoredKeys> {
  const keys = new Map<string, StoredKeys>();
  const own = members.get('keys')?.tree;
  const others = members.get('keys_of')?.tree;
  if (own !== undefined) keys.set(DEFAULT_CONNECTION, readStoredKeys(reader, own, '`keys`'));
  if (others === undefined) return keys;
  for (const [connection, { tree }] of reader.anyMembers(others, '`keys_of`')) {
    keys.set(connection, readStoredKeys(reader, tree, `\`keys_of\` of ${connection}`));
  }
  return keys;
}

function readExpectation(reader: StrictReader, tree: Tree | undefined): Expectation {
  const nothing = { keys: new Map(), commands: null, rejected: 0, reasons: [], filtered: null };
  if (tree === undefined) return nothing;
  const members = reader.members(tree, '`expect`', EXPECT);
  if (members.size === 0) reader.report(tree.place, `\`expect\` is empty: give one of ${EXPECT.join(', ')}`);
  const commands = members.get('commands')?.tree;
  const rejected = members.get('rejected')?.tree;
  const filtered = members.get('filtered')?.tree;
  const reasons = rejected?.elements?.map((reason) => reader.text(reason, 'a reason in `rejected`')) ?? [];
  const number = rejected === undefined || rejected.elements !== null ? reasons.length : null;
  return {
    keys: readKeys(reader, members),
    commands:
      commands === undefined
        ? null
        : reader.elements(commands, '`commands`').map((words) => readWords(reader, words, 'a command')),
    rejected: number ?? reader.wholeNumber(rejected!, '`rejected` (a number, or a list of texts)'),
    reasons,
    filtered: filtered === undefined ? null : reader.wholeNumber(filtered, '`filtered`'),
  };
}
