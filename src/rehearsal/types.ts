import type { JobObject } from '../transform/expressions/types.ts';
import type { StoredKey } from './keyspace.ts';
import type { Place } from './yaml-tree.ts';

/** A change as job tests write it. */
export interface GivenEvent {
  readonly table: string;
  readonly op: string;
  readonly key: JobObject | null;
  readonly before: JobObject | null;
  readonly after: JobObject | null;
  /** Members of the event's `source` block that differ from the usual ones: `name`, `db`, `schema`, `connector`. */
  readonly source: ReadonlyMap<string, string>;
}

/** An entry as a feeder sent it. */
export interface GivenEntry {
  readonly stream: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** Entries of a recording, in order. */
export interface GivenRecording {
  readonly recorded: string;
  /** Only changes of these tables; all when empty. */
  readonly tables: readonly string[];
  readonly limit: number;
}

/** The reply to a lookup; `error` is the error that the target answers with. */
export interface GivenLookup {
  readonly command: readonly string[];
  readonly reply: LookupText;
  readonly error: string | null;
}

/** A reply as a test writes it: text, nothing, or a list of these. */
export type LookupText = string | null | readonly LookupText[];

/** What keys hold, by key. */
export type StoredKeys = ReadonlyMap<string, StoredKey>;

/** Properties of `processors` that a test may set. */
export interface SettingOverrides {
  readonly target_data_type?: 'hash' | 'json';
  readonly json_update_strategy?: 'replace' | 'merge';
  readonly use_native_json_merge?: boolean;
  readonly filter_removes?: boolean;
  readonly strict_keys?: boolean;
  readonly key_template?: string;
}

export interface Expectation {
  /** By connection; only those that are named are compared. */
  readonly keys: ReadonlyMap<string, StoredKeys>;
  /** Of the last event. */
  readonly commands: readonly (readonly string[])[] | null;
  readonly rejected: number;
  /** The n-th rejection's reason holds the n-th text. */
  readonly reasons: readonly string[];
  readonly filtered: number | null;
}

export interface JobTest {
  readonly name: string;
  readonly file: string;
  readonly place: Place;
  readonly settings: SettingOverrides;
  readonly given: readonly (GivenEvent | GivenEntry | GivenRecording)[];
  readonly lookups: readonly GivenLookup[];
  /** By connection: what is there before. */
  readonly keys: ReadonlyMap<string, StoredKeys>;
  readonly expect: Expectation;
}

/** What became of one entry, step by step. */
export interface RehearsedEvent {
  /** Place among the entries of its test or run, from 1. */
  readonly number: number;
  /** `public.customer`; empty when the entry is no change of a row. */
  readonly table: string;
  /** Debezium's letter; empty when the entry is no change of a row. */
  readonly op: string;
  /** Rows and key as JSON. */
  readonly key: string | null;
  readonly before: string | null;
  readonly after: string | null;
  /** Name of the job that wrote it, as far as writes say so. */
  readonly job: string | null;
  readonly blocks: readonly RehearsedBlock[];
  readonly lookups: readonly AskedLookup[];
  readonly commands: readonly RehearsedCommand[];
  /** `skipped`: a heartbeat or another record that says nothing of rows. */
  readonly outcome: 'written' | 'filtered' | 'rejected' | 'skipped';
  /** Why it was rejected or skipped. */
  readonly reason: string | null;
}

export interface RehearsedBlock {
  readonly step: string;
  /** The record behind the block as JSON; null when the block filtered it out. */
  readonly record: string | null;
}

export interface AskedLookup {
  readonly command: readonly string[];
  /** Nobody said what it finds, so it found nothing. */
  readonly isUnanswered: boolean;
}

export interface RehearsedCommand {
  readonly connection: string;
  readonly words: readonly string[];
}

/** One thing that was expected and did not come. */
export interface Difference {
  /** What is compared: `keys`, `commands`, `rejected`, `filtered`. */
  readonly of: string;
  /** Lines of both, each with `-` (expected), `+` (what came) or a blank (both) before it. */
  readonly lines: readonly string[];
}

export interface TestResult {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly passed: boolean;
  readonly seconds: number;
  readonly differences: readonly Difference[];
  readonly warnings: readonly string[];
  readonly events: readonly RehearsedEvent[];
}
