/**
 * Operations on a running engine that the command line and the HTTP interface share.
 *
 * In: an {@link Engine}. Out: its status with everything that follows from it (run state, problems in plain words, the
 * accounting line, stream names as people and dashboards write them). Promises: no text that leaves here holds the user
 * part of a URL; errors come before warnings. Does not: speak HTTP, or print. `engine.ts`, which starts an engine, knows
 * every room and is therefore imported by itself, by `rdi run` only: all other commands stay light.
 *
 * Run states: STARTED (nothing has arrived) → RUNNING (entries are pending) ⇄ IDLING (all settled); ERROR while data
 * cannot flow (store failed, a target cannot be written, a stream stands); STOPPED when the endpoint does not listen.
 */
export { ACCOUNT_PLACES, accountingLine, missingEntries } from './accounting.ts';
export type * from './operations.ts';
export { findProblems } from './problems.ts';
export { readReadiness, readStatus, runState, type Status, withoutCredentials } from './status.ts';
export { dataSources, resolveStreamName } from './stream-names.ts';
export type {
  AccountSums,
  DlqPage,
  DlqRecord,
  Engine,
  EngineSnapshot,
  PhaseSums,
  StreamAccount,
} from './types.ts';
