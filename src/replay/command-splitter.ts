import { ProtocolError } from '../errors.ts';
import type { RecordedCommand } from './types.ts';

const STAR = 0x2a;
const DOLLAR = 0x24;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
const NOTHING = Buffer.alloc(0);

/**
 * Cuts a byte recording of a client into its commands: RESP arrays of bulk strings (`*2 $4 INFO $6 memory`, each part
 * ended by CRLF), which is all that Debezium's client library sends. Chunks may end anywhere.
 */
export class CommandSplitter {
  #rest: Buffer = NOTHING;
  #restOffset = 0;

  /**
   * The commands that are complete with this chunk, in order.
   *
   * @throws ProtocolError with the offset in the recording, for bytes that are no command
   */
  push(chunk: Buffer): RecordedCommand[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const commands: RecordedCommand[] = [];
    let start = 0;
    while (start < bytes.length) {
      const command = this.#commandAt(bytes, start);
      if (command === undefined) break;
      commands.push(command);
      start += command.bytes.length;
    }
    this.#rest = bytes.subarray(start);
    this.#restOffset += start;
    return commands;
  }

  /** Where the recording ends inside a command, or undefined when it ends between two. */
  get incompleteAt(): number | undefined {
    return this.#rest.length === 0 ? undefined : this.#restOffset;
  }

  #commandAt(bytes: Buffer, start: number): RecordedCommand | undefined {
    const offset = this.#restOffset + start;
    const array = lineNumber(bytes, start, STAR, offset);
    if (array === undefined) return undefined;
    if (array.value < 1) throw badRecording(offset);
    const first: string[] = [];
    let at = array.next;
    for (let part = 0; part < array.value; part++) {
      const bulk = lineNumber(bytes, at, DOLLAR, offset);
      if (bulk === undefined) return undefined;
      const end = bulk.next + bulk.value;
      if (end + 2 > bytes.length) return undefined;
      if (bytes[end] !== CARRIAGE_RETURN || bytes[end + 1] !== LINE_FEED) throw badRecording(offset);
      if (part < 2) first.push(bytes.toString('utf8', bulk.next, end));
      at = end + 2;
    }
    const [name = '', key = ''] = first;
    return { name: name.toUpperCase(), key, bytes: bytes.subarray(start, at), offset };
  }
}

/** The number between `marker` and CRLF at `at`, and where the line ends; undefined when the line is incomplete. */
function lineNumber(
  bytes: Buffer,
  at: number,
  marker: number,
  offset: number,
): { value: number; next: number } | undefined {
  if (at >= bytes.length) return undefined;
  if (bytes[at] !== marker) throw badRecording(offset);
  let value = 0;
  for (let i = at + 1; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte === CARRIAGE_RETURN) {
      if (i === at + 1) throw badRecording(offset);
      if (i + 1 >= bytes.length) return undefined;
      if (bytes[i + 1] !== LINE_FEED) throw badRecording(offset);
      return { value, next: i + 2 };
    }
    // Ten digits are more than any frame of a recording; a longer number is not a length.
    if (byte < 0x30 || byte > 0x39 || i > at + 10) throw badRecording(offset);
    value = value * 10 + (byte - 0x30);
  }
  return undefined;
}

function badRecording(offset: number): ProtocolError {
  return new ProtocolError('PROTOCOL_BAD_FRAME', `The recording holds no Redis command at byte ${offset}`, {
    fix: 'Give a recording of the client side (…client.resp or …client.resp.gz) or an entries.ndjson file.',
  });
}
