import { dirname } from 'node:path';
import {
  type Environment,
  type PipelineDocument,
  type SecretRequest,
  type SecretSources,
  secretRequests,
} from '../config/index.ts';
import type { Logger } from '../observe/logger.ts';
import { FileContents, FileWatch } from './file-watch.ts';
import { FolderValues } from './folder-values.ts';
import { readSeal } from './key.ts';
import { checkSecret, spellings } from './names.ts';
import { StoredValues } from './stored-values.ts';
import type { SecretOrigin, SecretStore, Secrets } from './types.ts';
import { VaultValues } from './vault-values.ts';

export interface SecretsOptions {
  readonly store: SecretStore;
  /** Variables of the process. */
  readonly env: Environment;
  readonly settings: SecretSources;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** Is told every value before anything else is, so that no line of the log holds one. */
  readonly addSecrets?: (values: readonly string[]) => void;
}

/** Shortest time between two calls of a watcher. */
const ANNOUNCE_MS = 1000;
/** Pipelines whose requests are kept up to date. */
const REMEMBERED = 10;

/**
 * Opens all places that secrets come from. Vault is waited for a few seconds; when it is away, its names are missing.
 *
 * Throws ConfigError when the file of the key cannot be read, StoreError when the store cannot.
 */
export async function openSecrets(options: SecretsOptions): Promise<Secrets> {
  const stored = await StoredValues.open(options.store, readSeal(options.settings));
  const secrets = new JoinedSecrets(options, stored);
  await secrets.start();
  return secrets;
}

class JoinedSecrets implements Secrets {
  readonly #options: SecretsOptions;
  readonly #stored: StoredValues;
  readonly #folder: FolderValues;
  readonly #files = new FileContents();
  readonly #vault: VaultValues | undefined;
  #watch: FileWatch | undefined;
  #watched: readonly string[] = [];
  /** What the pipelines of late asked of providers, the newest last: one that is only checked must not push out the one in force. */
  #prepared: readonly (readonly SecretRequest[])[] = [];
  #environment: Environment = {};
  #origins = new Map<string, SecretOrigin>();
  #values: readonly string[] = [];
  #onChange: (() => void) | undefined;
  #announcedAt = Number.NEGATIVE_INFINITY;
  #announcing: NodeJS.Timeout | undefined;

