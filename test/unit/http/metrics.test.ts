import { describe, expect, it } from 'vitest';
import { collectorMetrics, operatorMetrics } from '../../../src/http/alias-metrics.ts';
import { engineMetrics } from '../../../src/http/metrics.ts';
import { formatMetrics, Histogram } from '../../../src/observe/metrics.ts';
import { processMetrics } from '../../../src/observe/process-metrics.ts';
import { engineSnapshot, NOW, streamAccount } from '../../helpers/engine-snapshot.ts';

/** Every name of RDI's classic processor metrics with its type, then the names that this project adds. */
const EXPECTED: Readonly<Record<string, 'counter' | 'gauge' | 'histogram'>> = {
  incoming_records_total: 'counter',
  incoming_records_created: 'gauge',
  processed_records_total: 'counter',
  rejected_records_total: 'counter',
  filtered_records_total: 'counter',
  rdi_engine_state: 'gauge',
  rdi_version_info: 'gauge',
  monitor_time_elapsed_total: 'counter',
  monitor_time_elapsed_created: 'gauge',
  rdi_incoming_entries: 'gauge',
  rdi_stream_event_latency_ms: 'gauge',
  rdi_processed_batches_total: 'counter',
  rdi_processor_batch_size_total: 'counter',
  rdi_processor_read_time_ms_total: 'counter',
  rdi_processor_transform_time_ms_total: 'counter',
  rdi_processor_write_time_ms_total: 'counter',
  rdi_processor_process_time_ms_total: 'counter',
  rdi_processor_ack_time_ms_total: 'counter',
  rdi_processor_total_time_ms_total: 'counter',
  rdi_processor_rec_per_sec_total: 'gauge',
  rdi_processor_batch_size_last: 'gauge',
  rdi_processor_read_time_ms_last: 'gauge',
  rdi_processor_transform_time_ms_last: 'gauge',
  rdi_processor_write_time_ms_last: 'gauge',
  rdi_processor_process_time_ms_last: 'gauge',
  rdi_processor_ack_time_ms_last: 'gauge',
  rdi_processor_total_time_ms_last: 'gauge',
  rdi_processor_rec_per_sec_last: 'gauge',
  rdi_stream_entries_total: 'counter',
  rdi_deduplicated_records_total: 'counter',
  rdi_dlq_entries: 'gauge',
  rdi_dlq_evicted_total: 'counter',
  rdi_target_connected: 'gauge',
  rdi_target_last_write_timestamp_seconds: 'gauge',
  rdi_pending_ack: 'gauge',
  rdi_buffer_bytes: 'gauge',
  rdi_buffer_limit_bytes: 'gauge',
  rdi_backpressure_active: 'gauge',
  rdi_oldest_pending_seconds: 'gauge',
  rdi_batch_phase_duration_seconds: 'histogram',
  process_cpu_seconds_total: 'counter',
  process_resident_memory_bytes: 'gauge',
  process_start_time_seconds: 'gauge',
};

function scrape(snapshot = engineSnapshot()): string {
  return formatMetrics([...engineMetrics(snapshot), ...processMetrics()]);
}

