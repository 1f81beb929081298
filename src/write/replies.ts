/** An error reply; `text` is the line without its leading `-`. */
export class ReplyError {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Bytes that are not a reply: the connection cannot be used any more. */
export class ReplyFault extends Error {}

export type Reply = string | number | null | ReplyError | readonly Reply[];

const CR = 13;
const LF = 10;
const MAX_LINE_BYTES = 64 * 1024;
const MAX_BULK_BYTES = 64 * 1024 * 1024;
const MAX_ITEMS = 1_000_000;
const MAX_DEPTH = 16;

/** Not enough bytes yet; a normal result. */
const INCOMPLETE = Symbol('incomplete');
/** Something that answers no command: a push message or an attribute. */
const NO_REPLY = Symbol('no reply');
type Parsed = Reply | typeof INCOMPLETE | typeof NO_REPLY;

/**
 * Incremental reader of Redis replies, RESP2 and RESP3, fed with chunks cut anywhere.
 *
 * Doubles, booleans and big numbers become strings or numbers, maps and sets arrays; push messages and attributes are
 * skipped. Format: redis.io "Redis serialization protocol specification".
 */
export class ReplyParser {
  readonly #onReply: (reply: Reply) => void;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Fewest bytes that the reply under way needs, so that a large one is not looked at again for every chunk. */
  #wanted = 0;

  constructor(onReply: (reply: Reply) => void) {
    this.#onReply = onReply;
  }

  /** Reads every whole reply; throws {@link ReplyFault} on bytes that are none. The chunk may be kept for a while. */
  push(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    let start = 0;
    while (start < this.#bytes.length && this.#bytes.length - start >= this.#wanted) {
      this.#at = start;
      this.#wanted = 0;
      const reply = this.#parse(0, start);
      if (reply === INCOMPLETE) break;
      start = this.#at;
      if (reply !== NO_REPLY) this.#onReply(reply);
    }
    this.#bytes = start === this.#bytes.length ? Buffer.alloc(0) : this.#bytes.subarray(start);
  }

  #parse(depth: number, start: number): Parsed {
    if (depth > MAX_DEPTH) throw new ReplyFault('replies are nested too deep');
    if (this.#at >= this.#bytes.length) return INCOMPLETE;
    const type = this.#bytes[this.#at++]!;
    switch (type) {
      case 0x3a: // :
        return this.#integer();
      case 0x2b: // +
        return this.#line();
      case 0x2d: {
        // -
        const text = this.#line();
        return text === INCOMPLETE ? INCOMPLETE : new ReplyError(text);
      }
      case 0x24: // $
      case 0x3d: // =
      case 0x21: // !
        return this.#bulk(type, start);
      case 0x2a: // *
      case 0x7e: // ~
      case 0x25: // %
      case 0x3e: // >
      case 0x7c: // |
        return this.#aggregate(type, depth, start);
      case 0x5f: {
        // _
        const rest = this.#line();
        if (rest === '') return null;
        return rest === INCOMPLETE ? INCOMPLETE : fault('a null with a value');
      }
      case 0x23: {
        // #
        const rest = this.#line();
        if (rest === INCOMPLETE) return INCOMPLETE;
        return rest === 't' ? 1 : rest === 'f' ? 0 : fault('a boolean that is neither t nor f');
      }
      case 0x2c: // ,
      case 0x28: // (
        return this.#line();
      default:
        return fault(`the byte 0x${type.toString(16)} where a reply should begin`);
    }
  }

  /** Digits up to CRLF. */
  #integer(): number | typeof INCOMPLETE {
    const bytes = this.#bytes;
    let at = this.#at;
    let value = 0;
    let digits = 0;
    const negative = bytes[at] === 0x2d;
    if (negative) at++;
    for (; at < bytes.length; at++) {
      const digit = bytes[at]! - 48;
      if (digit >= 0 && digit <= 9) {
        value = value * 10 + digit;
        if (++digits > 20) fault('a number of more than 20 digits');
        continue;
      }
      if (bytes[at] !== CR || digits === 0) fault('a number with other characters');
      if (at + 1 >= bytes.length) return INCOMPLETE;
      if (bytes[at + 1] !== LF) fault('a carriage return without line feed');
      this.#at = at + 2;
      return negative ? -value : value;
    }
    return INCOMPLETE;
  }

  #line(): string | typeof INCOMPLETE {
    const bytes = this.#bytes;
    const start = this.#at;
    // Nearly every line of a pipeline is `+OK`, which needs no new string.
    if (bytes[start] === 79 && bytes[start + 1] === 75 && bytes[start + 2] === CR && bytes[start + 3] === LF) {
      this.#at = start + 4;
      return 'OK';
    }
    const end = bytes.indexOf(CR, start);
    if ((end === -1 ? bytes.length : end) - start > MAX_LINE_BYTES) fault('a line without end');
    if (end === -1 || end + 1 >= bytes.length) return INCOMPLETE;
    if (bytes[end + 1] !== LF) fault('a carriage return without line feed');
    this.#at = end + 2;
    return bytes.toString('utf8', start, end);
  }

  #bulk(type: number, start: number): Parsed {
    const length = this.#integer();
    if (length === INCOMPLETE) return INCOMPLETE;
    if (length === -1) return null;
    if (length < 0 || length > MAX_BULK_BYTES) return fault('a string of impossible length');
    const end = this.#at + length;
    if (this.#bytes.length < end + 2) {
      this.#wanted = end + 2 - start;
      return INCOMPLETE;
    }
    if (this.#bytes[end] !== CR || this.#bytes[end + 1] !== LF) return fault('a string longer than its length');
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 2;
    if (type === 0x21) return new ReplyError(text);
    return type === 0x3d ? text.slice(4) : text;
  }

  #aggregate(type: number, depth: number, start: number): Parsed {
    const length = this.#integer();
    if (length === INCOMPLETE) return INCOMPLETE;
    if (length === -1) return null;
    if (length < 0 || length > MAX_ITEMS) return fault('an array of impossible length');
    const count = type === 0x25 || type === 0x7c ? length * 2 : length;
    const items: Reply[] = [];
    while (items.length < count) {
      const item = this.#parse(depth + 1, start);
      if (item === INCOMPLETE) return INCOMPLETE;
      if (item !== NO_REPLY) items.push(item);
    }
    return type === 0x3e || type === 0x7c ? NO_REPLY : items;
  }
}

function fault(what: string): never {
  throw new ReplyFault(`the target sent ${what}`);
}
