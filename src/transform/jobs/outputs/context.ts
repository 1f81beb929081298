import type { Clock } from '../../../lib/clock.ts';
import type { KeyTemplate } from '../../default-key.ts';
import type { NestedPaths } from './nested-paths.ts';

/** What an output must know of its job and of the pipeline. */
export interface OutputContext {
  /** Name of the job. */
  readonly job: string;
  readonly rowFormat: 'partial' | 'full';
  /** Index of the output's connection among those of the transformer. */
  readonly connection: number;
  /** Default keys; may be shared by all outputs. */
  readonly keyTemplate: KeyTemplate;
  /** What the jobs of the pipeline nest into documents. */
  readonly nested: NestedPaths;
  /** What the caches of `key` and `expire` measure by; the system's unless given. */
  readonly clock?: Clock;
  /** Something that a user should know. The same text may come again from another output. */
  readonly onWarning: (message: string) => void;
}
