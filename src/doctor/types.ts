import type { Check } from './checks.ts';

export type Severity = 'ok' | 'info' | 'warning' | 'error';

/** One thing that was looked at. */
export interface Finding {
  readonly check: Check;
  readonly severity: Severity;
  /** A sentence. */
  readonly what: string;
  /** File, address, folder, stream. */
  readonly where: string;
  /** What to do, in one or two sentences; absent where nothing is to be done. */
  readonly fix?: string;
}

/** What `rdi doctor -o json` prints. */
export interface Diagnosis {
  /** ms since the epoch. */
  readonly at: number;
  readonly version: string;
  readonly counts: Readonly<Record<Severity, number>>;
  /** Errors first. */
  readonly findings: readonly Finding[];
}

/** Adds findings of one check. */
export type Report = (severity: Severity, check: Check, where: string, what: string, fix?: string) => void;
