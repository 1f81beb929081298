import { readdirSync } from 'node:fs';
import type { MetricFamily } from './metrics.ts';

/** CPU, memory and files of this process under the names that every Prometheus client uses. */
export function processMetrics(): MetricFamily[] {
  const memory = process.memoryUsage();
  const cpu = process.cpuUsage();
  const startedAt = Date.now() / 1000 - process.uptime();
  const families: MetricFamily[] = [
    counter('process_cpu_seconds_total', 'CPU time of the process, seconds.', (cpu.user + cpu.system) / 1e6),
    gauge('process_start_time_seconds', 'When the process started, seconds since the epoch.', startedAt),
    gauge('process_resident_memory_bytes', 'Memory of the process that is in RAM.', memory.rss),
    gauge('process_heap_bytes', 'JavaScript heap in use.', memory.heapUsed),
    gauge('process_external_memory_bytes', 'Memory of buffers outside the JavaScript heap.', memory.external),
  ];
  const files = openFiles();
  if (files !== undefined) families.push(gauge('process_open_fds', 'Open files and sockets.', files));
  return families;
}

function openFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined; // only Linux lists them
  }
}

function counter(name: string, help: string, value: number): MetricFamily {
  return { name, type: 'counter', help, samples: [{ value }] };
}

function gauge(name: string, help: string, value: number): MetricFamily {
  return { name, type: 'gauge', help, samples: [{ value }] };
}
