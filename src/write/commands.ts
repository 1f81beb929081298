import { type CommandSink, CommandWords, emitWords } from './encode.ts';
import { isEmptyWrite, Unit } from './fold.ts';
import { emitHash, HASH_SCRIPT } from './hash.ts';
import { emitJson, type JsonMergeWay } from './json.ts';
import { JSON_SCRIPT } from './json-script.ts';
import { STREAM_SCRIPT } from './stream.ts';
import type { TargetWrite } from './types.ts';

export type { JsonMergeWay } from './json.ts';

/**
 * Hands the next commands of a unit to `sink` and says how many there are (each is answered once).
 *
 * | unit | commands |
 * |---|---|
 * | delete | DEL |
 * | hash | HSET key name value … for what is set, then HDEL key name … for what is removed |
 * | hash, replace | script: the hash becomes the row, undelivered columns stay |
 * | json, replace | JSON.SET key $ document |
 * | json, replace, keep | script: the document is set, what is stored at the paths stays |
 * | json, merge | JSON.MERGE key $ patch; a patch with nulls first makes sure that there is a document |
 * | json, replace, columns missing | JSON.MERGE where that means the same, else the script |
 * | remove_fields | HDEL key name …, or JSON.DEL key path for each path |
 * | set, sorted_set | SREM/ZREM of all that go, SADD/ZADD of all that come; what was written first goes first |
 * | stream | XADD key * name value …; script for several entries |
 * | string | SET key value |
 * | nest | JSON.MERGE of the rows at their places, JSON.DEL of those that go; script for arrays and what is not native |
 *
 * A unit with `clear` begins with DEL. A time to live (EXPIRE, PERSIST) is a second step, sent when the target has accepted
 * the first: else a refused write would let the key of somebody else run out.
 */
export function emitCommands(unit: Unit, sink: CommandSink, way: JsonMergeWay): number {
  if (unit.isWritten) return emitExpiry(unit, sink);
  let count = 0;
  if (unit.clear) {
    sink.begin(2);
    sink.text('DEL');
    sink.text(unit.key);
    count = 1;
  }
  if (unit.kind === 'hash') return count + emitHash(unit, sink);
  if (unit.kind === 'json') return count + emitJson(unit, sink, way);
  if (unit.content !== null) return count + unit.content.emit(unit.key, sink, way);
  return count;
}

/** Name of the command that a refusal is about. */
export function commandName(unit: Unit): string {
  if (unit.isWritten) return 'EXPIRE';
  if (unit.kind === 'hash') return 'HSET';
  if (unit.kind === 'json') return unit.mode === 'replace' && !unit.partial ? 'JSON.SET' : 'JSON.MERGE';
  return unit.content?.command ?? 'DEL';
}

/**
 * The commands of one write as words, in the order in which the target gets them; by default a target with JSON.MERGE. A
 * script shows by its name: `EVAL`, name, `1`, key, arguments.
 */
export function commandsOf(write: TargetWrite, way: JsonMergeWay = NATIVE): string[][] {
  if (isEmptyWrite(write)) return [];
  const unit = new Unit(write, null, 0);
  const words = new CommandWords();
  emitCommands(unit, words, way);
  if (unit.hasExpiry) {
    unit.isWritten = true;
    emitCommands(unit, words, way);
  }
  for (const command of words.commands) {
    if (command[0] === 'EVAL') command[1] = SCRIPT_NAMES.get(command[1]!)!;
  }
  return words.commands;
}

const NATIVE: JsonMergeWay = { jsonMerge: true, nativeJsonMerge: true };

const SCRIPT_NAMES: ReadonlyMap<string, string> = new Map([
  [HASH_SCRIPT, 'hash-replace'],
  [JSON_SCRIPT, 'json-edit'],
  [STREAM_SCRIPT, 'stream-append'],
]);

function emitExpiry(unit: Unit, sink: CommandSink): number {
  if (unit.expire === 0) return emitWords(sink, ['PERSIST', unit.key]);
  return emitWords(sink, ['EXPIRE', unit.key, String(unit.expire)]);
}
