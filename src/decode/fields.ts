import type { StreamEntry } from '../types.ts';

const DOLLAR = 0x24;
const RETURN = 0x0d;
const ZERO = 0x30;

const KEY = Buffer.from('key');
const VALUE = Buffer.from('value');
const UNDERSCORES = Buffer.from('__');
const CONTEXT = Buffer.from('__DEBEZIUM.');
const NO_HEADERS: readonly [string, string][] = [];

/** All fields of an entry as texts, in the order they were sent. For the DLQ and for people; not for the data path. */
export function readFields(entry: StreamEntry): [string, string][] {
  const fields: [string, string][] = [];
  const cursor = new FieldCursor();
  cursor.load(entry);
  while (cursor.next()) {
    const name = entry.bytes.utf8Slice(cursor.start, cursor.end);
    if (!cursor.next()) break;
    fields.push([name, entry.bytes.utf8Slice(cursor.start, cursor.end)]);
  }
  return fields;
}

/** Walks the bulk strings (`$<length>\r\n<bytes>\r\n`) of an entry; `start` and `end` are those of the current one. */
class FieldCursor {
  start = 0;
  end = 0;
  #bytes: Buffer = KEY;
  #at = 0;
  #limit = 0;

  load(entry: StreamEntry): void {
    this.#bytes = entry.bytes;
    this.#at = entry.start;
    this.#limit = entry.end;
  }

  /** False at the end, and where the bytes are no bulk string. */
  next(): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    if (at >= this.#limit || bytes[at] !== DOLLAR) return false;
    let length = 0;
    for (at++; at < this.#limit && bytes[at] !== RETURN; at++) length = length * 10 + bytes[at]! - ZERO;
    this.start = at + 2;
    this.end = this.start + length;
    this.#at = this.end + 2;
    return length >= 0 && this.#at <= this.#limit;
  }
}

/**
 * Finds key, value and headers of an entry without copying. The two formats of Debezium's Redis sink
 * (`debezium.sink.redis.message.format`):
 *
 * - `compact`: one pair, whose name is the key text and whose value is the value text.
 * - `extended`: pairs `key` and `value`, then one per header, names in upper case.
 */
export class EntryFields {
  /** Bytes of the key text; `keyStart` is −1 when the entry has none. */
  keyStart = -1;
  keyEnd = -1;
  /** Bytes of the value text; `valueStart` is −1 when the entry is neither compact nor extended. */
  valueStart = -1;
  valueEnd = -1;
  readonly #cursor = new FieldCursor();
  #entry: StreamEntry | null = null;

  locate(entry: StreamEntry): void {
    const { bytes } = entry;
    const cursor = this.#cursor;
    this.#entry = entry;
    this.keyStart = -1;
    this.valueStart = -1;
    cursor.load(entry);
    while (cursor.next()) {
      const nameStart = cursor.start;
      const nameEnd = cursor.end;
      if (!cursor.next()) return;
      if (this.keyStart < 0 && isWord(bytes, nameStart, nameEnd, KEY)) {
        this.keyStart = cursor.start;
        this.keyEnd = cursor.end;
      } else if (this.valueStart < 0 && isWord(bytes, nameStart, nameEnd, VALUE)) {
        this.valueStart = cursor.start;
        this.valueEnd = cursor.end;
      } else if (entry.fieldCount === 2) {
        this.keyStart = nameStart;
        this.keyEnd = nameEnd;
        this.valueStart = cursor.start;
        this.valueEnd = cursor.end;
      }
      // Headers follow; they are read only when somebody asks.
      if (this.keyStart >= 0 && this.valueStart >= 0) return;
    }
  }

  /** Headers whose names start with `__`, but for the context that Debezium adds to each record: name and text. */
  metadataHeaders(): readonly [string, string][] {
    const entry = this.#entry;
    if (entry === null || entry.fieldCount <= 4) return NO_HEADERS;
    const headers: [string, string][] = [];
    const cursor = this.#cursor;
    cursor.load(entry);
    while (cursor.next()) {
      const { start, end } = cursor;
      if (!cursor.next()) break;
      if (!startsWith(entry.bytes, start, end, UNDERSCORES) || startsWith(entry.bytes, start, end, CONTEXT)) continue;
      headers.push([entry.bytes.utf8Slice(start, end), entry.bytes.utf8Slice(cursor.start, cursor.end)]);
    }
    return headers;
  }

  /** Text of a header by its upper-case name; null when the entry has no such header. */
  header(name: string): string | null {
    const entry = this.#entry;
    if (entry === null || entry.fieldCount === 2) return null;
    const word = Buffer.from(name);
    const cursor = this.#cursor;
    cursor.load(entry);
    while (cursor.next()) {
      const found = isWord(entry.bytes, cursor.start, cursor.end, word);
      if (!cursor.next()) return null;
      if (found) return entry.bytes.utf8Slice(cursor.start, cursor.end);
    }
    return null;
  }
}

function isWord(bytes: Buffer, start: number, end: number, word: Uint8Array): boolean {
  return end - start === word.length && startsWith(bytes, start, end, word);
}

function startsWith(bytes: Buffer, start: number, end: number, word: Uint8Array): boolean {
  if (end - start < word.length) return false;
  for (let i = 0; i < word.length; i++) {
    if (bytes[start + i] !== word[i]) return false;
  }
  return true;
}
