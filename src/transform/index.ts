/**
 * # transform: change events become writes
 *
 * **In**: a {@link ChangeEvent}. **Out**: the writes for the target, or the reason why there can be none.
 *
 * **Promises**: pure and synchronous; one event never affects another; what was not delivered is never written; events of one
 * row give writes of one key, in the order of the events.
 *
 * The default mapping (spec/streams.md, spec/types.md §3–6) writes every table as hashes or JSON documents under
 * `<table>:<key column>:<value>[:<key column>:<value>…]`.
 *
 * | event | hash target | JSON target |
 * |---|---|---|
 * | create | fields set | document replaced or merged |
 * | update, snapshot row | fields set, null columns removed | document replaced or merged |
 * | delete | key removed | key removed |
 *
 * Jobs: their expressions are compiled and checked (`jobs/check.ts`); rows are written with the default mapping.
 *
 * A change of the primary key arrives from Debezium as the delete of the old key and the create of the new one; nothing
 * special is needed for it.
 */
export { DefaultMapping, type MappingSettings } from './default-mapping.ts';
export { checkJobs } from './jobs/check.ts';
export type { JobContext, JobDefinition, ReadJobs } from './jobs/definition.ts';
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
