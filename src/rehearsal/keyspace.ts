import type { JobObject, JobValue } from '../transform/expressions/types.ts';
import { type Rejection, UNAVAILABLE } from '../types.ts';
import type { HashWrite, JsonWrite, NestWrite, RemoveFieldsWrite, TargetWrite } from '../write/types.ts';
import {
  documentOf,
  mergePatch,
  plainText,
  plainTexts,
  valueAt,
  withNested,
  withoutPath,
  withValueAt,
} from './documents.ts';

/** What a key holds, by the words of job tests. */
export type StoredValue =
  | { readonly type: 'hash'; readonly fields: ReadonlyMap<string, string> }
  | { readonly type: 'json'; readonly document: JobValue }
  | { readonly type: 'set'; readonly members: ReadonlySet<string> }
  /** Scores as texts that Redis reads as numbers. */
  | { readonly type: 'zset'; readonly scores: ReadonlyMap<string, string> }
  | { readonly type: 'stream'; readonly entries: readonly (readonly (readonly [name: string, value: string])[])[] }
  | { readonly type: 'string'; readonly text: string };

export interface StoredKey {
  readonly value: StoredValue;
  /** Seconds from the last write that set it; null: persistent. */
  readonly ttl: number | null;
}

export interface KeyspaceOptions {
  /** `use_native_json_merge`: false stores the nulls of a merge. Default true. */
  readonly nativeJsonMerge?: boolean;
}

type ValueOf<T extends StoredValue['type']> = Extract<StoredValue, { type: T }>;

/** The target would refuse the write: the key holds something else. */
class WrongType extends Error {}

/**
 * The keys of one target as a model in memory: what each write leaves behind, read from `write/types.ts` alone and not from
 * the writer's code, so that the two can be held against each other. Time does not pass in it.
 */
export class Keyspace {
  readonly #keys = new Map<string, StoredKey>();
  readonly #keepNulls: boolean;

  constructor(options: KeyspaceOptions = {}) {
    this.#keepNulls = options.nativeJsonMerge === false;
  }

  /** Every key, in the order in which they came to be. */
  get keys(): ReadonlyMap<string, StoredKey> {
    return this.#keys;
  }

  /** Puts a key there, whatever was there before. */
  set(key: string, stored: StoredKey): void {
    this.#keys.set(key, stored);
  }

  /** Carries a write out. Returns why the target would refuse it; then nothing has changed. */
  apply(write: TargetWrite): Rejection | null {
    if (write.kind === 'hash' && saysNothing(write)) return null;
    try {
      this.#write(write);
      if ('expire' in write && write.expire !== undefined) this.#expire(write.key, write.expire);
      return null;
    } catch (error) {
      if (!(error instanceof WrongType)) throw error;
      return { code: 'TARGET_WRONG_TYPE', reason: error.message };
    }
  }