describe('metrics', () => {
  it.each(Object.entries(EXPECTED))('serve %s as a %s', (name, type) => {
    expect(scrape()).toContain(`# TYPE ${name} ${type}\n`);
  });

  it('carry the labels that RDI’s dashboard asks for', () => {
    const text = scrape();
    expect(text).toContain('rdi_engine_state{state="RUNNING",sync_mode="STREAMING"} 1\n');
    expect(text).toContain('rdi_version_info{cli="0.1.0",engine="0.1.0"} 1\n');
    expect(text).toContain('rdi_incoming_entries{data_source="{rdi}:shop.orders",operation="pending"} 10\n');
    expect(text).toContain('rdi_incoming_entries{data_source="{rdi}:shop.orders",operation="inserted"} 60\n');
    expect(text).toContain('rdi_stream_event_latency_ms{data_source="{rdi}:shop.orders"} 2500\n');
    expect(text).toContain('rdi_oldest_pending_seconds 2.5\n');
    expect(text).toContain('rdi_target_connected{target="target"} 1\n');
    expect(text).toContain('rdi_backpressure_active{source="endpoint"} 0\n');
  });

  it('count a record as processed when it is settled and neither filtered nor rejected', () => {
    expect(scrape()).toContain('processed_records_total 87\n');
  });

  it('report zero latency when nothing waits or the clock went back', () => {
    for (const oldestPendingMs of [null, NOW + 5000]) {
      const text = scrape(engineSnapshot({ streams: [streamAccount({ oldestPendingMs })] }));
      expect(text).toContain('rdi_stream_event_latency_ms{data_source="{rdi}:shop.orders"} 0\n');
    }
  });

  it('keep every label set unique when streams differ only by prefix or database', () => {
    const streams = ['data:a', 'a', 'data:b'].map((name) => streamAccount({ name }));
    const text = scrape(engineSnapshot({ streams: [...streams, streamAccount({ name: 'data:b', db: 3 })] }));
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const names = series.map((line) => line.slice(0, line.lastIndexOf(' ')));
    expect(new Set(names).size).toBe(names.length);
    expect(text).toContain('data_source="b@3"');
  });

  it('are not broken by a table name with quotes and line breaks', () => {
    const text = scrape(engineSnapshot({ streams: [streamAccount({ name: 'data:a"b\n\\c' })] }));
    expect(text).toContain('rdi_stream_event_latency_ms{data_source="a\\"b\\n\\\\c"} 2500\n');
  });

  it('have one value per line that Prometheus can read', () => {
    for (const line of scrape().trimEnd().split('\n')) {
      expect(line).toMatch(
        /^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="([^"\\]|\\.)*",?)+\})? (-?[\d.]+(e[+-]?\d+)?|NaN|\+Inf))$/,
      );
    }
  });

  it('write the spread of phases as a cumulative histogram', () => {
    const write = new Histogram([0.1, 1]);
    for (const seconds of [0.05, 0.1, 0.5, 7]) write.observe(seconds);
    const base = engineSnapshot();
    const text = scrape({ ...base, performance: { ...base.performance, phases: { write: write.snapshot() } } });
    expect(text).toContain('rdi_batch_phase_duration_seconds_bucket{phase="write",le="0.1"} 2\n');
    expect(text).toContain('rdi_batch_phase_duration_seconds_bucket{phase="write",le="1"} 3\n');
    expect(text).toContain('rdi_batch_phase_duration_seconds_bucket{phase="write",le="+Inf"} 4\n');
    expect(text).toContain('rdi_batch_phase_duration_seconds_sum{phase="write"} 7.65\n');
    expect(text).toContain('rdi_batch_phase_duration_seconds_count{phase="write"} 4\n');
  });
});

describe('aliases', () => {
  it('derive the collector’s metrics from what arrives', () => {
    const text = formatMetrics(collectorMetrics(engineSnapshot()));
    expect(text).toContain('debezium_metrics_Connected{context="streaming"} 1\n');
    expect(text).toContain('debezium_metrics_MilliSecondsSinceLastEvent{context="streaming"} 500\n');
    expect(text).toContain('debezium_metrics_SnapshotRunning{context="snapshot"} 0\n');
  });

  it('say that the collector is away when no sink connection is open', () => {
    const { endpoint } = engineSnapshot();
    const snapshot = engineSnapshot({ endpoint: { ...endpoint, connections: [] }, streams: [] });
    const text = formatMetrics(collectorMetrics(snapshot));
    expect(text).toContain('debezium_metrics_Connected{context="streaming"} 0\n');
    expect(text).toContain('debezium_metrics_MilliSecondsSinceLastEvent{context="streaming"} -1\n');
  });

  it('show one phase of the pipeline, and a leader', () => {
    const text = formatMetrics(operatorMetrics(engineSnapshot()));
    expect(text).toContain('phase="Active"} 1\n');
    expect(text).toContain('phase="Error"} 0\n');
    expect(text).toContain('rdi_operator_is_leader{instance_id="127.0.0.1:12001"} 1\n');
  });
});
