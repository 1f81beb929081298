import { ProtocolError } from '../errors.ts';

/** One reply of a server, as far as a feeder looks at it. Arrays and maps are only known to be there. */
export type Reply =
  | { readonly kind: 'text' | 'error'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'nil' | 'aggregate' };

const NOTHING = Buffer.alloc(0);

/** Parses RESP2 replies out of chunks that may end anywhere. Keeps only what is not complete yet. */
export class ReplyParser {
  #rest: Buffer = NOTHING;

  /**
   * The replies that are complete with this chunk, in order.
   *
   * @throws ProtocolError for bytes that are no reply
   */
  push(chunk: Buffer): Reply[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const replies: Reply[] = [];
    let at = 0;
    while (at < bytes.length) {
      const found = replyAt(bytes, at);
      if (found === undefined) break;
      replies.push(found.reply);
      at = found.next;
    }
    this.#rest = bytes.subarray(at);
    return replies;
  }
}

interface Found {
  readonly reply: Reply;
  readonly next: number;
}

function replyAt(bytes: Buffer, at: number): Found | undefined {
  const end = bytes.indexOf('\r\n', at, 'latin1');
  if (end === -1) return undefined;
  const marker = String.fromCharCode(bytes[at]!);
  const line = bytes.toString('utf8', at + 1, end);
  const next = end + 2;
  switch (marker) {
    case '+':
      return { reply: { kind: 'text', text: line }, next };
    case '-':
      return { reply: { kind: 'error', text: line }, next };
    case ':':
      return { reply: { kind: 'number', value: wholeNumber(line) }, next };
    case '$':
      return bulkAt(bytes, next, wholeNumber(line));
    case '*':
      return arrayAt(bytes, next, wholeNumber(line));
    default:
      throw badReply(marker + line);
  }
}

function bulkAt(bytes: Buffer, at: number, length: number): Found | undefined {
  if (length < 0) return { reply: { kind: 'nil' }, next: at };
  const end = at + length;
  if (end + 2 > bytes.length) return undefined;
  return { reply: { kind: 'text', text: bytes.toString('utf8', at, end) }, next: end + 2 };
}

function arrayAt(bytes: Buffer, at: number, length: number): Found | undefined {
  if (length < 0) return { reply: { kind: 'nil' }, next: at };
  let next = at;
  for (let part = 0; part < length; part++) {
    const found = next < bytes.length ? replyAt(bytes, next) : undefined;
    if (found === undefined) return undefined;
    next = found.next;
  }
  return { reply: { kind: 'aggregate' }, next };
}

function wholeNumber(text: string): number {
  if (!/^-?\d{1,19}$/.test(text)) throw badReply(text);
  return Number(text);
}

function badReply(text: string): ProtocolError {
  return new ProtocolError(
    'PROTOCOL_BAD_FRAME',
    `The server answered with something that is not the Redis protocol: ${JSON.stringify(text.slice(0, 60))}`,
    {
      fix: 'Check host and port of --to, and whether the port wants TLS (--tls).',
    },
  );
}
