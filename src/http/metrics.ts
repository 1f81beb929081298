import type { EngineSnapshot } from '../control/index.ts';
import { type MetricDeclaration, readFamilies } from '../observe/metric-table.ts';
import type { MetricFamily } from '../observe/metrics.ts';
import { FLINK_METRICS } from './flink-metrics.ts';
import { LATENCY_METRICS } from './latency-metrics.ts';
import { type MetricsView, viewOf } from './metrics-view.ts';
import { OWN_METRICS } from './own-metrics.ts';
import { RDI_METRICS } from './rdi-metrics.ts';

/** Everything that `/metrics` says of an engine: RDI's classic names first, then what RDI does not count. */
export const ENGINE_METRICS: readonly MetricDeclaration<MetricsView>[] = [
  ...RDI_METRICS,
  ...OWN_METRICS,
  ...LATENCY_METRICS,
];

/** What `/metrics` says about an engine. */
export function engineMetrics(snapshot: EngineSnapshot): MetricFamily[] {
  return readFamilies(ENGINE_METRICS, viewOf(snapshot));
}

/** What `/processor/metrics` says about an engine: the same, and RDI's names for its Flink processor. */
export function processorMetrics(snapshot: EngineSnapshot): MetricFamily[] {
  return readFamilies([...ENGINE_METRICS, ...FLINK_METRICS], viewOf(snapshot));
}
