import { isUtf8 } from 'node:buffer';
import { splitBulkStrings } from '../lib/bulk-strings.ts';
import type { StreamEntry } from '../types.ts';

export interface RawEntry {
  /** Names and values in order; what is no UTF-8 as `base64:…`. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Null where the entry has none. */
  readonly key: string | null;
  readonly value: string | null;
}

/** The texts of an entry as the feeder sent them. */
export function rawOf({ bytes, start, end }: Pick<StreamEntry, 'bytes' | 'start' | 'end'>): RawEntry {
  const parts = splitBulkStrings(bytes, start, end).map(textOf);
  const fields: [string, string][] = [];
  for (let i = 0; i + 1 < parts.length; i += 2) fields.push([parts[i] as string, parts[i + 1] as string]);
  const find = (name: string) => fields.find(([known]) => known === name)?.[1] ?? null;
  const [only] = fields;
  // The compact form has one pair, the key as its name.
  if (fields.length === 1 && only !== undefined && only[0] !== 'key' && only[0] !== 'value') {
    return { fields, key: only[0], value: only[1] };
  }
  return { fields, key: find('key'), value: find('value') };
}

function textOf(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : `base64:${bytes.toString('base64')}`;
}
