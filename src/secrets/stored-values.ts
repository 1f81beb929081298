import { noKey } from './key.ts';
import type { Seal } from './seal.ts';
import type { SecretStore } from './types.ts';

/** Values that the store keeps encrypted. */
export class StoredValues {
  readonly values = new Map<string, string>();
  /** Names of values that do not open. Whatever another place has under these names is not what was meant. */
  readonly unreadable = new Set<string>();
  readonly #store: SecretStore;
  readonly #seal: Seal | undefined;

  private constructor(store: SecretStore, seal: Seal | undefined) {
    this.#store = store;
    this.#seal = seal;
  }

  /** Decrypts everything that is kept. A value that does not open is noted in {@link unreadable}. */
  static async open(store: SecretStore, seal: Seal | undefined): Promise<StoredValues> {
    const stored = new StoredValues(store, seal);
    for (const { name, value } of store.all()) {
      const text = await seal?.open(name, value);
      if (text === undefined) stored.unreadable.add(name);
      else stored.values.set(name, text);
    }
    return stored;
  }

  /** Why the unreadable ones are, with what to do. */
  get whyUnreadable(): string {
    return this.#seal === undefined
      ? 'it is kept encrypted in the store, and there is no key to open it; give the one it was set with as RDI_SECRETS_KEY or RDI_SECRETS_KEY_FILE'
      : 'it is kept encrypted in the store, and the key of this rdi is not the one it was set with; give that one as RDI_SECRETS_KEY or RDI_SECRETS_KEY_FILE, or set it anew with `rdi set-secret`';
  }

  /** Durable when it resolves. Throws ConfigError without a key, StoreError when the disk refuses it. */
  async set(name: string, value: string): Promise<void> {
    if (this.#seal === undefined) throw noKey(name);
    this.#store.put(name, await this.#seal.close(name, value));
    this.values.set(name, value);
    this.unreadable.delete(name);
    await this.#store.sync();
  }

  /** False when there is none of that name. */
  async delete(name: string): Promise<boolean> {
    if (!this.#store.remove(name)) return false;
    this.values.delete(name);
    this.unreadable.delete(name);
    await this.#store.sync();
    return true;
  }
}
