import type { StateStore } from './state-store.ts';

/** The connection that this folder's writes went over last: which server process, and the number it had there. */
interface TargetConnectionId {
  readonly runId: string;
  readonly clientId: string;
}

/**
 * Remembers the last connection to each target, so that the next process can have the target close it: bytes of a
 * process that was killed may still be on their way, and must not be executed after newer ones.
 */
export class TargetConnectionStore {
  readonly #state: StateStore;
  readonly #withReserve: (change: () => void) => void;

  constructor(state: StateStore, withReserve: (change: () => void) => void) {
    this.#state = state;
    this.#withReserve = withReserve;
  }

  /** The memory of one target, by its name in the configuration. */
  of(name: string): { read(): TargetConnectionId | null; remember(connection: TargetConnectionId): void } {
    return { read: () => this.#read(name), remember: (connection) => this.#remember(name, connection) };
  }

  #read(name: string): TargetConnectionId | null {
    const row = this.#state.prepare('SELECT run_id, client_id FROM target_connections WHERE name = ?').get(name);
    if (!row) return null;
    const { run_id: runId, client_id: clientId } = row as { run_id: string; client_id: string };
    return { runId, clientId };
  }

  /** Kept when it returns, whatever happens to this process. Throws `STORE_FULL` or `STORE_FAILED`. */
  #remember(name: string, { runId, clientId }: TargetConnectionId): void {
    const put = this.#state.prepare('INSERT OR REPLACE INTO target_connections VALUES (?, ?, ?)');
    this.#withReserve(() => this.#state.transaction(() => put.run(name, runId, clientId)));
  }
}
