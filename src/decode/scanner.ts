import { JsonText, NumberText, type Value } from '../types.ts';
import { compactJson } from './compact-json.ts';
import {
  BACKSLASH,
  BLANK,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  ESCAPES,
  HEX,
  MINUS,
  OPEN_BRACE,
  OPEN_BRACKET,
  POINT,
  QUOTE,
  STRING_CLASS,
  ZERO,
} from './json-bytes.ts';
import { Literal } from './literal.ts';
import { numberOf } from './numbers.ts';
import { DecodeProblem } from './problem.ts';

const NOTHING = Buffer.alloc(0);
const NULL = Literal.of('null');
const TRUE = Literal.of('true');
const FALSE = Literal.of('false');

/**
 * Reads JSON (RFC 8259) straight from the bytes of an entry, accepting exactly what `JSON.parse` accepts.
 *
 * It differs from `JSON.parse` in what it makes: numbers keep their digits, arrays and objects stay text, and what nobody
 * asked for is checked but never turned into values. That, and not making a string per member name, is why it is faster.
 * Every reading method starts at `at` and leaves `at` behind what it read; none goes beyond `end`.
 */
export class Scanner {
  bytes: Buffer = NOTHING;
  at = 0;
  end = 0;
  /** The rest of the text with one character per byte, made when the first string is read; slices of it are cheap. */
  #text = '';
  #textStart = -1;
  /** What the last skipped strings held, OR-ed: 1 if a byte was not ASCII. */
  #wide = 0;
  #blanks = false;
  #stack = new Uint8Array(64);
  /** Four bytes at a time over the memory behind `bytes`, which starts there at `#base`. */
  #view: DataView = new DataView(NOTHING.buffer);
  #base = 0;

  load(bytes: Buffer, start: number, end: number): void {
    if (bytes !== this.bytes) {
      if (bytes.buffer !== this.#view.buffer) this.#view = new DataView(bytes.buffer);
      this.#base = bytes.byteOffset;
    }
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.#textStart = -1;
  }

  /** @throws DecodeProblem always. */
  fail(): never {
    const found =
      this.at < this.end
        ? `unexpected ${JSON.stringify(String.fromCharCode(this.bytes[this.at]!))}`
        : 'text ends too early';
    throw new DecodeProblem(
      'DECODE_NOT_JSON',
      found,
      'Set `debezium.format.key=json` and `debezium.format.value=json` at the feeder',
    );
  }

  /** Goes on behind `literal` and answers true if it stands here; else stays and answers false. */
  matches(literal: Literal): boolean {
    const { at } = this;
    const { words } = literal;
    const { length } = literal.bytes;
    if (at + length > this.end) return false;
    if (length < 4) return this.#matchesFew(literal.bytes);
    const view = this.#view;
    const from = this.#base + at;
    const last = words.length - 1;
    for (let i = 0; i < last; i++) {
      if (view.getInt32(from + i * 4, true) !== words[i]) return false;
    }
    if (view.getInt32(from + length - 4, true) !== words[last]) return false;
    this.at = at + length;
    return true;
  }

  #matchesFew(literal: Uint8Array): boolean {
    const { bytes, at } = this;
    for (let i = 0; i < literal.length; i++) {
      if (bytes[at + i] !== literal[i]) return false;
    }
    this.at = at + literal.length;
    return true;
  }

