import type { FlatTables } from '../decode/index.ts';
import type { EmbeddedStore, StoredStream } from '../streams/index.ts';
import type { TableIdentity } from '../types.ts';

/** What the store keeps about a stream beside its entries: one JSON text. */
interface Memory {
  /** Tables whose flattened rows it holds. */
  readonly flat?: FlatTables;
  /** The table because of which it left the main lane. */
  readonly table?: TableIdentity;
  /** The table of its last event. */
  readonly last?: TableIdentity;
}

/** What was learned of streams and must be known right after a restart. */
export class StreamMemory {
  readonly #store: Pick<EmbeddedStore, 'memory' | 'remember'>;
  readonly #onFailed: (message: string) => void;

  /** `onFailed`: the store cannot keep something now; it is learned again after the next start. */
  constructor(store: Pick<EmbeddedStore, 'memory' | 'remember'>, onFailed: (message: string) => void) {
    this.#store = store;
    this.#onFailed = onFailed;
  }

  flatTables(stream: StoredStream): FlatTables | undefined {
    return this.#read(stream).flat;
  }

  keepFlatTables(stream: StoredStream, flat: FlatTables): void {
    this.#keep(stream, { flat });
  }

  leavingTable(stream: StoredStream): TableIdentity | null {
    return this.#read(stream).table ?? null;
  }

  keepLeavingTable(stream: StoredStream, table: TableIdentity): void {
    this.#keep(stream, { table });
  }

  /** The table of the last event of a stream. */
  lastTable(stream: StoredStream): TableIdentity | null {
    return this.#read(stream).last ?? null;
  }

  keepLastTable(stream: StoredStream, table: TableIdentity): void {
    this.#keep(stream, { last: table });
  }

  #read(stream: StoredStream): Memory {
    const text = this.#store.memory(stream);
    if (text === null) return {};
    const memory = JSON.parse(text) as Memory | FlatTables;
    // Earlier versions kept the list of flattened tables alone.
    return Array.isArray(memory) ? { flat: memory as FlatTables } : (memory as Memory);
  }

  #keep(stream: StoredStream, change: Memory): void {
    const text = JSON.stringify({ ...this.#read(stream), ...change });
    if (text === this.#store.memory(stream)) return;
    try {
      this.#store.remember(stream, text);
    } catch (error) {
      this.#onFailed(`What was learned of stream ${stream.name} cannot be stored: ${(error as Error).message}`);
    }
  }
}
