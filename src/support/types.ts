import type { Environment } from '../config/index.ts';
import type { RunningApi } from '../doctor/index.ts';

/** A running rdi; texts are metrics. */
export interface PackageApi extends RunningApi {
  text(path: string): Promise<string>;
}

export interface PackageOptions {
  /** The pipeline folder. */
  readonly dir: string;
  readonly instanceFile?: string | undefined;
  /** Strongest; else what the instance says. */
  readonly dataDir?: string | undefined;
  readonly env: Environment;
  readonly connect: () => Promise<PackageApi>;
  readonly mustRun: boolean;
  /** Further values that must not stand in the package. */
  readonly secrets: readonly string[];
  readonly logDays: number;
  /** Rejected records of each stream; 0: none. */
  readonly rejectedPerStream: number;
  /** ms since the epoch. */
  readonly at: number;
}
