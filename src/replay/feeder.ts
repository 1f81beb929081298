import { setTimeout as sleep } from 'node:timers/promises';
import { RdiError } from '../errors.ts';
import { Disconnected, FeederConnection, type ReplayAddress } from './feeder-connection.ts';
import { command } from './recording-file.ts';
import type { Reply } from './reply-parser.ts';
import { isDataEntry } from './sub-batches.ts';
import type { RecordedCommand, ReplayCounts, SubBatch } from './types.ts';

/** A real Debezium Server would stop here, or the endpoint was never there. */
class ReplayError extends RdiError {}

/** The only words of a refusal that make Debezium send a record again instead of losing it. */
const OUT_OF_MEMORY = "OOM command not allowed when used memory > 'maxmemory'";
const ENTRY_ID = /^\d+-\d+$/;
const HELD_DELAY_MS = 1000;
/** Where Debezium keeps its offsets unless it is told otherwise. */
const OFFSETS = 'metadata:debezium:offsets';

export interface FeederOptions {
  readonly address: ReplayAddress;
  readonly handshake: readonly RecordedCommand[];
  readonly counts: ReplayCounts;
  readonly silenceMs: number;
  /** First and largest pause before a repetition; doubled in between (Debezium: 300 ms, 10 s). */
  readonly retry: { readonly initialMs: number; readonly maxMs: number };
  readonly signal: AbortSignal;
}

/** What became of the data entries of one pipeline. */
interface Outcome {
  readonly acknowledged: RecordedCommand[];
  /** Answered with OOM. */
  readonly refused: RecordedCommand[];
  lost: number;
}

/**
 * Sends sub-batches as Debezium's Redis sink does (spec of the wire contract, §3 and §4): probes, pipeline, `WAIT`; a
 * broken connection is opened again and the whole sub-batch repeated, a record refused with OOM is repeated alone.
 */
export class Feeder {
  readonly #options: FeederOptions;
  readonly #login: readonly RecordedCommand[];
  readonly #handshake: readonly RecordedCommand[];
  #connection: FeederConnection | undefined;
  #delayMs: number;
  #hasToldStart = false;

