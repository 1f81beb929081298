import { OUTCOME } from '../checkpoint/index.ts';
import { Histogram } from '../observe/metrics.ts';
import type { BatchReport } from '../pipeline.ts';
import type { EventTransformer } from '../transform/index.ts';
import type { TableIdentity } from '../types.ts';
import type { WriteOrigin } from '../write/types.ts';
import type { Latencies, OutputCount, TableLatency, TargetCount } from './types.ts';

/** Seconds, from what a Redis on the same machine needs to an hour of backlog. */
const BOUNDS_SEC: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600,
];

type Jobs = Pick<EventTransformer, 'jobOf' | 'connections'>;

/** The series of one table in one job. */
class Series {
  readonly table: TableIdentity;
  readonly job: string | null;
  /** By {@link OUTCOME}. */
  readonly outcomes = new Array<number>(Object.keys(OUTCOME).length).fill(0);
  readonly source = new Histogram(BOUNDS_SEC);
  readonly endpoint = new Histogram(BOUNDS_SEC);
  snapshotRows = 0;
  behindSourceMs: number | null = null;
  lastChangeMs: number | null = null;

  constructor(table: TableIdentity, job: string | null) {
    this.table = table;
    this.job = job;
  }

  snapshot(): TableLatency {
    const { table, job, outcomes, snapshotRows, behindSourceMs, lastChangeMs } = this;
    const { counts: sourceCounts, sum: sourceSum } = this.source.snapshot();
    const { counts: endpointCounts, sum: endpointSum } = this.endpoint.snapshot();
    return {
      table: nameOf(table),
      serverName: table.serverName,
      connector: table.connector,
      job,
      written: outcomes[OUTCOME.written] ?? 0,
      filtered: outcomes[OUTCOME.filtered] ?? 0,
      superseded: outcomes[OUTCOME.superseded] ?? 0,
      rejected: outcomes[OUTCOME.rejected] ?? 0,
      snapshotRows,
      behindSourceMs,
      lastChangeMs,
      sourceToTarget: { counts: sourceCounts, sumSec: sourceSum },
      endpointToTarget: { counts: endpointCounts, sumSec: endpointSum },
    };
  }
}

/**
 * How long changes took until they were in the target, and what became of them, by table and job; what the outputs of the jobs
 * wrote. Counts from the start of the process.
 *
 * An event counts as in the target when its batch is answered: also a superseded one, since then a later state of its row is
 * there. Rows of a snapshot have no time at the source: the database changed them whenever. Clocks that differ never make
 * a latency negative.
 */
export class LatencyRecord {
  readonly #now: () => number;
  readonly #series = new Map<string, Series>();
  readonly #outputs = new Map<string, { readonly count: OutputCount; writes: number }>();
  readonly #targets = new Map<string, { batches: number; writes: number }>();
  /** Of the jobs that the last batch went through. */
  #jobs: Jobs | null = null;
  #byTable = new WeakMap<TableIdentity, Series>();

  /** `now`: ms since the epoch, the clock that stamps arrivals. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes a settled batch that went through these jobs. */
  add({ passage, settleMs }: BatchReport, jobs: Jobs): void {
    if (jobs !== this.#jobs) {
      this.#jobs = jobs;
      this.#byTable = new WeakMap();
    }
    const { entries, events, outcomes, writes } = passage;
    const writtenMs = this.#now() - settleMs;
    let series: Series | null = null;
    for (let i = 0; i < entries.length; i++) {
      const event = events[i];
      if (!event) continue;
      if (series === null || series.table !== event.table) series = this.#seriesOf(event.table, jobs);
      const outcome = outcomes[i] as number;
      series.outcomes[outcome]!++;
      if (event.snapshot) series.snapshotRows++;
      if (outcome !== OUTCOME.written && outcome !== OUTCOME.superseded) continue;
      const arrivedMs = entries[i]!.ms;
      series.endpoint.observe(secondsBetween(arrivedMs, writtenMs));
      if (event.snapshot || event.sourceMs === 0) continue;
      series.source.observe(secondsBetween(event.sourceMs, writtenMs));
      series.lastChangeMs = arrivedMs;
      series.behindSourceMs = arrivedMs > event.sourceMs ? arrivedMs - event.sourceMs : 0;
    }
    for (const [i, target] of jobs.connections.entries()) this.#addWrites(target, writes[i] ?? []);
  }

  snapshot(): Latencies {
    return {
      boundsSec: BOUNDS_SEC,
      tables: [...this.#series.values()].map((series) => series.snapshot()),
      outputs: [...this.#outputs.values()].map(({ count, writes }) => ({ ...count, writes })),
      targets: [...this.#targets].map(([name, counts]): TargetCount => ({ name, ...counts })),
    };
  }

  /** Forgets everything, as a reset does. */
  clear(): void {
    this.#series.clear();
    this.#outputs.clear();
    this.#targets.clear();
    this.#byTable = new WeakMap();
  }

  #addWrites(target: string, writes: readonly { readonly origin?: WriteOrigin }[]): void {
    if (writes.length === 0) return;
    const counts = this.#targets.get(target) ?? { batches: 0, writes: 0 };
    counts.batches++;
    counts.writes += writes.length;
    this.#targets.set(target, counts);
    // Writes of one output mostly stand together; all of them share one object as their origin.
    let from = 0;
    for (let i = 1; i <= writes.length; i++) {
      if (i < writes.length && writes[i]?.origin === writes[from]?.origin) continue;
      this.#addOutput(target, writes[from]?.origin, i - from);
      from = i;
    }
  }

  #addOutput(target: string, origin: WriteOrigin | undefined, writes: number): void {
    const job = origin?.job ?? null;
    const output = origin?.step ?? null;
    const id = JSON.stringify([target, job, output]);
    const known = this.#outputs.get(id);
    if (known) known.writes += writes;
    else this.#outputs.set(id, { count: { target, job, output, writes: 0 }, writes });
  }

  /** Other objects for a table come with other jobs; what was counted for the same table and job goes on. */
  #seriesOf(table: TableIdentity, jobs: Jobs): Series {
    const cached = this.#byTable.get(table);
    if (cached) return cached;
    const job = jobs.jobOf(table);
    const id = JSON.stringify([table.serverName, nameOf(table), job]);
    const series = this.#series.get(id) ?? new Series(table, job);
    this.#series.set(id, series);
    this.#byTable.set(table, series);
    return series;
  }
}

function secondsBetween(fromMs: number, untilMs: number): number {
  return untilMs > fromMs ? (untilMs - fromMs) / 1000 : 0;
}

function nameOf({ schema, db, table }: TableIdentity): string {
  return `${schema || db}.${table}`;
}