  constructor(options: SecretsOptions, stored: StoredValues) {
    this.#options = options;
    this.#stored = stored;
    this.#folder = new FolderValues(options.settings.dir, (message) => options.logger.warn(message));
    const { vault } = options.settings;
    if (vault === undefined) return;
    this.#vault = new VaultValues({
      settings: vault,
      now: () => performance.now(),
      onChange: () => this.#change(),
      onNotice: (level, message) => options.logger[level](message),
    });
  }

  async start(): Promise<void> {
    this.#folder.look();
    this.#join();
    this.#folder.tell();
    const { unreadable, whyUnreadable } = this.#stored;
    if (unreadable.size > 0) {
      this.#options.logger.warn(`No value for ${[...unreadable].join(', ')}: ${whyUnreadable}.`);
    }
    await this.#vault?.start();
    this.#join();
  }

  get environment(): Environment {
    return this.#environment;
  }

  get values(): readonly string[] {
    return this.#values;
  }

  readonly whyMissing = (name: string): string | undefined => {
    if (this.#stored.unreadable.has(name)) return this.#stored.whyUnreadable;
    const request = this.#prepared.flat().findLast((one) => one.name === name);
    if (request !== undefined && !isVault(request)) {
      return `rdi does not read providers of type \`${request.type}\`; mount their secrets as files, and give rdi the folder as \`secrets.dir\``;
    }
    if (request !== undefined && this.#vault === undefined) {
      return 'rdi does not know where Vault is; set `secrets.vault.address` in `rdi.yaml`, or VAULT_ADDR';
    }
    return this.#vault?.whyMissing(name) ?? this.#folder.failure;
  };

  originOf(name: string): SecretOrigin | null {
    const origin = this.#origins.get(name);
    if (origin !== undefined) return origin;
    const isVariable = !this.#stored.unreadable.has(name) && Object.hasOwn(this.#environment, name);
    return isVariable && this.#environment[name] !== undefined ? 'environment' : null;
  }

  names(): string[] {
    return [...new Set([...this.#origins.keys(), ...this.#stored.unreadable])].sort();
  }

  async prepare(document: Pick<PipelineDocument, 'config'>): Promise<void> {
    const requests = secretRequests(document);
    if (requests.length === 0) return;
    const key = JSON.stringify(requests);
    const others = this.#prepared.filter((one) => JSON.stringify(one) !== key);
    this.#prepared = [...others, requests].slice(-REMEMBERED);
    await this.#vault?.request(this.#prepared.flat().filter(isVault));
    this.#join();
  }

  async set(name: string, value: string): Promise<void> {
    checkSecret(name, value);
    this.#options.addSecrets?.(spellings([value]));
    await this.#stored.set(name, value);
    this.#join();
  }

  async delete(name: string): Promise<boolean> {
    const wasThere = await this.#stored.delete(name);
    this.#join();
    return wasThere;
  }

  watch(onChange: () => void): void {
    this.#onChange = onChange;
    this.#watchNow();
  }

  watchFiles(files: readonly string[]): void {
    this.#watched = [...new Set(files)];
    this.#files.look(this.#watched);
    this.#watchNow();
  }

  close(): void {
    this.#onChange = undefined;
    clearTimeout(this.#announcing);
    this.#watch?.close();
    void this.#vault?.close();
  }

  #watchNow(): void {
    if (this.#onChange === undefined) return;
    if (this.#watch !== undefined) {
      this.#watch.rewatch();
      return;
    }
    if (this.#options.settings.dir === undefined && this.#watched.length === 0) return;
    this.#watch = new FileWatch({
      folders: () => this.#foldersToWatch(),
      look: () => {
        const isOther = this.#folder.look();
        return this.#files.look(this.#watched) || isOther;
      },
      onChange: () => {
        this.#change();
        this.#folder.tell();
      },
    });
  }

  #foldersToWatch(): string[] {
    const { dir } = this.#options.settings;
    const files = [...this.#watched, ...this.#folder.paths.values()];
    return [...new Set([...(dir === undefined ? [] : [dir]), ...files.map((file) => dirname(file))])];
  }

  #change(): void {
    this.#join();
    const waitMs = this.#announcedAt + ANNOUNCE_MS - performance.now();
    clearTimeout(this.#announcing);
    if (waitMs <= 0) this.#announce();
    else this.#announcing = setTimeout(() => this.#announce(), waitMs).unref();
  }

  #announce(): void {
    this.#announcedAt = performance.now();
    this.#onChange?.();
  }

  /** Lays the places over each other: the store over files over Vault over the variables of the process. */
  #join(): void {
    const environment: Record<string, string | undefined> = Object.assign(Object.create(null), this.#options.env);
    const origins = new Map<string, SecretOrigin>();
    const vault = this.#vault?.values() ?? new Map<string, string>();
    const { values: files, paths } = this.#folder;
    const layers = [
      ['vault', vault],
      ['file', paths],
      ['file', files],
      ['store', this.#stored.values],
    ] as const;
    for (const [origin, values] of layers) {
      for (const [name, value] of values) {
        environment[name] = value;
        origins.set(name, origin);
      }
    }
    for (const name of this.#stored.unreadable) {
      delete environment[name];
      origins.delete(name);
    }
    this.#values = spellings([...vault.values(), ...files.values(), ...this.#stored.values.values()]);
    this.#options.addSecrets?.(this.#values);
    this.#environment = Object.freeze(environment);
    this.#origins = origins;
  }
}

/** A provider that the pipeline does not define is taken for Vault, the only one that is read. */
function isVault({ type }: SecretRequest): boolean {
  return type === undefined || type === 'vault';
}
