import { Checkpoint } from '../checkpoint/index.ts';
import type { Environment, Instance, LoadedPipeline, PipelineDocument } from '../config/index.ts';
import type { FeederWarning } from '../decode/index.ts';
import { formatProblem, RdiError } from '../errors.ts';
import { systemClock } from '../lib/clock.ts';
import { VERSION } from '../lib/version.ts';
import { withinMs } from '../lib/within.ts';
import type { LogMemory } from '../observe/log-memory.ts';
import { createOnceEvery, type Logger } from '../observe/logger.ts';
import { placeOf } from '../pipeline.ts';
import { openSecrets, type Secrets } from '../secrets/index.ts';
import type { Endpoint } from '../sink/index.ts';
import { EmbeddedStore, type StoredStream } from '../streams/index.ts';
import { DlqDesk } from './dlq-desk.ts';
import { createEndpoint } from './endpoint.ts';
import { Flow, type FlowEvents } from './flow.ts';
import { HistoryDesk } from './history-desk.ts';
import { Measurements } from './measurements.ts';
import { readOffsets } from './offsets.ts';
import type { LogControl } from './operations.ts';
import { PipelineDesk } from './pipeline-desk.ts';
import { summarize } from './pipeline-summary.ts';
import { SecretDesk } from './secret-desk.ts';
import { storeStatus } from './store-status.ts';
import { accountStreams, sumAccounts } from './stream-accounts.ts';
import { StreamMemory } from './stream-memory.ts';
import type { Engine, EngineSnapshot, Readiness } from './types.ts';

/** Part of the shutdown deadline for draining; the rest is for storing the checkpoint and closing. */
const DRAIN_SHARE = 0.75;
/** How long a change of configuration waits for what is on its way to the targets. */
const HALT_MS = 10_000;
const SAME_MESSAGE_MS = 10_000;

/** What an engine begins with. */
export type StartWith =
  /** Texts that are deployed first, unless they are deployed already. `dir` is shown before the names of files. */
  | { readonly kind: 'folder'; readonly document: PipelineDocument; readonly dir: string }
  /** A pipeline that is not stored. */
  | { readonly kind: 'target'; readonly pipeline: LoadedPipeline }
  /** What was deployed last, if anything was. */
  | { readonly kind: 'deployed' };

export interface EngineOptions {
  readonly start: StartWith;
  readonly instance: Instance;
  readonly env: Environment;
  readonly logger: Logger;
  /** Told of values that no line of the log may hold. */
  readonly addSecrets?: (values: readonly string[]) => void;
  readonly logMemory?: LogMemory;
}

