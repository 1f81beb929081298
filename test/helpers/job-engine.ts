/** The real engine in this process, with the jobs of a folder, and a feeder that sends what a Debezium Server would. */
import { loadInstance, loadPipeline, readPipelineDocument } from '../../src/config/index.ts';
import { startEngine } from '../../src/control/engine.ts';
import type { DlqRecord, Engine, EngineSnapshot } from '../../src/control/index.ts';
import { loadJobs } from '../../src/control/load-jobs.ts';
import { ConfigError, formatProblem } from '../../src/errors.ts';
import type { Logger } from '../../src/observe/logger.ts';
import { commandBytes } from './bulk-strings.ts';
import type { CaseEvent } from './job-cases.ts';
import { RawClient } from './raw-client.ts';
import { freePort, until } from './redis-server.ts';
import { pretendReserve } from './temp-folder.ts';

/** Envelopes must differ, or one that comes twice would be recognised as sent again. */
let clockMs = 1_700_000_000_000;

/** What became of changes since the last look. */
export interface Outcome {
  readonly rejected: number;
  readonly filtered: number;
  /** Reasons of the records that are in the DLQ now. */
  readonly reasons: readonly string[];
}

/** Problems of the pipeline folder as `rdi validate` words them, and its notices. */
export interface Verdict {
  readonly problems: readonly string[];
  readonly notices: readonly string[];
}

/** Loads a pipeline folder without running it. */
export function judgePipeline(dir: string): Verdict {
  try {
    const pipeline = loadPipeline(dir, { env: {} });
    const { problems, notices } = loadJobs(pipeline);
    return { problems: problems.map(formatProblem), notices: [...pipeline.notices, ...notices].map(formatProblem) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { problems: error.problems.map(formatProblem), notices: [] };
  }
}

/** An engine with a feeder connected to it. */
export class JobEngine {
  /** Warnings and errors that were logged. */
  readonly warnings: string[];
  readonly #engine: Engine;
  readonly #feeder: RawClient;
  #sent = 0;
  #seen = { rejected: 0, filtered: 0 };

  private constructor(engine: Engine, feeder: RawClient, warnings: string[]) {
    this.#engine = engine;
    this.#feeder = feeder;
    this.warnings = warnings;
  }

  /** Starts on the pipeline folder `dir`; data are kept in `dataDir`. */
  static async start(dir: string, dataDir: string): Promise<JobEngine> {
    pretendReserve(dataDir);
    const port = await freePort();
    const flags = { listen: `127.0.0.1:${port}`, http: 'off', dataDir };
    const instance = loadInstance({ dir, flags, env: {} });
    const warnings: string[] = [];
    const start = { kind: 'folder', document: readPipelineDocument(dir), dir } as const;
    const engine = await startEngine({ start, instance, env: {}, logger: collect(warnings) });
    return new JobEngine(engine, await RawClient.connect(port), warnings);
  }

  get snapshot(): EngineSnapshot {
    return this.#engine.snapshot();
  }

  /** Sends the changes as one pipeline, and waits until all that was sent is settled. */
  async send(events: readonly CaseEvent[]): Promise<void> {
    await this.post(events);
    await this.settled();
  }

  /** Sends the changes as one pipeline, and waits until they are accepted. */
  async post(events: readonly CaseEvent[]): Promise<void> {
    const commands = events.map(({ stream, key, value }) =>
      commandBytes('XADD', stream, '*', 'key', key, 'value', value(clockMs++)),
    );
    this.#feeder.send(Buffer.concat(commands));
    for (const reply of await this.#feeder.replies(commands.length)) {
      if (!reply.startsWith('$')) throw new Error(`XADD was answered ${reply}`);
    }
    this.#sent += events.length;
  }

  async settled(): Promise<void> {
    const isSettled = () => this.snapshot.totals.received === this.#sent && this.snapshot.totals.pending === 0;
    await until('every change to be settled', isSettled, 20_000).catch((error: unknown) => {
      const { totals, targets } = this.snapshot;
      throw new Error(`${String(error)}\n${JSON.stringify({ totals, targets })}\n${this.warnings.join('\n')}`);
    });
  }

  /** What became of the changes since the last call. */
  outcome(): Outcome {
    const { totals, dlqs } = this.snapshot;
    const { rejected, filtered } = this.#seen;
    this.#seen = totals;
    return {
      rejected: totals.rejected - rejected,
      filtered: totals.filtered - filtered,
      reasons: dlqs.flatMap(({ stream }) =>
        this.deadLetters(stream).map((record) => String(record['reason_rejected'])),
      ),
    };
  }

  deadLetters(stream: string): DlqRecord[] {
    return this.#engine.dlq.records(stream, { limit: 5000, offset: 0, order: 'asc' });
  }

  async close(): Promise<void> {
    this.#feeder.close();
    await this.#engine.close();
  }
}

/** A logger that keeps what it is warned of. */
function collect(warnings: string[]): Logger {
  const keep = (...words: unknown[]) => void warnings.push(words.map((word) => shown(word)).join(' '));
  const drop = () => {};
  return { trace: drop, debug: drop, info: drop, warn: keep, error: keep, fatal: keep } as unknown as Logger;
}

function shown(word: unknown): string {
  return typeof word === 'string'
    ? word
    : JSON.stringify(word, (_, value) => (value instanceof Error ? value.stack : value));
}
