import type { ChangeEvent, Rejection } from '../types.ts';
import type { TargetWrite } from '../write/types.ts';
import { KeyTemplate } from './default-key.ts';
import { NestedPaths } from './jobs/outputs/nested-paths.ts';

export interface MappingSettings {
  readonly dataType: 'hash' | 'json';
  /** How an update of a JSON document is written. */
  readonly jsonUpdate: 'replace' | 'merge';
  /** Form of the keys; `{table}:{key}` unless said otherwise. */
  readonly keyTemplate?: string;
}

/** Connection of the tables without a job. */
const CONNECTION = 'target';

/**
 * The mapping for tables without a job. `nested` says what jobs nest into their documents: that survives when a document is
 * replaced.
 */
export class DefaultMapping {
  readonly #settings: MappingSettings;
  readonly #keys: KeyTemplate;
  readonly #nested: NestedPaths;

  constructor(settings: MappingSettings, nested: NestedPaths = new NestedPaths()) {
    this.#settings = settings;
    this.#keys = new KeyTemplate(settings.keyTemplate);
    this.#nested = nested;
  }

  /** Adds the event's write to `writes`, or returns why there is none. `index` is the entry's place in its batch. */
  apply(event: ChangeEvent, index: number, writes: TargetWrite[]): Rejection | null {
    const { op, after, table } = event;
    const key = this.#keys.keyOf(event.key, table);
    if (typeof key !== 'string') return key;
    if (op === 'd' || after === null) writes.push({ kind: 'delete', key, index });
    else if (this.#settings.dataType === 'hash') {
      // A create has nothing to remove. A snapshot row may meet the hash that an earlier snapshot left.
      writes.push({ kind: 'hash', key, index, row: after, removeNulls: op !== 'c' });
    } else {
      const mode = this.#settings.jsonUpdate;
      const nested = mode === 'replace' ? this.#nested.into(table, CONNECTION) : null;
      if (nested === null) writes.push({ kind: 'json', key, index, row: after, mode });
      else if (nested.atRoot) writes.push({ kind: 'json', key, index, row: after, mode: 'merge' });
      else writes.push({ kind: 'json', key, index, row: after, mode, keep: nested.keep });
    }
    return null;
  }
}
