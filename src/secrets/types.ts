import type { Environment, PipelineDocument } from '../config/index.ts';

/** Where a value comes from, strongest first. */
export type SecretOrigin = 'store' | 'file' | 'vault' | 'environment';

/** Values by name from all places, kept up to date. */
export interface Secrets {
  /** Everything that `${NAME}` may stand for now, the process' own variables included. A new object after each change. */
  readonly environment: Environment;
  /** Every value that no log, page or message may show; variables of the process are not among them. */
  readonly values: readonly string[];
  /** Why a name has no value, where more is known than that: half a sentence without values, for the loader's problems. */
  readonly whyMissing: (name: string) => string | undefined;
  /** Names of the store, of files and of Vault with their origin; variables of the process only where they are asked for. */
  originOf(name: string): SecretOrigin | null;
  names(): string[];
  /**
   * Reads what a pipeline asks of its `secret-providers` and `${secret:…}`, so that {@link environment} holds it. To be awaited
   * before the pipeline is loaded. Never fails: what cannot be read is missing, and {@link whyMissing} says why.
   */
  prepare(document: Pick<PipelineDocument, 'config'>): Promise<void>;
  /** Encrypts and keeps a value; durable when it resolves. Throws ConfigError for a bad name, or when there is no key. */
  set(name: string, value: string): Promise<void>;
  /** False when none of that name is kept in the store. */
  delete(name: string): Promise<boolean>;
  /** Calls back after a value changed in a file or in Vault, at most once per second. */
  watch(onChange: () => void): void;
  /** Has changes of these files call back, too: those that the pipeline in force names (`LoadedPipeline.files`). */
  watchFiles(files: readonly string[]): void;
  close(): void;
}

/** What the store keeps of secrets: encrypted values by name. */
export interface SecretStore {
  all(): { name: string; value: Uint8Array }[];
  put(name: string, value: Uint8Array): void;
  remove(name: string): boolean;
  /** Resolves when every change made before is durable. */
  sync(): Promise<void>;
}
