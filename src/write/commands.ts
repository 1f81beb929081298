import { UNAVAILABLE } from '../types.ts';
import type { CommandSink, Writable } from './encode.ts';
import type { Unit } from './fold.ts';
import { JSON_MERGE_SCRIPT } from './json-script.ts';
import { isObject, jsonDocument, mayHoldNull } from './json-text.ts';

/** How merges are written: what the target has, and what the configuration asks for. */
export interface JsonMergeWay {
  /** False when the target's RedisJSON has no JSON.MERGE (before 2.6). */
  readonly jsonMerge: boolean;
  /** `use_native_json_merge`. */
  readonly nativeJsonMerge: boolean;
}

/**
 * Hands a unit's commands to `sink` and says how many there are (0 to 3; each is answered once).
 *
 * | unit | commands |
 * |---|---|
 * | delete | DEL |
 * | hash | HSET key name value … for what is set, then HDEL key name … for what is removed |
 * | json, replace | JSON.SET key $ document |
 * | json, merge | JSON.MERGE key $ patch; a patch with nulls first makes sure that there is a document |
 * | json, replace, columns missing | JSON.MERGE where that means the same, else the script |
 *
 * A unit with `clear` begins with DEL.
 */
export function emitCommands(unit: Unit, sink: CommandSink, way: JsonMergeWay): number {
  let count = 0;
  if (unit.clear) {
    sink.begin(2);
    sink.text('DEL');
    sink.text(unit.key);
    count = 1;
  }
  if (unit.kind === 'hash') return count + emitHash(unit, sink);
  if (unit.kind === 'json') return count + emitJson(unit, sink, way);
  return count;
}

/** Name of the command that a refusal is about. */
export function commandName(unit: Unit): string {
  if (unit.kind === 'hash') return 'HSET';
  if (unit.kind === 'none') return 'DEL';
  return unit.mode === 'replace' && !unit.partial ? 'JSON.SET' : 'JSON.MERGE';
}

function emitHash(unit: Unit, sink: CommandSink): number {
  const { names, values } = unit;
  let sets = 0;
  let removals = 0;
  for (const value of values) {
    if (value === null) removals++;
    else if (value !== UNAVAILABLE) sets++;
  }
  if (sets > 0) {
    sink.begin(2 + sets * 2);
    sink.text('HSET');
    sink.text(unit.key);
    for (let index = 0; index < values.length; index++) {
      const value = values[index];
      if (value === null || value === UNAVAILABLE) continue;
      sink.name(names, index);
      sink.value(value as Writable);
    }
  }
  // After DEL there is no field to remove.
  if (removals === 0 || unit.clear) return sets > 0 ? 1 : 0;
  sink.begin(2 + removals);
  sink.text('HDEL');
  sink.text(unit.key);
  for (let index = 0; index < values.length; index++) {
    if (values[index] === null) sink.name(names, index);
  }
  return sets > 0 ? 2 : 1;
}

function emitJson(unit: Unit, sink: CommandSink, way: JsonMergeWay): number {
  const { key, values } = unit;
  const document = jsonDocument(unit.names, values);
  if (unit.mode === 'replace') {
    // After DEL nothing is stored that a missing column could keep.
    if (!unit.partial || unit.clear) return emitWords(sink, ['JSON.SET', key, '$', document]);
    const mergeIsExact = !values.some((value) => value === null || isObject(value));
    if (mergeIsExact && way.jsonMerge && way.nativeJsonMerge) {
      return emitWords(sink, ['JSON.MERGE', key, '$', document]);
    }
    return emitScript(sink, key, document, 'columns');
  }
  if (!way.nativeJsonMerge) return emitScript(sink, key, document, 'keepnull');
  if (!way.jsonMerge) return emitScript(sink, key, document, 'rfc');
  if (!values.some(mayHoldNull)) return emitWords(sink, ['JSON.MERGE', key, '$', document]);
  // JSON.MERGE on a missing key stores the patch as it is, nulls included (RedisJSON 2.6.9), where RFC 7396 drops them.
  emitWords(sink, ['JSON.SET', key, '$', '{}', 'NX']);
  emitWords(sink, ['JSON.MERGE', key, '$', document]);
  return 2;
}

function emitScript(sink: CommandSink, key: string, document: string, how: string): number {
  return emitWords(sink, ['EVAL', JSON_MERGE_SCRIPT, '1', key, document, how]);
}

function emitWords(sink: CommandSink, words: readonly string[]): number {
  sink.begin(words.length);
  for (const word of words) sink.text(word);
  return 1;
}
