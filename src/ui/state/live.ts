import type { Status } from '../../http/api-types.ts';
import { ApiFailure, needsLogin, readMetrics, readOverview } from './api.ts';
import { type Buckets, bucketsSince, quantile, ratePerSecond, readHistogram } from './figures.ts';
import { Store } from './store.ts';

const POLL_MS = 1000;
const POLL_HIDDEN_MS = 10_000;
const METRICS_EVERY = 5;
const KEPT_POINTS = 300;
/** Rates are taken over so many polls: a batch that ends just now would make them jump otherwise. */
const RATE_SPAN = 5;

/** One second of the charts. Null: not known. */
export interface Point {
  /** Seconds since the epoch. */
  readonly at: number;
  readonly received: number | null;
  readonly written: number | null;
  readonly rejected: number | null;
  readonly pending: number;
  /** Age of the oldest entry that is not settled, in seconds. */
  readonly lag: number;
  /** Latency of the endpoint, in seconds. */
  readonly p50: number | null;
  readonly p99: number | null;
}

/** How long events took of late, in seconds; infinite beyond the last bound of the histogram. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** From the commit in the database, and from the arrival at the endpoint, to the answer of the target. */
export interface Latencies {
  readonly source: Latency | null;
  readonly endpoint: Latency | null;
}

export interface Live {
  readonly status: Status | null;
  /** Why there is no fresh status, and since when; null when there is. */
  readonly outage: { readonly text: string; readonly since: number } | null;
  readonly points: readonly Point[];
  readonly latencies: Latencies;
  /** The newest statuses, oldest first, for rates per table. */
  readonly recent: readonly Status[];
}

/** What rdi says of itself, asked once a second. */
export const live = new Store<Live>({
  status: null,
  outage: null,
  points: [],
  latencies: { source: null, endpoint: null },
  recent: [],
});

let timer: ReturnType<typeof setTimeout> | undefined;
let isAsking = false;
let polls = 0;

/** Begins to ask, and goes on as long as the page lives: slower while nobody looks, at once when somebody does again. */
export function startPolling(): void {
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void poll();
  });
  needsLogin.subscribe((isNeeded) => {
    if (!isNeeded) void poll();
  });
  void poll();
}

/** Asks now, for example after something was changed. */
export async function poll(): Promise<void> {
  if (isAsking) return;
  isAsking = true;
  clearTimeout(timer);
  try {
    if (!needsLogin.value) await ask();
  } finally {
    isAsking = false;
    timer = setTimeout(() => void poll(), document.hidden ? POLL_HIDDEN_MS : POLL_MS);
  }
}

async function ask(): Promise<void> {
  try {
    const status = await readOverview();
    if (polls++ % METRICS_EVERY === 0) await readLatency();
    const recent = [...live.value.recent, status].slice(-RATE_SPAN - 1);
    const points = [...live.value.points, pointOf(status, recent[0] ?? status)].slice(-KEPT_POINTS);
    live.set({ ...live.value, status, outage: null, recent, points });
  } catch (error) {
    const text = error instanceof ApiFailure ? error.message : 'The answer of rdi could not be read.';
    if (error instanceof ApiFailure && error.status === 401) return;
    const since = live.value.outage?.since ?? Date.now();
    live.set({ ...live.value, outage: { text, since }, recent: [] });
  }
}

function pointOf(status: Status, earlier: Status): Point {
  const { endpoint } = live.value.latencies;
  const rate = (count: 'received' | 'written' | 'rejected'): number | null =>
    ratePerSecond(momentOf(earlier), momentOf(status), count);
  return {
    at: status.takenAt / 1000,
    received: rate('received'),
    written: rate('written'),
    rejected: rate('rejected'),
    pending: status.totals.pending,
    lag: lagMs(status) / 1000,
    p50: endpoint?.p50 ?? null,
    p99: endpoint?.p99 ?? null,
  };
}

function momentOf({ takenAt: at, startedAt, totals: sums }: Status): {
  at: number;
  startedAt: number;
  sums: Status['totals'];
} {
  return { at, startedAt, sums };
}

/** Age of the oldest entry of any stream that is not settled, ms. */
export function lagMs({ streams, takenAt }: Pick<Status, 'streams' | 'takenAt'>): number {
  return Math.max(
    0,
    ...streams.map(({ oldestPendingMs }) => (oldestPendingMs === null ? 0 : takenAt - oldestPendingMs)),
  );
}

/** Entries per second that a stream received of late; null when it is not known. */
export function streamRate(recent: readonly Status[], name: string): number | null {
  const [first, last] = [recent[0], recent.at(-1)];
  const earlier = first?.streams.find((stream) => stream.name === name);
  const later = last?.streams.find((stream) => stream.name === name);
  if (!first || !last || !later) return null;
  const [from, to] = [earlier?.received ?? 0, later.received];
  const seconds = (last.takenAt - first.takenAt) / 1000;
  return seconds <= 0 || to < from || first.startedAt !== last.startedAt ? null : (to - from) / seconds;
}

/** Readings of the last minute, by name. */
const readings = new Map<string, Buckets[]>();
const READINGS_KEPT = 12;

async function readLatency(): Promise<void> {
  const text = await readMetrics().catch(() => '');
  const source = latencyOf(text, 'rdi_source_to_target_latency_seconds');
  const endpoint = latencyOf(text, 'rdi_endpoint_to_target_latency_seconds');
  live.set({ ...live.value, latencies: { source, endpoint } });
}

/** p50 and p99 of the last minute, or of all time while nothing arrived in it. */
function latencyOf(text: string, name: string): Latency | null {
  const now = readHistogram(text, name);
  const kept = readings.get(name) ?? [];
  const fresh = bucketsSince(kept[0] ?? new Map(), now);
  readings.set(name, [...kept, now].slice(-READINGS_KEPT));
  const buckets = quantile(fresh, 0.5) === null ? now : fresh;
  const [p50, p99] = [quantile(buckets, 0.5), quantile(buckets, 0.99)];
  return p50 === null || p99 === null ? null : { p50, p99 };
}
