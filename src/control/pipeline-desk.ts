import {
  type LoadedPipeline,
  loadPipelineDocument,
  maskDocument,
  type PipelineDocument,
  type PipelineSettings,
  unmaskDocument,
} from '../config/index.ts';
import { ConfigError, formatProblem } from '../errors.ts';
import type { Logger } from '../observe/logger.ts';
import type { Secrets } from '../secrets/index.ts';
import type { EmbeddedStore } from '../streams/index.ts';
import { flushTarget } from '../write/index.ts';
import { differencesOf, isSame, type Judged, judge, problemsOf } from './deployment.ts';
import type { StartWith } from './engine.ts';
import type { Flow } from './flow.ts';
import type {
  Deployment,
  DeploymentCheck,
  DeployOptions,
  PipelineControl,
  PipelineState,
  Revision,
  RevisionContent,
  RunningPipeline,
  TableReset,
} from './operations.ts';
import {
  documentOf,
  hasTargets,
  isSameInEffect,
  leftMasks,
  noTarget,
  nothingToStart,
  problemsError,
  requireTargetUnlessJobs,
  toRevision,
} from './revisions.ts';
import { resetTable } from './table-reset.ts';
import type { EngineSnapshot } from './types.ts';

const EMPTY: Omit<PipelineDocument, 'folder'> = { config: '', jobs: {}, tests: {} };

/** What the desk has the engine do. */
export interface DeskParts {
  /** What `${NAME}` may stand for, now. */
  readonly secrets: () => Pick<Secrets, 'environment' | 'whyMissing' | 'prepare' | 'watchFiles'>;
  readonly store: () => EmbeddedStore;
  /** Throws ConfigError when a target is missing. Nothing is opened yet. */
  readonly makeFlow: (running: RunningPipeline) => Flow;
  /** Ends what runs, calls `store`, and begins `next` (null: nothing); when `store` throws, what ran begins again. */
  readonly changeOver: (change: { next: Flow | null; store: () => Promise<void> }) => Promise<void>;
  /** Closes store and endpoint, and opens them again. Only while nothing runs. */
  readonly restart: () => Promise<void>;
  /** Deletes the DLQ of a stream; resolves to how many records it held. */
  readonly dropRecords: (stream: string) => Promise<number>;
  /** Values that nobody may see any more. */
  readonly onSecrets: (values: readonly string[]) => void;
  readonly onLevel: (level: PipelineSettings['logLevel']) => void;
  readonly logger: Logger;
}

