import type { Clock } from '../lib/clock.ts';
import type { ChangeEvent, TableIdentity } from '../types.ts';
import type { TargetWrite } from '../write/types.ts';
import { DefaultMapping } from './default-mapping.ts';
import type { JobObject } from './expressions/types.ts';
import type { JobDefinition } from './jobs/definition.ts';
import { type EventTransformer, type LookupReader, MAIN_LANE, type TransformResults } from './types.ts';

/** What is told of each record on its way, for trials of jobs. Records are copies. */
export interface TransformTrace {
  /** The record as the block left it; null when a filter took it out. */
  onBlock(index: number, step: string, record: JobObject | null): void;
  onOutput?(index: number, step: string, writes: readonly TargetWrite[]): void;
}

export interface TransformerOptions {
  readonly jobs: readonly JobDefinition[];
  readonly settings: {
    readonly dataType: 'hash' | 'json';
    readonly jsonUpdate: 'replace' | 'merge';
    /** Form of the default keys, for example `{table}:{key}`. */
    readonly keyTemplate: string;
  };
  /** One reader for each connection that some job looks up. */
  readonly lookups: ReadonlyMap<string, LookupReader>;
  readonly clock: Clock;
  /** Something that a user should know, told once. */
  readonly onWarning: (message: string) => void;
  readonly trace?: TransformTrace;
}

/** Makes the transformer of a pipeline. Tables without a job go through the default mapping. */
export function createTransformer(options: TransformerOptions): EventTransformer {
  return new JobTransformer(options);
}

class JobTransformer implements EventTransformer {
  readonly connections: readonly string[] = ['target'];
  readonly #mapping: DefaultMapping;

  constructor({ settings }: TransformerOptions) {
    this.#mapping = new DefaultMapping(settings);
  }

  laneOf(_table: TableIdentity): string {
    return MAIN_LANE;
  }

  transform(events: readonly (ChangeEvent | null)[], results: TransformResults): void {
    const writes = results.writes[0] as TargetWrite[];
    for (let i = 0; i < events.length; i++) {
      const event = events[i];
      if (!event) continue;
      const rejection = this.#mapping.apply(event, i, writes);
      if (rejection) results.rejected(i, rejection);
    }
  }
}
