import { readdirSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { type MetricDeclaration, readFamilies, single } from './metric-table.ts';
import { Histogram, type MetricFamily } from './metrics.ts';

interface ProcessFacts {
  readonly cpu: NodeJS.CpuUsage;
  readonly memory: NodeJS.MemoryUsage;
}

// Read once: a value that differs in its last digits from scrape to scrape looks like a restart each time.
const STARTED_AT_SEC = Math.round(Date.now() - process.uptime() * 1000) / 1000;
const LOOP_PROBE_MS = 100;
const loopDelays = new Histogram();
let isLoopWatched = false;

/** CPU, memory and files under the names that every Prometheus client uses, and how busy the event loop is. */
export const PROCESS_METRICS: readonly MetricDeclaration<ProcessFacts>[] = [
  single('process_cpu_seconds_total', 'counter', 'CPU time of the process, seconds.', ({ cpu }) => {
    return (cpu.user + cpu.system) / 1e6;
  }),
  single('process_start_time_seconds', 'gauge', 'When the process started, seconds since the epoch.', () => {
    return STARTED_AT_SEC;
  }),
  single('process_resident_memory_bytes', 'gauge', 'Memory of the process that is in RAM.', ({ memory }) => memory.rss),
  single('process_heap_bytes', 'gauge', 'JavaScript heap in use.', ({ memory }) => memory.heapUsed),
  single(
    'process_external_memory_bytes',
    'gauge',
    'Memory of buffers outside the JavaScript heap.',
    ({ memory }) => memory.external,
  ),
  single('process_open_fds', 'gauge', 'Open files and sockets; Linux only.', openFiles),
  single('rdi_event_loop_busy_seconds_total', 'counter', 'Time in which the event loop was at work, seconds.', () => {
    return performance.eventLoopUtilization().active / 1000;
  }),
  {
    name: 'rdi_event_loop_delay_seconds',
    type: 'histogram',
    labels: [],
    help: 'How much later than asked for a timer ran, ten times a second from the first scrape on.',
    read: () => [[loopDelays.snapshot()]],
  },
];

/** The samples of this moment. From the first call on the event loop is watched. */
export function processMetrics(): MetricFamily[] {
  watchLoop();
  return readFamilies(PROCESS_METRICS, { cpu: process.cpuUsage(), memory: process.memoryUsage() });
}

/** A process whose metrics nobody reads need not wake up for them. */
function watchLoop(): void {
  if (isLoopWatched) return;
  isLoopWatched = true;
  let lastMs = performance.now();
  setInterval(() => {
    const nowMs = performance.now();
    loopDelays.observe(Math.max(0, nowMs - lastMs - LOOP_PROBE_MS) / 1000);
    lastMs = nowMs;
  }, LOOP_PROBE_MS).unref();
}

function openFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined; // only Linux lists them
  }
}
