import type { z } from 'zod';
import { choice, decimal, flag, group, integer, parsed, properties, text } from './declare.ts';
import { isKeyTemplate } from './key-template.ts';
import { logging } from './schema-sources.ts';

/** `processors` and `processors.advanced`: reading, batching, retrying. Names, ranges and defaults are RDI's. */

const MAX_DELAY_MS = 999_999;

interface Extra {
  noEffect?: string;
  deprecated?: string;
  alias?: string;
  max?: number;
  min?: number;
}

const count = (value: number, description: string, extra: Extra = {}) =>
  integer({ description, min: 1, default: value, ...extra }).optional();
const delay = (value: number, description: string, extra: Extra = {}) =>
  count(value, description, { max: MAX_DELAY_MS, ...extra });
const factor = (description: string, extra: Extra = {}) =>
  decimal({ description, min: 1, default: 2, ...extra }).optional();

const oneLoop = 'rdi reads, converts and writes in one ordered path';
const pushed = 'streams are in the same process and wake the reader';
const withoutEnd = 'what is transient is repeated in order until it succeeds, so that nothing is lost';
const dedupOwn = 'batches that a feeder sends again are always recognised and counted';
const atOnce = 'what has arrived is written at once; a batch fills only while an earlier one is on its way';
const dlqLocal = 'the DLQ is in the same process';

const DATA_TYPES = ['hash', 'json'] as const;
const JSON_STRATEGIES = ['replace', 'merge'] as const;

const advancedSource = properties(
  {
    'stream.name.pattern': text({
      description:
        'Glob over the names of streams; others are left alone. RDI’s default is `data:*`, rdi’s is every stream that a feeder writes.',
    }).optional(),
    'discovery.interval.ms': integer({
      description: 'Pause between looks for new streams.',
      min: 0,
      default: 1000,
      noEffect: pushed,
    }).optional(),
    'batch.size': count(2000, 'Most records per read.', { alias: 'read_batch_size' }),
    'batch.timeout.ms': count(100, 'Longest wait for a read batch to fill.', {
      alias: 'read_batch_timeout_ms',
      noEffect: atOnce,
    }),
    'connection.timeout.ms': count(2000, 'Timeout of the stream database.', { noEffect: pushed }),
    'socket.timeout.ms': count(2000, 'Timeout of the stream database.', { noEffect: pushed }),
    'retry.max.attempts': count(5, 'Attempts to read.', { noEffect: pushed }),
    'retry.initial.delay.ms': count(100, 'First delay after a failed read.', { noEffect: pushed }),
    'retry.max.delay.ms': count(3000, 'Longest delay after failed reads.', { noEffect: pushed }),
    'retry.backoff.multiplier': factor('Growth of the delay.', { noEffect: pushed }),
  },
  { description: 'Reading of the streams.' },
);

const advancedTarget = properties(
  {
    'batch.size': count(200, 'Most records per write to the target.', { alias: 'write_batch_size' }),
    'flush.interval.ms': count(100, 'Longest wait for a write batch to fill.', {
      noEffect: 'what is read is written at once',
    }),
    'connection.timeout.ms': count(2000, 'Longest wait for a connection to the target.'),
    'socket.timeout.ms': count(
      10_000,
      'Longest silence of the target while an answer is due; then the connection is made anew and what is unanswered is sent again. RDI’s default is 2000, which cuts a target that is only slow.',
    ),
    'retry.max.attempts': count(5, 'Attempts.', { alias: 'retry_max_attempts', noEffect: withoutEnd }),
    'retry.initial.delay.ms': count(1000, 'First delay after a failed write.', { alias: 'retry_initial_delay_ms' }),
    'retry.max.delay.ms': count(10_000, 'Longest delay after failed writes.', { alias: 'retry_max_delay_ms' }),
    'retry.backoff.multiplier': factor('Growth of the delay.'),
    'wait.enabled': flag({
      description: 'Ask the replica to confirm each write (`WAIT`).',
      default: false,
      alias: 'wait_enabled',
    }).optional(),
    'wait.write.timeout.ms': count(1000, 'Longest wait for the replica.', { alias: 'wait_timeout' }),
    'wait.retry.enabled': flag({
      description: 'Write again when the replica did not confirm.',
      default: true,
      alias: 'retry_on_replica_failure',
    }).optional(),
    'wait.retry.delay.ms': count(1000, 'Pause before that.'),
  },
  { description: 'Writing to the target.' },
);

