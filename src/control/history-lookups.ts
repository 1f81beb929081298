import type { LoadedPipeline } from '../config/index.ts';
import type { LookupReader, LookupReply } from '../transform/index.ts';
import { TargetLookup } from '../write/index.ts';

/**
 * Readers of all targets for people who look, over connections of their own: a question of theirs never waits behind a job's,
 * nor the other way round. A connection is opened when it is first asked, and given up when the configuration changes.
 */
export class HistoryLookups {
  readonly #pipeline: () => LoadedPipeline | null;
  #of: LoadedPipeline | null = null;
  #readers: ReadonlyMap<string, LazyReader> = new Map();

  constructor(pipeline: () => LoadedPipeline | null) {
    this.#pipeline = pipeline;
  }

  readers(): ReadonlyMap<string, LookupReader> {
    const pipeline = this.#pipeline();
    if (pipeline !== this.#of) {
      this.close();
      this.#of = pipeline;
      const names = Object.keys(pipeline?.targets ?? {});
      this.#readers = new Map(names.map((name) => [name, new LazyReader(pipeline as LoadedPipeline, name)]));
    }
    return this.#readers;
  }

  close(): void {
    for (const reader of this.#readers.values()) reader.close();
    this.#readers = new Map();
    this.#of = null;
  }
}

/** After so long without a question the connection is given up. */
const IDLE_MS = 60_000;

class LazyReader implements LookupReader {
  readonly #pipeline: LoadedPipeline;
  readonly #name: string;
  #lookup: TargetLookup | null = null;
  #asking = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(pipeline: LoadedPipeline, name: string) {
    this.#pipeline = pipeline;
    this.#name = name;
  }

  async read(commands: readonly (readonly string[])[], signal: AbortSignal): Promise<readonly LookupReply[]> {
    this.#lookup ??= this.#create();
    clearTimeout(this.#idle);
    this.#asking++;
    try {
      return await this.#lookup.read(commands, signal);
    } finally {
      if (--this.#asking === 0) this.#idle = setTimeout(() => this.close(), IDLE_MS).unref();
    }
  }

  close(): void {
    clearTimeout(this.#idle);
    this.#lookup?.close();
    this.#lookup = null;
  }

  #create(): TargetLookup {
    const { settings, targets } = this.#pipeline;
    return new TargetLookup({
      connection: targets[this.#name] as NonNullable<(typeof targets)[string]>,
      retry: settings.retry,
      connectTimeoutMs: settings.targetConnectTimeoutMs,
      socketTimeoutMs: settings.targetSocketTimeoutMs,
      onState: () => {},
    });
  }
}
