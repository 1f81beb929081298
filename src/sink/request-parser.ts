import { ProtocolError } from '../errors.ts';

const CR = 13;
const LF = 10;
const STAR = 42;
const DOLLAR = 36;
const MAX_INLINE_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);
const MIN_OWN_BYTES = 256 << 10;
const MAX_OWN_BYTES = 4 << 20;

export interface RequestLimits {
  /** Bytes of one whole command. */
  maxFrameBytes: number;
  maxBulkBytes: number;
  maxArguments: number;
  /** How Redis words the error for a command beyond each limit. */
  frameError: string;
  argumentsError: string;
}

/** Redis' limits for a client that has not logged in. */
export const STRANGERS_LIMITS: RequestLimits = {
  maxFrameBytes: 10 * 16_384 + 200,
  maxBulkBytes: 16_384,
  maxArguments: 10,
  frameError: 'unauthenticated bulk length',
  argumentsError: 'unauthenticated multibulk length',
};

/**
 * Incremental parser of Redis requests: RESP arrays of bulk strings, and inline commands.
 *
 * Feed chunks with {@link push}, then call {@link next} until it returns false. Arguments are offsets into
 * {@link buffer} and are valid until the next call of {@link next} or {@link push}. A command that is not complete yet is a normal result: its
 * parsed part is kept, so bytes that trickle in are looked at once.
 */
export class RequestParser {
  /** Holds the arguments of the current command. */
  buffer: Buffer = NOTHING;
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  /** Number of arguments of the current command. */
  count = 0;
  /** True for a command typed as a line: its arguments are not framed in {@link buffer}. */
  isInline = false;

  limits: RequestLimits;
  #data: Buffer = NOTHING;
  #own: Buffer = NOTHING;
  #frameStart = 0;
  #position = 0;
  #expected = -1;
  #parsed = 0;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Bytes that must be in `buffer` and `#waiting` together before another look is worth it. */
  #needed = 0;

  constructor(limits: RequestLimits) {
    this.limits = limits;
  }

  push(chunk: Buffer): void {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
  }

  /** True when part of a command has arrived. */
  get isInsideFrame(): boolean {
    return this.#data.length - this.#frameStart + this.#waitingBytes > 0;
  }

