import { Checkpoint } from '../checkpoint/index.ts';
import type { Instance, LoadedPipeline } from '../config/index.ts';
import { Decoder, type FeederWarning } from '../decode/index.ts';
import { Dlq } from '../dlq/index.ts';
import { formatProblem, RdiError } from '../errors.ts';
import { systemClock } from '../lib/clock.ts';
import { compileGlob } from '../lib/glob.ts';
import { VERSION } from '../lib/version.ts';
import { createOnceEvery, type Logger } from '../observe/logger.ts';
import { Pipeline, placeOf } from '../pipeline.ts';
import { Endpoint } from '../sink/index.ts';
import { EmbeddedStore, type StoredStream } from '../streams/index.ts';
import { createTransformer, type EventTransformer, type JobDefinition } from '../transform/index.ts';
import type { Writer } from '../write/index.ts';
import { PerformanceRecord } from './performance.ts';
import { accountStreams, sumAccounts } from './stream-accounts.ts';
import { StreamMemory } from './stream-memory.ts';
import { Targets } from './targets.ts';
import type { DlqPage, DlqRecord, Engine, EngineSnapshot, Readiness } from './types.ts';

const CLOSE_POLL_MS = 20;
/** With a target away, the stop waits no longer than this for something to be settled by the others. */
const STUCK_MS = 300;
/** Part of the shutdown deadline for draining; the rest is for storing the checkpoint and closing. */
const DRAIN_SHARE = 0.75;
const SAME_MESSAGE_MS = 10_000;

export interface EngineOptions {
  readonly pipeline: LoadedPipeline;
  /** The jobs of the pipeline, without problems. */
  readonly jobs: readonly JobDefinition[];
  readonly instance: Instance;
  readonly logger: Logger;
}

/**
 * Builds all rooms, wires them into one path, and opens the endpoint last, when the store is recovered.
 *
 * Throws {@link RdiError} when a target that is needed is not configured, the store cannot be opened or the port cannot be
 * had; nothing is left running then. A target that is away is no reason not to start.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { pipeline, jobs, instance, logger } = options;
  const targets = new Targets({ pipeline, logger, maxBatchesInFlight: instance.memory.maxBatchesInFlight });
  const { targetDataType, jsonUpdateStrategy, keyTemplate } = pipeline.settings;
  const transformer = createTransformer({
    jobs,
    settings: { dataType: targetDataType, jsonUpdate: jsonUpdateStrategy, keyTemplate },
    lookups: targets.createLookups(lookedUp(jobs)),
    clock: systemClock,
    onWarning: (message) => logger.warn(message),
  });
  targets.check(transformer.connections);
  let store: EmbeddedStore | undefined;
  try {
    store = await EmbeddedStore.open({
      folder: instance.dataDir,
      clock: systemClock,
      diskLimitBytes: instance.diskLimitBytes,
      tailBytes: instance.memory.maxBufferedBytes,
      onNotice: ({ level, message }) => logger[level](message),
    });
    const writers = targets.createWriters(transformer.connections, store.targetConnections);
    targets.connect();
    const engine = new RunningEngine(options, store, targets, transformer, writers);
    await engine.open();
    return engine;
  } catch (error) {
    await targets.close(0);
    await store?.close();
    throw error;
  }
}

/** Names of the connections that jobs look things up from. */
function lookedUp(jobs: readonly JobDefinition[]): string[] {
  const blocks = jobs.flatMap((job) => job.blocks);
  return blocks.flatMap((block) => (block.uses === 'redis.lookup' ? [block.connection] : []));
}

class RunningEngine implements Engine {
  readonly #options: EngineOptions;
  readonly #store: EmbeddedStore;
  readonly #targets: Targets;
  readonly #streamMemory: StreamMemory;
  readonly #endpoint: Endpoint;
  readonly #checkpoint: Checkpoint;
  readonly #pipeline: Pipeline;
  readonly #performance = new PerformanceRecord();
  readonly #startedAt = Date.now();
  readonly #warnings: FeederWarning[] = [];
  readonly #tables = new Map<StoredStream, string>();
  readonly #onceEvery = createOnceEvery(() => systemClock.elapsed());
  #syncMode: 'SNAPSHOT' | 'STREAMING' | 'UNKNOWN' = 'UNKNOWN';
  /** Why the path ended; null while it runs. */
  #failure: RdiError | null = null;
  #last: EngineSnapshot | null = null;
  #isClosing = false;

