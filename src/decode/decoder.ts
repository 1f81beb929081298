import { DecodeError } from '../errors.ts';
import {
  type ChangeEvent,
  formatEntryId,
  type Operation,
  type Row,
  type Stream,
  type StreamEntry,
  type TableIdentity,
} from '../types.ts';
import { classify, isSurelyRow } from './classify.ts';
import { readCloudEvent } from './cloud-event.ts';
import { type EnvelopeContext, type EnvelopeParts, emptyParts, readEnvelope, readKnownEnvelope } from './envelope.ts';
import { EntryFields } from './fields.ts';
import { flatChange, tableWithoutRow } from './flat.ts';
import { type Form, Forms } from './form.ts';
import { BRACE } from './json-bytes.ts';
import { Members } from './members.ts';
import { readDocumentKey } from './mongo.ts';
import { DecodeProblem } from './problem.ts';
import { Scanner } from './scanner.ts';
import { type ColumnNotice, columnText, StreamState } from './stream-state.ts';
import { atObject, Tables, tableOfStream } from './table.ts';
import { readTree } from './tree.ts';
import type { ControlEvent, ControlKind, Decoded, FeederWarning, FlatTables, Undecodable } from './types.ts';
import { DEFAULT_PLACEHOLDER, Placeholders } from './unavailable.ts';
import { FeederWatch, TableColumns } from './warnings.ts';

export interface DecoderOptions {
  /** Key texts that mean "no key" (`debezium.sink.redis.null.key`). Default: `default`, the empty text, `null`. */
  readonly nullKeys?: readonly string[];
  /** Value texts that mean "no value" (`debezium.sink.redis.null.value`). Default as for keys. */
  readonly nullValues?: readonly string[];
  /** The feeder's `unavailable.value.placeholder`, with its optional `hex:`. */
  readonly unavailablePlaceholder?: string;
  /** What was learned of a stream's flattened rows in an earlier process; undefined when nothing was. */
  readonly flatTables?: (stream: Stream) => FlatTables | undefined;
  /** A stream turned out to hold flattened rows of these tables; told again whenever there is a new one. */
  readonly onFlatTables?: (stream: Stream, tables: FlatTables) => void;
  /** Called once per stream and property. */
  readonly onWarning: (warning: FeederWarning) => void;
  /** Called once per stream and column whose type has no form in Redis (bits, intervals). */
  readonly onDropped?: ColumnNotice;
  /** Called for each point in time beyond every calendar (a database's infinity), which passes as text. */
  readonly onUnconverted?: ColumnNotice;
}

const NULL_WORDS: readonly string[] = ['default', '', 'null'];

/** Events of the signal table that Debezium writes itself around the chunks of an incremental snapshot, or takes as orders. */
const SIGNALS: ReadonlySet<string> = new Set([
  'snapshot-window-open',
  'snapshot-window-close',
  'execute-snapshot',
  'stop-snapshot',
  'pause-snapshot',
  'resume-snapshot',
]);

const NO_NAMES: readonly string[] = [];
const ignore = (): void => {};

/** Decodes entries of all streams; remembers per stream how its events look. Not to be shared between threads. */
export class Decoder {
  readonly #nullKeys: ReadonlySet<string>;
  readonly #nullValues: ReadonlySet<string>;
  readonly #placeholders: Placeholders;
  readonly #onWarning: (warning: FeederWarning) => void;
  readonly #onDropped: ColumnNotice;
  readonly #onUnconverted: ColumnNotice;
  readonly #flatTables: (stream: Stream) => FlatTables | undefined;
  readonly #onFlatTables: (stream: Stream, tables: FlatTables) => void;
  readonly #tables = new Tables();
  readonly #columns = new TableColumns();
  readonly #states: (StreamState | undefined)[] = [];
  readonly #fields = new EntryFields();
  readonly #scanner = new Scanner();
  readonly #parts = emptyParts();
  #sawFlat = false;
  #sawEnvelope = false;

  constructor(options: DecoderOptions) {
    this.#nullKeys = new Set(options.nullKeys ?? NULL_WORDS);
    this.#nullValues = new Set(options.nullValues ?? NULL_WORDS);
    this.#placeholders = new Placeholders(options.unavailablePlaceholder ?? DEFAULT_PLACEHOLDER);
    this.#onWarning = options.onWarning;
    this.#onDropped = options.onDropped ?? ignore;
    this.#onUnconverted = options.onUnconverted ?? ignore;
    this.#flatTables = options.flatTables ?? (() => undefined);
    this.#onFlatTables = options.onFlatTables ?? ignore;
  }

