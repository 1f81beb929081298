import { isUtf8 } from 'node:buffer';
import { splitBulkStrings } from '../lib/bulk-strings.ts';
import { parseKeepingDigits } from '../lib/exact-json.ts';
import type { StreamEntry } from '../types.ts';

/** Larger values are not parsed for the place in the source. */
const MAX_PARSED_BYTES = 8 << 20;

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

/**
 * Where a change stands in the log of its database, by the names of the connectors' `source` blocks: `lsn 0/16B3748`,
 * `binlog mysql-bin.000003:154`, `scn 1234`. Null for what does not say it.
 */
export function sourcePositionOf({ value }: RawEntry): string | null {
  if (value === null || value.length > MAX_PARSED_BYTES) return null;
  const source = sourceBlockOf(value);
  if (source === null) return null;
  const text = (name: string): string | null => {
    const found = source[name];
    return found === undefined || found === null || found === ''
      ? null
      : String(JSON.stringify(found)).replaceAll('"', '');
  };
  const said = (word: string, name: string) => (text(name) === null ? null : `${word} ${text(name)}`);
  if (text('file') !== null) {
    const gtid = said(', gtid', 'gtid')?.replace(' , ', ', ') ?? '';
    return `binlog ${text('file')}:${text('pos') ?? '0'}${text('row') === null ? '' : `, row ${text('row')}`}${gtid}`;
  }
  if (text('lsn') !== null) return `lsn ${lsnOf(text('lsn') as string)}`;
  return said('scn', 'scn') ?? said('lsn', 'change_lsn') ?? said('lsn', 'commit_lsn') ?? said('ord', 'ord');
}

function sourceBlockOf(value: string): Readonly<Record<string, unknown>> | null {
  try {
    const tree = parseKeepingDigits(value) as { payload?: { source?: unknown }; source?: unknown } | null;
    const source = tree?.payload?.source ?? tree?.source;
    return typeof source === 'object' && source !== null ? (source as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** PostgreSQL's way to write a position: both halves in hexadecimal. */
function lsnOf(number: string): string {
  if (!/^\d+$/.test(number)) return number;
  const whole = BigInt(number);
  return `${(whole >> 32n).toString(16)}/${(whole & 0xffffffffn).toString(16)}`.toUpperCase();
}
