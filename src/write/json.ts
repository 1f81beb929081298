import { UNAVAILABLE } from '../types.ts';
import { type CommandSink, emitWords } from './encode.ts';
import type { Unit } from './fold.ts';
import { emitEdits } from './json-script.ts';
import { isObject, jsonDocument, mayHoldNull } from './json-text.ts';

/** How merges are written: what the target has, and what the configuration asks for. */
export interface JsonMergeWay {
  /** False when the target's RedisJSON has no JSON.MERGE (before 2.6). */
  readonly jsonMerge: boolean;
  /** `use_native_json_merge`. */
  readonly nativeJsonMerge: boolean;
}

/** The commands of a JSON unit. */
export function emitJson(unit: Unit, sink: CommandSink, way: JsonMergeWay): number {
  const document = jsonDocument(unit.names, unit.values);
  if (unit.mode === 'replace') return emitReplace(unit, document, sink, way);
  if (way.nativeJsonMerge && way.jsonMerge) {
    return emitMerge(unit.key, document, unit.values.some(mayHoldNull), sink);
  }
  return emitEdits(sink, unit.key, [{ kind: mergeKind(way), steps: [], text: document, creates: true }]);
}

/** How a script merges where JSON.MERGE is not used. */
export function mergeKind(way: JsonMergeWay): 'rfc' | 'keepnull' {
  return way.nativeJsonMerge ? 'rfc' : 'keepnull';
}

/**
 * JSON.MERGE of a patch. On a missing key it stores the patch as it is, nulls included (RedisJSON 2.6.9), where RFC 7396
 * drops them; so a patch with nulls first makes sure that there is a document.
 */
export function emitMerge(key: string, patch: string, hasNulls: boolean, sink: CommandSink): number {
  if (hasNulls) emitWords(sink, ['JSON.SET', key, '$', '{}', 'NX']);
  emitWords(sink, ['JSON.MERGE', key, '$', patch]);
  return hasNulls ? 2 : 1;
}

function emitReplace(unit: Unit, document: string, sink: CommandSink, way: JsonMergeWay): number {
  const { key, values, keep } = unit;
  // After DEL nothing is stored that could be kept.
  if (unit.clear || (keep === null && !unit.partial)) return emitWords(sink, ['JSON.SET', key, '$', document]);
  if (keep !== null) {
    return emitEdits(sink, key, [
      { kind: unit.partial ? 'keepcolumns' : 'keep', steps: keep, text: document, creates: true },
    ]);
  }
  const mergeIsExact = !values.some((value) => value === null || (value !== UNAVAILABLE && isObject(value)));
  if (mergeIsExact && way.jsonMerge && way.nativeJsonMerge) return emitWords(sink, ['JSON.MERGE', key, '$', document]);
  return emitEdits(sink, key, [{ kind: 'columns', steps: [], text: document, creates: true }]);
}
