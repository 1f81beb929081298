import { BRACE } from './json-bytes.ts';
import type { Scanner } from './scanner.ts';

/** Where the members of an object stand; their values are checked but not made. Of two with one name the last counts. */
export class Members {
  readonly names: string[] = [];
  readonly #places = new Map<string, { start: number; end: number }>();
  readonly #scanner: Scanner;

  /** Reads the object at the scanner's position and leaves the scanner behind it. */
  constructor(scanner: Scanner) {
    this.#scanner = scanner;
    let more = scanner.opens(BRACE.open, BRACE.close);
    while (more) {
      const name = scanner.readName();
      const start = scanner.at;
      scanner.skipValue();
      if (!this.#places.has(name)) this.names.push(name);
      this.#places.set(name, { start, end: scanner.at });
      more = scanner.readsOn(BRACE.close);
    }
  }

  has(name: string): boolean {
    return this.#places.has(name);
  }

  /** Bytes of a member's value. */
  place(name: string): { start: number; end: number } | null {
    return this.#places.get(name) ?? null;
  }

  /** Moves the scanner to a member's value; false when there is none or it is null. */
  enter(name: string): boolean {
    const place = this.#places.get(name);
    if (place === undefined) return false;
    this.#scanner.at = place.start;
    return this.#scanner.bytes[place.start] !== 0x6e;
  }

  isObject(name: string): boolean {
    return this.enter(name) && this.#scanner.bytes[this.#scanner.at] === BRACE.open;
  }

  /** A string, or a number or boolean as text; null for anything else. */
  text(name: string): string | null {
    if (!this.enter(name)) return null;
    const value = this.#scanner.readValue();
    if (typeof value === 'string') return value;
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
  }

  /** A number that fits a double, else 0. */
  number(name: string): number {
    if (!this.enter(name)) return 0;
    const value = this.#scanner.readValue();
    return typeof value === 'number' ? value : typeof value === 'string' ? Number(value) || 0 : 0;
  }
}
