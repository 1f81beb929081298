import type { TargetError } from '../errors.ts';
import type { Unit } from './fold.ts';

/** What is known about the target, from its own answers. Unknown parts are empty. */
export interface TargetFacts {
  readonly redisVersion: string;
  readonly mode: 'standalone' | 'sentinel' | 'cluster';
  /** Whether there is a RedisJSON. */
  readonly json: boolean;
  /** Whether it has JSON.MERGE (2.6 and later). */
  readonly jsonMerge: boolean;
  readonly maxmemoryPolicy: string;
}

/** What became of the units of one pipeline, by position. */
export interface PipelineAnswer {
  /** `null`: every command was accepted. Text: the error reply that decides. `undefined`: in doubt, to be repeated. */
  readonly answers: readonly (string | null | undefined)[];
  /** Replicas that confirmed the pipeline; null when that was not asked. */
  readonly replicas: number | null;
}

/** A pipeline on its way. */
export interface SentPipeline {
  /** How many of the offered units travel with it; at least one. */
  readonly taken: number;
  readonly bytes: number;
  /** Never rejects. */
  readonly answer: Promise<PipelineAnswer>;
}

/**
 * The way to a target: one connection (standalone, Sentinel) or a Cluster client.
 *
 * Units handed over at a time have different keys. A link keeps no order between pipelines: the writer never hands over a
 * unit before the earlier one of its key is answered.
 */
export interface TargetLink {
  readonly facts: TargetFacts;
  /** Connects, logs in, learns the facts. Throws {@link TargetError}: TARGET_AUTH, or a retryable TARGET_UNAVAILABLE. */
  open(): Promise<void>;
  /** Sends as many of `units` as fit. Only while open. */
  send(units: readonly Unit[]): SentPipeline;
  /** Asks again what the target can do; throws like `open`. */
  refresh(): Promise<void>;
  /** Takes note that a command is missing, from a reply that said so. */
  lacks(what: 'json' | 'jsonMerge'): void;
  /** Gives the connection up; `onLost` follows unless the link looks after its connections by itself. */
  drop(reason: Error): void;
  /** Called when an open connection is gone; the pipelines on it are answered at the same moment. */
  onLost: (reason: TargetError) => void;
  close(): void;
}

export const NO_FACTS: TargetFacts = {
  redisVersion: '',
  mode: 'standalone',
  json: true,
  jsonMerge: true,
  maxmemoryPolicy: '',
};
