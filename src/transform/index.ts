/**
 * # transform: change events become writes
 *
 * **In**: {@link ChangeEvent}s and the compiled jobs ({@link JobDefinition}, which `readJobs` makes of `jobs/*.yaml`). **Out**: for
 * each event its writes for the connections it goes to, that it leaves nothing to write, or why it is rejected.
 *
 * **Promises**: one event never affects another; what was not delivered is never written, nor anything made of it; the writes
 * stand in the order of the events, also where some of these wait for lookups; pure, but for lookups, `uuid()` and the like.
 *
 * **Does not**: write, retry, or count; it reads targets only through the {@link LookupReader} that it is given.
 *
 * ## The way of an event
 *
 * 1. Its table's job: the one whose selectors match, else the default job, else the default mapping (`transformer.ts`).
 * 2. A record is made of it (`jobs/images.ts`), and goes through the blocks (`jobs/run.ts`, `jobs/blocks.ts`). At a `redis.lookup`
 *    it waits, until all records of the batch stand at a lookup or the end; then all ask together (`jobs/questions.ts`).
 * 3. An update that changed something on which the place of the row depends (`jobs/place.ts`) sends the row as it was before the
 *    same way: what that one left elsewhere is removed.
 * 4. The outputs write what came out (`jobs/outputs/`), each from the same record; one that fails leaves the others alone.
 *
 * A record lives for one event, values are shared between all: what is changed is copied first (`jobs/record.ts`). A column that
 * was not delivered is taken from the row before; else it spreads: fields made of it are left out, filters, lookups and keys that
 * need it reject the record (`jobs/partial-object.ts`).
 *
 * ## Rows that leave a filter
 *
 * By the language's letter a filter only keeps events away. With `filter_removes` an update or snapshot row that does not pass
 * removes what the row left: as it was before the update if it passed then; where that is not known, as it is now. Deletes are never
 * filtered then. Streams take no note of rows that leave.
 *
 * ## The default mapping
 *
 * Tables without a job are written under `<table>:<key column>:<value>[:<key column>:<value>…]`, or as `key_template` says.
 *
 * | event | hash target | JSON target |
 * |---|---|---|
 * | create | fields set | document replaced or merged |
 * | update, snapshot row | fields set, null columns removed | document replaced or merged |
 * | delete | key removed | key removed |
 *
 * A change of the primary key arrives from Debezium as the delete of the old key and the create of the new one; nothing
 * special is needed for it.
 */
export type { JobContext, JobDefinition, ReadJobs } from './jobs/definition.ts';
export { type KeyPrefixes, keyPrefixes } from './jobs/key-prefixes.ts';
export type { TransformTrace } from './jobs/passage.ts';
export { readJobs } from './jobs/read-jobs.ts';
export { createTransformer, type TransformerOptions } from './transformer.ts';
export {
  type EventTransformer,
  LookupError,
  type LookupReader,
  type LookupReply,
  MAIN_LANE,
  type TransformResults,
} from './types.ts';