  /** What an entry means. Never throws: what cannot be understood is `undecodable`, with the reason. */
  decode(entry: StreamEntry): Decoded {
    try {
      return this.#decode(entry);
    } catch (error) {
      return undecodable(entry, error);
    }
  }

  #decode(entry: StreamEntry): Decoded {
    const state = this.#stateOf(entry);
    const fields = this.#fields;
    fields.locate(entry);
    if (fields.valueStart < 0) {
      throw new DecodeProblem(
        'DECODE_UNKNOWN_EVENT',
        'the entry’s fields are neither a key with its value nor `key`, `value` and headers',
        'Set `debezium.sink.redis.message.format` to `extended`',
      );
    }
    const scanner = this.#scanner;
    scanner.load(entry.bytes, fields.valueStart, fields.valueEnd);
    if (entry.bytes[scanner.at] !== BRACE.open || scanner.at === scanner.end) return this.#decodeWord(state, entry);
    const form = state.values.enter(scanner);
    if (state.kind === 'flat') {
      const row = form.flat.readKnown(scanner);
      if (row !== null && scanner.at === scanner.end) return this.#finishFlat(state, entry, form, row);
    } else if (readKnownEnvelope(scanner, form, this.#parts)) {
      return this.#finishEnvelope(state, entry, form, this.#parts);
    }
    scanner.load(entry.bytes, fields.valueStart, fields.valueEnd);
    return this.#decodeObject(state, entry);
  }

  #stateOf(entry: StreamEntry): StreamState {
    const { stream } = entry;
    const known = this.#states[stream.number];
    if (known !== undefined && known.stream === stream) return known;
    const watch = new FeederWatch(stream.name, this.#columns, this.#onWarning);
    const state = new StreamState(stream, watch, this.#placeholders, this.#onDropped, this.#onUnconverted);
    this.#states[stream.number] = state;
    this.#recall(state);
    return state;
  }

  #recall(state: StreamState): void {
    const known = this.#flatTables(state.stream);
    if (known === undefined) return;
    state.kind = 'flat';
    for (const [id, { connector, serverName, db, schema, table }] of known) {
      state.flatTables.set(id, this.#tables.intern(connector, serverName, db, schema, table));
    }
  }

  /** The general way: by the names of the members, whatever their order. The scanner is at the value. */
  #decodeObject(state: StreamState, entry: StreamEntry): Decoded {
    const scanner = this.#scanner;
    const form = state.values.open(scanner);
    if (!atObject(scanner)) return this.#decodePayloadWord(state, entry);
    const start = scanner.at;
    const members = new Members(scanner);
    scanner.expectEnd();
    return this.#decodeMembers(state, entry, form, members, start);
  }