/** Deploys configurations, starts and stops. One change at a time, in the order in which they were asked for. */
export class PipelineDesk implements PipelineControl {
  readonly #parts: DeskParts;
  #current: RunningPipeline | null = null;
  #document: PipelineDocument | null = null;
  #state: PipelineState = 'pending';
  #stateChangedAt = Date.now();
  #failure: string | null = null;
  #changes: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  get current(): RunningPipeline | null {
    return this.#current;
  }

  get document(): PipelineDocument | null {
    return this.#document;
  }

  get state(): PipelineState {
    return this.#state;
  }

  get stateChangedAt(): number {
    return this.#stateChangedAt;
  }

  get status(): Pick<
    EngineSnapshot['pipeline'],
    'state' | 'stateChangedAt' | 'isActive' | 'isDeployed' | 'revision' | 'failure'
  > {
    return {
      state: this.#state,
      stateChangedAt: this.#stateChangedAt,
      isActive: this.#isActive,
      isDeployed: this.#current !== null,
      revision: this.#current?.revision ?? null,
      failure: this.#failure,
    };
  }

  /** The flow to begin with; null when nothing is deployed, or the pipeline is stopped. Throws ConfigError with all problems. */
  async open(start: StartWith): Promise<Flow | null> {
    if (start.kind === 'target') return this.#takeUp({ revision: null, pipeline: start.pipeline, jobs: [] }, null);
    if (start.kind === 'deployed') return this.#openDeployed();
    const judged = await this.#judge(start.document, start.dir);
    if (judged.running === null) throw problemsError(judged);
    requireTargetUnlessJobs(judged.running);
    const { configuration } = this.#parts.store();
    const { revision } = configuration.pipeline;
    const stored = revision === null ? null : documentOf(configuration.revision(revision));
    const isNew = stored === null || !isSame(stored, start.document);
    const number = isNew ? await this.#store(start.document, { origin: 'run', note: start.dir }) : revision;
    return this.#takeUp({ ...judged.running, revision: number }, start.document);
  }

  /** Refuses further changes, and waits for those under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#changes;
  }

  revisions(): Revision[] {
    const { configuration } = this.#parts.store();
    const current = configuration.pipeline.revision;
    return configuration.revisions().map((stored) => toRevision(stored, current));
  }

  revision(number: number): RevisionContent | null {
    const { configuration } = this.#parts.store();
    const stored = configuration.revision(number);
    const document = documentOf(stored);
    if (stored === null || document === null) return null;
    return { ...toRevision(stored, configuration.pipeline.revision), document: maskDocument(document) };
  }

  async check(document: PipelineDocument): Promise<DeploymentCheck> {
    const full = unmaskDocument(document, this.#document);
    const { problems, notices } = await this.#judge(full);
    return { problems, notices, differences: await differencesOf(this.#document, full) };
  }

  async load(document: PipelineDocument): Promise<LoadedPipeline> {
    const full = unmaskDocument(document, this.#document);
    const secrets = this.#parts.secrets();
    await secrets.prepare(full);
    return loadPipelineDocument(full, { env: secrets.environment, whyMissing: secrets.whyMissing });
  }

  deploy(document: PipelineDocument, options: DeployOptions): Promise<Deployment> {
    return this.#change('updating', async () => {
      const full = unmaskDocument(document, this.#document);
      const judged = await this.#judge(full);
      const { problems, notices, running } = judged;
      const differences = await differencesOf(this.#document, full);
      if (running === null) return { problems, notices, differences, revision: null };
      const { configuration } = this.#parts.store();
      const isActive = this.#isActive || options.start === true;
      const isUnchanged = differences.length === 0 && this.#current !== null && this.#current.revision !== null;
      if (!isUnchanged || !this.#isActive) {
        let revision = this.#current?.revision ?? null;
        const next = isActive && hasTargets(running) ? this.#parts.makeFlow({ ...running, revision }) : null;
        await this.#parts.changeOver({
          next,
          store: async () => {
            if (isUnchanged) await configuration.change({ isActive });
            else revision = await this.#store(full, options, isActive);
          },
        });
        this.#inForce({ ...running, revision }, full);
      }
      const current = configuration.pipeline.revision;
      const stored = current === null ? null : configuration.revision(current);
      return { problems, notices, differences, revision: stored === null ? null : toRevision(stored, current) };
    });
  }

  async rollback(number: number): Promise<Deployment | null> {
    const document = documentOf(this.#parts.store().configuration.revision(number));
    if (document === null) return null;
    return this.deploy(document, { origin: 'rollback', note: `back to revision ${number}` });
  }

  start(): Promise<void> {
    return this.#change('starting', async () => {
      const current = this.#current;
      if (current === null) throw nothingToStart();
      if (this.#isActive) return;
      const next = hasTargets(current) ? this.#parts.makeFlow(current) : null;
      await this.#parts.changeOver({ next, store: () => this.#setActive(true) });
    });
  }

  stop(): Promise<void> {
    return this.#change('stopping', async () => {
      if (!this.#isActive) return;
      await this.#parts.changeOver({ next: null, store: () => this.#setActive(false) });
    });
  }

  reset({ flushTarget: flushes }: { readonly flushTarget: boolean }): Promise<void> {
    return this.#change('resetting', async () => {
      const current = this.#current;
      await this.#parts.changeOver({
        next: null,
        store: async () => {
          const { configuration } = this.#parts.store();
          const { feeder } = configuration.pipeline;
          // First: what goes on after a crash would lack every row that the target does not have any more.
          await configuration.change({ feeder: 'resetting' });
          if (!flushes) return;
          await this.#flushAll().catch(async (error: unknown) => {
            await configuration.change({ feeder });
            throw error;
          });
        },
      });
      await this.#parts.restart();
      const next = current !== null && this.#isActive && hasTargets(current) ? this.#parts.makeFlow(current) : null;
      await this.#parts.changeOver({ next, store: async () => {} });
    });
  }

  resetTable(stream: string, options: { readonly flushTarget: boolean }): Promise<TableReset | null> {
    const { store, dropRecords } = this.#parts;
    return this.#change('resetting', () => resetTable(store(), this.#current, stream, { ...options, dropRecords }));
  }

  flushTarget(name: string): Promise<void> {
    return this.#change('updating', async () => {
      const connection = this.#current?.pipeline.targets[name];
      if (connection === undefined) throw noTarget(name);
      const current = this.#current as RunningPipeline;
      const next = this.#isActive && hasTargets(current) ? this.#parts.makeFlow(current) : null;
      await this.#parts.changeOver({ next, store: () => flushTarget(connection) });
    });
  }

  async clear(): Promise<void> {
    await this.deploy({ ...EMPTY, folder: this.#document?.folder ?? '/' }, { origin: 'clear' });
    await this.stop();
  }

  reload(): Promise<void> {
    return this.#change('updating', async () => {
      const [document, before] = [this.#document, this.#current];
      if (document === null) return;
      const judged = await this.#judge(document);
      if (judged.running === null) {
        this.#failure = `Secrets have changed, and the configuration is not valid with them: ${judged.problems.map(formatProblem).join('; ')}. What ran goes on`;
        this.#parts.logger.error(this.#failure);
        return;
      }
      this.#failure = null;
      const { revision } = this.#parts.store().configuration.pipeline;
      const running = { ...judged.running, revision };
      if (before !== null && isSameInEffect(before, running)) return;
      const next = this.#isActive && hasTargets(running) ? this.#parts.makeFlow(running) : null;
      await this.#parts.changeOver({ next, store: async () => {} });
      this.#inForce(running, document);
      this.#parts.logger.info('Secrets have changed: the targets are connected anew.');
    });
  }

  get #isActive(): boolean {
    return this.#parts.store().configuration.pipeline.isActive;
  }

  async #openDeployed(): Promise<Flow | null> {
    const { configuration } = this.#parts.store();
    const { revision } = configuration.pipeline;
    const document = revision === null ? null : documentOf(configuration.revision(revision));
    if (document === null) return null;
    const judged = await this.#judge(document);
    this.#document = document;
    if (judged.running !== null) return this.#takeUp({ ...judged.running, revision }, document);
    // Feeders are served nevertheless: what they send waits until the configuration is mended.
    this.#failure = `Revision ${revision} cannot run: ${judged.problems.map(formatProblem).join('; ')}`;
    this.#setState('error');
    this.#parts.logger.error(this.#failure);
    return null;
  }

  #takeUp(running: RunningPipeline, document: PipelineDocument | null): Flow | null {
    const flow = this.#isActive && hasTargets(running) ? this.#parts.makeFlow(running) : null;
    this.#inForce(running, document);
    this.#setState(this.#isActive ? 'started' : 'stopped');
    return flow;
  }

  #inForce(running: RunningPipeline, document: PipelineDocument | null): void {
    this.#current = running;
    this.#document = document;
    this.#failure = null;
    this.#parts.onSecrets(running.pipeline.secrets);
    this.#parts.secrets().watchFiles(running.pipeline.files);
    this.#parts.onLevel(running.pipeline.settings.logLevel);
    for (const notice of running.pipeline.notices) this.#parts.logger[notice.level](formatProblem(notice));
  }

  async #judge(document: PipelineDocument, dir?: string): Promise<Judged> {
    const secrets = this.#parts.secrets();
    await secrets.prepare(document);
    const { environment: env, whyMissing } = secrets;
    const judged = judge(document, { env, whyMissing }, dir);
    if (judged.running === null) return judged;
    // Before anything is connected to: a job may name a target that is not there.
    const problems = [...leftMasks(document), ...this.#missingTargets(judged.running)];
    return problems.length === 0 ? judged : { ...judged, running: null, problems };
  }

  #missingTargets(running: Omit<RunningPipeline, 'revision'>): Judged['problems'] {
    if (!hasTargets(running) && running.jobs.length === 0) return [];
    try {
      this.#parts.makeFlow({ ...running, revision: null });
      return [];
    } catch (error) {
      return problemsOf(error);
    }
  }

  #store(document: PipelineDocument, { origin, note = '' }: DeployOptions, isActive = this.#isActive): Promise<number> {
    const { configuration, checkpoint } = this.#parts.store();
    const revision = { createdAt: Date.now(), origin, note, document: JSON.stringify(document) };
    return configuration.add({ ...revision, position: checkpoint.position }, { isActive });
  }

  #setActive(isActive: boolean): Promise<void> {
    return this.#parts.store().configuration.change({ isActive });
  }

  async #flushAll(): Promise<void> {
    for (const connection of Object.values(this.#current?.pipeline.targets ?? {})) await flushTarget(connection);
  }

  /** Runs a change when those before it are done. */
  #change<T>(state: PipelineState, change: () => Promise<T>): Promise<T> {
    const run = async (): Promise<T> => {
      if (this.#isClosed) throw new ConfigError('CONFIG_INVALID', 'rdi is stopping, and takes no changes any more');
      const before = this.#state;
      this.#setState(state);
      try {
        const result = await change();
        this.#setState(this.#restingState());
        return result;
      } catch (error) {
        this.#setState(before);
        throw error;
      }
    };
    const result = this.#changes.then(run);
    this.#changes = result.catch(() => {});
    return result;
  }

  #restingState(): PipelineState {
    if (this.#current === null) return this.#failure === null ? 'pending' : 'error';
    return this.#isActive ? 'started' : 'stopped';
  }

  #setState(state: PipelineState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#stateChangedAt = Date.now();
  }
}
