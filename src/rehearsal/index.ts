/**
 * # rehearsal: jobs on trial, without a target
 *
 * **In**: a pipeline folder, and job tests (`jobs/tests/*.yaml`) or events. **Out**: for each event what the record looked like
 * after each block, the commands, and why it was filtered or rejected; for each test what differs from what was expected.
 *
 * **Promises**: nothing is connected to. Events go through the same decoder, jobs and commands as in `rdi run`; only the target
 * is a model in memory (`keyspace.ts`), read from the kinds of writes alone. Numbers keep their digits on both sides.
 * All mistakes in test files are found before the first test runs, each as `file:line:col: message`.
 *
 * **Does not**: let time pass (a `ttl` is what was set last), send batches (each event is finished before the next one), or ask
 * a target for lookups: these are answered by `lookups`, else from the keys in memory, else they find nothing.
 *
 * ## A file of job tests
 *
 * ```yaml
 * - name: a gold customer is a document        # what the test promises; once per file
 *   config: {target_data_type: json}           # optional: in place of `processors` of config.yaml, also json_update_strategy,
 *                                              #   use_native_json_merge, filter_removes, strict_keys, key_template
 *   keys: {"tier:gold": {hash: {label: Best}}} # optional: what is in the target before; `keys_of: {<connection>: …}` for others
 *   lookups:                                   # optional
 *     - {command: [HGET, "tier:gold", label], reply: Best}   # a list or map for replies of several; or `error: WRONGTYPE …`
 *   given:                                     # changes in order
 *     - {table: customer, op: c, key: {id: 7}, before: null, after: {id: 7, tier: gold}}   # also server_name, db, schema, connector
 *     - {recorded: ../recorded.client.resp.gz, tables: [customer], limit: 10}              # a recording, or JSON events by line
 *     - {stream: 'data:shop.customer', fields: [[key, '{"id":7}'], [value, '{…}']]}         # an entry as a feeder sent it
 *   expect:                                    # one of these at least
 *     keys:                                    # all keys afterwards, with what was there before; also `keys_of`
 *       customer:id:7: {json: {id: 7, tier: gold}, ttl: 60}  # hash, json, set, zset, stream or string; no `ttl`: persistent
 *     commands: [[JSON.SET, "customer:id:7", $, '{"id":7,"tier":"gold"}']]                 # of the last change
 *     rejected: [WRONGTYPE]                    # a number, or a part of each reason in order; without it none may be rejected
 *     filtered: 1
 * ```
 *
 * With `key-history.ts` a search for the events that touched a key, with `job-trial.ts` a job on trial: both ask a target only what
 * lookups ask, through readers that they are given.
 *
 * Rows may share columns by YAML's anchors, aliases and merge keys: `after: {<<: *ada, tier: silver}`.
 */
export { Entries, readEntries, readJson, readJsonFile } from './entries.ts';
export { findTests } from './find-tests.ts';
export { type EditedJob, editJob, type JobTrial, tryJob } from './job-trial.ts';
export { junitXml } from './junit.ts';
export { type Configuration, type KeyEvent, KeyHistory } from './key-history.ts';
export { Keyspace, type KeyspaceOptions, type StoredKey, type StoredValue } from './keyspace.ts';
export { loadForRehearsal } from './load.ts';
export { parseLookup } from './lookup-answers.ts';
export { type RawEntry, rawOf } from './raw-entry.ts';
export { Rehearsal, requireJobs } from './rehearsal.ts';
export { TestRunner } from './run-test.ts';
export { type KeyNow, readKey } from './stored-value.ts';
export { describeChange, describeOther, rowJson, Trial } from './trial.ts';
export type { Difference, GivenLookup, JobTest, RehearsedEvent, TestResult } from './types.ts';
