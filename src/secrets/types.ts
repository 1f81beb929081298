import type { Environment } from '../config/index.ts';

/** Where a value comes from, strongest first. */
export type SecretOrigin = 'store' | 'file' | 'vault' | 'environment';

/** Values by name from all places, kept up to date. */
export interface Secrets {
  /** Everything that `${NAME}` may stand for now, the process' own variables included. A new object after each change. */
  readonly environment: Environment;
  /** Every value that no log, page or message may show; variables of the process are not among them. */
  readonly values: readonly string[];
  /** Names of the store, of files and of Vault with their origin; variables of the process only where they are asked for. */
  originOf(name: string): SecretOrigin | null;
  names(): string[];
  /** Encrypts and keeps a value. Throws ConfigError when there is no key. */
  set(name: string, value: string): Promise<void>;
  /** False when none of that name is kept in the store. */
  delete(name: string): Promise<boolean>;
  /** Calls back after a value changed in a file or in Vault, at most once per second. */
  watch(onChange: () => void): void;
  close(): void;
}

/** What the store keeps of secrets: encrypted values by name. */
export interface SecretStore {
  all(): { name: string; value: Uint8Array }[];
  put(name: string, value: Uint8Array): void;
  remove(name: string): boolean;
}
