import type { StateStore } from './state-store.ts';

/** Encrypted values by name in the state store; what is in them is known to the secrets room only. */
export class SqliteSecrets {
  readonly #state: StateStore;

  constructor(state: StateStore) {
    this.#state = state;
  }

  all(): { name: string; value: Uint8Array }[] {
    const rows = this.#state.prepare('SELECT name, value FROM secret ORDER BY name').all();
    return rows as unknown as { name: string; value: Uint8Array }[];
  }

  /** Throws `STORE_FULL` or `STORE_FAILED`; then nothing changed. */
  put(name: string, value: Uint8Array): void {
    const put = this.#state.prepare('INSERT OR REPLACE INTO secret VALUES (?, ?)');
    this.#state.transaction(() => put.run(name, value));
  }

  /** Whether there was one. */
  remove(name: string): boolean {
    const remove = this.#state.prepare('DELETE FROM secret WHERE name = ?');
    return this.#state.transaction(() => remove.run(name).changes > 0);
  }

  /** Resolves when every change made before is durable. */
  sync(): Promise<void> {
    return this.#state.sync();
  }
}
