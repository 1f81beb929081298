import { createHash } from 'node:crypto';
import { type JsonText, UNAVAILABLE, type Value } from '../types.ts';

/** Debezium's default of `unavailable.value.placeholder`. */
export const DEFAULT_PLACEHOLDER = '__debezium_unavailable_value';

/** Strings and JSON texts up to this length are looked up; a placeholder of several kilobytes is nobody's setting. */
const LENGTHS = 1024;
const ANY = 255;

/**
 * Recognises every form in which Debezium writes "this column was not delivered" (unchanged TOAST or LOB):
 * the placeholder itself; its bytes as base64, base64-url or hex (`binary.handling.mode`); an array of one such text or
 * UUID; a number array of its bytes; a map (hstore) with it as key and value, nested or as JSON text. Read from
 * Debezium 3.6's PostgreSQL connector, where each column type gets the form that fits its schema.
 */
export class Placeholders {
  readonly #texts = new Set<string>();
  readonly #nested = new Set<string>();
  /** Code of the first letter where some form has this length, so that nearly every value is dismissed unread; 0 for none. */
  readonly #starts = new Uint8Array(LENGTHS);

  /** `word` as configured at the feeder; `hex:` in front means hexadecimal bytes. */
  constructor(word: string) {
    const bytes = word.startsWith('hex:') ? Buffer.from(word.slice(4), 'hex') : Buffer.from(word);
    const plain = bytes.toString();
    const hex = bytes.toString('hex');
    const urlSafe = bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
    const binary = [bytes.toString('base64'), bytes.toString('base64url'), urlSafe, hex, hex.toUpperCase()];
    const map = JSON.stringify({ [plain]: plain });
    for (const text of [plain, ...binary, map]) this.#add(this.#texts, text);
    for (const text of [plain, ...binary, nameUuid(bytes)]) this.#add(this.#nested, JSON.stringify([text]));
    this.#add(this.#nested, map);
    this.#add(this.#nested, JSON.stringify([...bytes]));
    this.#add(this.#nested, `[${[...bytes].map((byte) => `${byte}.0`).join(',')}]`);
  }

  #add(forms: Set<string>, text: string): void {
    if (text.length === 0 || text.length >= LENGTHS) return;
    forms.add(text);
    const start = text.charCodeAt(0);
    const other = this.#starts[text.length]!;
    // Forms of one length with different first letters: any letter may be one.
    this.#starts[text.length] = other === 0 || other === start ? start : ANY;
  }

  /** The value itself, or {@link UNAVAILABLE} where it stands for one that was not delivered. */
  screenText(text: string): Value {
    return this.#mayBe(text) && this.#texts.has(text) ? UNAVAILABLE : text;
  }

  screenNested(json: JsonText): Value {
    return this.#mayBe(json.text) && this.#nested.has(json.text) ? UNAVAILABLE : json;
  }

  #mayBe(text: string): boolean {
    const start = text.length < LENGTHS ? this.#starts[text.length]! : 0;
    return start !== 0 && (start === ANY || start === text.charCodeAt(0));
  }
}

/** RFC 4122 version 3 of the bytes alone, which is what Java's `UUID.nameUUIDFromBytes` makes. */
function nameUuid(bytes: Buffer): string {
  const digest = createHash('md5').update(bytes).digest();
  digest[6] = (digest[6]! & 0x0f) | 0x30;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  const hex = digest.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