  constructor(
    options: EngineOptions,
    store: EmbeddedStore,
    targets: Targets,
    transformer: EventTransformer,
    writers: readonly Writer[],
  ) {
    this.#options = options;
    this.#store = store;
    this.#targets = targets;
    this.#streamMemory = new StreamMemory(store, (message) => this.#logSeldom('error', message));
    this.#endpoint = this.#createEndpoint();
    this.#checkpoint = new Checkpoint({
      from: store.checkpoint,
      save: (checkpoint) => store.settle(checkpoint),
      now: () => systemClock.now(),
      onSaveFailed: (error) => this.#logSeldom('error', `The checkpoint cannot be stored: ${error.message}`),
    });
    this.#pipeline = this.#createPipeline(transformer, writers);
  }

  /** Opens the port and starts the path; that second, so that nothing runs when the port cannot be had. */
  async open(): Promise<void> {
    await this.#endpoint.listen();
    this.#pipeline.run().catch((error: unknown) => this.#fail(error));
  }

  snapshot(): EngineSnapshot {
    return this.#last ?? this.#take();
  }

  dlqRecords(stream: string, page: DlqPage): DlqRecord[] {
    if (this.#last) return [];
    return this.#store.deadLetters.records(stream, page).map(({ id, fields }) => ({
      __dlq_stream_entry_id: id,
      ...(fields as Omit<DlqRecord, '__dlq_stream_entry_id'>),
    }));
  }

  async resume(stream: string): Promise<boolean> {
    const isStopped = (one: StoredStream) => one.name === stream && this.#checkpoint.behind(one)?.stopped;
    const stopped = this.#store.streams().find(isStopped);
    return stopped && !this.#failure ? this.#pipeline.resume(stopped) : false;
  }

  ready(): Readiness {
    const reasons: string[] = [];
    if (this.#failure) reasons.push(this.#failure.message);
    if (!this.#endpoint.state.listening) reasons.push('The endpoint is not open.');
    reasons.push(...this.#targets.obstacles());
    return { ready: reasons.length === 0, reasons };
  }

  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    const startedAt = systemClock.elapsed();
    const { shutdownDeadlineMs } = this.#options.instance;
    await this.#endpoint.close();
    await this.#store.flush();
    await this.#drain(startedAt + shutdownDeadlineMs * DRAIN_SHARE);
    this.#pipeline.stop();
    const restMs = shutdownDeadlineMs * (1 - DRAIN_SHARE);
    await this.#targets.close(this.#failure ? 0 : restMs);
    // What the target accepted last is settled a moment later.
    await endOf(this.#pipeline.over, restMs);
    this.#checkpoint.recount(this.#store.streams());
    await this.#checkpoint.flush();
    this.#last = this.#take();
    await this.#store.close();
  }

  /** Waits for what can still be written. Lanes whose target is away make the stop no longer. */
  async #drain(untilMs: number): Promise<void> {
    let entries = -1;
    let movedAt = systemClock.elapsed();
    while (!this.#failure && this.#targets.canWrite && !this.#pipeline.isDrained) {
      const now = systemClock.elapsed();
      if (this.#targets.areReady || this.#performance.entries !== entries) movedAt = now;
      entries = this.#performance.entries;
      if (now >= untilMs || now - movedAt > STUCK_MS) return;
      await new Promise((resolve) => setTimeout(resolve, CLOSE_POLL_MS));
    }
  }

  #take(): EngineSnapshot {
    const { pipeline, instance } = this.#options;
    const streams = accountStreams(this.#store, this.#checkpoint, this.#pipeline.oldestPending(), this.#tables);
    return {
      startedAt: this.#startedAt,
      takenAt: systemClock.now(),
      version: VERSION,
      syncMode: this.#syncMode,
      store: this.#storeStatus(),
      endpoint: this.#endpoint.state,
      targets: this.#targets.statuses(),
      streams,
      totals: sumAccounts(streams),
      performance: this.#performance.snapshot(),
      dlqs: this.#last ? this.#last.dlqs : this.#store.deadLetters.queues(),
      warnings: this.#warnings,
      notices: [...pipeline.notices, ...instance.notices].map(formatProblem),
      memory: {
        bufferedBytes: this.#store.bufferedBytes,
        bufferedLimitBytes: instance.memory.maxBufferedBytes,
        inFlightEntries: this.#pipeline.inFlightEntries,
      },
    };
  }

  #storeStatus(): EngineSnapshot['store'] {
    const { bytes, limitBytes, segments, pressure } = this.#store;
    const { dataDir } = this.#options.instance;
    const facts = { bytes, limitBytes, segments, dataDir };
    if (this.#failure) return { state: 'failed', message: this.#failure.message, ...facts };
    const message = this.#checkpoint.failure;
    if (message) return { state: 'full', message, ...facts };
    return pressure === 'none'
      ? { state: 'ready', ...facts }
      : { state: 'full', message: fullMessage(pressure), ...facts };
  }

  /** The path ended by itself: nothing more is written, but what feeders send is still kept. */
  #fail(error: unknown): void {
    if (this.#isClosing) return;
    const { logger } = this.#options;
    this.#failure =
      error instanceof RdiError
        ? error
        : new RdiError('INTERNAL', `The engine stopped: ${(error as Error).message}`, { cause: error });
    logger.fatal({ err: error, code: this.#failure.code }, this.#failure.message);
  }

  #createPipeline(transformer: EventTransformer, writers: readonly Writer[]): Pipeline {
    const { pipeline, instance } = this.#options;
    const { settings } = pipeline;
    const pattern = settings.streamPattern === undefined ? null : compileGlob(settings.streamPattern);
    return new Pipeline({
      store: this.#store,
      checkpoint: this.#checkpoint,
      decoder: this.#createDecoder(),
      transformer,
      writers,
      dlq: new Dlq({
        store: this.#store.deadLetters,
        maxRecords: settings.dlqMaxMessages,
        now: () => systemClock.now(),
        onStoreFailed: (error) => this.#logSeldom('error', `A rejected record cannot be stored: ${error.message}`),
      }),
      clock: systemClock,
      errorHandling: settings.errorHandling,
      selects: (stream) => pattern?.test(stream.name) ?? true,
      limits: {
        entries: settings.readBatchSize,
        bytes: instance.memory.maxBatchBytes,
        batchesInFlight: instance.memory.maxBatchesInFlight,
      },
      onBatch: (report) => {
        this.#performance.add(report);
        this.#targets.noteWrites(report.written);
        if (report.lastEvent) this.#syncMode = report.lastEvent.snapshot ? 'SNAPSHOT' : 'STREAMING';
      },
      onRejected: (rejected) => {
        const { code, reason } = rejected.rejection;
        this.#logSeldom('warn', `Rejected (${placeOf(rejected)}): ${code}: ${reason}`, code);
      },
      onTruncate: ({ name }) =>
        this.#logSeldom(
          'warn',
          `A table of stream ${name} was truncated in the source. What the target has of it stays: delete its keys there.`,
        ),
      onTable: (stream, { db, schema, table }) => this.#tables.set(stream, `${schema || db}.${table}`),
      onLeaving: (stream, table) => this.#streamMemory.keepLeavingTable(stream, table),
      tableOf: (stream) => this.#streamMemory.leavingTable(stream),
    });
  }

  #createEndpoint(): Endpoint {
    const { instance, logger } = this.#options;
    const { users, tls, limits, testMode } = instance.endpoint;
    return new Endpoint({
      ...instance.listen,
      users,
      ...(tls ? { tls } : {}),
      maxConnections: limits.maxConnections,
      maxFrameBytes: limits.maxFrameBytes,
      maxArguments: limits.maxArguments,
      authTimeoutMs: limits.unauthenticatedTimeoutMs,
      testMode,
      version: VERSION,
      clock: systemClock,
      store: this.#store,
      onNotice: ({ level, message }) => logger[level](message),
    });
  }

  #createDecoder(): Decoder {
    const { instance, logger } = this.#options;
    const { nullKey, nullValue } = instance.endpoint;
    return new Decoder({
      nullKeys: [...new Set([nullKey, '', 'null'])],
      nullValues: [...new Set([nullValue, '', 'null'])],
      flatTables: (stream) => this.#streamMemory.flatTables(stream as StoredStream),
      onFlatTables: (stream, tables) => this.#streamMemory.keepFlatTables(stream as StoredStream, tables),
      onWarning: (warning) => {
        this.#warnings.push(warning);
        logger.warn({ stream: warning.stream }, `${warning.message} Set ${warning.property}`);
      },
      onDropped: (stream, column, why) => logger.warn({ stream, column }, `A column is left out: ${why}`),
    });
  }

  /** Logs a message, and the same kind of message again only after a while, with how many were left out. */
  #logSeldom(level: 'warn' | 'error', message: string, kind = message): void {
    const suppressed = this.#onceEvery(SAME_MESSAGE_MS, kind);
    if (suppressed === undefined) return;
    this.#options.logger[level](suppressed > 0 ? { suppressed } : {}, message);
  }
}

/** Resolves with the promise, or after `limitMs`. */
async function endOf(promise: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([promise, limit]);
  clearTimeout(timer);
}

function fullMessage(pressure: 'full' | 'paced' | 'refusing'): string {
  const how = {
    full: 'feeders are told to wait',
    paced: 'feeders are answered slowly',
    refusing: 'feeders are refused, and will send again',
  };
  return `The store is nearly full: ${how[pressure]}. Nothing is lost; it goes on when the target has taken some of the backlog, or with a higher disk_limit`;
}
