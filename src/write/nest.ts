import type { Content, Folding } from './content.ts';
import { type CommandSink, emitWords } from './encode.ts';
import { emitMerge, type JsonMergeWay, mergeKind } from './json.ts';
import { emitEdits, type JsonEdit } from './json-script.ts';
import { jsonDocument, jsonText, mayHoldNull, quote } from './json-text.ts';
import type { NestStep, NestWrite } from './types.ts';

/** Bounds of one unit: a script runs in one go, and the target does nothing else meanwhile. */
const MAX_WRITES = 250;
const MAX_CHARACTERS = 256 * 1024;
/** Commands beyond which the script is used: in a Cluster each command of a unit is a round trip. */
const MAX_COMMANDS = 8;

/** A tree of patches: members by name, a row's document at the end of its path. */
type Patch = Map<string, Patch | string>;

/** A command on the way: rows merged together, or one path taken out. */
type NativeStep = { patch: Patch; hasNulls: boolean } | { path: readonly string[] };

/**
 * Rows that go into, or out of, places inside one document, in the order in which they were written.
 *
 * At plain paths RedisJSON's own commands do it; rows for different places are one patch. Array steps, parents that must
 * exist, older ways of merging and long sequences go through the script.
 */
export class NestSteps implements Content {
  readonly kind = 'nest';
  readonly needsJson = true;
  readonly #writes: NestWrite[];
  #characters = 0;

  constructor(write: NestWrite) {
    this.#writes = [write];
    this.#count(write);
  }

  get command(): string {
    return this.#writes.some((write) => write.row !== null) ? 'JSON.MERGE' : 'JSON.DEL';
  }

  fold(write: NestWrite, inheritsExpiry: boolean): Folding {
    const isFull = this.#writes.length >= MAX_WRITES || this.#characters > MAX_CHARACTERS;
    // Whether the earlier write found a document that could take its time to live is not known here.
    if (isFull || inheritsExpiry) return 'no';
    this.#writes.push(write);
    this.#count(write);
    return 'combined';
  }

  emit(key: string, sink: CommandSink, way: JsonMergeWay): number {
    const native = nativeSteps(this.#writes, way);
    if (native === null)
      return emitEdits(
        sink,
        key,
        this.#writes.map((write) => editOf(write, way)),
      );
    let count = 0;
    for (const step of native) {
      if ('path' in step) count += emitWords(sink, ['JSON.DEL', key, jsonPath(step.path)]);
      else count += emitMerge(key, patchText(step.patch), step.hasNulls, sink);
    }
    return count;
  }

  #count({ row }: NestWrite): void {
    if (row === null) return;
    for (const value of row.values) {
      if (typeof value === 'string') this.#characters += value.length;
      else if (typeof value === 'object' && value !== null) this.#characters += value.text.length;
    }
  }
}

/** JSON.DEL for each path; those that a path cannot be written for go through the script. */
export function emitRemovals(key: string, paths: readonly (readonly string[])[], sink: CommandSink): number {
  const edits: JsonEdit[] = [];
  let count = 0;
  for (const path of paths) {
    if (path.every(isPlainName)) count += emitWords(sink, ['JSON.DEL', key, jsonPath(path)]);
    else edits.push({ kind: 'remove', steps: path, text: '', creates: false });
  }
  return edits.length === 0 ? count : count + emitEdits(sink, key, edits);
}

/** The writes as native commands in order, each as far as it reaches; null when the script must do it. */
function nativeSteps(writes: readonly NestWrite[], way: JsonMergeWay): NativeStep[] | null {
  const steps: NativeStep[] = [];
  for (const { path, row, createsParent } of writes) {
    if (!isPlainPath(path)) return null;
    if (row === null) {
      if (!path.every(isPlainName)) return null;
      steps.push({ path });
    } else {
      if (!way.jsonMerge || !way.nativeJsonMerge || !createsParent) return null;
      const document = jsonDocument(row.names, row.values);
      const hasNulls = row.values.some(mayHoldNull);
      const last = steps.at(-1);
      if (last !== undefined && 'patch' in last && addTo(last.patch, path, document)) last.hasNulls ||= hasNulls;
      else {
        const patch: Patch = new Map();
        addTo(patch, path, document);
        steps.push({ patch, hasNulls });
      }
    }
    if (steps.length > MAX_COMMANDS) return null;
  }
  return steps;
}

/** False, and nothing changed, when the place is inside one that the patch has, or around one. */
function addTo(patch: Patch, path: readonly string[], document: string): boolean {
  let place = patch;
  for (const [index, name] of path.entries()) {
    const inner = place.get(name);
    if (index === path.length - 1) {
      if (inner !== undefined) return false;
      place.set(name, document);
    } else if (inner === undefined) {
      const next: Patch = new Map();
      place.set(name, next);
      place = next;
    } else if (typeof inner === 'string') {
      return false;
    } else {
      place = inner;
    }
  }
  return true;
}

function patchText(patch: Patch): string {
  const members = Array.from(
    patch,
    ([name, inner]) => `${quote(name)}:${typeof inner === 'string' ? inner : patchText(inner)}`,
  );
  return `{${members.join(',')}}`;
}

function editOf({ path, row, createsParent }: NestWrite, way: JsonMergeWay): JsonEdit {
  const steps = path.map((step) => (typeof step === 'string' ? step : [step.field, jsonText(step.value)]));
  if (row === null) return { kind: 'remove', steps, text: '', creates: false };
  return { kind: mergeKind(way), steps, text: jsonDocument(row.names, row.values), creates: createsParent };
}

function isPlainPath(path: readonly NestStep[]): path is readonly string[] {
  return path.every((step) => typeof step === 'string');
}

/**
 * RedisJSON's paths (2.6.9) read every other character between double quotes as itself and know no escapes. They leave out
 * blanks at the beginning of a name: `" a"` would be `"a"`, another member.
 */
function isPlainName(name: string): boolean {
  return !/^\s|["\\]|\s$/.test(name);
}

function jsonPath(names: readonly string[]): string {
  return `$${names.map((name) => `["${name}"]`).join('')}`;
}
