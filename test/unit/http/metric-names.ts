/** What each metric is, written down from the documentation of RDI and Debezium, and our own list. */
export type Declared = readonly [type: 'counter' | 'gauge' | 'histogram', ...labels: string[]];
export type Names = Readonly<Record<string, Declared>>;

/** RDI's classic processor metrics (RDI 1.19). */
export const RDI: Names = {
  incoming_records_total: ['counter'],
  incoming_records_created: ['gauge'],
  processed_records_total: ['counter'],
  rejected_records_total: ['counter'],
  filtered_records_total: ['counter'],
  rdi_engine_state: ['gauge', 'state', 'sync_mode'],
  rdi_version_info: ['gauge', 'cli', 'engine'],
  monitor_time_elapsed_total: ['counter'],
  monitor_time_elapsed_created: ['gauge'],
  rdi_incoming_entries: ['gauge', 'data_source', 'operation'],
  rdi_stream_event_latency_ms: ['gauge', 'data_source'],
  rdi_processed_batches_total: ['counter'],
  rdi_processor_batch_size_total: ['counter'],
  rdi_processor_read_time_ms_total: ['counter'],
  rdi_processor_transform_time_ms_total: ['counter'],
  rdi_processor_write_time_ms_total: ['counter'],
  rdi_processor_process_time_ms_total: ['counter'],
  rdi_processor_ack_time_ms_total: ['counter'],
  rdi_processor_total_time_ms_total: ['counter'],
  rdi_processor_rec_per_sec_total: ['gauge'],
  rdi_processor_batch_size_last: ['gauge'],
  rdi_processor_read_time_ms_last: ['gauge'],
  rdi_processor_transform_time_ms_last: ['gauge'],
  rdi_processor_write_time_ms_last: ['gauge'],
  rdi_processor_process_time_ms_last: ['gauge'],
  rdi_processor_ack_time_ms_last: ['gauge'],
  rdi_processor_total_time_ms_last: ['gauge'],
  rdi_processor_rec_per_sec_last: ['gauge'],
};

/** What this project adds. */
export const OWN: Names = {
  rdi_stream_entries_total: ['counter', 'data_source', 'operation'],
  rdi_stream_stopped: ['gauge', 'data_source'],
  rdi_stream_stalled: ['gauge', 'data_source'],
  rdi_stream_last_arrival_timestamp_seconds: ['gauge', 'data_source'],
  rdi_deduplicated_records_total: ['counter'],
  rdi_unaccounted_records: ['gauge'],
  rdi_oldest_pending_seconds: ['gauge'],
  rdi_dlq_entries: ['gauge', 'data_source'],
  rdi_dlq_retried_total: ['counter', 'data_source'],
  rdi_dlq_evicted_total: ['counter', 'data_source'],
  rdi_target_connected: ['gauge', 'target'],
  rdi_target_last_write_timestamp_seconds: ['gauge', 'target'],
  rdi_target_writes_total: ['counter', 'target'],
  rdi_target_batches_total: ['counter', 'target'],
  rdi_pending_ack: ['gauge'],
  rdi_buffer_bytes: ['gauge'],
  rdi_buffer_limit_bytes: ['gauge'],
  rdi_memory_buffer_bytes: ['gauge'],
  rdi_memory_buffer_limit_bytes: ['gauge'],
  rdi_store_state: ['gauge', 'state'],
  rdi_store_sync_duration_seconds: ['histogram', 'le'],
  rdi_feeder_connections: ['gauge'],
  rdi_backpressure_active: ['gauge', 'source'],
  rdi_backpressure_level: ['gauge'],
  rdi_pipeline_active: ['gauge'],
  rdi_pipeline_revision: ['gauge'],
  rdi_pipeline_state: ['gauge', 'state'],
  rdi_pipeline_failure: ['gauge'],
  rdi_pipeline_awaits_feeder: ['gauge'],
  rdi_problems: ['gauge', 'severity'],
  rdi_build_info: ['gauge', 'version', 'node'],
  rdi_source_to_target_latency_seconds: ['histogram', 'server_name', 'table', 'job_name', 'le'],
  rdi_endpoint_to_target_latency_seconds: ['histogram', 'server_name', 'table', 'job_name', 'le'],
  rdi_job_records_total: ['counter', 'job_name', 'outcome'],
  rdi_snapshot_rows_total: ['counter', 'server_name', 'table', 'job_name'],
  rdi_output_writes_total: ['counter', 'job_name', 'output', 'target'],
  rdi_batch_phase_duration_seconds: ['histogram', 'phase', 'le'],
};

/** Of the process; the names that Prometheus clients share, and our own. */
export const PROCESS: Names = {
  process_cpu_seconds_total: ['counter'],
  process_start_time_seconds: ['gauge'],
  process_resident_memory_bytes: ['gauge'],
  process_heap_bytes: ['gauge'],
  process_external_memory_bytes: ['gauge'],
  process_open_fds: ['gauge'],
  rdi_event_loop_busy_seconds_total: ['counter'],
  rdi_event_loop_delay_seconds: ['histogram', 'le'],
};

/** Debezium's names as RDI's collector serves them, as far as the receiving side knows what they say. */
export const COLLECTOR: Names = {
  debezium_metrics_Connected: ['gauge', 'context', 'name', 'plugin'],
  debezium_metrics_MilliSecondsSinceLastEvent: ['gauge', 'context', 'name', 'plugin'],
  debezium_metrics_MilliSecondsBehindSource: ['gauge', 'context', 'name', 'plugin'],
  debezium_metrics_TotalNumberOfEventsSeen: ['counter', 'context', 'name', 'plugin'],
  debezium_metrics_TotalNumberOfCreateEventsSeen: ['counter', 'context', 'name', 'plugin'],
  debezium_metrics_TotalNumberOfUpdateEventsSeen: ['counter', 'context', 'name', 'plugin'],
  debezium_metrics_TotalNumberOfDeleteEventsSeen: ['counter', 'context', 'name', 'plugin'],
  debezium_metrics_SnapshotRunning: ['gauge', 'context', 'name', 'plugin'],
  debezium_metrics_SnapshotCompleted: ['gauge', 'context', 'name', 'plugin'],
  debezium_metrics_RowsScanned: ['counter', 'context', 'name', 'plugin', 'table'],
};

/** RDI's names for its Flink processor, as far as they can be told by something that is no Flink. */
export const FLINK: Names = {
  flink_jobmanager_job_operator_coordinator_stream_type_rdiRecords: ['counter', 'stream', 'type'],
  flink_jobmanager_job_operator_coordinator_enumerator_stream_type_rdiRecords: ['gauge', 'stream', 'type'],
  flink_taskmanager_job_task_operator_rdi_connected: ['gauge', 'operator_name'],
  flink_taskmanager_job_task_operator_rdi_lastModified: ['gauge', 'operator_name'],
  flink_taskmanager_job_task_operator_pendingAck: ['gauge'],
};

export const OPERATOR: Names = {
  rdi_operator_pipeline_phase: ['gauge', 'namespace', 'name', 'phase'],
  rdi_operator_is_leader: ['gauge', 'instance_id'],
};
