import type { Client } from '../client.ts';
import { findKey, HIGHEST, type IdPair, type KeyView, LOWEST, type ShownEntry } from '../key-view.ts';
import { arrayHeader, bulk, integer, mapOf, nil, nilArray } from '../resp-text.ts';
import { argument, argumentsFrom, type CommandTable, reply, replyError, replyLater } from './command.ts';

const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';
const BAD_ID = 'ERR Invalid stream ID specified as stream command argument';
const NO_INTEGER = 'ERR value is not an integer or out of range';
/** Excluded bounds without anything beyond them. */
const NOTHING_BEHIND = /^\(18446744073709551615-18446744073709551615$/;
const NOTHING_BEFORE = /^\(0+-0+$/;
const PIECE_CHARACTERS = 64 << 10;
const POLL_MS = 20;

/** Reading streams: what waits in the journal, the schema history, dead letter queues. */
export const streamCommands: CommandTable = {
  XLEN: {
    arity: 2,
    run(connection) {
      const view = streamAt(connection, 1);
      if (view !== undefined) reply(connection, integer(view?.length() ?? 0));
    },
  },
  XRANGE: { arity: -4, run: (connection) => range(connection, false) },
  XREVRANGE: { arity: -4, run: (connection) => range(connection, true) },
  XREAD: { arity: -4, run: xread },
  XINFO: { arity: -2, run: xinfo },
};

/** The stream that an argument names, null when there is none; undefined after an error was replied. */
function streamAt(connection: Client, index: number): KeyView | null | undefined {
  const view = findKey(connection.context.store, connection.db, argument(connection, index));
  if (view?.type !== 'hash') return view;
  replyError(connection, WRONG_TYPE);
  return undefined;
}

/** `-`, `+`, `ms`, `ms-seq`, `(ms-seq`; null when it is none of them. */
function parseId(text: string, isEnd: boolean): IdPair | null {
  if (text === '-') return LOWEST;
  if (text === '+') return HIGHEST;
  const match = /^(\()?(\d{1,20})(?:-(\d{1,20}))?$/.exec(text);
  if (!match) return null;
  const ms = Math.min(Number(match[2]), Number.MAX_SAFE_INTEGER);
  const seq = match[3] === undefined ? (isEnd ? HIGHEST[1] : 0) : Math.min(Number(match[3]), HIGHEST[1]);
  if (!match[1]) return [ms, seq];
  if (isEnd) return seq > 0 ? [ms, seq - 1] : [ms - 1, HIGHEST[1]];
  return [ms, seq + 1];
}

function range(connection: Client, reverse: boolean): void {
  const [first, second] = [argument(connection, 2), argument(connection, 3)];
  const [start, end] = reverse ? [second, first] : [first, second];
  const from = parseId(start, false);
  const to = parseId(end, true);
  const options = argumentsFrom(connection, 4);
  const hasCount = options.length === 2 && options[0]?.toUpperCase() === 'COUNT';
  if (!from || !to) replyError(connection, BAD_ID);
  else if (NOTHING_BEHIND.test(start)) replyError(connection, 'ERR invalid start ID for the interval');
  else if (NOTHING_BEFORE.test(end)) replyError(connection, 'ERR invalid end ID for the interval');
  else if (options.length > 0 && !hasCount) replyError(connection, 'ERR syntax error');
  else if (hasCount && !/^-?\d{1,18}$/.test(options[1] as string)) replyError(connection, NO_INTEGER);
  else {
    const view = streamAt(connection, 1);
    const count = hasCount ? Number(options[1]) : Number.POSITIVE_INFINITY;
    if (view === null) reply(connection, arrayHeader(0));
    else if (view && count <= 0) reply(connection, nilArray(connection.resp));
    else if (view) connection.replies.pushPieces(rangePieces(view, from, to, count, reverse));
  }
}

async function* rangePieces(
  view: KeyView,
  from: IdPair,
  to: IdPair,
  count: number,
  reverse: boolean,
): AsyncGenerator<string> {
  const counted = view.counted?.(from, to, reverse);
  if (counted) {
    const total = Math.min(count, counted.total);
    yield* entryPieces(counted.entries, total);
    return;
  }
  const entries = await collect(view, from, to, count, reverse);
  if (!entries) {
    yield '-ERR the reply would be larger than 64 MB. Ask for a part of it with COUNT\r\n';
    return;
  }
  yield* entryPieces(entries, entries.length);
}

/** The first `total` entries as an array, in pieces. Throws when there are fewer: then the reply cannot be completed. */
function* entryPieces(entries: Iterable<ShownEntry>, total: number): Generator<string> {
  let piece = arrayHeader(total);
  let left = total;
  for (const entry of entries) {
    if (left-- === 0) break;
    piece += shown(entry);
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = '';
  }
  if (left > 0) throw new Error('entries were removed while they were sent');
  yield piece;
}

/** The wanted entries in the wanted order, null when they are too many bytes. Going backwards keeps the newest `count`. */
async function collect(
  view: KeyView,
  from: IdPair,
  to: IdPair,
  count: number,
  reverse: boolean,
): Promise<ShownEntry[] | null> {
  const entries: ShownEntry[] = [];
  let bytes = 0;
  if (count === 0) return entries;
  for await (const entry of view.entries(from, to)) {
    entries.push(entry);
    bytes += entry.fields.length;
    if (reverse && entries.length > count) bytes -= (entries.shift() as ShownEntry).fields.length;
    if (!reverse && entries.length >= count) break;
    if (bytes > view.maxReplyBytes) return null;
  }
  return reverse ? entries.reverse() : entries;
}

function shown({ id, fields, fieldCount }: ShownEntry): string {
  return `*2\r\n${bulk(id)}${arrayHeader(fieldCount)}${fields}`;
}

function xread(connection: Client): void {
  const words = argumentsFrom(connection, 1);
  let count = Number.POSITIVE_INFINITY;
  let blockMs = -1;
  let i = 0;
  for (; i < words.length; i++) {
    const option = (words[i] as string).toUpperCase();
    if (option === 'STREAMS') break;
    const value = words[++i] ?? '';
    if (!/^\d{1,12}$/.test(value) || (option !== 'COUNT' && option !== 'BLOCK')) {
      const timeout = 'ERR timeout is not an integer or out of range';
      const problems: Record<string, string> = { COUNT: NO_INTEGER, BLOCK: timeout };
      replyError(connection, problems[option] ?? 'ERR syntax error');
      return;
    }
    if (option === 'COUNT') count = Number(value) || count;
    else blockMs = Number(value);
  }
  const names = words.slice(i + 1);
  if (i >= words.length || names.length === 0 || names.length % 2 === 1) {
    replyError(
      connection,
      "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.",
    );
    return;
  }
  readStreams(connection, names.slice(0, names.length / 2), names.slice(names.length / 2), count, blockMs);
}

function readStreams(connection: Client, keys: string[], ids: string[], count: number, blockMs: number): void {
  const { context, db, resp } = connection;
  const after = ids.map((id, i) => {
    const text = id === '$' ? (findKey(context.store, db, keys[i] as string)?.lastId ?? '0-0') : id;
    const pair = parseId(text, false);
    return pair && ([pair[0], pair[1] + 1] as IdPair);
  });
  if (keys.some((key) => findKey(context.store, db, key)?.type === 'hash')) {
    replyError(connection, WRONG_TYPE);
    return;
  }
  if (after.some((pair) => pair === null)) {
    replyError(connection, BAD_ID);
    return;
  }
  const deadline = context.clock.elapsed() + (blockMs === 0 ? Number.POSITIVE_INFINITY : blockMs);
  replyLater(connection, async () => {
    for (;;) {
      const parts: [string, string][] = [];
      for (const [i, key] of keys.entries()) {
        const view = findKey(context.store, db, key);
        const entries = view ? await collect(view, after[i] as IdPair, HIGHEST, count, false) : [];
        if (entries?.length) parts.push([key, arrayHeader(entries.length) + entries.map(shown).join('')]);
      }
      if (parts.length > 0) {
        if (resp === 3) return mapOf(3, parts);
        return arrayHeader(parts.length) + parts.map(([key, text]) => `*2\r\n${bulk(key)}${text}`).join('');
      }
      if (blockMs < 0 || context.clock.elapsed() >= deadline || connection.isClosed) return nilArray(resp);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  });
}

function xinfo(connection: Client): void {
  const subcommand = argument(connection, 1).toUpperCase();
  const { resp } = connection;
  if (!['STREAM', 'GROUPS', 'CONSUMERS'].includes(subcommand) || connection.parser.count < 3) {
    replyError(connection, `ERR unknown subcommand '${argument(connection, 1).slice(0, 128)}'. Try XINFO HELP.`);
    return;
  }
  const view = streamAt(connection, 2);
  if (view === undefined) return;
  if (!view) replyError(connection, 'ERR no such key');
  else if (subcommand !== 'STREAM') reply(connection, arrayHeader(0));
  else {
    replyLater(connection, async () => {
      const first = (await collect(view, LOWEST, HIGHEST, 1, false))?.[0];
      return mapOf(resp, [
        ['length', integer(view.length())],
        ['radix-tree-keys', integer(1)],
        ['radix-tree-nodes', integer(2)],
        ['last-generated-id', bulk(view.lastId)],
        ['max-deleted-entry-id', bulk('0-0')],
        ['entries-added', integer(view.length())],
        ['recorded-first-entry-id', bulk(first?.id ?? '0-0')],
        ['groups', integer(0)],
        ['first-entry', first ? shown(first) : nil(resp)],
        ['last-entry', nil(resp)],
      ]);
    });
  }
}
