import { type Row, UNAVAILABLE } from '../types.ts';
import type { Content, Folding } from './content.ts';
import { type CommandSink, hashText, type Writable } from './encode.ts';
import type { StreamWrite } from './types.ts';

/** Bounds of one script call: it runs in one go, and the target does nothing else meanwhile. */
const MAX_ENTRIES = 250;
const MAX_WORDS = 4000;
const MAX_CHARACTERS = 256 * 1024;

/**
 * Appends several entries to one stream; all of them or, when the target takes no writes, none.
 *
 * KEYS[1] the stream; ARGV, for each entry: the number of its words, then its fields and values.
 */
export const STREAM_SCRIPT = `
local at = 1
while at <= #ARGV do
  local words = tonumber(ARGV[at])
  redis.call('XADD', KEYS[1], '*', unpack(ARGV, at + 1, at + words))
  at = at + words + 1
end
`;

/**
 * Entries to append to one stream, in order. Several go as one command, because a unit is repeated as a whole: of several
 * commands, those before a failing one would append twice.
 */
export class StreamEntries implements Content {
  readonly kind = 'stream';
  readonly needsJson = false;
  readonly command = 'XADD';
  readonly #rows: Row[] = [];
  /** Fields and values of all rows, and a count for each. */
  #words = 0;
  #characters = 0;

  constructor(write: StreamWrite) {
    this.#add(write.row);
  }

  fold(write: StreamWrite): Folding {
    const isFull =
      this.#rows.length >= MAX_ENTRIES ||
      this.#words + write.row.names.length * 2 > MAX_WORDS ||
      this.#characters > MAX_CHARACTERS;
    if (isFull) return 'no';
    this.#add(write.row);
    return 'combined';
  }

  emit(key: string, sink: CommandSink): number {
    const [first] = this.#rows;
    if (this.#rows.length === 1) {
      sink.begin(3 + wordsOf(first!));
      sink.text('XADD');
      sink.text(key);
      sink.text('*');
      emitRow(first!, sink);
      return 1;
    }
    sink.begin(4 + this.#words);
    sink.text('EVAL');
    sink.text(STREAM_SCRIPT);
    sink.text('1');
    sink.text(key);
    for (const row of this.#rows) {
      sink.text(String(wordsOf(row)));
      emitRow(row, sink);
    }
    return 1;
  }

  #add(row: Row): void {
    this.#rows.push(row);
    this.#words += 1 + wordsOf(row);
    for (const value of row.values) if (isSet(value)) this.#characters += hashText(value).length;
  }
}

function isSet(value: Row['values'][number]): value is Writable {
  return value !== null && value !== UNAVAILABLE;
}

function wordsOf(row: Row): number {
  let count = 0;
  for (const value of row.values) if (isSet(value)) count += 2;
  return count;
}

function emitRow({ names, values }: Row, sink: CommandSink): void {
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (!isSet(value)) continue;
    sink.name(names, index);
    sink.value(value);
  }
}
