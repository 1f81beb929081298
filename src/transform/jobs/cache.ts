import type { Clock } from '../../lib/clock.ts';
import { NumberText } from '../../types.ts';
import { columnName, readColumn } from '../expressions/sql-columns.ts';
import type { JobObject, JobValue } from '../expressions/types.ts';
import { compactJson } from '../expressions/values.ts';
import type { CacheSettings, CompiledExpression } from './definition.ts';

/** Keeps values for a time; of more than `maxSize` the one that was not asked for longest is dropped. */
export class TimedCache {
  readonly #settings: CacheSettings;
  readonly #clock: Clock;
  readonly #kept = new Map<string, { readonly value: JobValue; readonly until: number }>();

  constructor(settings: CacheSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** Undefined when there is none, or none any more. */
  get(key: string): JobValue | undefined {
    const found = this.#kept.get(key);
    if (found === undefined) return undefined;
    this.#kept.delete(key);
    if (found.until <= this.#clock.elapsed()) return undefined;
    this.#kept.set(key, found);
    return found.value;
  }

  /** Keeps a copy: texts of an event are slices that would hold the whole event in memory. */
  set(key: string, value: JobValue): void {
    const { maxSize, ttlMs } = this.#settings;
    this.#kept.delete(key);
    this.#kept.set(key, { value: detached(value), until: this.#clock.elapsed() + ttlMs });
    if (this.#kept.size <= maxSize) return;
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
      return;
    }
  }
}

function detached(value: JobValue): JobValue {
  if (typeof value === 'string') return detachedText(value);
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof NumberText) return new NumberText(detachedText(value.text));
  if (Array.isArray(value)) return value.map(detached);
  return new Map([...value].map(([name, member]) => [detachedText(name), detached(member)]));
}

/** A half surrogate must survive, so the copy is made of its UTF-16 units. */
function detachedText(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}

/**
 * The expression's evaluation, through a cache where it has one: by the values of the fields that it reads, never by the whole
 * record. An expression that may read any field is not cached, nor is one whose result changes by itself.
 */
export function cachedExpression(expression: CompiledExpression, clock: Clock): (record: JobValue) => JobValue {
  const { cache: settings, reads, isVolatile, language, evaluate } = expression;
  if (settings === null || reads === null || isVolatile) return evaluate;
  const cache = new TimedCache(settings, clock);
  const read = language === 'sql' ? readersOfColumns(reads) : readersOfFields(reads);
  return (record) => {
    if (!(record instanceof Map)) return evaluate(record);
    const key = keyOf(record, read);
    const known = cache.get(key);
    if (known !== undefined) return known;
    const value = evaluate(record);
    cache.set(key, value);
    return value;
  };
}

type Reader = (record: JobObject) => JobValue;

function readersOfFields(names: readonly string[]): Reader[] {
  return names.map((name) => (record) => record.get(name) ?? null);
}

/** SQL finds columns also by paths and in another case. */
function readersOfColumns(names: readonly string[]): Reader[] {
  return names.map(columnName).map((column) => (record) => readColumn(record, column));
}

function keyOf(record: JobObject, readers: readonly Reader[]): string {
  let key = '';
  for (const read of readers) key += `${compactJson(read(record))},`;
  return key;
}