  #decodeMembers(state: StreamState, entry: StreamEntry, form: Form, members: Members, start: number): Decoded {
    const scanner = this.#scanner;
    const kind = classify(members, form.schema?.name ?? '', this.#readKey(state, entry)?.names ?? NO_NAMES);
    // Reading the key moved the scanner to other bytes.
    switch (kind) {
      case 'envelope':
        return this.#finishEnvelope(
          state,
          entry,
          form,
          readEnvelope(scanner, form, members, start, this.#context(state)),
        );
      case 'cloudevent': {
        const event = readCloudEvent(scanner, members, state.data, this.#context(state));
        return this.#finishEnvelope(state, entry, event.form, event.parts);
      }
      case 'flat':
        scanner.at = start;
        return this.#finishFlat(state, entry, form, form.flat.read(scanner, isSurelyRow(members.names)));
      case 'unknown':
        throw new DecodeProblem(
          'DECODE_UNKNOWN_EVENT',
          'the value is neither a change event with `op`, `source` and a row, nor a flattened row, a CloudEvent or a control record',
          'Send Debezium’s own events, or rows as ExtractNewRecordState makes them',
        );
      case 'schema-change':
        if (members.enter('tableChanges')) this.#columns.learn(readTree(scanner));
        return control(kind);
      default:
        return control(kind);
    }
  }

  #context(state: StreamState): EnvelopeContext {
    return { tables: this.#tables, fallbackTable: tableOfStream(state.stream.name), internNames: state.internNames };
  }

  #finishEnvelope(state: StreamState, entry: StreamEntry, form: Form, parts: EnvelopeParts): Decoded {
    state.kind = 'envelope';
    this.#sawEnvelope = true;
    const { op, before, after } = parts;
    const table = parts.table!;
    if (op === 't') return control('truncate');
    if (!isOperation(op)) {
      throw new DecodeProblem(
        'DECODE_UNKNOWN_EVENT',
        `the operation "${op.slice(0, 20)}" is not known`,
        'Send operations c, u, d and r',
      );
    }
    let key = this.#readKey(state, entry);
    if (key !== null && table.connector === 'mongodb') key = readDocumentKey(key);
    if (op === 'd' ? before === null && key === null : after === null) {
      if (parts.lacksDocument) return control('partial-update');
      throw new DecodeProblem(
        'DECODE_NO_ROW',
        `an event with operation ${op} lacks ${op === 'd' ? '`before` and a key' : '`after`'}`,
        'Send the events of the source connector unchanged',
      );
    }
    if (after !== null && isSignal(after)) return control('signal');
    const event = changeEvent(op, table, key, before, op === 'd' ? null : after, parts);
    if (state.watch.isCurious) state.watch.inspect(event, parts.keepsNulls, form.schema !== null);
    return event;
  }

  #finishFlat(state: StreamState, entry: StreamEntry, form: Form, row: Row): Decoded {
    state.kind = 'flat';
    this.#sawFlat = true;
    const { metadata } = form.flat;
    if (metadata.get('__op') === 't') return control('truncate');
    const key = this.#readKey(state, entry);
    if (isSignal(row)) return control('signal');
    const tablesBefore = state.flatTables.size;
    const event = flatChange(state, this.#fields, this.#tables, row, metadata, key);
    if (state.flatTables.size > tablesBefore) this.#onFlatTables(state.stream, [...state.flatTables]);
    if (state.watch.isCurious) state.watch.inspect(event, false, form.schema !== null);
    return event;
  }

  /** The value is no object: a word that stands for nothing, or no event. */
  #decodeWord(state: StreamState, entry: StreamEntry): Decoded {
    const { valueStart, valueEnd } = this.#fields;
    const scanner = this.#scanner;
    const text = valueEnd - valueStart > 256 ? '' : entry.bytes.utf8Slice(valueStart, valueEnd);
    if (text === 'null') return this.#decodeNothing(state, entry, true);
    if (valueEnd - valueStart <= 256 && this.#nullValues.has(text)) return this.#decodeNothing(state, entry, false);
    scanner.skipBlanks();
    if (atObject(scanner)) return this.#decodeObject(state, entry);
    return this.#decodePayloadWord(state, entry);
  }

