import { isUtf8 } from 'node:buffer';
import { splitBulkStrings } from '../lib/bulk-strings.ts';
import { parseKeepingDigits } from '../lib/exact-json.ts';

/** The bytes of an entry, as far as the DLQ looks at them. */
export interface EntryBytes {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

export interface KeyAndValue {
  readonly key: Buffer | undefined;
  readonly value: Buffer | undefined;
}

const KEY = Buffer.from('key');
const VALUE = Buffer.from('value');

/** Extended format has fields `key` and `value`; compact has one pair, the key as its name. */
export function keyAndValue({ bytes, start, end }: EntryBytes): KeyAndValue {
  const parts = splitBulkStrings(bytes, start, end);
  if (isCompact(parts)) return { key: parts[0], value: parts[1] };
  const find = (name: Buffer) => parts.find((_part, i) => i % 2 === 1 && parts[i - 1]?.equals(name));
  const known = { key: find(KEY), value: find(VALUE) };
  return known.value ? known : { key: known.key, value: parts.length > 0 ? Buffer.concat(parts) : undefined };
}

/** The same fields with another key or value, in the form that the entry has. */
export function replaceKeyAndValue(
  entry: EntryBytes,
  change: { readonly key?: string; readonly value?: string },
): Buffer {
  const parts = splitBulkStrings(entry.bytes, entry.start, entry.end);
  const texts = { key: change.key, value: change.value };
  const isPair = isCompact(parts);
  const changed = parts.map((part, i) => {
    const name = isPair ? (i === 0 ? 'key' : 'value') : i % 2 === 1 ? nameOf(parts[i - 1]) : null;
    const text = name === null ? undefined : texts[name];
    if (text === undefined || name === null) return part;
    texts[name] = undefined;
    return Buffer.from(text);
  });
  // What the entry lacked.
  for (const name of ['key', 'value'] as const) {
    if (!isPair && texts[name] !== undefined) changed.push(Buffer.from(name), Buffer.from(texts[name]));
  }
  return Buffer.concat(changed.flatMap((part) => [Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n')]));
}

/** The fields of an entry in order, as texts; those that are no UTF-8 as `base64:…`. */
export function fieldTexts({ bytes, start, end }: EntryBytes): { name: string; value: string }[] {
  const parts = splitBulkStrings(bytes, start, end);
  const fields: { name: string; value: string }[] = [];
  for (let i = 0; i + 1 < parts.length; i += 2)
    fields.push({ name: text(parts[i]) ?? '', value: text(parts[i + 1]) ?? '' });
  return fields;
}

/** Number of bulk strings. */
export function fieldCount({ bytes, start, end }: EntryBytes): number {
  return splitBulkStrings(bytes, start, end).length;
}

/** JSON with the digits that were sent, without its schema; undefined where the bytes are none. */
export function payload(bytes: Buffer | undefined): unknown {
  if (!bytes || !isUtf8(bytes)) return undefined;
  try {
    const tree = parseKeepingDigits(bytes.toString('utf8'));
    if (typeof tree !== 'object' || tree === null) return tree;
    return 'schema' in tree && 'payload' in tree ? tree.payload : tree;
  } catch {
    return undefined;
  }
}

/** At most so many bytes as text, or as base64 with a prefix. */
export function text(whole: Buffer | undefined, limitBytes = Number.POSITIVE_INFINITY): string | undefined {
  if (!whole) return undefined;
  const bytes = whole.length > limitBytes ? whole.subarray(0, limitBytes) : whole;
  return isUtf8(bytes) ? bytes.toString('utf8') : `base64:${bytes.toString('base64')}`;
}

function isCompact(parts: readonly Buffer[]): boolean {
  return parts.length === 2 && nameOf(parts[0]) === null;
}

function nameOf(part: Buffer | undefined): 'key' | 'value' | null {
  return part?.equals(KEY) ? 'key' : part?.equals(VALUE) ? 'value' : null;
}