/**
 * Opens the store, puts the configuration in force, and opens the endpoint last. A target that is away is no reason not to
 * start, nor is a configuration that is missing.
 *
 * Throws {@link RdiError} when the configuration has problems, the store cannot be opened or the port cannot be had; nothing is
 * left running then.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const engine = new RunningEngine(options);
  try {
    await engine.open();
    return engine;
  } catch (error) {
    await engine.abandon();
    throw error;
  }
}

class RunningEngine implements Engine {
  readonly pipeline: PipelineDesk;
  readonly dlq: DlqDesk;
  secrets!: SecretDesk;
  readonly history: HistoryDesk;
  readonly log: LogControl;
  readonly #options: EngineOptions;
  #store!: EmbeddedStore;
  #endpoint!: Endpoint;
  #streamMemory!: StreamMemory;
  #checkpoint!: Checkpoint;
  #flow: Flow | null = null;
  #secretValues!: Secrets;
  #port: number;
  #hostsBeforeReset: readonly string[] = [];
  readonly #measurements = new Measurements();
  readonly #startedAt = Date.now();
  readonly #warnings = new Map<string, FeederWarning>();
  readonly #tables = new Map<StoredStream, string>();
  readonly #onceEvery = createOnceEvery(() => systemClock.elapsed());
  #syncMode: 'SNAPSHOT' | 'STREAMING' | 'UNKNOWN' = 'UNKNOWN';
  /** Why the path ended; null while it runs. */
  #failure: RdiError | null = null;
  #last: EngineSnapshot | null = null;
  #isClosing = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#port = options.instance.listen.port;
    const { logger, instance, logMemory } = options;
    this.dlq = new DlqDesk({
      store: () => this.#store,
      pipeline: () => (this.#failure ? null : (this.#flow?.pipeline ?? null)),
      now: () => systemClock.now(),
    });
    this.history = new HistoryDesk({ store: () => this.#store, current: () => this.pipeline.current });
    this.log = { lines: (page) => logMemory?.lines(page) ?? [] };
    this.pipeline = new PipelineDesk({
      secrets: () => this.#secretValues,
      store: () => this.#store,
      makeFlow: (running) => new Flow({ running, instance, logger, events: this.#events }),
      changeOver: (flow) => this.#changeOver(flow),
      restart: () => this.#restart(),
      dropRecords: (stream) => this.dlq.drop({ stream }),
      onSecrets: (values) => options.addSecrets?.(values),
      onLevel: (level) => this.#setLevel(level),
      logger,
    });
  }

  /** Opens the port last but for the path, so that nothing runs when the port cannot be had. */
  async open(): Promise<void> {
    await this.#openStore();
    await this.#openSecrets();
    const flow = await this.pipeline.open(this.#options.start);
    await this.#endpoint.listen();
    this.#port = this.#endpoint.port;
    this.#begin(flow);
    this.#secretValues.watch(() => void this.pipeline.reload().catch((error: unknown) => this.#noteReload(error)));
  }

  /** Lets go of what {@link open} had when it failed. */
  async abandon(): Promise<void> {
    this.#isClosing = true;
    this.#secretValues?.close();
    await this.#flow?.halt(0);
    await this.#endpoint?.close();
    await this.#store?.close();
  }

  snapshot(): EngineSnapshot {
    return this.#last ?? this.#take();
  }

  async resume(stream: string): Promise<boolean> {
    const isStopped = (one: StoredStream) => one.name === stream && this.#checkpoint.behind(one)?.stopped;
    const stopped = this.#store.streams().find(isStopped);
    return stopped && !this.#failure ? ((await this.#flow?.pipeline?.resume(stopped)) ?? false) : false;
  }

  offsets(): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
    return this.#last === null ? readOffsets(this.#store) : {};
  }

  ready(): Readiness {
    const reasons: string[] = [];
    if (this.#failure) reasons.push(this.#failure.message);
    if (!this.#endpoint.state.listening) reasons.push('The endpoint is not open.');
    if (this.pipeline.current === null)
      reasons.push('No pipeline is deployed. Deploy one with rdi deploy --dir FOLDER.');
    reasons.push(...(this.#flow?.targets.obstacles() ?? []));
    return { ready: reasons.length === 0, reasons };
  }

  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    const startedAt = systemClock.elapsed();
    const { shutdownDeadlineMs } = this.#options.instance;
    this.#secretValues.close();
    await this.pipeline.close();
    await this.#endpoint.close();
    this.history.close();
    await this.#store.flush();
    await this.#flow?.drain(
      startedAt + shutdownDeadlineMs * DRAIN_SHARE,
      () => this.#failure !== null,
      () => this.#measurements.entries,
    );
    const restMs = shutdownDeadlineMs * (1 - DRAIN_SHARE);
    // A lane beside the failed one may still settle, but what waits for a disk must not hold the stop.
    await withinMs(this.#flow?.halt(this.#failure ? 0 : restMs), restMs * 2);
    this.#checkpoint.recount(this.#store.streams());
    await this.#checkpoint.flush();
    this.#checkpoint.close();
    // After a reset that failed nothing else can be said.
    this.#last ??= this.#take();
    await this.#store.close();
  }

  async #openStore(): Promise<void> {
    const { instance, logger } = this.#options;
    this.#store = await EmbeddedStore.open({
      folder: instance.dataDir,
      clock: systemClock,
      diskLimitBytes: instance.diskLimitBytes,
      tailBytes: instance.memory.maxBufferedBytes,
      retention: instance.retention,
      onNotice: ({ level, message }) => logger[level](message),
    });
    this.#streamMemory = new StreamMemory(this.#store, (message) => this.#logSeldom('error', message));
    this.#checkpoint = this.#newCheckpoint();
    this.#endpoint = createEndpoint(instance, this.#port, this.#store, logger, this.#hostsBeforeReset);
  }

  async #openSecrets(): Promise<void> {
    const { instance, env, logger, addSecrets } = this.#options;
    this.#secretValues = await openSecrets({
      store: {
        all: () => this.#store.secretStore.all(),
        put: (name, value) => this.#store.secretStore.put(name, value),
        remove: (name) => this.#store.secretStore.remove(name),
        sync: () => this.#store.secretStore.sync(),
      },
      env,
      settings: instance.secretSources,
      logger,
      ...(addSecrets === undefined ? {} : { addSecrets }),
    });
    this.secrets = new SecretDesk({
      secrets: this.#secretValues,
      document: () => this.pipeline.document,
      reload: () => this.pipeline.reload(),
    });
  }

  #noteReload(error: unknown): void {
    this.#options.logger.error({ err: error }, 'The pipeline could not take changed secrets; what ran goes on');
  }

  #newCheckpoint(): Checkpoint {
    return new Checkpoint({
      from: this.#store.checkpoint,
      save: (checkpoint) => this.#store.settle(checkpoint),
      now: () => systemClock.now(),
      onSaveFailed: (error) => this.#logSeldom('error', `The checkpoint cannot be stored: ${error.message}`),
    });
  }

  #begin(flow: Flow | null): void {
    this.#flow = flow;
    this.#failure = null;
    this.#measurements.forgetLanes();
    this.#checkpoint = this.#newCheckpoint();
    flow?.begin(this.#store, this.#checkpoint, this.#streamMemory);
    this.dlq.followUpAll();
  }

  /** Ends the flow that runs, has the configuration stored, and begins the next one where the last one stood. */
  async #changeOver({ next, store }: { next: Flow | null; store: () => Promise<void> }): Promise<void> {
    const before = this.#flow;
    await before?.halt(this.#failure ? 0 : HALT_MS);
    this.#checkpoint.close();
    this.#flow = null;
    let flow = next;
    try {
      await store();
    } catch (error) {
      // What was in force stays in force.
      flow = before === null ? null : new Flow({ ...this.#flowOptions, running: before.running });
      throw error;
    } finally {
      if (!this.#isClosing) this.#beginNext(flow);
    }
  }

  /** The change itself is made; that its path cannot begin is told as when it ends by itself. */
  #beginNext(flow: Flow | null): void {
    try {
      this.#begin(flow);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Closes store and endpoint, and opens them again: a store that is to be reset is reset on the way. */
  async #restart(): Promise<void> {
    // Whoever looks meanwhile sees what was.
    this.#last = this.#take();
    this.#hostsBeforeReset = [...new Set([...this.#hostsBeforeReset, ...this.#endpoint.feederHosts])];
    await this.#endpoint.close();
    await this.#store.close();
    this.#tables.clear();
    this.#warnings.clear();
    this.#measurements.forgetStreams();
    this.#syncMode = 'UNKNOWN';
    try {
      await this.#openStore();
      await this.#endpoint.listen();
    } catch (error) {
      const message = `The reset could not be finished: ${(error as Error).message} The next start goes on with it.`;
      this.#last = { ...this.#last, store: { ...this.#last.store, state: 'failed', message } };
      throw error;
    }
    this.#last = null;
  }

  get #flowOptions() {
    const { instance, logger } = this.#options;
    return { instance, logger, events: this.#events };
  }

  #take(): EngineSnapshot {
    const { instance } = this.#options;
    const running = this.pipeline.current;
    const oldest = this.#flow?.pipeline?.oldestPending() ?? NOTHING_IN_FLIGHT;
    const accounts = accountStreams(this.#store, this.#checkpoint, oldest, this.#tables);
    const streams = this.#measurements.complete(accounts);
    const targets = this.#flow?.targets.statuses() ?? [];
    return {
      pipeline: { ...summarize(running), ...this.pipeline.status, awaitsFeederRestart: this.#endpoint.awaitsFeeder },
      startedAt: this.#startedAt,
      takenAt: systemClock.now(),
      version: VERSION,
      syncMode: this.#syncMode,
      store: storeStatus(this.#store, instance.dataDir, this.#failure?.message ?? null, this.#checkpoint.failure),
      endpoint: this.#endpoint.state,
      targets,
      streams,
      totals: sumAccounts(streams),
      ...this.#measurements.snapshot(streams, targets, this.#flow !== null && this.#failure === null),
      dlqs: this.#store.deadLetters.queues(),
      warnings: [...this.#warnings.values()],
      notices: [...(running?.pipeline.notices ?? []), ...instance.notices].map(formatProblem),
      memory: {
        bufferedBytes: this.#store.bufferedBytes,
        bufferedLimitBytes: instance.memory.maxBufferedBytes,
        inFlightEntries: this.#flow?.pipeline?.inFlightEntries ?? 0,
      },
    };
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

  readonly #events: FlowEvents = {
    onBatch: (report, { transformer }) => {
      this.#measurements.add(report, transformer);
      this.history.settled(report);
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
    onTable: (stream, table) => {
      this.#tables.set(stream, `${table.schema || table.db}.${table.table}`);
      this.#streamMemory.keepLastTable(stream, table);
    },
    onFeederWarning: (warning) => {
      const known = `${warning.stream} ${warning.property}`;
      if (this.#warnings.has(known)) return;
      this.#warnings.set(known, warning);
      this.#options.logger.warn({ stream: warning.stream }, warning.message);
    },
    onStoreFailed: (message) => this.#logSeldom('error', message),
    onFailed: (error) => this.#fail(error),
  };

  #setLevel(level: LoadedPipeline['settings']['logLevel']): void {
    this.#options.logger.level = level ?? this.#options.instance.logLevel;
  }

  /** Logs a message, and the same kind of message again only after a while, with how many were left out. */
  #logSeldom(level: 'warn' | 'error', message: string, kind = message): void {
    const suppressed = this.#onceEvery(SAME_MESSAGE_MS, kind);
    if (suppressed === undefined) return;
    this.#options.logger[level](suppressed > 0 ? { suppressed } : {}, message);
  }
}

const NOTHING_IN_FLIGHT = { inFlight: new Map<StoredStream, number>(), unread: () => 0 };