  #decodePayloadWord(state: StreamState, entry: StreamEntry): Decoded {
    const scanner = this.#scanner;
    const isNull = scanner.bytes[scanner.at] === 0x6e;
    scanner.skipValue();
    scanner.expectEnd();
    if (isNull) return this.#decodeNothing(state, entry, true);
    throw new DecodeProblem(
      'DECODE_UNKNOWN_EVENT',
      'the value is JSON, but no object',
      'Send Debezium’s own events, or rows as ExtractNewRecordState makes them',
    );
  }

  /**
   * A record without value. Between envelopes it is a tombstone, which repeats the delete before it. Between flattened rows it
   * *is* the delete. Before the first row of a stream, a JSON `null` (`isJsonNull`) can only come from a flattened delete; any
   * other word counts as delete only if this decoder has seen nothing but flattened rows. A delete too many is harmless
   * there, because a tombstone follows the delete of the same key.
   */
  #decodeNothing(state: StreamState, entry: StreamEntry, isJsonNull: boolean): Decoded {
    const isDelete =
      state.kind === 'unknown' ? isJsonNull || (this.#sawFlat && !this.#sawEnvelope) : state.kind === 'flat';
    const key = isDelete ? this.#readKey(state, entry) : null;
    if (key === null) return control('tombstone');
    const table = tableWithoutRow(state, this.#fields, this.#tables);
    if (table === null) {
      throw new DecodeProblem(
        'DECODE_UNKNOWN_EVENT',
        'a delete without row does not say of which of the stream’s tables it is',
        'Set `delete.tombstone.handling.mode=rewrite` for ExtractNewRecordState, or give each table its own stream',
      );
    }
    const documentKey = state.hasDocuments || isDocumentId(key) ? readDocumentKey(key) : key;
    return changeEvent('d', table, documentKey, null, null, { sourceMs: 0, incremental: false });
  }

  /** The record's key as row; null when there is none. Leaves the scanner as it was. */
  #readKey(state: StreamState, entry: StreamEntry): Row | null {
    const { keyStart, keyEnd } = this.#fields;
    if (keyStart < 0) return null;
    const scanner = this.#scanner;
    const { bytes, at, end } = scanner;
    scanner.load(entry.bytes, keyStart, keyEnd);
    const key = entry.bytes[keyStart] === BRACE.open ? this.#readKeyObject(state) : this.#readKeyWord(entry, state);
    scanner.load(bytes, at, end);
    return key;
  }

  #readKeyObject(state: StreamState): Row | null {
    const scanner = this.#scanner;
    const known = state.keys.enter(scanner).flat.readKnown(scanner);
    if (known !== null && scanner.at === scanner.end) return known;
    scanner.load(scanner.bytes, this.#fields.keyStart, this.#fields.keyEnd);
    scanner.skipBlanks();
    const form = state.keys.open(scanner);
    if (!atObject(scanner)) {
      scanner.skipValue();
      scanner.expectEnd();
      return null;
    }
    // A key with columns of these names must not become the pattern that keys with a new schema fit.
    const key = form.flat.read(scanner, !Forms.isWrapperLike(scanner));
    scanner.expectEnd();
    return key.names.length === 0 ? null : key;
  }

  #readKeyWord(entry: StreamEntry, state: StreamState): Row | null {
    const { keyStart, keyEnd } = this.#fields;
    if (keyEnd - keyStart <= 256 && this.#nullKeys.has(entry.bytes.utf8Slice(keyStart, keyEnd))) return null;
    const scanner = this.#scanner;
    scanner.skipBlanks();
    if (atObject(scanner)) return this.#readKeyObject(state);
    // A key without column names (`ExtractField$Key`) is JSON, but cannot name the row's key columns.
    scanner.skipValue();
    scanner.expectEnd();
    return null;
  }
}

function control(kind: ControlKind): ControlEvent {
  return { kind: 'control', control: kind };
}

function isOperation(op: string): op is Operation {
  return op === 'c' || op === 'u' || op === 'd' || op === 'r';
}

function changeEvent(
  op: Operation,
  table: TableIdentity,
  key: Row | null,
  before: Row | null,
  after: Row | null,
  parts: { readonly sourceMs: number; readonly incremental: boolean },
): ChangeEvent {
  return {
    kind: 'change',
    op,
    table,
    key,
    before,
    after,
    sourceMs: parts.sourceMs,
    snapshot: op === 'r' || parts.incremental,
  };
}

function isSignal(row: Row): boolean {
  return (
    row.names.length === 3 &&
    SIGNALS.has(columnText(row, 'type')) &&
    columnText(row, 'id') !== '' &&
    row.names.includes('data')
  );
}

/** `{"id":"{\"$oid\":…}"}`: no relational key looks like this. */
function isDocumentId(key: Row): boolean {
  const [id] = key.values;
  return key.names.length === 1 && key.names[0] === 'id' && typeof id === 'string' && id.startsWith('{"$');
}

const INTERNAL_FIX = 'Please report it with the entry from the DLQ';

function undecodable(entry: StreamEntry, error: unknown): Undecodable {
  const where = `stream ${entry.stream.name}, entry ${formatEntryId(entry)}`;
  const known = error instanceof DecodeProblem;
  const what = known
    ? error.message
    : `decoding failed by a bug: ${error instanceof Error ? error.message : String(error)}`;
  const code = known ? error.code : 'INTERNAL';
  const problem = new DecodeError(code, what, { where, fix: `${known ? error.fix : INTERNAL_FIX}.` });
  return { kind: 'undecodable', code, reason: problem.message };
}
