/**
 * # dlq: rejected entries, kept with their reason, until they are applied or dropped
 *
 * **In**: entries that could not be decoded, transformed or written, each with its {@link Rejection}; entries that were applied
 * after them. **Out**: records in the store's dead letter queues, one queue per data stream, newest `dlq_max_messages` kept.
 *
 * **Promises**
 * - A record holds everything needed to understand it and to try it again exactly: RDI's fields (spec/streams.md §13), and the
 *   whole entry, headers included, byte for byte. It is stored before the checkpoint passes the entry. A store that cannot
 *   take it now holds the batch back; nothing is dropped.
 * - An entry has at most one record. What a crash left of entries that are not settled is forgotten at the start: they are
 *   read again.
 * - A record knows whether a newer value of its row was applied since: noted in one transaction with the records of that
 *   batch, before the checkpoint passes it. So also what arrived while a record was being retried, or right before a crash, counts.
 * - A record that is tried again leaves the queue in the transaction in which the account of its stream changes, after the
 *   target has accepted it. A crash before that leaves it in the queue, to be written again; never is it in neither place.
 *
 * **Which row a record is of** is told by the key as it was sent (`row.ts`), and by the table where that is known. Records
 * without a key have no row: nobody can know whether something newer is there.
 *
 * **What is newer** is what arrived later, unless the source says otherwise (`source-position.ts`): a feeder that starts again
 * sends changes again that are older than a record, or the same.
 *
 * A record that failed in a job says where: `job`, `step` (block or output), `expression` where one failed, and `error`. One
 * that failed again counts its attempts; one that was edited says when.
 *
 * What is shown of an entry is bounded: above 8 MiB no parsed rows, and of each raw text the first MiB; the field `cut`
 * says so.
 *
 * All values are text; `key`, `before` and `after` hold JSON as the feeder sent it. Bytes that are not UTF-8 are given in
 * `raw_key`/`raw_value` as base64 with the prefix `base64:`.
 */
export { describeEdited, type RejectedEntry } from './describe.ts';
export { Dlq, type DlqOptions, type RetriedBatch } from './dlq.ts';
export { fieldCount, fieldTexts, replaceKeyAndValue } from './entry-texts.ts';
export type { AppliedEntry } from './newer.ts';
export { rowOf, sourcePositionOf } from './row.ts';
export {
  compareSources,
  readSourcePosition,
  type SourceOrder,
  type SourcePosition,
  sourcePositionText,
} from './source-position.ts';
