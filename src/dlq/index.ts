/**
 * # dlq: rejected entries, kept with their reason
 *
 * **In**: entries that could not be decoded, transformed or written, each with its {@link Rejection}. **Out**: records in the
 * store's dead letter queues, one queue per data stream, newest `dlq_max_messages` kept.
 *
 * **Promises**: a record holds everything needed to understand it and to replay it exactly: RDI's fields (spec/streams.md
 * §13), and the whole entry, headers included, byte for byte. It is stored before the checkpoint passes the entry. A
 * store that cannot take it now holds the batch back; nothing is dropped.
 *
 * A record that failed in a job says where: `job`, `step` (block or output), `expression` where one failed, and `error`.
 *
 * What is shown of an entry is bounded: above 8 MiB no parsed rows, and of each raw text the first MiB; the field `cut`
 * says so.
 *
 * All values are text; `key`, `before` and `after` hold JSON as the feeder sent it. Bytes that are not UTF-8 are given in
 * `raw_key`/`raw_value` as base64 with the prefix `base64:`.
 */
export { Dlq, type DlqOptions, type RejectedEntry } from './dlq.ts';
