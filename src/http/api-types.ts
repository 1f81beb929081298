/**
 * The shapes that the HTTP API of this version answers with and takes, for the web page: types only, nothing of the program
 * comes along.
 */
import type { ConfigProblem } from '../errors.ts';
import type { RehearsedEvent } from '../rehearsal/types.ts';

export type { PipelineDocument } from '../config/types.ts';
export type {
  Deployment,
  DeploymentCheck,
  DlqRecordDetail,
  FileDifference,
  LogLine,
  PipelineState,
  RetryReport,
  Revision,
  RevisionContent,
} from '../control/operations.ts';
export type { Problem } from '../control/problems.ts';
export type { RunState, Status } from '../control/status.ts';
export type { AccountSums, DlqRecord, StreamAccount, TargetStatus } from '../control/types.ts';
export type { ConfigNotice, ConfigProblem } from '../errors.ts';
export type { RehearsedCommand, RehearsedEvent } from '../rehearsal/types.ts';
export type { ApiErrorItem } from './api.ts';

/** `GET /api/v2/pipelines/{name}/jobs/{job}`. */
export interface JobDescription {
  readonly name: string;
  readonly source: string;
  readonly transformations: readonly { readonly step: string; readonly uses: string; readonly text: string }[];
  readonly outputs: readonly unknown[];
  /** The file as deployed. */
  readonly text: string;
}

/** An element of `GET /api/v2/pipelines/{name}/events`, newest first. Rows and keys are JSON texts or JSON values. */
export interface RecentEvent {
  readonly stream: string;
  readonly entry_id: string;
  /** ms since the epoch. */
  readonly arrived_at: number;
  readonly table: string;
  readonly op: string;
  readonly key: unknown;
  readonly before: unknown;
  readonly after: unknown;
  readonly raw_key: string | null;
  readonly raw_value: string | null;
}

/** Which event `POST /api/v2/pipelines/{name}/jobs/try` runs the job on. */
export type TriedEvent =
  | { readonly stream: string; readonly entry_id: string }
  | { readonly dlq: { readonly stream: string; readonly id: string } }
  | { readonly raw_key: string; readonly raw_value: string };

/** The answer of `POST /api/v2/pipelines/{name}/jobs/try`. */
export interface JobTrial {
  readonly problems: readonly ConfigProblem[];
  /** Null when the job has problems. */
  readonly result: RehearsedEvent | null;
  /** YAML of a job test that holds the event and its result; null when there is no result. */
  readonly test: string | null;
}

/** Body of `POST /api/v2/pipelines/{name}/dlqs/retry`, `…/drop`, `…/count`. */
export interface DlqSelectionBody {
  /** Name of the data stream, or its end. */
  readonly table?: string;
  readonly ids?: readonly string[];
  readonly reason?: string;
  readonly job?: string;
  readonly force?: boolean;
}
