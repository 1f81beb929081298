import {
  type LoadedPipeline,
  loadPipelineDocument,
  maskDocument,
  type PipelineDocument,
  unmaskDocument,
} from '../../src/config/index.ts';
import { loadJobs } from '../../src/control/load-jobs.ts';
import type {
  Deployment,
  DeploymentCheck,
  DeployOptions,
  PipelineControl,
  PipelineState,
  Revision,
  RunningPipeline,
  TableReset,
} from '../../src/control/operations.ts';
import { ConfigError } from '../../src/errors.ts';

const SMALL_CONFIG = `# where rows go
targets:
  target:
    connection:
      type: redis
      host: 127.0.0.1
      port: 6379
      password: hunter2   # a secret
processors:
  read_batch_size: 500
`;

const SMALL_JOB = `# orders that are paid
source:
  table: orders
transform:
  - uses: filter
    with:
      language: jmespath
      expression: paid
output:
  - uses: redis.write
    with:
      connection: target
      data_type: json
`;

export const SMALL_DOCUMENT: PipelineDocument = {
  config: SMALL_CONFIG,
  jobs: { 'orders.yaml': SMALL_JOB },
  tests: {},
  folder: '/',
};

/** Holds documents and states as the real one does, checks them with the real loader, and runs nothing. */
export class FakePipeline implements PipelineControl {
  document: PipelineDocument | null = null;
  current: RunningPipeline | null = null;
  state: PipelineState = 'started';
  stateChangedAt = 1_795_000_000_000;
  readonly flushed: string[] = [];
  /** What was asked of it, in order. */
  readonly calls: string[] = [];
  readonly #texts: { revision: Revision; document: PipelineDocument }[] = [];

  constructor(document: PipelineDocument | null = SMALL_DOCUMENT) {
    if (document !== null) this.#store(document, { origin: 'run' });
  }

  revisions(): Revision[] {
    return this.#texts.map(({ revision }) => ({ ...revision, isCurrent: revision.number === this.#texts.length }));
  }

  revision(number: number) {
    const found = this.#texts[number - 1];
    return found === undefined ? null : { ...found.revision, document: maskDocument(found.document) };
  }

  async load(document: PipelineDocument): Promise<LoadedPipeline> {
    return loadPipelineDocument(unmaskDocument(document, this.document), { env: process.env });
  }

  async check(document: PipelineDocument): Promise<DeploymentCheck> {
    return this.#check(unmaskDocument(document, this.document));
  }

  async deploy(masked: PipelineDocument, options: DeployOptions): Promise<Deployment> {
    this.calls.push(`deploy ${options.origin}${options.start ? ' start' : ''}`);
    const document = unmaskDocument(masked, this.document);
    const check = this.#check(document);
    if (check.problems.length > 0) return { ...check, revision: null };
    const revision = this.#store(document, options);
    if (options.start) this.#become('started');
    return { ...check, revision };
  }

  async rollback(number: number): Promise<Deployment | null> {
    const found = this.#texts[number - 1];
    return found === undefined ? null : this.deploy(found.document, { origin: 'rollback', note: `revision ${number}` });
  }

  async start(): Promise<void> {
    this.calls.push('start');
    this.#become('started');
  }

  async stop(): Promise<void> {
    this.calls.push('stop');
    this.#become('stopped');
  }

  async reset({ flushTarget }: { flushTarget: boolean }): Promise<void> {
    this.calls.push(`reset${flushTarget ? ' flush' : ''}`);
  }

  async resetTable(stream: string, { flushTarget }: { flushTarget: boolean }): Promise<TableReset | null> {
    this.calls.push(`reset ${stream}`);
    return { stream, droppedRecords: 1, removedKeys: flushTarget ? 2 : null, next: 'Start an incremental snapshot.' };
  }

  async flushTarget(name: string): Promise<void> {
    this.flushed.push(name);
  }

  async clear(): Promise<void> {
    this.calls.push('clear');
    this.#store({ config: '', jobs: {}, tests: {}, folder: '/' }, { origin: 'clear' });
    this.#become('stopped');
  }

  async reload(): Promise<void> {
    this.calls.push('reload');
  }

  #become(state: PipelineState): void {
    this.state = state;
    this.stateChangedAt += 1000;
  }

  #check(document: PipelineDocument): DeploymentCheck {
    try {
      const pipeline = loadPipelineDocument(document, { env: {} });
      const { problems, notices } = loadJobs(pipeline);
      const differences = document.config === this.document?.config ? [] : [CHANGED];
      return { problems, notices: [...pipeline.notices, ...notices], differences };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return { problems: error.problems, notices: [], differences: [] };
    }
  }

  #store(document: PipelineDocument, { origin, note = '' }: DeployOptions): Revision {
    const number = this.#texts.length + 1;
    const revision = { number, createdAt: this.stateChangedAt, origin, note, isCurrent: true };
    const pipeline = loadPipelineDocument(document, { env: {} });
    this.#texts.push({ revision, document });
    this.document = document;
    this.current = { revision: number, pipeline, jobs: loadJobs(pipeline).jobs };
    return revision;
  }
}

const CHANGED = { file: 'config.yaml', change: 'changed', diff: '--- config.yaml\n+++ config.yaml\n' } as const;
