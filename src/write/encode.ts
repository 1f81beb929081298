import { JsonText, NumberText } from '../types.ts';
import type { Writable } from './types.ts';

export type { Writable } from './types.ts';

/**
 * Takes commands word by word. Two implementations: {@link CommandBuffer} writes RESP bytes (the hot path), and
 * {@link CommandWords} collects strings for a client that encodes by itself (Cluster).
 */
export interface CommandSink {
  /** Begins a command of `words` words, the name included. Exactly that many calls must follow. */
  begin(words: number): void;
  text(text: string): void;
  /** A value as a hash shows it: text as is, digits as written, booleans 1 and 0, JSON as text. */
  value(value: Writable): void;
  /** A column's name; names are cached by the identity of their array. */
  name(names: readonly string[], index: number): void;
}

interface EncodedNames {
  readonly bytes: Uint8Array;
  /** `bytes[ends[i - 1], ends[i])` is name i as a bulk string. */
  readonly ends: Uint32Array;
}

const DOLLAR = 0x24;
const STAR = 0x2a;
const CR = 13;
const LF = 10;
/** Below this length a loop in JavaScript beats the call into native code. */
const SHORT = 48;

/**
 * RESP commands in one growing buffer, to be sent with one write.
 *
 * Strings are written straight into the buffer: short ASCII in a loop, everything else by Node's UTF-8 encoder behind
 * room left for the length. `benchmarks/micro/encode.ts` shows what that is worth against a general client.
 */
export class CommandBuffer implements CommandSink {
  bytes: Buffer;
  length = 0;
  #names: readonly string[] | undefined;
  #encoded: EncodedNames | undefined;
  readonly #cache = new WeakMap<readonly string[], EncodedNames>();

  constructor(capacity = 64 * 1024) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  begin(words: number): void {
    this.#reserve(16);
    this.bytes[this.length++] = STAR;
    this.#digits(words);
    this.#lineEnd();
  }

  text(text: string): void {
    const length = text.length;
    if (length >= SHORT) {
      this.#longText(text);
      return;
    }
    this.#reserve(length * 3 + 16);
    const bytes = this.bytes;
    let at = this.length;
    bytes[at++] = DOLLAR;
    if (length >= 10) bytes[at++] = 48 + ((length / 10) | 0);
    bytes[at++] = 48 + (length % 10);
    bytes[at++] = CR;
    bytes[at++] = LF;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 127) {
        this.#longText(text);
        return;
      }
      bytes[at++] = code;
    }
    bytes[at++] = CR;
    bytes[at++] = LF;
    this.length = at;
  }

  value(value: Writable): void {
    if (typeof value === 'string') this.text(value);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'boolean') this.text(value ? '1' : '0');
    else this.text(value.text);
  }

  name(names: readonly string[], index: number): void {
    if (names !== this.#names) this.#lookUp(names);
    const { bytes: source, ends } = this.#encoded!;
    let from = index === 0 ? 0 : ends[index - 1]!;
    const end = ends[index]!;
    this.#reserve(end - from);
    const bytes = this.bytes;
    let at = this.length;
    while (from < end) bytes[at++] = source[from++]!;
    this.length = at;
  }

  #number(value: number): void {
    if (value !== (value | 0) || value < 0) {
      this.text(String(value));
      return;
    }
    this.#reserve(24);
    const digits = digitCount(value);
    this.bytes[this.length++] = DOLLAR;
    this.#digits(digits);
    this.#lineEnd();
    this.#digits(value);
    this.#lineEnd();
  }

  /** Room for the length is left by the number of characters; when the UTF-8 needs more digits, the text moves up. */
  #longText(text: string): void {
    const length = text.length;
    const expected = digitCount(length);
    this.#reserve((length < 4096 ? length * 3 : Buffer.byteLength(text)) + 32);
    const textStart = this.length + 1 + expected + 2;
    const written = this.bytes.write(text, textStart, 'utf8');
    const shift = digitCount(written) - expected;
    if (shift > 0) this.bytes.copyWithin(textStart + shift, textStart, textStart + written);
    this.bytes[this.length++] = DOLLAR;
    this.#digits(written);
    this.#lineEnd();
    this.length += written;
    this.#lineEnd();
  }

  #digits(value: number): void {
    const bytes = this.bytes;
    const count = digitCount(value);
    let at = this.length + count;
    this.length = at;
    let rest = value;
    do {
      bytes[--at] = 48 + (rest % 10);
      rest = (rest / 10) | 0;
    } while (rest > 0);
  }

  #lineEnd(): void {
    this.bytes[this.length++] = CR;
    this.bytes[this.length++] = LF;
  }

  #reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.length + count));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  #lookUp(names: readonly string[]): void {
    let encoded = this.#cache.get(names);
    if (encoded === undefined) {
      encoded = encodeNames(names);
      this.#cache.set(names, encoded);
    }
    this.#names = names;
    this.#encoded = encoded;
  }
}

/** Commands as lists of strings. */
export class CommandWords implements CommandSink {
  readonly commands: string[][] = [];
  #current: string[] = [];

  begin(_words: number): void {
    this.#current = [];
    this.commands.push(this.#current);
  }

  text(text: string): void {
    this.#current.push(text);
  }

  value(value: Writable): void {
    this.#current.push(hashText(value));
  }

  name(names: readonly string[], index: number): void {
    this.#current.push(names[index]!);
  }
}

/** Hands one command to the sink; 1, the number of its answers. */
export function emitWords(sink: CommandSink, words: readonly string[]): number {
  sink.begin(words.length);
  for (const word of words) sink.text(word);
  return 1;
}

/** A value as a hash field shows it (`types.md` §9). */
export function hashText(value: Writable): string {
  if (value instanceof NumberText || value instanceof JsonText) return value.text;
  if (typeof value === 'boolean') return value ? '1' : '0';
  return String(value);
}

function encodeNames(names: readonly string[]): EncodedNames {
  const words = names.map((name) => Buffer.from(`$${Buffer.byteLength(name)}\r\n${name}\r\n`));
  const ends = new Uint32Array(names.length);
  let end = 0;
  words.forEach((word, index) => {
    end += word.length;
    ends[index] = end;
  });
  return { bytes: Buffer.concat(words), ends };
}

function digitCount(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  let count = 3;
  for (let rest = value; rest >= 1000; rest = Math.floor(rest / 10)) count++;
  return count;
}
