import type { ChangeEvent } from '../types.ts';
import type { RawEntry } from './raw-entry.ts';
import { keyAsJson } from './stored-keys.ts';
import { DEFAULT_CONNECTION } from './test-file.ts';
import { rowJson } from './trial.ts';
import type { GivenLookup, RehearsedEvent, StoredKeys } from './types.ts';

export interface TestParts {
  /** The change; null: it is written as the feeder sent it. */
  readonly event: ChangeEvent | null;
  readonly entry: RawEntry;
  readonly stream: string;
  readonly result: RehearsedEvent;
  readonly lookups: readonly GivenLookup[];
  /** By connection: what is there afterwards. */
  readonly keys: ReadonlyMap<string, StoredKeys>;
}

/** A file with one job test: an event, what lookups find for it, and what becomes of it. Values are JSON, which YAML is, too. */
export function testText(parts: TestParts): string {
  const { result, lookups } = parts;
  const lines = [
    `- name: ${JSON.stringify(nameOf(result))}`,
    '  given:',
    `    - ${parts.event === null ? givenEntry(parts) : givenChange(parts.event)}`,
    ...(lookups.length === 0 ? [] : ['  lookups:', ...lookups.map(lookupLine)]),
    '  expect:',
    ...expectation(parts),
  ];
  return `${lines.join('\n')}\n`;
}

function nameOf({ op, table, key, outcome }: RehearsedEvent): string {
  const change = [OPERATIONS[op] ?? 'an entry', table, key ?? ''].filter((part) => part !== '').join(' ');
  return `${change} is ${outcome}`;
}

const OPERATIONS: Readonly<Record<string, string>> = { c: 'create', u: 'update', d: 'delete', r: 'read' };

function givenEntry({ stream, entry: { fields } }: TestParts): string {
  return `{stream: ${JSON.stringify(stream)}, fields: ${JSON.stringify(fields)}}`;
}

function givenChange({ table, op, key, before, after }: ChangeEvent): string {
  const { connector, serverName, db, schema } = table;
  const members = [
    `table: ${JSON.stringify(table.table)}`,
    `op: ${op}`,
    `key: ${rowJson(key)}`,
    `before: ${rowJson(before)}`,
    `after: ${rowJson(after)}`,
    `server_name: ${JSON.stringify(serverName)}`,
    `db: ${JSON.stringify(db)}`,
    ...(schema === '' ? [] : [`schema: ${JSON.stringify(schema)}`]),
    `connector: ${JSON.stringify(connector)}`,
  ];
  return `{${members.join(', ')}}`;
}

function lookupLine({ command, reply, error }: GivenLookup): string {
  const answer = error === null ? `reply: ${JSON.stringify(reply)}` : `error: ${JSON.stringify(error)}`;
  return `    - {command: ${JSON.stringify(command)}, ${answer}}`;
}

function expectation({ result, keys }: TestParts): string[] {
  const { outcome, reason, commands } = result;
  const own = keys.get(DEFAULT_CONNECTION) ?? new Map();
  const others = [...keys].filter(([connection, stored]) => connection !== DEFAULT_CONNECTION && stored.size > 0);
  return [
    ...(own.size === 0 ? [] : ['    keys:', ...keyLines(own, 6)]),
    ...(others.length === 0 ? [] : ['    keys_of:']),
    ...others.flatMap(([connection, stored]) => [`      ${JSON.stringify(connection)}:`, ...keyLines(stored, 8)]),
    ...(outcome === 'rejected' ? [`    rejected: ${JSON.stringify([reason])}`] : []),
    `    filtered: ${outcome === 'filtered' ? 1 : 0}`,
    ...(commands.length === 0
      ? ['    commands: []']
      : ['    commands:', ...commands.map(({ words }) => `      - ${JSON.stringify(words)}`)]),
  ];
}

function keyLines(keys: StoredKeys, indent: number): string[] {
  return [...keys].map(
    ([key, stored]) => `${' '.repeat(indent)}? ${JSON.stringify(key)}\n${' '.repeat(indent)}: ${keyAsJson(stored)}`,
  );
}
