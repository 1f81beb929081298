/**
 * What a running engine shows and takes. `pipeline.ts` implements {@link Engine}; `cli`, `http` and the metrics know
 * nothing else of it. Everything in a snapshot is plain JSON data without secrets, so it is the body of
 * `GET /api/v2/overview` as it stands.
 */
import type { FeederWarning } from '../decode/types.ts';
import type { HistogramSnapshot } from '../observe/metrics.ts';
import type { TargetState } from '../write/types.ts';
import type {
  DlqControl,
  HistoryControl,
  LogControl,
  PipelineControl,
  PipelineState,
  SecretControl,
} from './operations.ts';

/**
 * Where the entries of a stream went.
 *
 * `received = written + filtered + superseded + deduplicated + rejected + skipped + pending`, at every moment.
 */
export interface AccountSums {
  /** Entries that a feeder sent, also those recognised as a repetition. */
  readonly received: number;
  /** Settled with a write that the target accepted. */
  readonly written: number;
  /** Settled because a job filtered them out, or as tombstones, truncates and logical messages, which name no row to write. */
  readonly filtered: number;
  /** Settled by a later state of the same key in the same batch. */
  readonly superseded: number;
  /** Sent again by a feeder after a cut, and recognised. */
  readonly deduplicated: number;
  /** Settled in the DLQ (or dropped, where `error_handling` is `ignore`). */
  readonly rejected: number;
  /** Settled without a write because they change no row: heartbeats, transaction marks, schema changes. */
  readonly skipped: number;
  /** Not settled yet. */
  readonly pending: number;