  constructor(options: FeederOptions) {
    this.#options = options;
    this.#delayMs = options.retry.initialMs;
    const { user, password } = options.address;
    this.#login =
      password === undefined ? [] : [command(user === undefined ? ['AUTH', password] : ['AUTH', user, password])];
    const recorded = options.handshake.filter(({ name }) => this.#login.length === 0 || name !== 'AUTH');
    this.#handshake = [...this.#login, ...recorded];
  }

  /**
   * Opens the first connection.
   *
   * @throws ReplayError when nothing listens there: Debezium does not start either
   */
  async connect(): Promise<void> {
    const { host, port } = this.#options.address;
    try {
      await this.#open();
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error;
      throw new ReplayError('REPLAY_UNREACHABLE', `Cannot connect to ${host}:${port}: ${error.message}`, {
        fix: 'Start rdi run first, and give the address that it prints with --to.',
        cause: error,
      });
    }
  }

  /**
   * Sends one sub-batch and resolves when all of it is acknowledged, however long that takes.
   *
   * @throws ReplayError at an answer at which Debezium stops; the abort reason when the signal is given
   */
  async send(subBatch: SubBatch): Promise<void> {
    let open = subBatch.pipeline;
    let sent = false;
    while (true) {
      try {
        this.#connection ??= await this.#reopen();
        await this.#probe(subBatch.probes);
        if (sent) this.#options.counts.resent += open.filter(isDataEntry).length;
        sent = true;
        const outcome = await this.#sendPipeline(open);
        if (subBatch.wait) await this.#wait(subBatch.wait);
        this.#count(outcome);
        if (outcome.refused.length === 0) break;
        open = outcome.refused;
        sent = false;
      } catch (error) {
        if (!(error instanceof Disconnected)) throw error;
        this.#connection?.close();
        this.#connection = undefined;
      }
      await this.#pause(this.#delayMs);
      this.#delayMs = Math.min(this.#delayMs * 2, this.#options.retry.maxMs);
    }
    this.#delayMs = this.#options.retry.initialMs;
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  /**
   * What Debezium's offset store does once, at the start, over a connection of its own (2.5 to 3.6). After a reset rdi serves only
   * feeders that have started anew, and it is by this that it knows them. A replay has started now.
   */
  async #tellStart(): Promise<void> {
    if (this.#hasToldStart) return;
    this.#hasToldStart = true;
    const { address, silenceMs } = this.#options;
    const connection = await FeederConnection.open(address, silenceMs);
    try {
      const asks = [command(['CLIENT', 'SETNAME', 'debezium:offsets']), command(['HGETALL', OFFSETS])];
      for (const step of [...this.#login, ...asks]) await connection.exchange([step]);
    } finally {
      connection.close();
    }
  }

  async #open(): Promise<FeederConnection> {
    this.#options.signal.throwIfAborted();
    const connection = await FeederConnection.open(this.#options.address, this.#options.silenceMs);
    this.#connection = connection;
    for (const step of this.#handshake) {
      const [reply] = await this.#call([step]);
      if (reply?.kind === 'error' && !mayFail(step)) throw stopped(step, reply);
    }
    return connection;
  }

  async #reopen(): Promise<FeederConnection> {
    const connection = await this.#open();
    this.#options.counts.reconnects++;
    return connection;
  }

  async #probe(probes: readonly RecordedCommand[]): Promise<void> {
    for (const probe of probes) {
      while (true) {
        const [reply] = await this.#call([probe]);
        if (reply?.kind === 'error') {
          if (!reply.text.startsWith('LOADING')) throw stopped(probe, reply);
        } else if (probe.name !== 'INFO' || reply?.kind !== 'text' || !saysFull(reply.text)) break;
        this.#options.counts.held++;
        await this.#tellStart();
        await this.#pause(HELD_DELAY_MS);
      }
    }
  }

  async #sendPipeline(pipeline: readonly RecordedCommand[]): Promise<Outcome> {
    const outcome: Outcome = { acknowledged: [], refused: [], lost: 0 };
    if (pipeline.length === 0) return outcome;
    const replies = await this.#call(pipeline);
    pipeline.forEach((step, index) => {
      const reply = replies[index]!;
      if (!isDataEntry(step)) {
        if (reply.kind === 'error' && !mayFail(step)) throw stopped(step, reply);
      } else if (reply.kind === 'text' && ENTRY_ID.test(reply.text)) outcome.acknowledged.push(step);
      else if (reply.kind === 'error' && reply.text.includes(OUT_OF_MEMORY)) outcome.refused.push(step);
      else if (reply.kind === 'error') outcome.lost++;
      else throw stopped(step, reply);
    });
    return outcome;
  }

  async #wait(step: RecordedCommand): Promise<void> {
    const [reply] = await this.#call([step]);
    if (reply?.kind !== 'number') throw stopped(step, reply ?? { kind: 'nil' });
  }

  #count({ acknowledged, refused, lost }: Outcome): void {
    const { counts } = this.#options;
    counts.events += acknowledged.length;
    counts.bytes += acknowledged.reduce((sum, { bytes }) => sum + bytes.length, 0);
    counts.refused += refused.length;
    counts.lost += lost;
  }

  async #call(commands: readonly RecordedCommand[]): Promise<Reply[]> {
    this.#options.signal.throwIfAborted();
    if (!this.#connection) throw new Disconnected('not connected');
    const replies = await this.#connection.exchange(commands);
    this.#options.counts.commands += commands.length;
    return replies;
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#options.signal });
  }
}

/** Only the naming of the client may fail: servers before 7.2 do not know `CLIENT SETINFO`, and Debezium only warns. */
function mayFail(step: RecordedCommand): boolean {
  return step.name === 'CLIENT';
}

/** Whether `INFO memory` tells the feeder to wait, as Debezium 2.6 and later reads it. */
function saysFull(info: string): boolean {
  const limit = numberOf(info, 'maxmemory');
  return limit > 0 && numberOf(info, 'used_memory') >= limit;
}

function numberOf(info: string, field: string): number {
  return Number(new RegExp(`^${field}:(\\d+)\r?$`, 'm').exec(info)?.[1] ?? 0);
}

function stopped(step: RecordedCommand, reply: Reply): ReplayError {
  const answer = 'text' in reply ? reply.text : reply.kind;
  return new ReplayError(
    'REPLAY_STOPPED',
    `${step.name} ${step.name === 'AUTH' ? '…' : step.key} was answered with ${answer}`,
    {
      where: `command at ${step.offset} of the recording`,
      fix:
        answer.startsWith('NOAUTH') || answer.startsWith('WRONGPASS')
          ? 'Give --user and --password.'
          : 'A Debezium Server would stop here; see the log of rdi.',
    },
  );
}
