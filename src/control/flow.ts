import type { Checkpoint } from '../checkpoint/index.ts';
import type { Instance } from '../config/index.ts';
import { Decoder, type FeederWarning } from '../decode/index.ts';
import { Dlq, type RejectedEntry } from '../dlq/index.ts';
import { systemClock } from '../lib/clock.ts';
import { compileGlob } from '../lib/glob.ts';
import type { Logger } from '../observe/logger.ts';
import { type BatchReport, Pipeline } from '../pipeline.ts';
import type { EmbeddedStore, StoredStream } from '../streams/index.ts';
import { createTransformer, type EventTransformer, type JobDefinition, type LookupReader } from '../transform/index.ts';
import type { TableIdentity } from '../types.ts';
import type { RunningPipeline } from './operations.ts';
import type { StreamMemory } from './stream-memory.ts';
import { Targets } from './targets.ts';

const POLL_MS = 20;
/** With a target away, a stop waits no longer than this for something to be settled by the others. */
const STUCK_MS = 300;

/** What happens in a flow, told to the engine around it. */
export interface FlowEvents {
  onBatch(report: BatchReport, flow: Flow): void;
  onRejected(rejected: RejectedEntry): void;
  onTable(stream: StoredStream, table: TableIdentity): void;
  onTruncate(stream: StoredStream): void;
  onFeederWarning(warning: FeederWarning): void;
  onStoreFailed(message: string): void;
  /** The path ended by itself. */
  onFailed(error: unknown): void;
}

export interface FlowOptions {
  readonly running: RunningPipeline;
  readonly instance: Instance;
  readonly logger: Logger;
  readonly events: FlowEvents;
}

/**
 * Everything that depends on one configuration: targets, jobs, the path between. One flow runs at a time; the next one goes on
 * where it stood, from the checkpoint in the store.
 *
 * ```
 * made (nothing is opened) ──begin──> running ──halt──> over: nothing of it is written any more
 * ```
 */
export class Flow {
  readonly running: RunningPipeline;
  readonly targets: Targets;
  readonly lookups: ReadonlyMap<string, LookupReader>;
  readonly transformer: EventTransformer;
  readonly #options: FlowOptions;
  #pipeline: Pipeline | null = null;
  #checkpoint: Checkpoint | null = null;
  #isHalting = false;

  /** Throws ConfigError when a target that is needed is not configured. */
  constructor(options: FlowOptions) {
    this.#options = options;
    const { running, instance, logger } = options;
    const { pipeline, jobs } = running;
    this.running = running;
    this.targets = new Targets({ pipeline, logger, maxBatchesInFlight: instance.memory.maxBatchesInFlight });
    this.lookups = this.targets.createLookups(lookedUp(jobs));
    const { targetDataType, jsonUpdateStrategy, keyTemplate } = pipeline.settings;
    this.transformer = createTransformer({
      jobs,
      settings: { dataType: targetDataType, jsonUpdate: jsonUpdateStrategy, keyTemplate },
      lookups: this.lookups,
      clock: systemClock,
      onWarning: (message) => logger.warn(message),
    });
    this.targets.check(this.transformer.connections);
  }

  /** Null before {@link begin}. */
  get pipeline(): Pipeline | null {
    return this.#pipeline;
  }

  /** Connects, and starts the path where the store's checkpoint says. */
  begin(store: EmbeddedStore, checkpoint: Checkpoint, memory: StreamMemory): void {
    const writers = this.targets.createWriters(this.transformer.connections, store.targetConnections);
    this.targets.connect();
    this.#checkpoint = checkpoint;
    const pipeline = this.#createPipeline(store, checkpoint, memory, writers);
    this.#pipeline = pipeline;
    pipeline.run().catch((error: unknown) => {
      if (!this.#isHalting) this.#options.events.onFailed(error);
    });
  }

  /** Waits for what can still be written. Lanes whose target is away make it no longer. */
  async drain(untilMs: number, hasFailed: () => boolean, settledEntries: () => number): Promise<void> {
    let entries = -1;
    let movedAt = systemClock.elapsed();
    while (!hasFailed() && this.targets.canWrite && this.#pipeline?.isDrained === false) {
      const now = systemClock.elapsed();
      if (this.targets.areReady || settledEntries() !== entries) movedAt = now;
      entries = settledEntries();
      if (now >= untilMs || now - movedAt > STUCK_MS) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /**
   * Reads no more, gives what is on its way `graceMs` to be settled, and closes everything. When it resolves nothing of this flow
   * is written or counted any more, and the checkpoint is stored if the store takes it; what was not settled is read again.
   */
  async halt(graceMs: number): Promise<void> {
    this.#isHalting = true;
    this.#pipeline?.stop();
    await this.targets.close(graceMs);
    await this.#pipeline?.over;
    await this.#checkpoint?.flush();
  }

  #createPipeline(
    store: EmbeddedStore,
    checkpoint: Checkpoint,
    memory: StreamMemory,
    writers: ReturnType<Targets['createWriters']>,
  ): Pipeline {
    const { running, instance, events } = this.#options;
    const { settings } = running.pipeline;
    const pattern = settings.streamPattern === undefined ? null : compileGlob(settings.streamPattern);
    return new Pipeline({
      store,
      checkpoint,
      decoder: this.#createDecoder(memory),
      transformer: this.transformer,
      writers,
      dlq: new Dlq({
        store: store.deadLetters,
        maxRecords: settings.dlqMaxMessages,
        keepsAll: settings.errorHandling === 'dlq' && settings.onReject === 'park_key',
        now: () => systemClock.now(),
        onStoreFailed: (error) => events.onStoreFailed(`A rejected record cannot be stored: ${error.message}`),
      }),
      clock: systemClock,
      errorHandling: settings.errorHandling,
      onReject: settings.onReject,
      selects: (stream) => pattern?.test(stream.name) ?? true,
      limits: {
        entries: settings.readBatchSize,
        bytes: instance.memory.maxBatchBytes,
        batchesInFlight: instance.memory.maxBatchesInFlight,
      },
      onBatch: (report) => {
        this.targets.noteWrites(report.written);
        events.onBatch(report, this);
      },
      onRejected: (rejected) => events.onRejected(rejected),
      onTruncate: (stream) => events.onTruncate(stream),
      onTable: (stream, table) => events.onTable(stream, table),
      onLeaving: (stream, table) => memory.keepLeavingTable(stream, table),
      tableOf: (stream) => memory.leavingTable(stream),
    });
  }

  #createDecoder(memory: StreamMemory): Decoder {
    const { instance, logger, events } = this.#options;
    const { nullKey, nullValue } = instance.endpoint;
    return new Decoder({
      nullKeys: [...new Set([nullKey, '', 'null'])],
      nullValues: [...new Set([nullValue, '', 'null'])],
      flatTables: (stream) => memory.flatTables(stream as StoredStream),
      onFlatTables: (stream, tables) => memory.keepFlatTables(stream as StoredStream, tables),
      onWarning: (warning) => events.onFeederWarning(warning),
      onDropped: (stream, column, why) => logger.warn({ stream, column }, `A column is left out: ${why}`),
    });
  }
}

/** Names of the connections that jobs look things up from. */
function lookedUp(jobs: readonly JobDefinition[]): string[] {
  const blocks = jobs.flatMap((job) => job.blocks);
  return blocks.flatMap((block) => (block.uses === 'redis.lookup' ? [block.connection] : []));
}