  /** Settled events by operation; rows read by a snapshot count as inserted. */
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

/** A stream that `error_handling: abort` stopped at a rejected record. Nothing behind the record is lost. */
interface StoppedStream {
  readonly reason: string;
  /** Id of the record at which the stream stands, `ms-seq`. */
  readonly entryId: string;
  /** ms since the epoch. */
  readonly since: number;
}

export interface StreamAccount extends AccountSums {
  /** As the feeder named it, for example `data:{rdi}:shop.orders`. */
  readonly name: string;
  /** Database index that the feeder selected. */
  readonly db: number;
  /** `schema.table` or `db.table` of the last event, once one was decoded. */
  readonly table?: string;
  /** ms since the epoch. */
  readonly lastArrivalMs: number | null;
  /** When the oldest entry that is not settled arrived, ms since the epoch; null when nothing is pending. */
  readonly oldestPendingMs: number | null;
  readonly stopped: StoppedStream | null;
  /** Records that were ever rejected, those included that a retry has brought elsewhere since; only grows. */
  readonly everRejected?: number;
}

/** Counts and durations of batches; `totalMs` spans a batch from read to settled. */
export interface PhaseSums {
  readonly batches: number;
  readonly entries: number;
  readonly readMs: number;
  readonly decodeMs: number;
  readonly transformMs: number;
  readonly writeMs: number;
  readonly settleMs: number;
  readonly totalMs: number;
}

export interface Performance extends PhaseSums {
  readonly lastBatch: PhaseSums | null;
  /** Durations of whole phases over all batches, in seconds, where the engine records them. */
  readonly phases?: Readonly<Record<string, HistogramSnapshot>>;
}

interface StoreStatus {
  readonly state: 'recovering' | 'ready' | 'full' | 'failed';
  /** Why it is not `ready`, and what to do. */
  readonly message?: string;
  readonly bytes: number;
  readonly limitBytes: number;
  readonly segments: number;
  readonly dataDir: string;
  /** How long the disk took to make groups of entries durable, in seconds. */
  readonly syncs?: HistogramSnapshot;
}

interface FeederConnectionStatus {
  readonly id: number;
  /** From `CLIENT SETNAME`, for example `debezium:redis:sink`; empty when the client gave none. */
  readonly name: string;
  readonly address: string;
  readonly user: string;
  readonly ageSec: number;
  readonly idleSec: number;
  readonly commands: number;
}

interface EndpointStatus {
  readonly listening: boolean;
  /** `host:port`. */
  readonly address: string;
  readonly connections: readonly FeederConnectionStatus[];
  /**
   * How feeders are held back: `full` answers `INFO memory` as full, `paced` answers slowly, `refusing` answers OOM.
   */
  readonly backpressure: 'none' | 'full' | 'paced' | 'refusing';
}

export interface TargetStatus {
  readonly name: string;
  readonly state: TargetState;
  /** URL or `host:port` without user and password. */
  readonly address: string;
  readonly redisVersion?: string;
  /** Whether the target has RedisJSON. */
  readonly json?: boolean;
  /** When the target last accepted a write, ms since the epoch. */
  readonly lastWriteMs?: number;
}

interface DlqCount {
  /** Name of the data stream whose entries were rejected. */
  readonly stream: string;
  /** Records kept now. */
  readonly count: number;
  /** Oldest records that were dropped because `dlq_max_messages` was reached. */
  readonly evicted: number;
}

/** Counts per bucket of {@link Latencies.boundsSec}, one more for everything above the last. */
interface DurationCounts {
  readonly counts: readonly number[];
  readonly sumSec: number;
}

/** What became of the records of one table in one job, and how long they took until they were in the target. */
export interface TableLatency {
  /** `schema.table` or `db.table`. */
  readonly table: string;
  /** The feeder's topic prefix. */
  readonly serverName: string;
  readonly connector: string;
  /** Null: no job, the default mapping. */
  readonly job: string | null;
  readonly written: number;
  readonly filtered: number;
  readonly superseded: number;
  readonly rejected: number;
  /** Records of a snapshot among them. */
  readonly snapshotRows: number;
  /** ms between the change in the database and its arrival here, of the last live change; null before the first. */
  readonly behindSourceMs: number | null;
  /** When the last live change arrived, ms since the epoch. */
  readonly lastChangeMs: number | null;
  /** From the change in the database; live changes only. Written and superseded records count. */
  readonly sourceToTarget: DurationCounts;
  /** From the arrival at the endpoint. */
  readonly endpointToTarget: DurationCounts;
}

/** Writes that one output of a job asked for. */
export interface OutputCount {
  readonly target: string;
  /** Null: the default mapping. */
  readonly job: string | null;
  /** For example `output[1] redis.write`. */
  readonly output: string | null;
  readonly writes: number;
}

export interface TargetCount {
  readonly name: string;
  /** Batches with writes for it. */
  readonly batches: number;
  readonly writes: number;
}

/** What was settled since the start of the process, or the last reset. */
export interface Latencies {
  /** Ascending upper bounds of the buckets. */
  readonly boundsSec: readonly number[];
  readonly tables: readonly TableLatency[];
  readonly outputs: readonly OutputCount[];
  readonly targets: readonly TargetCount[];
}

/** A stream of which nothing is settled although it could be. */
export interface StalledStream {
  readonly name: string;
  readonly db: number;
  /** ms since the epoch. */
  readonly since: number;
}

/** A source as the configuration describes it; placeholders unresolved, secrets replaced. */
interface SourceSummary {
  readonly name: string;
  readonly type: string;
  /** `postgresql`, `mysql`, …; empty for one that somebody else feeds. */
  readonly dbType: string;
  /** `host:port/database` as far as it is written. */
  readonly connection: string;
}

/** A job in one line. */
interface JobSummary {
  readonly name: string;
  /** What its `source` selects, for example `chinook.public.invoice`. */
  readonly source: string;
  readonly transformations: number;
  readonly outputs: number;
  readonly connections: readonly string[];
}

/** The configuration in force. */
interface PipelineSummary {
  readonly state: PipelineState;
  /** ms since the epoch. */
  readonly stateChangedAt: number;
  /** False: stopped by a person, and stays so over restarts. */
  readonly isActive: boolean;
  /** False while nothing is deployed. */
  readonly isDeployed: boolean;
  /** Null for a pipeline that was given with `--target`. */
  readonly revision: number | null;
  readonly sources: readonly SourceSummary[];
  readonly jobs: readonly JobSummary[];
  /** Feeders are held back after a reset until one of them starts anew. */
  readonly awaitsFeederRestart: boolean;
  /** Why the last change of secrets or of the configuration could not take effect; null when it could. */
  readonly failure: string | null;
}

export interface EngineSnapshot {
  readonly pipeline: PipelineSummary;
  /** ms since the epoch. */
  readonly startedAt: number;
  /** When this snapshot was taken, ms since the epoch; ages are counted from here. */
  readonly takenAt: number;
  readonly version: string;
  readonly syncMode: 'SNAPSHOT' | 'STREAMING' | 'UNKNOWN';
  readonly store: StoreStatus;
  readonly endpoint: EndpointStatus;
  readonly targets: readonly TargetStatus[];
  readonly streams: readonly StreamAccount[];
  readonly totals: AccountSums;
  readonly performance: Performance;
  readonly dlqs: readonly DlqCount[];
  /** What {@link LatencyRecord} of `latencies.ts` counted. */
  readonly latencies?: Latencies;
  /** What {@link StallWatch} of `stall-watch.ts` found. */
  readonly stalled?: readonly StalledStream[];
  /** Settings of the feeder that damage data. */
  readonly warnings: readonly FeederWarning[];
  /** Configuration that is accepted and has no effect, and other facts worth knowing; whole sentences. */
  readonly notices: readonly string[];
  readonly memory: {
    /** Entries that are held in memory on their way to the target. */
    readonly bufferedBytes: number;
    readonly bufferedLimitBytes: number;
    /** Entries handed to the target and not settled yet. */
    readonly inFlightEntries: number;
  };
}

/**
 * A rejected record with its reason: RDI's fields, and those that make it possible to replay it exactly.
 * All values are text; `key`, `before` and `after` hold JSON. Fields that do not apply are left out.
 */
export interface DlqRecord {
  readonly __dlq_stream_entry_id: string;
  readonly stream: string;
  readonly entry_id: string;
  readonly reason_rejected: string;
  /** When it was rejected, ISO 8601. */
  readonly timestamp: string;
  /** `c`, `u`, `d`, `r`, `t` or `m`; left out when the entry could not be decoded. */
  readonly opcode?: string;
  readonly db?: string;
  readonly schema?: string;
  readonly table?: string;
  readonly server_name?: string;
  readonly source?: string;
  readonly source_type?: string;
  readonly removed_fields?: string;
  readonly key?: string;
  readonly before?: string;
  readonly after?: string;
  readonly raw_key?: string;
  readonly raw_value?: string;
  /** Where in a job it failed: the job, its block or output, the expression, and what was wrong. */
  readonly job?: string;
  readonly step?: string;
  readonly expression?: string;
  readonly error?: string;
  readonly target?: string;
  readonly attempt?: string;
}

export interface DlqPage {
  readonly limit: number;
  readonly offset: number;
  /** `desc` is newest first. */
  readonly order: 'asc' | 'desc';
}

export interface Readiness {
  readonly ready: boolean;
  /** One sentence per obstacle: what is missing and what to do. Empty when ready. */
  readonly reasons: readonly string[];
}

/** The running engine as the operating rooms see it. */
export interface Engine {
  snapshot(): EngineSnapshot;
  readonly pipeline: PipelineControl;
  readonly dlq: DlqControl;
  readonly secrets: SecretControl;
  readonly history: HistoryControl;
  readonly log: LogControl;
  /** Lets a stream that `error_handling: abort` stopped go on. Resolves to false when there is none of that name. */
  resume(stream: string): Promise<boolean>;
  /** What feeders keep here of themselves: the fields of each hash, by its key. JSON is parsed; positions in logs, no rows. */
  offsets(): Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  ready(): Readiness;
  /** Stops accepting, drains, settles, closes; within the instance's shutdown deadline. */
  close(): Promise<void>;
}
