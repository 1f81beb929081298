/**
 * What can be asked of a running engine beside looking at it: one interface per subject. `http` turns each into routes, the
 * command line and the page reach them through these. Everything that is handed out is plain data without secrets.
 */
import type { LoadedPipeline, PipelineDocument } from '../config/index.ts';
import type { ConfigNotice, ConfigProblem } from '../errors.ts';
import type { JobDefinition, LookupReader } from '../transform/index.ts';
import type { ChangeEvent, StreamEntry } from '../types.ts';
import type { DlqPage, DlqRecord } from './types.ts';

/** RDI's names (API v2). */
export type PipelineState =
  | 'started'
  | 'stopped'
  | 'error'
  | 'creating'
  | 'updating'
  | 'deleting'
  | 'starting'
  | 'stopping'
  | 'resetting'
  | 'pending';

/** A stored configuration. Numbers grow from 1 and are never given twice. */
export interface Revision {
  readonly number: number;
  /** ms since the epoch. */
  readonly createdAt: number;
  /** Where it came from. */
  readonly origin: 'deploy' | 'run' | 'api' | 'rollback' | 'clear';
  /** What the person wrote about it, or for a rollback which revision it repeats. */
  readonly note: string;
  readonly isCurrent: boolean;
}

/** The texts of a revision. Secrets that are written out in them are replaced. */
export interface RevisionContent extends Revision {
  readonly document: PipelineDocument;
}

/** How the texts of one file differ: a unified diff, secrets replaced. */
export interface FileDifference {
  /** `config.yaml`, `jobs/orders.yaml`, `jobs/tests/orders.yaml`. */
  readonly file: string;
  readonly change: 'added' | 'changed' | 'removed';
  readonly diff: string;
}

/** What a deployment would do. With problems nothing is deployed. */
export interface DeploymentCheck {
  readonly problems: readonly ConfigProblem[];
  readonly notices: readonly ConfigNotice[];
  /** Compared with what is deployed; empty when nothing differs. */
  readonly differences: readonly FileDifference[];
}

/** What became of a deployment. */
export interface Deployment extends DeploymentCheck {
  /** Null when there are problems. When nothing differs: the current one, and no new revision is made. */
  readonly revision: Revision | null;
}

/** What runs now. */
export interface RunningPipeline {
  /** Null for a pipeline that was given with `--target`. */
  readonly revision: number | null;
  readonly pipeline: LoadedPipeline;
  readonly jobs: readonly JobDefinition[];
}

export interface DeployOptions {
  readonly origin: Revision['origin'];
  readonly note?: string;
  /** Start a stopped pipeline, too. */
  readonly start?: boolean;
}

/** The deployed configuration and the life of the pipeline. Changes are made one after the other. */
export interface PipelineControl {
  /** What runs, or would run when it was started; null as long as nothing is deployed. */
  readonly current: RunningPipeline | null;
  readonly state: PipelineState;
  /** ms since the epoch. */
  readonly stateChangedAt: number;
  /** The deployed texts with their secrets, for this process only: never to be handed out. */
  readonly document: PipelineDocument | null;
  revisions(): Revision[];
  /** Null when there is no such revision. */
  revision(number: number): RevisionContent | null;
  check(document: PipelineDocument): Promise<DeploymentCheck>;
  /**
   * What the texts would be with the secrets as they are now, masks standing for deployed values; for this process only. Throws
   * ConfigError with every problem of `config.yaml`.
   */
  load(document: PipelineDocument): Promise<LoadedPipeline>;
  /**
   * Checks, stores a revision, and has the engine change over: what was read and not settled is settled or read again by the new
   * jobs, in order per key. Resolves when the new configuration is in force. A value that is the mask of a secret
   * (`********`) stands for the deployed one. Throws when it cannot be stored; then the old configuration goes on.
   */
  deploy(document: PipelineDocument, options: DeployOptions): Promise<Deployment>;
  /** Deploys the texts of an earlier revision as a new one; null when there is no such revision. */
  rollback(number: number): Promise<Deployment | null>;
  /** Lets a stopped pipeline go on where it stood. Survives restarts, like {@link stop}. */
  start(): Promise<void>;
  /** Nothing more is written to the targets. Feeders are still accepted, as long as the disk limit lets them. */
  stop(): Promise<void>;
  /**
   * Back to the initial full sync: entries, offsets, schema history, DLQs and statistics are deleted; configuration, secrets stay.
   * Feeders are held back until one starts anew and reads its (now missing) offset, so that no gap arises.
   */
  reset(options: { readonly flushTarget: boolean }): Promise<void>;
  /** Forgets the DLQ of one stream, and on request removes what its table has in the target. Null: no such stream. */
  resetTable(stream: string, options: { readonly flushTarget: boolean }): Promise<TableReset | null>;
  /** Deletes every key of a target's database (FLUSHDB). Throws TargetError when it cannot. */
  flushTarget(name: string): Promise<void>;
  /** Deploys an empty configuration, stopped. */
  clear(): Promise<void>;
  /** Has the engine change over to the same texts with the secrets as they are now; nothing when none that is used has changed. */
  reload(): Promise<void>;
}

export interface TableReset {
  readonly stream: string;
  readonly droppedRecords: number;
  /** Keys that were removed from the target; null when that was not asked for. */
  readonly removedKeys: number | null;
  /** What the person must do so that the rows come again. */
  readonly next: string;
}