  skipBlanks(): void {
    const { bytes, end } = this;
    let at = this.at;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte !== BLANK && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
      at++;
      this.#blanks = true;
    }
    this.at = at;
  }

  /** True before a blank: something learned from a text without blanks does not fit, however well it began. */
  get atBlank(): boolean {
    return this.at < this.end && this.bytes[this.at]! <= BLANK;
  }

  /** Only blanks may follow the value that was read. */
  expectEnd(): void {
    this.skipBlanks();
    if (this.at !== this.end) this.fail();
  }

  expect(byte: number): void {
    if (this.at >= this.end || this.bytes[this.at] !== byte) this.fail();
    this.at++;
  }

  /** Reads any value: arrays and objects become compact {@link JsonText}. */
  readValue(): Value {
    const byte = this.at < this.end ? this.bytes[this.at]! : 0;
    if (byte === QUOTE) return this.readString();
    if (byte === MINUS || (byte >= ZERO && byte <= 0x39)) return this.readNumber();
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) return this.#readNested();
    return this.#readWord();
  }

  #readWord(): null | boolean {
    if (this.matches(NULL)) return null;
    if (this.matches(TRUE)) return true;
    if (this.matches(FALSE)) return false;
    return this.fail();
  }

  readString(): string {
    const { bytes, end } = this;
    const start = this.at + 1;
    let at = this.#skipPlain(start);
    let wide = 0;
    while (at < end) {
      const kind = STRING_CLASS[bytes[at]!]!;
      if (kind === 2) break;
      wide |= kind;
      at++;
    }
    if (at < end && bytes[at] === QUOTE) {
      this.at = at + 1;
      return wide === 0 ? this.#slice(start, at) : bytes.utf8Slice(start, at);
    }
    this.#skipString();
    return JSON.parse(bytes.utf8Slice(start - 1, this.at)) as string;
  }

  /**
   * Inside a string: goes over words of four plain ASCII characters and answers where the next byte of another kind may be.
   * The tests are the usual ones for a byte that is zero or below a limit somewhere in a word.
   */
  #skipPlain(from: number): number {
    const view = this.#view;
    const last = this.#base + this.end - 4;
    let at = this.#base + from;
    while (at <= last) {
      const word = view.getInt32(at, true);
      const quote = word ^ 0x22222222;
      const backslash = word ^ 0x5c5c5c5c;
      const found =
        ((quote - 0x01010101) & ~quote) |
        ((backslash - 0x01010101) & ~backslash) |
        ((word - 0x20202020) & ~word) |
        word;
      if ((found & 0x80808080) !== 0) break;
      at += 4;
    }
    return at - this.#base;
  }

  #slice(start: number, end: number): string {
    if (this.#textStart < 0 || start < this.#textStart) {
      this.#textStart = start;
      this.#text = this.bytes.latin1Slice(start, this.end);
    }
    return this.#text.slice(start - this.#textStart, end - this.#textStart);
  }

  #skipString(): void {
    const { bytes, end } = this;
    let at = this.#skipPlain(this.at + 1);
    let wide = 0;
    while (at < end) {
      const kind = STRING_CLASS[bytes[at]!]!;
      wide |= kind;
      at++;
      if (kind !== 2) continue;
      const byte = bytes[at - 1]!;
      if (byte === QUOTE) {
        this.at = at;
        this.#wide |= wide & 1;
        return;
      }
      this.at = at - 1;
      if (byte !== BACKSLASH) this.fail();
      at = this.#skipEscape(at);
    }
    this.at = end;
    this.fail();
  }

  /** `at` is behind the backslash; answers where the string goes on. */
  #skipEscape(at: number): number {
    const { bytes, end } = this;
    const letter = at < end ? bytes[at]! : 0;
    if (ESCAPES.has(letter)) return at + 1;
    if (letter !== 0x75 || at + 5 > end) this.fail();
    for (let i = at + 1; i < at + 5; i++) if (HEX[bytes[i]!] === 0) this.fail();
    return at + 5;
  }

  readNumber(): number | NumberText {
    const { bytes, end, at: start } = this;
    const negative = bytes[start] === MINUS;
    let at = negative ? start + 1 : start;
    const first = at;
    let value = 0;
    while (at < end) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      at++;
      if (value === 0) break; // A zero stands alone: `01` fails at its 1.
    }
    if (at === first) this.#failAt(at);
    const next = at < end ? bytes[at]! : 0;
    if (next === POINT || (next | BLANK) === 0x65) {
      this.#skipFraction(at);
      return numberOf(this.#slice(start, this.at));
    }
    this.at = at;
    // Whole numbers up to here are exact in a double and print back as they were written.
    if (value > Number.MAX_SAFE_INTEGER) return numberOf(this.#slice(start, at));
    return negative ? (value === 0 ? new NumberText('-0') : -value) : value;
  }

  #failAt(at: number): never {
    this.at = at;
    this.fail();
  }

  /** `at` is behind the integer part. */
  #skipFraction(at: number): void {
    let next = at;
    if (this.bytes[next] === POINT) next = this.#skipDigits(next + 1);
    if (next < this.end && (this.bytes[next]! | BLANK) === 0x65) {
      next++;
      const sign = next < this.end ? this.bytes[next]! : 0;
      next = this.#skipDigits(sign === MINUS || sign === 0x2b ? next + 1 : next);
    }
    this.at = next;
  }

  #skipDigits(from: number): number {
    const { bytes, end } = this;
    let at = from;
    while (at < end && bytes[at]! >= ZERO && bytes[at]! <= 0x39) at++;
    if (at === from) this.#failAt(at);
    return at;
  }

  #skipNumber(): void {
    const { bytes, end } = this;
    let at = bytes[this.at] === MINUS ? this.at + 1 : this.at;
    at = at < end && bytes[at] === ZERO ? at + 1 : this.#skipDigits(at);
    const next = at < end ? bytes[at]! : 0;
    if (next === POINT || (next | BLANK) === 0x65) this.#skipFraction(at);
    else this.at = at;
  }

  #skipScalar(byte: number): void {
    if (byte === QUOTE) this.#skipString();
    else if (byte === MINUS || (byte >= ZERO && byte <= 0x39)) this.#skipNumber();
    else this.#readWord();
  }

  /** Checks any value without making it. */
  skipValue(): void {
    const byte = this.at < this.end ? this.bytes[this.at]! : 0;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#skipNested();
    else this.#skipScalar(byte);
  }

  /** Keeps its own stack instead of calling itself, so that no depth of nesting can exhaust the real one. */
  #skipNested(): void {
    let depth = 0;
    for (;;) {
      this.skipBlanks();
      const byte = this.at < this.end ? this.bytes[this.at]! : 0;
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        const closing = byte === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET;
        this.at++;
        this.skipBlanks();
        depth = this.#push(depth, closing);
        if (this.bytes[this.at] !== closing) {
          if (closing === CLOSE_BRACE) this.#skipName();
          continue;
        }
      } else this.#skipScalar(byte);
      depth = this.#closeNested(depth);
      if (depth === 0) return;
    }
  }

  /** Behind a value: goes over closing brackets up to the next value, answers the depth there. */
  #closeNested(from: number): number {
    let depth = from;
    while (depth > 0) {
      this.skipBlanks();
      const closing = this.#stack[depth - 1]!;
      const byte = this.at < this.end ? this.bytes[this.at]! : 0;
      if (byte !== closing && byte !== COMMA) this.fail();
      this.at++;
      if (byte === COMMA) {
        if (closing === CLOSE_BRACE) {
          this.skipBlanks();
          this.#skipName();
        }
        return depth;
      }
      depth--;
    }
    return 0;
  }

  #push(depth: number, closing: number): number {
    if (depth === this.#stack.length) {
      const grown = new Uint8Array(depth * 2);
      grown.set(this.#stack);
      this.#stack = grown;
    }
    this.#stack[depth] = closing;
    return depth + 1;
  }

  #skipName(): void {
    if (this.bytes[this.at] !== QUOTE) this.fail();
    this.#skipString();
    this.skipBlanks();
    this.expect(COLON);
  }

  /** Reads `"name":` with blanks around the colon; `at` must be at the quote. */
  readName(): string {
    if (this.at >= this.end || this.bytes[this.at] !== QUOTE) this.fail();
    const name = this.readString();
    this.skipBlanks();
    this.expect(COLON);
    this.skipBlanks();
    return name;
  }

  /** Behind a member or element: true when another follows, false when `closing` was read. */
  readsOn(closing: number): boolean {
    this.skipBlanks();
    const byte = this.at < this.end ? this.bytes[this.at] : 0;
    if (byte === COMMA) {
      this.at++;
      this.skipBlanks();
      return true;
    }
    this.expect(closing);
    return false;
  }

  /** Reads `{` or `[`; true when a first member or element follows, false when it is empty. */
  opens(opening: number, closing: number): boolean {
    this.expect(opening);
    this.skipBlanks();
    if (this.at >= this.end || this.bytes[this.at] !== closing) return true;
    this.at++;
    return false;
  }

  #readNested(): JsonText {
    const start = this.at;
    this.#wide = 0;
    this.#blanks = false;
    this.#skipNested();
    const text = this.#wide === 0 ? this.#slice(start, this.at) : this.bytes.utf8Slice(start, this.at);
    return new JsonText(this.#blanks ? compactJson(text) : text);
  }
}