const advancedDlq = properties(
  {
    'max.len': count(1000, 'Records kept per DLQ stream; the oldest go first.', { alias: 'dlq_max_messages' }),
    'batch.size': count(100, 'Records per write.', { noEffect: dlqLocal }),
    'flush.interval.ms': count(100, 'Longest wait for a batch to fill.', { noEffect: dlqLocal }),
    'connection.timeout.ms': count(2000, 'Timeout.', { noEffect: dlqLocal }),
    'socket.timeout.ms': count(2000, 'Timeout.', { noEffect: dlqLocal }),
    'retry.max.attempts': count(1, 'Attempts.', { noEffect: dlqLocal }),
    'retry.initial.delay.ms': count(100, 'First delay.', { noEffect: dlqLocal }),
    'retry.max.delay.ms': count(3000, 'Longest delay.', { noEffect: dlqLocal }),
    'retry.backoff.multiplier': factor('Growth of the delay.', { noEffect: dlqLocal }),
    'wait.enabled': flag({ description: 'Ask the replica to confirm.', default: false, noEffect: dlqLocal }).optional(),
    'wait.write.timeout.ms': count(1000, 'Longest wait for the replica.', { noEffect: dlqLocal }),
    'wait.retry.enabled': flag({ description: 'Write again.', default: false, noEffect: dlqLocal }).optional(),
    'wait.retry.delay.ms': count(1000, 'Pause before that.', { noEffect: dlqLocal }),
  },
  { description: 'Writing to the DLQ.' },
);

const advancedProcessor = properties(
  {
    'default.data.type': choice(DATA_TYPES, {
      description: 'Default output type.',
      default: 'hash',
      alias: 'target_data_type',
    }).optional(),
    'default.json.update.strategy': choice(JSON_STRATEGIES, {
      description: 'Default way to write JSON.',
      default: 'replace',
      alias: 'json_update_strategy',
    }).optional(),
    'dlq.enabled': flag({
      description: '`true` is `error_handling: dlq`, `false` is `ignore`.',
      default: true,
      alias: 'error_handling',
    }).optional(),
  },
  { description: 'Conversion.' },
);

const flinkOnly = 'there is no Flink in rdi';
const advancedFlink = properties(
  {
    'parallelism.default': integer({ description: 'Workers.', min: 1 }).optional(),
    'taskmanager.numberOfTaskSlots': count(1, 'Slots per task manager.'),
    'taskmanager.memory.process.size': text({ description: 'Memory of a task manager.', default: '2048m' }).optional(),
  },
  { description: 'Flink itself.', noEffect: flinkOnly },
);

const advancedResources = group(
  {
    taskManager: group(
      { replicas: integer({ description: 'Task managers.', min: 1 }).optional() },
      { description: 'Task managers.' },
    ).optional(),
  },
  { description: 'Kubernetes resources.', noEffect: flinkOnly },
);

export const advancedProcessors = group(
  {
    source: advancedSource.optional(),
    target: advancedTarget.optional(),
    dlq: advancedDlq.optional(),
    processor: advancedProcessor.optional(),
    flink: advancedFlink.optional(),
    resources: advancedResources.optional(),
  },
  { description: 'The same by group, as RDI’s Flink processor names it. Stronger than the properties above.' },
);

