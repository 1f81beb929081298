import { defaultOf } from './declare.ts';
import { advancedProcessors, processors as declaration, type ProcessorsInput } from './schema-processors.ts';
import type { ErrorHandling, PipelineSettings } from './types.ts';

const top = declaration.shape;
const advancedShape = advancedProcessors.shape;
const targetShape = advancedShape.target.unwrap().shape;

/** Effective values: `processors.advanced.<group>`, else `processors.<property>`, else the default. */
export function effectiveSettings(input: ProcessorsInput | null | undefined): PipelineSettings {
  const processors = input ?? {};
  const { source = {}, target = {}, dlq = {}, processor = {} } = processors.advanced ?? {};
  const readBatchSize = source['batch.size'] ?? processors.read_batch_size ?? defaultOf(top.read_batch_size);
  const writeBatchSize = target['batch.size'] ?? processors.write_batch_size ?? defaultOf(top.write_batch_size);
  return {
    readBatchSize,
    writeBatchSize: Math.min(writeBatchSize, readBatchSize),
    retry: retrySettings(processors, target),
    wait: {
      enabled: target['wait.enabled'] ?? processors.wait_enabled ?? defaultOf(top.wait_enabled),
      timeoutMs: target['wait.write.timeout.ms'] ?? processors.wait_timeout ?? defaultOf(top.wait_timeout),
      retry:
        target['wait.retry.enabled'] ?? processors.retry_on_replica_failure ?? defaultOf(top.retry_on_replica_failure),
      retryDelayMs: target['wait.retry.delay.ms'] ?? defaultOf(targetShape['wait.retry.delay.ms']),
    },
    targetConnectTimeoutMs: target['connection.timeout.ms'] ?? defaultOf(targetShape['connection.timeout.ms']),
    targetSocketTimeoutMs: target['socket.timeout.ms'] ?? defaultOf(targetShape['socket.timeout.ms']),
    targetDataType: processor['default.data.type'] ?? processors.target_data_type ?? defaultOf(top.target_data_type),
    jsonUpdateStrategy:
      processor['default.json.update.strategy'] ??
      processors.json_update_strategy ??
      defaultOf(top.json_update_strategy),
    nativeJsonMerge: processors.use_native_json_merge ?? defaultOf(top.use_native_json_merge),
    keyTemplate: processors.key_template ?? defaultOf(top.key_template),
    filterRemoves: processors.filter_removes ?? defaultOf(top.filter_removes),
    strictKeys: processors.strict_keys ?? defaultOf(top.strict_keys),
    errorHandling: errorHandling(processor['dlq.enabled'], processors.error_handling),
    onReject: processors.on_reject ?? defaultOf(top.on_reject),
    dlqMaxMessages: dlq['max.len'] ?? processors.dlq_max_messages ?? defaultOf(top.dlq_max_messages),
    streamPattern: source['stream.name.pattern'],
    logLevel: processors.logging?.level,
  };
}

type AdvancedTarget = NonNullable<NonNullable<ProcessorsInput['advanced']>['target']>;

function retrySettings(processors: ProcessorsInput, target: Partial<AdvancedTarget>): PipelineSettings['retry'] {
  const initialDelayMs =
    target['retry.initial.delay.ms'] ?? processors.retry_initial_delay_ms ?? defaultOf(top.retry_initial_delay_ms);
  const maxDelayMs = target['retry.max.delay.ms'] ?? processors.retry_max_delay_ms ?? defaultOf(top.retry_max_delay_ms);
  return {
    maxAttempts: target['retry.max.attempts'] ?? processors.retry_max_attempts ?? defaultOf(top.retry_max_attempts),
    initialDelayMs,
    maxDelayMs: Math.max(initialDelayMs, maxDelayMs),
    multiplier: target['retry.backoff.multiplier'] ?? defaultOf(targetShape['retry.backoff.multiplier']),
  };
}

/** `keep` and `reject` are how older versions said `dlq`. */
function errorHandling(dlqEnabled: boolean | undefined, word: ProcessorsInput['error_handling']): ErrorHandling {
  if (dlqEnabled !== undefined) return dlqEnabled ? 'dlq' : 'ignore';
  const chosen = word ?? defaultOf(top.error_handling);
  return chosen === 'ignore' || chosen === 'abort' ? chosen : 'dlq';
}
