import { NumberText } from '../../types.ts';
import { numberOfJson } from './numbers.ts';
import { ExpressionError, type JobObject, type JobValue } from './types.ts';

/** Deeper values would exhaust the stack of what walks over them; no database writes such. */
const MAX_DEPTH = 500;

const WORDS: Readonly<Record<string, JobValue>> = { true: true, false: false, null: null };
const WORD = /true|false|null/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Parses JSON as `JSON.parse` does, but numbers keep their digits and objects the order of their members (`JSON.parse`
 * moves names that look like integers to the front). Of members with one name the last wins, at the place of the first.
 * @throws ExpressionError naming the offset, or that the text is nested too deeply.
 */
export function parseJson(text: string): JobValue {
  return new Parser(text).parse();
}

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): JobValue {
    const value = this.#value();
    if (this.#next() !== '') this.#fail();
    return value;
  }

  #fail(): never {
    const found = this.#at < this.#text.length ? `an unexpected ${JSON.stringify(this.#next())}` : 'an early end';
    throw new ExpressionError(`no valid JSON: ${found} at offset ${this.#at}`);
  }

  /** Goes over blanks; the character there, or nothing at the end. */
  #next(): string {
    const text = this.#text;
    let at = this.#at;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break;
    }
    this.#at = at;
    return text.charAt(at);
  }

  #value(): JobValue {
    const next = this.#next();
    if (next === '"') return this.#string();
    if (next === '{') return this.#nested(() => this.#object());
    if (next === '[') return this.#nested(() => this.#array());
    const number = this.#match(NUMBER);
    if (number !== null) return numberOfJson(number);
    const word = this.#match(WORD);
    return word === null ? this.#fail() : WORDS[word]!;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return null;
    this.#at = pattern.lastIndex;
    return match[0];
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) {
      throw new ExpressionError(`JSON is nested more than ${MAX_DEPTH} levels deep, which expressions do not read`);
    }
    this.#at++;
    const value = read();
    this.#depth--;
    return value;
  }

  #string(): string {
    const text = this.#text;
    const start = this.#at;
    let isPlain = true;
    for (let at = start + 1; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.#at = at + 1;
        return isPlain ? text.slice(start + 1, at) : this.#escaped(start);
      }
      if (code === BACKSLASH) at++;
      if (code === BACKSLASH || code < 0x20) isPlain = false;
    }
    this.#at = text.length;
    return this.#fail();
  }

  #escaped(start: number): string {
    try {
      return JSON.parse(this.#text.slice(start, this.#at)) as string;
    } catch {
      this.#at = start;
      return this.#fail();
    }
  }

  #array(): JobValue[] {
    const elements: JobValue[] = [];
    if (this.#next() === ']') this.#at++;
    else {
      do elements.push(this.#value());
      while (this.#readsOn(']'));
    }
    return elements;
  }

  #object(): JobObject {
    const members: JobObject = new Map();
    if (this.#next() === '}') this.#at++;
    else {
      do {
        if (this.#next() !== '"') this.#fail();
        const name = this.#string();
        if (this.#next() !== ':') this.#fail();
        this.#at++;
        members.set(name, this.#value());
      } while (this.#readsOn('}'));
    }
    return members;
  }

  #readsOn(closing: string): boolean {
    const next = this.#next();
    if (next !== ',' && next !== closing) this.#fail();
    this.#at++;
    return next === ',';
  }
}

/** JSON without blanks; numbers with the digits they were written with, non-ASCII characters as themselves. */
export function compactJson(value: JobValue): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (value instanceof NumberText) return value.text;
  if (Array.isArray(value)) return `[${value.map(compactJson).join(',')}]`;
  let text = '';
  for (const [name, member] of value) text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${compactJson(member)}`;
  return `{${text}}`;
}