export const processors = group(
  {
    type: choice(['classic', 'flink'], {
      description: 'Engine of RDI.',
      default: 'classic',
      noEffect: 'rdi has one engine',
    }).optional(),
    read_batch_size: count(2000, 'Most records per read.'),
    read_batch_timeout_ms: count(100, 'Longest wait for a read batch to fill, ms.', { noEffect: atOnce }),
    duration: count(100, 'Longest wait for a read batch to fill, ms.', {
      deprecated: 'use `read_batch_timeout_ms`; RDI ignores it too',
    }),
    write_batch_size: count(200, 'Most records per write to the target. More than `read_batch_size` is cut to it.'),
    enable_async_processing: flag({
      description: 'Overlap reading, converting and writing.',
      default: true,
      noEffect: 'rdi always overlaps them',
    }).optional(),
    batch_queue_size: count(3, 'Batches waiting to be processed.', { noEffect: oneLoop }),
    ack_queue_size: count(10, 'Batches waiting to be acknowledged.', { noEffect: oneLoop }),
    dedup: flag({ description: 'Drop repeated records.', default: false, noEffect: dedupOwn }).optional(),
    dedup_max_size: count(1024, 'Records remembered for it.', { noEffect: dedupOwn }),
    dedup_strategy: choice(['reject', 'ignore'], {
      description: 'What happens to a repeated record.',
      default: 'ignore',
      deprecated: 'RDI ignores it too',
    }).optional(),
    error_handling: choice(['dlq', 'ignore', 'abort', 'keep', 'reject'], {
      description:
        'What happens to a record that cannot be applied: `dlq` keeps it with its reason, `ignore` drops it and counts it. Beyond RDI: `abort` stops its stream until somebody resumes it. `keep` and `reject` are old words for `dlq`.',
      default: 'dlq',
    }).optional(),
    on_reject: choice(['continue', 'park_key'], {
      description:
        'What happens to later changes of a row that has a record in the DLQ: `continue` writes them, and the record is outdated. `park_key` has them wait behind it in the DLQ, so that nothing of the row is written out of order; nothing is evicted then, and a stream whose DLQ is full stops. Slower: a row is never on its way twice. Needs `error_handling: dlq`.',
      default: 'continue',
      beyondRdi: true,
    }).optional(),
    dlq_max_messages: count(1000, 'Records kept per DLQ stream; the oldest go first.'),
    target_data_type: choice(DATA_TYPES, {
      description: 'What a row becomes when no job says otherwise.',
      default: 'hash',
    }).optional(),
    json_update_strategy: choice(JSON_STRATEGIES, {
      description: 'Whether a changed row replaces the JSON document or is merged into it.',
      default: 'replace',
    }).optional(),
    use_native_json_merge: flag({
      description: 'Merge with `JSON.MERGE` where the target has it.',
      default: true,
    }).optional(),
    key_template: parsed((template) => isKeyTemplate(template) || undefined, {
      description:
        'How default keys are made. `{key}` is `<key column>:<value>` for each column of the primary key; beside it `{server_name}`, `{db}`, `{schema}` and `{table}` may stand, which keeps tables of the same name apart.',
      default: '{table}:{key}',
      example: '{schema}.{table}:{key}',
      expects: 'text with `{key}`, and beside it only `{server_name}`, `{db}`, `{schema}`, `{table}` in braces',
      beyondRdi: true,
    }).optional(),
    filter_removes: flag({
      description:
        'A row that no longer passes the filters of its job leaves the target. Without it what was written before stays. A job’s own `filter_removes` is stronger.',
      default: false,
      beyondRdi: true,
    }).optional(),
    strict_keys: flag({
      description:
        'A key expression that joins a null into the text of a key rejects its record; without it the key holds `None`. A job’s own `strict_keys` is stronger.',
      default: false,
      beyondRdi: true,
    }).optional(),
    initial_sync_processes: count(4, 'Parallel workers for the snapshot.', { max: 32, noEffect: oneLoop }),
    idle_sleep_time_ms: delay(200, 'Pause when there is nothing to do.', { noEffect: pushed }),
    idle_streams_check_interval_ms: delay(1000, 'Pause between looks for new streams when idle.', { noEffect: pushed }),
    busy_streams_check_interval_ms: delay(5000, 'Pause between looks for new streams when busy.', { noEffect: pushed }),
    retry_max_attempts: count(5, 'Attempts to write to the target.', { noEffect: withoutEnd }),
    retry_initial_delay_ms: delay(1000, 'First delay after a failed write, ms.'),
    retry_max_delay_ms: delay(10_000, 'Longest delay after failed writes, ms.'),
    wait_enabled: flag({
      description: 'Ask the target’s replica to confirm each write (`WAIT`).',
      default: false,
    }).optional(),
    wait_timeout: count(1000, 'Longest wait for the replica, ms.'),
    retry_on_replica_failure: flag({
      description: 'Write again when the replica did not confirm.',
      default: true,
    }).optional(),
    on_failed_retry_interval: count(5, 'Seconds between attempts.', {
      deprecated: 'use `retry_initial_delay_ms`; RDI ignores it too',
    }),
    logging: logging.optional(),
    advanced: advancedProcessors.optional(),
    debezium_lob_encoded_placeholder: text({
      description: 'Text that stands for a value that was not delivered.',
      deprecated: 'rdi knows the placeholder of every Debezium connector; RDI removed the key after 1.15',
    }).optional(),
  },
  { description: 'How records are read, converted and written.' },
);

export type ProcessorsInput = z.output<typeof processors>;
