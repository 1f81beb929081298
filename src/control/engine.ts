import { Checkpoint } from '../checkpoint/index.ts';
import { describeTarget, type Instance, type LoadedPipeline, type TargetConnection } from '../config/index.ts';
import { Decoder, type FeederWarning, type FlatTables } from '../decode/index.ts';
import { Dlq } from '../dlq/index.ts';
import { formatProblem, RdiError } from '../errors.ts';
import { systemClock } from '../lib/clock.ts';
import { compileGlob } from '../lib/glob.ts';
import { VERSION } from '../lib/version.ts';
import { createOnceEvery, type Logger } from '../observe/logger.ts';
import { Pipeline, placeOf } from '../pipeline.ts';
import { Endpoint } from '../sink/index.ts';
import { EmbeddedStore, type StoredStream } from '../streams/index.ts';
import { DefaultMapping } from '../transform/index.ts';
import { type TargetFacts, Writer } from '../write/index.ts';
import { PerformanceRecord } from './performance.ts';
import { accountStreams, sumAccounts } from './stream-accounts.ts';
import type { DlqPage, DlqRecord, Engine, EngineSnapshot, Readiness } from './types.ts';

const CLOSE_POLL_MS = 20;
/** Part of the shutdown deadline for draining; the rest is for storing the checkpoint and closing. */
const DRAIN_SHARE = 0.75;
const SAME_MESSAGE_MS = 10_000;

export interface EngineOptions {
  readonly pipeline: LoadedPipeline;
  readonly instance: Instance;
  readonly logger: Logger;
}