  /**
   * Moves to the next complete command. Returns false when more bytes are needed. Throws `PROTOCOL_BAD_FRAME`; the
   * connection cannot go on after that. An empty command has `count` 0.
   */
  next(): boolean {
    if (this.#waitingBytes > 0 && this.#data.length + this.#waitingBytes >= this.#needed) this.#gather();
    if (this.#expected < 0 && !this.#begin()) return false;
    if (this.#expected >= 0) {
      this.buffer = this.#data;
      if (!this.#continueArray()) return false;
    }
    this.#frameStart = this.#position;
    this.#expected = -1;
    return true;
  }

  /**
   * Joins what waits with the unfinished command; complete commands before it are let go. A chunk that starts a command is
   * used where it is. Otherwise the bytes are copied into a buffer of the parser's own, again and again the same: its
   * users are done with a command before the next one, and a new buffer per chunk would keep the garbage collector busy.
   */
  #gather(): void {
    const rest = this.#data.length - this.#frameStart;
    const start = this.#frameStart;
    const first = this.#waiting[0] as Buffer;
    if (rest === 0 && this.#waiting.length === 1) this.#data = first;
    else this.#data = this.#joinOwn(rest);
    for (let i = 0; i < this.#parsed; i++) {
      this.starts[i] = (this.starts[i] as number) - start;
      this.ends[i] = (this.ends[i] as number) - start;
    }
    this.#position -= start;
    this.#frameStart = 0;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#needed = 0;
  }

  /** The last `rest` bytes of the data and all waiting chunks, one behind the other in the parser's own buffer. */
  #joinOwn(rest: number): Buffer {
    const total = rest + this.#waitingBytes;
    const isTooSmall = this.#own.length < total;
    const isTooLarge = this.#own.length > MAX_OWN_BYTES && total < MAX_OWN_BYTES;
    const own = isTooSmall || isTooLarge ? Buffer.allocUnsafeSlow(Math.max(MIN_OWN_BYTES, total)) : this.#own;
    this.#data.copy(own, 0, this.#frameStart);
    let at = rest;
    for (const chunk of this.#waiting) at += chunk.copy(own, at);
    this.#own = own;
    return own.subarray(0, total);
  }

  /** Reads the first line: `*n`, or a whole inline command. */
  #begin(): boolean {
    this.#parsed = 0;
    this.count = 0;
    this.#position = this.#frameStart;
    if (this.#position >= this.#data.length) return false;
    if (this.#data[this.#position] !== STAR) return this.#inline();
    const count = this.#number(this.#position + 1, 'invalid multibulk length');
    if (count === undefined) return false;
    if (count > this.limits.maxArguments) throw bad(this.limits.argumentsError);
    // Redis takes *0 and *-1 as a command without arguments and goes on.
    this.count = Math.max(0, count);
    this.#expected = this.count;
    this.isInline = false;
    return true;
  }

  #continueArray(): boolean {
    const buffer = this.#data;
    while (this.#parsed < this.#expected) {
      const at = this.#position;
      if (at >= buffer.length) return this.#wait(at + 1);
      if (buffer[at] !== DOLLAR) throw bad(`expected '$', got '${printable(buffer[at])}'`);
      const length = this.#number(at + 1, 'invalid bulk length');
      if (length === undefined) return false;
      if (length < 0) throw bad('invalid bulk length');
      if (length > this.limits.maxBulkBytes) throw bad(this.limits.frameError);
      const start = this.#position;
      const end = start + length;
      if (end + 2 - this.#frameStart > this.limits.maxFrameBytes) throw bad(this.limits.frameError);
      if (end + 2 > buffer.length) {
        this.#position = at;
        return this.#wait(end + 2);
      }
      if (buffer[end] !== CR || buffer[end + 1] !== LF) throw bad('a bulk string does not end with CRLF');
      this.starts[this.#parsed] = start;
      this.ends[this.#parsed] = end;
      this.#parsed++;
      this.#position = end + 2;
    }
    return true;
  }

  #wait(needed: number): boolean {
    this.#needed = needed;
    return false;
  }

  /** Reads a decimal number and its CRLF; moves behind them. Undefined when the line is not complete. */
  #number(from: number, problem: string): number | undefined {
    const buffer = this.#data;
    let at = from;
    const isNegative = buffer[at] === 45;
    if (isNegative) at++;
    let value = 0;
    const first = at;
    for (; at < buffer.length; at++) {
      const digit = (buffer[at] as number) - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      if (at - first >= 12) throw bad(problem);
    }
    if (at + 1 >= buffer.length) {
      if (at < buffer.length && buffer[at] !== CR) throw bad(problem);
      return undefined;
    }
    if (at === first || buffer[at] !== CR || buffer[at + 1] !== LF) throw bad(problem);
    this.#position = at + 2;
    return isNegative ? -value : value;
  }

  /** `PING\r\n` as typed into a terminal; words may be quoted as in Redis. */
  #inline(): boolean {
    const newline = this.#data.indexOf(LF, this.#position);
    const length = (newline < 0 ? this.#data.length : newline) - this.#position;
    if (length > MAX_INLINE_BYTES) throw bad('too big inline request');
    if (newline < 0) return this.#wait(this.#data.length + 1);
    const line = this.#data.toString('latin1', this.#position, newline);
    const words = splitInline(line.endsWith('\r') ? line.slice(0, -1) : line);
    if (!words) throw bad('unbalanced quotes in request');
    this.buffer = Buffer.from(words.join(''), 'latin1');
    let at = 0;
    words.forEach((word, i) => {
      this.starts[i] = at;
      at += word.length;
      this.ends[i] = at;
    });
    this.count = words.length;
    this.isInline = true;
    this.#position = newline + 1;
    return true;
  }
}

function bad(what: string): ProtocolError {
  return new ProtocolError('PROTOCOL_BAD_FRAME', `Protocol error: ${what}`);
}

function printable(byte: number | undefined): string {
  return byte !== undefined && byte > 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${(byte ?? 0).toString(16)}`;
}

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

const BLANK = /[ \t\n\v\f\r]/;

/** Splits a line into words by Redis' rules for inline commands; null when quotes do not match. */
function splitInline(line: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  for (let i = 0; i < line.length; ) {
    const character = line[i] as string;
    if (BLANK.test(character)) {
      if (word !== null) words.push(word);
      word = null;
      i++;
    } else if (character === '"' || character === "'") {
      const quoted = readQuoted(line, i);
      // A closing quote ends its word.
      if (!quoted || (quoted.end < line.length && !BLANK.test(line[quoted.end] as string))) return null;
      words.push((word ?? '') + quoted.text);
      word = null;
      i = quoted.end;
    } else {
      word = (word ?? '') + character;
      i++;
    }
  }
  if (word !== null) words.push(word);
  return words;
}

/** The text between the quote at `start` and its like, and the index behind that. Single quotes know one escape only. */
function readQuoted(line: string, start: number): { text: string; end: number } | null {
  const quote = line[start] as string;
  let text = '';
  for (let i = start + 1; i < line.length; i++) {
    const character = line[i] as string;
    if (character === quote) return { text, end: i + 1 };
    const hex = quote === '"' ? /^\\x([0-9a-fA-F]{2})/.exec(line.slice(i, i + 4)) : null;
    if (hex) {
      text += String.fromCharCode(Number.parseInt(hex[1] as string, 16));
      i += 3;
    } else if (character === '\\' && i + 1 < line.length && (quote === '"' || line[i + 1] === "'")) {
      i++;
      text += quote === '"' ? (ESCAPES[line[i] as string] ?? line[i]) : line[i];
    } else text += character;
  }
  return null;
}