  #write(write: TargetWrite): void {
    const { key } = write;
    switch (write.kind) {
      case 'hash':
        this.#writeHash(write);
        break;
      case 'json':
        this.#writeJson(write);
        break;
      case 'delete':
        this.#keys.delete(key);
        break;
      case 'remove_fields':
        this.#removeFields(write);
        break;
      case 'set': {
        const members = new Set(this.#find(key, 'set', write.isMember ? 'SADD' : 'SREM')?.members);
        if (write.isMember) members.add(write.member);
        else members.delete(write.member);
        this.#put(key, { type: 'set', members }, members.size);
        break;
      }
      case 'sorted_set': {
        const scores = new Map(this.#find(key, 'zset', write.score === null ? 'ZREM' : 'ZADD')?.scores);
        if (write.score === null) scores.delete(write.member);
        else scores.set(write.member, write.score);
        this.#put(key, { type: 'zset', scores }, scores.size);
        break;
      }
      case 'stream': {
        const entries = [...(this.#find(key, 'stream', 'XADD')?.entries ?? []), plainTexts(write.row)];
        this.#put(key, { type: 'stream', entries }, 1);
        break;
      }
      case 'string':
        this.#keys.set(key, { value: { type: 'string', text: plainText(write.value) }, ttl: null });
        break;
      case 'nest':
        this.#nest(write);
        break;
      default:
        write satisfies never;
    }
  }

  #writeHash(write: HashWrite): void {
    const { key, row, removeNulls, replace } = write;
    if (isAllNull(write)) {
      this.#keys.delete(key);
      return;
    }
    const stored = this.#find(key, 'hash', 'HSET')?.fields ?? new Map<string, string>();
    const fields = new Map(replace ? undelivered(row, stored) : stored);
    for (const [name, value] of plainTexts(row)) fields.set(name, value);
    for (const [index, name] of row.names.entries()) if (removeNulls && row.values[index] === null) fields.delete(name);
    if (replace) this.#keys.delete(key);
    this.#put(key, { type: 'hash', fields }, fields.size);
  }

  #writeJson({ key, row, mode, keep = [] }: JsonWrite): void {
    const stored = this.#find(key, 'json', mode === 'merge' ? 'JSON.MERGE' : 'JSON.SET')?.document;
    const columns = documentOf(row);
    if (mode === 'merge') {
      this.#put(key, { type: 'json', document: mergePatch(stored, columns, this.#keepNulls) }, 1);
      return;
    }
    // Columns of a partial row replace what is stored under their names; the others stay.
    let document: JobValue = row.partial && stored instanceof Map ? new Map([...stored, ...columns]) : columns;
    for (const path of keep) {
      const kept = valueAt(stored, path);
      if (kept !== undefined) document = withValueAt(document, path, kept);
    }
    this.#put(key, { type: 'json', document }, 1);
  }

  #removeFields({ key, type, paths }: RemoveFieldsWrite): void {
    if (type === 'hash') {
      const fields = new Map(this.#find(key, 'hash', 'HDEL')?.fields);
      for (const [name] of paths) fields.delete(name!);
      this.#put(key, { type: 'hash', fields }, fields.size);
      return;
    }
    const found = this.#find(key, 'json', 'JSON.DEL');
    if (found === undefined) return;
    this.#put(key, { type: 'json', document: paths.reduce(withoutPath, found.document) }, 1);
  }

  #nest(write: NestWrite): void {
    const found = this.#find(write.key, 'json', write.row === null ? 'JSON.DEL' : 'JSON.MERGE');
    if (found === undefined && (write.row === null || !write.createsParent)) return;
    const parent: JobObject = new Map();
    this.#put(write.key, { type: 'json', document: withNested(found?.document ?? parent, write, this.#keepNulls) }, 1);
  }

  #find<T extends StoredValue['type']>(key: string, type: T, command: string): ValueOf<T> | undefined {
    const stored = this.#keys.get(key)?.value;
    if (stored === undefined || stored.type === type) return stored as ValueOf<T> | undefined;
    throw new WrongType(
      `WRONGTYPE: ${command} on "${key}" found a ${stored.type} where a ${type} is needed. Delete the key, or write to another one`,
    );
  }

  /** Leaves the time to live as it is. Redis keeps no empty collections. */
  #put(key: string, value: StoredValue, size: number): void {
    if (size === 0) this.#keys.delete(key);
    else this.#keys.set(key, { value, ttl: this.#keys.get(key)?.ttl ?? null });
  }

  #expire(key: string, ttl: number): void {
    const stored = this.#keys.get(key);
    if (stored !== undefined) this.#keys.set(key, { ...stored, ttl: ttl === 0 ? null : ttl });
  }
}

/** No field to set or to remove: then the time to live is not touched either. */
function saysNothing({ row, removeNulls, replace }: HashWrite): boolean {
  return !replace && row.values.every((value) => value === UNAVAILABLE || (value === null && !removeNulls));
}

/**
 * A row of nothing but nulls deletes the hash that is its own: that of a table without a job, or one that is replaced. That of a
 * job may have fields of other outputs. Source: specification of types, section 18, 11.
 */
function isAllNull({ row, removeNulls, replace, origin }: HashWrite): boolean {
  const isOwn = replace || (removeNulls && (origin === undefined || row.values.length === 0));
  return isOwn === true && row.values.every((value) => value === null);
}

/** The stored fields of columns that were not delivered: nothing new is known of them. */
function undelivered(row: HashWrite['row'], stored: ReadonlyMap<string, string>): [string, string][] {
  return row.names.flatMap((name, index) => {
    const value = row.values[index] === UNAVAILABLE ? stored.get(name) : undefined;
    return value === undefined ? [] : [[name, value] as [string, string]];
  });
}