/**
 * Builds all rooms, wires them into one path, and opens the endpoint last, when the store is recovered.
 *
 * Throws {@link RdiError} when the store cannot be opened or the port cannot be had; nothing is left running then. A target
 * that is away is no reason not to start.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { pipeline, instance, logger } = options;
  const { target } = pipeline.targets;
  let store: EmbeddedStore | undefined;
  let writer: Writer | undefined;
  try {
    store = await EmbeddedStore.open({
      folder: instance.dataDir,
      clock: systemClock,
      diskLimitBytes: instance.diskLimitBytes,
      tailBytes: instance.memory.maxBufferedBytes,
      onNotice: ({ level, message }) => logger[level](message),
    });
    // Not before the folder is ours: the writer has the target close the connection that was remembered there.
    writer = createWriter(options, target as TargetConnection, store);
    void writer.connect();
    const engine = new RunningEngine(options, store, writer);
    await engine.open();
    return engine;
  } catch (error) {
    await writer?.close(0);
    await store?.close();
    throw error;
  }
}

function createWriter(
  { pipeline, instance, logger }: EngineOptions,
  connection: TargetConnection,
  store: EmbeddedStore,
): Writer {
  const { settings } = pipeline;
  const address = describeTarget(connection);
  return new Writer({
    connection,
    lastConnection: store.targetConnection,
    maxWritesPerPipeline: settings.writeBatchSize,
    maxBatchesInFlight: instance.memory.maxBatchesInFlight,
    retry: settings.retry,
    wait: settings.wait,
    nativeJsonMerge: settings.nativeJsonMerge,
    connectTimeoutMs: settings.targetConnectTimeoutMs,
    socketTimeoutMs: settings.targetSocketTimeoutMs,
    onState: (state) => {
      if (state.state === 'ready') logger.info(`Target ${address} is ready.`);
      else if ('attempts' in state && state.attempts <= 1) {
        logger.warn({ code: state.code }, `Target ${address}: ${state.message}`);
      }
    },
    onWarning: (message) => logger.warn(message),
  });
}

class RunningEngine implements Engine {
  readonly #options: EngineOptions;
  readonly #store: EmbeddedStore;
  readonly #writer: Writer;
  readonly #endpoint: Endpoint;
  readonly #checkpoint: Checkpoint;
  readonly #pipeline: Pipeline;
  readonly #performance = new PerformanceRecord();
  readonly #startedAt = Date.now();
  readonly #warnings: FeederWarning[] = [];
  readonly #tables = new Map<StoredStream, string>();
  readonly #onceEvery = createOnceEvery(() => systemClock.elapsed());
  #facts: TargetFacts | null = null;
  #lastWriteMs = 0;
  #syncMode: 'SNAPSHOT' | 'STREAMING' | 'UNKNOWN' = 'UNKNOWN';
  /** Why the path ended; null while it runs. */
  #failure: RdiError | null = null;
  #last: EngineSnapshot | null = null;
  #isClosing = false;
  /** Resolves when the path has ended, however it did. */
  #path: Promise<void> = Promise.resolve();

  constructor(options: EngineOptions, store: EmbeddedStore, writer: Writer) {
    const { pipeline, instance } = options;
    const { settings } = pipeline;
    this.#options = options;
    this.#store = store;
    this.#writer = writer;
    this.#endpoint = this.#createEndpoint();
    this.#checkpoint = new Checkpoint({
      from: store.checkpoint,
      save: (checkpoint) => store.settle(checkpoint),
      now: () => systemClock.now(),
      onSaveFailed: (error) => this.#logSeldom('error', `The checkpoint cannot be stored: ${error.message}`),
    });
    const pattern = settings.streamPattern === undefined ? null : compileGlob(settings.streamPattern);
    this.#pipeline = new Pipeline({
      store,
      checkpoint: this.#checkpoint,
      decoder: this.#createDecoder(),
      mapping: new DefaultMapping({ dataType: settings.targetDataType, jsonUpdate: settings.jsonUpdateStrategy }),
      writer,
      dlq: new Dlq({
        store: store.deadLetters,
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
        const { lastEvent } = report;
        if (!lastEvent) return;
        this.#lastWriteMs = systemClock.now();
        this.#syncMode = lastEvent.snapshot ? 'SNAPSHOT' : 'STREAMING';
      },
      onRejected: (rejected) => {
        const { code, reason } = rejected.rejection;
        this.#logSeldom('warn', `Rejected (${placeOf(rejected)}): ${code}: ${reason}`, code);
      },
      onTable: (stream, { db, schema, table }) => this.#tables.set(stream, `${schema || db}.${table}`),
    });
  }

  /** Opens the port and starts the path; that second, so that nothing runs when the port cannot be had. */
  async open(): Promise<void> {
    await this.#endpoint.listen();
    this.#path = this.#pipeline.run().catch((error: unknown) => this.#fail(error));
    void this.#learnFacts();
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
    const stopped = [...this.#checkpoint.behind].find(([{ name }, behind]) => name === stream && behind.stopped);
    return stopped && !this.#failure ? this.#pipeline.resume(stopped[0]) : false;
  }

  ready(): Readiness {
    const { state } = this.#writer;
    const address = describeTarget(this.#options.pipeline.targets['target'] as TargetConnection);
    const reasons: string[] = [];
    if (this.#failure) reasons.push(this.#failure.message);
    if (!this.#endpoint.state.listening) reasons.push('The endpoint is not open.');
    if (state.state === 'connecting') reasons.push(`Target ${address} is being connected.`);
    else if ('message' in state) reasons.push(`Target ${address}: ${state.message}`);
    return { ready: reasons.length === 0, reasons };
  }

  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    const startedAt = systemClock.elapsed();
    const { shutdownDeadlineMs } = this.#options.instance;
    await this.#endpoint.close();
    await this.#store.flush();
    const isFlowing = () => this.#writer.state.state === 'ready' && !this.#failure;
    while (
      isFlowing() &&
      !this.#pipeline.isDrained &&
      systemClock.elapsed() - startedAt < shutdownDeadlineMs * DRAIN_SHARE
    ) {
      await new Promise((resolve) => setTimeout(resolve, CLOSE_POLL_MS));
    }
    this.#pipeline.stop();
    // With the target away, waiting for what is in flight would only make the stop longer: it is repeated.
    const restMs = shutdownDeadlineMs * (1 - DRAIN_SHARE);
    await this.#writer.close(isFlowing() ? restMs : 0);
    // What the target accepted last is settled a moment later.
    await endOf(this.#path, restMs);
    this.#checkpoint.recount(this.#store.streams());
    await this.#checkpoint.flush();
    this.#last = this.#take();
    await this.#store.close();
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
      targets: [
        {
          name: 'target',
          state: this.#writer.state,
          address: describeTarget(pipeline.targets['target'] as TargetConnection),
          ...(this.#facts?.redisVersion ? { redisVersion: this.#facts.redisVersion, json: this.#facts.json } : {}),
          ...(this.#lastWriteMs > 0 ? { lastWriteMs: this.#lastWriteMs } : {}),
        },
      ],
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

  async #learnFacts(): Promise<void> {
    while (!this.#facts && !this.#isClosing) {
      try {
        this.#facts = await this.#writer.probe();
      } catch {
        // The writer's own state says why; its next attempt is worth another look.
        await new Promise((resolve) => setTimeout(resolve, 1000).unref());
      }
    }
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
      flatTables: (stream) => {
        const memory = this.#store.memory(stream as StoredStream);
        return memory === null ? undefined : (JSON.parse(memory) as FlatTables);
      },
      onFlatTables: (stream, tables) => this.#rememberTables(stream as StoredStream, tables),
      onWarning: (warning) => {
        this.#warnings.push(warning);
        logger.warn({ stream: warning.stream }, `${warning.message} Set ${warning.property}`);
      },
      onDropped: (stream, column, why) => logger.warn({ stream, column }, `A column is left out: ${why}`),
    });
  }

  #rememberTables(stream: StoredStream, tables: FlatTables): void {
    try {
      this.#store.remember(stream, JSON.stringify(tables));
    } catch (error) {
      this.#logSeldom(
        'error',
        `What was learned of stream ${stream.name} cannot be stored: ${(error as Error).message}`,
      );
    }
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
