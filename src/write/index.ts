/**
 * The writer: applies batches of writes to one target Redis.
 *
 * **In:** batches of {@link TargetWrite}: rows as hashes or documents, rows nested into documents, members of sets and sorted
 * sets, stream entries, strings, fields that go, keys that go. **Out:** one {@link WriteOutcome} per batch, and the
 * {@link TargetState} for status and metrics.
 *
 * **Promises**
 * - Order per key: nothing for a key is sent while an earlier write of it is in doubt. Different keys go side by side.
 * - Every reply is checked. A write is settled when the target accepted all of its commands, or refused one for good;
 *   then that write alone is reported as refused. Everything else is repeated without end: in order, with backoff, while
 *   the state says why. A missing RedisJSON and a refused login belong there too: nothing is lost, writing goes on by
 *   itself when the target is mended.
 * - Consecutive writes of a key within a batch become one where one can say exactly what they say together, the time to live
 *   included. Entries whose state is covered by a later one are reported as superseded; members, stream entries and nested
 *   rows travel together and count as written. Otherwise the later write waits for the earlier one. So a set, stream or parent
 *   that every row of a table goes into costs one round trip for some hundreds of rows.
 * - A refusal falls on the write that earned it: a unit of several writes is taken apart and sent one by one, unless what is
 *   stored at the key is the reason, which then holds for all of them.
 * - A time to live is set after the target has accepted the write itself, so that a refused write never lets the key of
 *   somebody else run out.
 * - What an ended connection still had on its way is not executed after newer writes, also when it belonged to a process that
 *   was killed: the next connection has the target close it first (not in a Cluster; needs the right to CLIENT KILL).
 * - What a feeder did not deliver is neither written nor removed.
 * - Bounded: batches taken in, pipelines on the wire, writes and bytes per pipeline.
 *
 * **Does not promise** exactly once: what was in doubt when a connection ended is repeated. All commands are harmless when
 * repeated, but for stream entries, which are appended again. It keeps no order between keys.
 *
 * **Kinds of writes**
 *
 * | kind | file | what several of one key become |
 * |---|---|---|
 * | hash, delete | `hash.ts` | the last state of each column |
 * | json | `json.ts` | the last document, or one patch |
 * | nest | `nest.ts` | one patch, a few commands, or one script call, in order |
 * | remove_fields | `remove-fields.ts` | one HDEL; JSON.DEL one after the other |
 * | set, sorted_set | `members.ts` | the last word on each member, in as few commands as keep the time to live right |
 * | stream | `stream.ts` | one script call that appends all |
 * | string | `string.ts` | the last value |
 *
 * Three scripts do in one go what has no command: `hash-replace` (`hash.ts`), `stream-append` (`stream.ts`) and `json-edit`
 * (`json-script.ts`: merging without JSON.MERGE, kept paths, arrays). The target's user needs the right to EVAL for them.
 *
 * **States**
 *
 * ```
 * connecting ──> ready <──> waiting (TARGET_UNAVAILABLE, TARGET_NO_JSON)
 *      │           └──────> refused (TARGET_AUTH: user, password, permission; TARGET_REFUSED: no such database)
 *      └─────────────────────> waiting, refused
 * ```
 *
 * `waiting` and `refused` return to `ready` by themselves, with the first pipeline in which nothing is left in doubt.
 *
 * **The way of a write:** `fold.ts` (states of a key into one unit) → `write-queue.ts` (order) → `writer.ts` (pipelines,
 * pauses) → `commands.ts` (what a unit says, with a file per kind) → `encode.ts` (bytes) → `session.ts` (one connection) →
 * `replies.ts` → `answers.ts` (what an answer means). `single-link.ts` and `cluster-link.ts` are the two ways to a target.
 *
 * Standalone and Sentinel targets are spoken to over our own connection: a general client's pipelines cost several times
 * the CPU per write (`benchmarks/micro/encode.ts`), and its own repeating would hide what is in doubt. ioredis finds the
 * master behind Sentinels and is the client of Clusters; it is loaded for those only (`ioredis.ts` says why).
 */
export { type Answer, askTarget, type Conversation } from './ask.ts';
export type { RetryOptions } from './backoff.ts';
export { commandsOf, type JsonMergeWay } from './commands.ts';
export { flushTarget, removeKeys } from './flush.ts';
export type { TargetFacts } from './link.ts';
export { type LookupOptions, TargetLookup } from './lookup.ts';
export type {
  ConnectionMemory,
  HostPort,
  PipelineReport,
  TargetConnection,
  TargetTls,
  WriterOptions,
} from './options.ts';
export type { DeleteWrite, HashWrite, JsonWrite, Refused, TargetState, TargetWrite, WriteOutcome } from './types.ts';
export { Writer } from './writer.ts';