/** Which records of the DLQs are meant; several conditions must all hold, none means all. */
export interface DlqSelection {
  /** Full name of a data stream. */
  readonly stream?: string;
  readonly ids?: readonly string[];
  /** Part of the reason, or a code. */
  readonly reason?: string;
  readonly job?: string;
  /** Rejected at or after, ms since the epoch. */
  readonly since?: number;
}

/** What became of one record that was tried again. */
export interface RetriedRecord {
  readonly stream: string;
  readonly id: string;
  /**
   * `superseded`: a newer value of its row has arrived since, so that it was not written. `kept`: still rejected, or its row
   * cannot be told apart from others, so that nobody knows whether a newer value is there.
   */
  readonly outcome: 'written' | 'filtered' | 'superseded' | 'kept';
  /** Why it was kept. */
  readonly reason?: string;
}

export interface RetryReport {
  readonly written: number;
  readonly filtered: number;
  readonly superseded: number;
  readonly kept: number;
  /** The first 1000. */
  readonly records: readonly RetriedRecord[];
}

/** A record with everything that is kept of it. */
export interface DlqRecordDetail extends DlqRecord {
  /** Fields of the entry in order, as text; those that are no UTF-8 as `base64:…`. */
  readonly fields: readonly { readonly name: string; readonly value: string }[];
  /** Whether a newer value of its row has arrived since; null when nobody can know. */
  readonly is_superseded: boolean | null;
}

export interface DlqControl {
  records(stream: string, page: DlqPage): DlqRecord[];
  /** Null when there is no such record. */
  record(stream: string, id: string): DlqRecordDetail | null;
  count(selection: DlqSelection): number;
  /** The rejected entry as it came, or as it was edited, for a trial. Null when there is no such record. */
  entry(stream: string, id: string): StreamEntry | null;
  /** Replaces key and value of the entry (its other fields stay). False when there is no such record. */
  edit(stream: string, id: string, change: { readonly key?: string; readonly value?: string }): Promise<boolean>;
  /**
   * Sends the records through the current jobs again, oldest first, in order with what else their rows get. Those that were
   * written leave the DLQ. `force` writes also where a newer value may be there.
   */
  retry(selection: DlqSelection, options: { readonly force: boolean }): Promise<RetryReport>;
  /** Deletes the records; resolves to how many. */
  drop(selection: DlqSelection): Promise<number>;
  /** The records, oldest first. */
  export(selection: DlqSelection): AsyncIterable<DlqRecordDetail>;
}

/** A secret by its name. Values never leave. */
export interface SecretStatus {
  readonly name: string;
  /** Where its value comes from, strongest first: set with `set-secret`, a file, Vault, a variable of the process. */
  readonly origin: 'store' | 'file' | 'vault' | 'environment' | null;
  readonly isSet: boolean;
  /** Whether the deployed configuration refers to it. */
  readonly isUsed: boolean;
}

export interface SecretControl {
  list(): SecretStatus[];
  /** Keeps a value encrypted in the store and has the pipeline reload. Throws ConfigError when there is no key to encrypt with. */
  set(name: string, value: string): Promise<void>;
  /** False when none of that name is kept in the store. */
  delete(name: string): Promise<boolean>;
}

/** An entry that was settled while a trace was on. */
export interface TracedEntry {
  readonly entry: StreamEntry;
  readonly event: ChangeEvent | null;
  readonly outcome: 'written' | 'filtered' | 'superseded' | 'rejected' | 'skipped';
  /** ms since the epoch. */
  readonly settledAt: number;
}

export interface HistoryOptions {
  /** Entries that arrived before are left out, ms since the epoch. */
  readonly fromMs?: number;
  /** Full name of the only stream that is wanted. */
  readonly stream?: string;
  /** Told now and then how much has been read, from 0 to 1, also while nothing is found. */
  readonly onProgress?: (share: number) => void;
  /** A stretch of the journal cannot be read and is passed by: one sentence. */
  readonly onDamaged?: (message: string) => void;
}

/** Entries for people who look: those that are retained, and those that are settled from now on. */
export interface HistoryControl {
  /** When the oldest entry arrived that is still in the journal, ms since the epoch; null when there is none. */
  readonly since: number | null;
  /**
   * Entries still in the journal, oldest first, from the first that arrived at or after `fromMs`. Whoever reads holds no memory
   * beyond one batch; stop by returning.
   */
  entries(options: HistoryOptions): AsyncIterable<StreamEntry>;
  /** Whether an entry of the journal is settled, as of a moment ago. */
  isSettled(entry: StreamEntry): boolean;
  /** The newest change events of a stream (or of all), newest first, as far as they are in the journal. */
  recent(options: { readonly stream?: string; readonly limit: number }): Promise<StreamEntry[]>;
  /** Entries that are settled from now on, until `signal` is aborted. Slow readers miss some; none is held back. */
  follow(signal: AbortSignal): AsyncIterable<TracedEntry>;
  /** Readers for lookups on the targets as the jobs use them. */
  readonly lookups: ReadonlyMap<string, LookupReader>;
}

/** A line of the log, as it was written. */
export interface LogLine {
  /** Grows by 1. */
  readonly number: number;
  readonly time: string;
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The newest lines of this process' log, secrets replaced. */
export interface LogControl {
  /** Lines with a higher number than `after`, oldest first, at most `limit` of the newest. */
  lines(options: { readonly after?: number; readonly limit: number }): LogLine[];
}
