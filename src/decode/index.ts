/**
 * Decode: one stream entry in, one change event out.
 *
 * **Comes in:** a `StreamEntry`, the fields of an XADD as the feeder sent them: in Debezium's `compact` or `extended` message
 * format, key and value as JSON, each with or without its schema.
 *
 * **Goes out:** a `ChangeEvent` with table, operation, key and rows; a `ControlEvent` for records that change no row
 * (tombstones, heartbeats, schema changes, transactions, messages, notifications, signals, truncates); or an `Undecodable`
 * with code and reason, whose original bytes belong into the DLQ. Nothing behind this room can tell which encoding an event
 * came in.
 *
 * **How an entry is judged**, in this order: a null word or JSON `null` → tombstone or flattened delete; a `{"schema","payload"}`
 * wrapper → its payload, with types; `specversion` → CloudEvent; a schema name or members of a control record → control;
 * `op`, `source` and a row → envelope; anything else → flattened row, whose `__…` metadata are no columns.
 *
 * **Promises**
 * - `decode` never throws, never hangs, and accepts exactly the JSON that `JSON.parse` accepts.
 * - Digits survive: integers beyond 2^53, decimals and floats keep the text that was written (`NumberText`) unless a plain
 *   number prints the same. Arrays, objects and `json` columns keep their text (`JsonText`).
 * - With a schema, values are converted by logical type (times to epoch ms or seconds, decimals to digits); without, they
 *   are what was written. Bits and intervals are left out with a schema, and reported once per column.
 * - A column that was not delivered is `UNAVAILABLE` and makes its row `partial`.
 * - `Row.names` is the same array for as long as a table's columns do not change.
 * - Settings of the feeder that damage data are reported once per stream and property, never on suspicion alone.
 *
 * **Does not** trust `before` of a delete: the key is the record's key, and null when the record has none. Does not read
 * Avro. Does not decide what an event does to the target.
 *
 * **Why it is fast:** events of a table look alike. What was the same in the last event (schema, member names, most of
 * `source`) is compared as bytes instead of being parsed again; see `template.ts` and `row-reader.ts`.
 *
 * **Memory:** strings of an event may be slices that keep the whole event's text alive. Who stores a value beyond its batch
 * must copy it.
 */

export { compactJson } from './compact-json.ts';
export { Decoder, type DecoderOptions } from './decoder.ts';
export { readFields } from './fields.ts';
export type { ColumnNotice } from './stream-state.ts';
export type { ControlEvent, ControlKind, Decoded, FeederWarning, FlatTables, Undecodable } from './types.ts';
