import { describeTarget, type LoadedPipeline, requireTarget, type TargetConnection } from '../config/index.ts';
import { ConfigError } from '../errors.ts';
import { systemClock } from '../lib/clock.ts';
import type { Logger } from '../observe/logger.ts';
import { type ConnectionMemory, type TargetFacts, TargetLookup, type TargetState, Writer } from '../write/index.ts';
import type { TargetStatus } from './types.ts';

const PROBE_AGAIN_MS = 1000;

/** Where the last connection to each target is kept. */
interface ConnectionMemories {
  of(name: string): ConnectionMemory;
}

export interface TargetsOptions {
  readonly pipeline: LoadedPipeline;
  readonly maxBatchesInFlight: number;
  readonly logger: Logger;
}

/** All connections to targets: a writer for each that is written to, a reader for each that is looked up. */
export class Targets {
  readonly #options: TargetsOptions;
  readonly #writers = new Map<string, Writer>();
  readonly #lookups = new Map<string, TargetLookup>();
  readonly #facts = new Map<string, TargetFacts>();
  readonly #lastWriteMs = new Map<string, number>();
  #isClosing = false;

  constructor(options: TargetsOptions) {
    this.#options = options;
  }

  /** Makes a reader for each of these connections. Nothing is opened yet. Throws `CONFIG_INVALID` for one that is missing. */
  createLookups(names: Iterable<string>): ReadonlyMap<string, TargetLookup> {
    const { retry, targetConnectTimeoutMs, targetSocketTimeoutMs } = this.#options.pipeline.settings;
    for (const name of new Set(names)) {
      const lookup = new TargetLookup({
        connection: this.#connection(name),
        retry,
        connectTimeoutMs: targetConnectTimeoutMs,
        socketTimeoutMs: targetSocketTimeoutMs,
        onState: (state) => this.#log(name, 'Lookups on target', state),
      });
      this.#lookups.set(name, lookup);
    }
    return this.#lookups;
  }

  /**
   * Makes a writer for each of these connections, in their order. Not before the data folder is ours: a writer has the target
   * close the connection that is remembered there. Throws `CONFIG_INVALID` for one that is missing.
   */
  createWriters(names: readonly string[], memory: ConnectionMemories): Writer[] {
    return names.map((name) => {
      const writer = this.#createWriter(name, memory);
      this.#writers.set(name, writer);
      return writer;
    });
  }

  /** Throws `CONFIG_INVALID` when the configuration lacks one of the connections. */
  check(names: readonly string[]): void {
    for (const name of names) this.#connection(name);
  }

  /** Starts connecting to all of them. A target that is away is no reason not to start. */
  connect(): void {
    for (const writer of this.#writers.values()) void writer.connect();
    for (const lookup of this.#lookups.values()) void lookup.connect();
    for (const [name, writer] of this.#writers) void this.#learnFacts(name, writer);
  }

  /** Notes that these connections just accepted writes. */
  noteWrites(names: readonly string[]): void {
    for (const name of names) this.#lastWriteMs.set(name, systemClock.now());
  }

  /** Whether all of them can be written to and read. */
  get areReady(): boolean {
    return this.#states.every((state) => state.state === 'ready');
  }

  /** Whether some of them can be written to. */
  get canWrite(): boolean {
    return [...this.#writers.values()].some(({ state }) => state.state === 'ready');
  }

  /** One sentence for each that is not ready. */
  obstacles(): string[] {
    return this.statuses().flatMap(({ address, state }) => {
      if (state.state === 'connecting') return [`Target ${address} is being connected.`];
      return 'message' in state ? [`Target ${address}: ${state.message}`] : [];
    });
  }

  statuses(): TargetStatus[] {
    return [...new Set([...this.#writers.keys(), ...this.#lookups.keys()])].map((name) => {
      const facts = this.#facts.get(name);
      const lastWriteMs = this.#lastWriteMs.get(name);
      return {
        name,
        state: this.#stateOf(name),
        address: describeTarget(this.#connection(name)),
        ...(facts?.redisVersion ? { redisVersion: facts.redisVersion, json: facts.json } : {}),
        ...(lastWriteMs === undefined ? {} : { lastWriteMs }),
      };
    });
  }

  /** Closes all; writers that are ready get `deadlineMs` to finish what is under way. */
  async close(deadlineMs: number): Promise<void> {
    this.#isClosing = true;
    for (const lookup of this.#lookups.values()) lookup.close();
    // With a target away, waiting for what is in flight would only make the stop longer: it is repeated.
    await Promise.all(
      [...this.#writers.values()].map((writer) => writer.close(writer.state.state === 'ready' ? deadlineMs : 0)),
    );
  }

  get #states(): TargetState[] {
    return [...this.#writers.values(), ...this.#lookups.values()].map(({ state }) => state);
  }

  /** Of a target that is both written and looked up, the connection that is worse off. */
  #stateOf(name: string): TargetState {
    const writing = this.#writers.get(name)?.state;
    const reading = this.#lookups.get(name)?.state;
    if (!writing || !reading) return (writing ?? reading) as TargetState;
    return writing.state === 'ready' || ('message' in reading && !('message' in writing)) ? reading : writing;
  }

  #connection(name: string): TargetConnection {
    const { pipeline } = this.#options;
    if (name === 'target') return requireTarget(pipeline);
    const connection = pipeline.targets[name];
    if (connection) return connection;
    throw new ConfigError('CONFIG_INVALID', `a job names the connection "${name}", and there is no such target`, {
      ...(pipeline.file === undefined ? {} : { where: pipeline.file }),
      fix: `Add it under targets, or correct the job; there are ${Object.keys(pipeline.targets).join(', ') || 'none'}`,
    });
  }

  #createWriter(name: string, memory: ConnectionMemories): Writer {
    const { pipeline, logger, maxBatchesInFlight } = this.#options;
    const { settings } = pipeline;
    return new Writer({
      connection: this.#connection(name),
      lastConnection: memory.of(name),
      maxWritesPerPipeline: settings.writeBatchSize,
      maxBatchesInFlight,
      retry: settings.retry,
      wait: settings.wait,
      nativeJsonMerge: settings.nativeJsonMerge,
      connectTimeoutMs: settings.targetConnectTimeoutMs,
      socketTimeoutMs: settings.targetSocketTimeoutMs,
      onState: (state) => this.#log(name, 'Target', state),
      onWarning: (message) => logger.warn(message),
    });
  }

  #log(name: string, who: string, state: TargetState): void {
    const { logger } = this.#options;
    const address = describeTarget(this.#connection(name));
    if (state.state === 'ready') logger.info(`${who} ${address} ${who === 'Target' ? 'is' : 'are'} ready.`);
    else if ('attempts' in state && state.attempts <= 1) {
      logger.warn({ code: state.code }, `${who} ${address}: ${state.message}`);
    }
  }

  async #learnFacts(name: string, writer: Writer): Promise<void> {
    while (!this.#facts.has(name) && !this.#isClosing) {
      try {
        this.#facts.set(name, await writer.probe());
      } catch {
        // The writer's own state says why; its next attempt is worth another look.
        await new Promise((resolve) => setTimeout(resolve, PROBE_AGAIN_MS).unref());
      }
    }
  }
}
