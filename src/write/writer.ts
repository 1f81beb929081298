import { TargetError } from '../errors.ts';
import { blamesKey, describeReply, judge, refusalsOf, type Verdict, worse } from './answers.ts';
import { backoffMs } from './backoff.ts';
import { ClusterLink } from './cluster-link.ts';
import type { Unit } from './fold.ts';
import { loginRefused, unavailable } from './handshake.ts';
import type { PipelineAnswer, TargetFacts, TargetLink } from './link.ts';
import { describeEndpoint, endpointOf, type FullOptions, type WriterOptions, withDefaults } from './options.ts';
import { SingleLink } from './single-link.ts';
import type { TargetState, TargetWrite, WriteOutcome } from './types.ts';
import { Batch, WriteQueue } from './write-queue.ts';

type QueuedUnit = Unit<Batch>;

/** A batch that waits to be taken in. */
interface Visitor {
  readonly writes: readonly TargetWrite[];
  readonly enter: (taken: { done: Promise<WriteOutcome> }) => void;
  readonly turnAway: (error: TargetError) => void;
}

/**
 * Applies batches of writes to one target: in order for each key, pipelined, until every write is accepted or refused
 * for good. See the page comment of this room for what it promises.
 *
 * Life: `connect`, any number of `write`, `close`. One pause at a time: after trouble nothing is sent until its timer
 * fires, then everything that is still in doubt goes again, oldest first.
 */
export class Writer {
  readonly #options: FullOptions;
  readonly #where: string;
  readonly #link: TargetLink;
  readonly #queue = new WriteQueue();
  readonly #atTheDoor: Visitor[] = [];
  #pipelines = 0;
  #isOpen = false;
  #isClosing = false;
  #isClosed = false;
  /** Troubles since the last pipeline without any. */
  #attempts = 0;
  /** Set while nothing is sent because of trouble. */
  #pause: NodeJS.Timeout | undefined;
  #state: TargetState = { state: 'connecting' };
  #connecting: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  /** Throws ConfigError when the connection's URL cannot be read. */
  constructor(options: WriterOptions) {
    this.#options = withDefaults(options);
    const endpoint = endpointOf(options.connection);
    this.#where = describeEndpoint(endpoint);
    this.#link = endpoint.cluster ? new ClusterLink(endpoint, this.#options) : new SingleLink(endpoint, this.#options);
    this.#link.onLost = (reason) => this.#lost(reason);
  }

  get state(): TargetState {
    return this.#state;
  }

  /**
   * Starts connecting. Resolves after the first attempt, whatever came of it: `state` tells, and attempts go on by
   * themselves until `close`. Never rejects.
   */
  connect(): Promise<void> {
    this.#connecting ??= this.#open();
    return this.#connecting;
  }

  /**
   * What the target is, asked anew. Throws {@link TargetError} while it cannot be reached or does not let us in.
   */
  async probe(): Promise<TargetFacts> {
    await this.connect();
    if (!this.#isOpen) throw this.#notOpenError();
    await this.#link.refresh();
    return this.#link.facts;
  }

  /**
   * Hands a batch over. Resolves when it was taken in, which waits while the limit of batches is reached; batches enter
   * in the order of the calls. `done` resolves when every write has its outcome.
   *
   * Both reject with a retryable {@link TargetError} when the writer is closed before; the writes not reported may or
   * may not have reached the target then.
   */
  async write(writes: readonly TargetWrite[]): Promise<{ done: Promise<WriteOutcome> }> {
    if (this.#isClosing) throw this.#closedError();
    if (this.#queue.openBatches.length >= this.#options.maxBatchesInFlight || this.#atTheDoor.length > 0) {
      return new Promise((enter, turnAway) => this.#atTheDoor.push({ writes, enter, turnAway }));
    }
    return { done: this.#takeIn(writes) };
  }

  /**
   * Stops taking batches, lets those inside finish for at most `deadlineMs`, then closes the connection. What is not
   * settled by then rejects with a retryable {@link TargetError}.
   */
  async close(deadlineMs: number): Promise<void> {
    this.#isClosing = true;
    for (const waiting of this.#atTheDoor.splice(0)) waiting.turnAway(this.#closedError());
    if (this.#queue.openBatches.length > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadlineMs);
        this.#onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#isClosed = true;
    this.#isOpen = false;
    clearTimeout(this.#pause);
    this.#link.close();
    for (const { done } of this.#queue.openBatches) done.reject(this.#closedError());
  }

  #takeIn(writes: readonly TargetWrite[]): Promise<WriteOutcome> {
    const batch = new Batch(writes);
    this.#queue.add(batch);
    if (batch.open === 0) return Promise.resolve(batch.outcome());
    const { promise } = batch.done;
    // A caller that has gone away must not end the process.
    promise.catch(() => {});
    this.#pump();
    return promise;
  }

  /** Lets waiting batches in as far as there is room; in one go, so that no later call can slip in between. */
  #admit(): void {
    while (this.#atTheDoor.length > 0 && this.#queue.openBatches.length < this.#options.maxBatchesInFlight) {
      const { writes, enter } = this.#atTheDoor.shift()!;
      enter({ done: this.#takeIn(writes) });
    }
  }

  /** Sends what may be sent. */
  #pump(): void {
    const { maxBatchesInFlight, maxWritesPerPipeline, clock } = this.#options;
    while (this.#isOpen && this.#pause === undefined && this.#pipelines < maxBatchesInFlight) {
      const offered = this.#queue.peek(maxWritesPerPipeline);
      if (offered.length === 0) return;
      if (!this.#link.facts.json && offered.some((unit) => unit.needsJson)) {
        this.#wait(this.#noJson());
        return;
      }
      const started = clock.elapsed();
      const { taken, bytes, answer } = this.#link.send(offered);
      this.#queue.take(taken);
      const units = taken === offered.length ? offered : offered.slice(0, taken);
      this.#pipelines++;
      answer.then((result) => {
        this.#pipelines--;
        const counts = this.#sort(units, result);
        this.#options.onPipeline({ writes: units.length, bytes, durationMs: clock.elapsed() - started, ...counts });
        this.#admit();
        this.#pump();
      });
    }
  }

  /** Settles what has its outcome, puts back what has not, and pauses when there was trouble. */
  #sort(units: readonly QueuedUnit[], result: PipelineAnswer): { refused: number; retried: number } {
    const again: QueuedUnit[] = [];
    /** Accepted, and their time to live is to follow. */
    const following: QueuedUnit[] = [];
    const unconfirmed = this.#isUnconfirmed(result);
    let refused = 0;
    let worst: { verdict: Verdict; text: string } | undefined;
    for (const [index, unit] of units.entries()) {
      const answer = result.answers[index];
      if (answer === null && !unconfirmed) {
        if (unit.hasExpiry && !unit.isWritten) {
          unit.isWritten = true;
          following.push(unit);
        } else this.#settle(unit);
      } else if (answer === null || answer === undefined) {
        again.push(unit);
      } else {
        const verdict = judge(answer);
        if (verdict === 'refuse' && unit.folded !== null && !blamesKey(answer)) {
          this.#queue.split(unit);
        } else if (verdict === 'refuse') {
          refused++;
          unit.owner.refused.push(...refusalsOf(unit, answer));
          this.#settle(unit);
        } else {
          again.push(unit);
          if (!worst || worse(verdict, worst.verdict) !== worst.verdict) worst = { verdict, text: answer };
        }
      }
    }
    this.#queue.putBack([...again, ...following]);
    if (worst) this.#meet(worst.verdict, worst.text);
    else if (unconfirmed) this.#wait(this.#unconfirmed(), this.#options.wait.retryDelayMs);
    else if (again.length === 0) this.#recovered();
    // A lost connection has reported itself already; a Cluster client does not.
    else if (this.#isOpen) this.#wait(unavailable('A part of the target did not answer', this.#where));
    return { refused, retried: again.length };
  }

  #settle(unit: QueuedUnit): void {
    this.#queue.settle(unit);
    const batch = unit.owner;
    if (batch.open > 0) return;
    batch.done.resolve(batch.outcome());
    if (this.#queue.openBatches.length === 0) this.#onIdle?.();
  }

  #meet(verdict: Verdict, text: string): void {
    const said = describeReply(text);
    if (verdict === 'no-merge') {
      this.#link.lacks('jsonMerge');
    } else if (verdict === 'no-json') {
      this.#link.lacks('json');
      this.#wait(this.#noJson());
    } else if (verdict === 'login') {
      const error = loginRefused(said, this.#where);
      // A connection that lost its login gets it back only by a new greeting.
      if (text.startsWith('NOAUTH')) this.#link.drop(error);
      this.#wait(error);
    } else {
      const error = unavailable(`The target does not take writes now: ${said}`, this.#where);
      if (verdict === 'reconnect') this.#link.drop(error);
      this.#wait(error);
    }
  }

  #isUnconfirmed({ replicas }: PipelineAnswer): boolean {
    const { wait } = this.#options;
    if (replicas === null || replicas >= 1) return false;
    if (!wait.retry) this.#options.onWarning(this.#unconfirmed().message);
    return wait.retry;
  }

  async #open(): Promise<void> {
    try {
      await this.#link.open();
    } catch (error) {
      if (!this.#isClosed) this.#wait(error instanceof TargetError ? error : unavailable(String(error), this.#where));
      return;
    }
    if (this.#isClosed) {
      this.#link.close();
      return;
    }
    this.#isOpen = true;
    // With writes in doubt, only their answers tell whether the trouble is over.
    if (this.#queue.size === 0 && this.#pipelines === 0) this.#recovered();
    this.#pump();
  }

  #lost(reason: TargetError): void {
    this.#isOpen = false;
    if (this.#isClosed) return;
    // A connection that worked is replaced at once; one that never did is not worth hurrying.
    this.#wait(reason, this.#attempts === 0 ? this.#options.random() * 20 : undefined);
  }

  /** Stops sending for a while and says why. Trouble during a pause adds nothing. */
  #wait(error: TargetError, delayMs?: number): void {
    if (this.#pause !== undefined || this.#isClosed) return;
    this.#attempts++;
    const { retry, random, clock } = this.#options;
    const before = this.#state;
    const since = 'since' in before && before.code === error.code ? before.since : clock.now();
    const state = error.code === 'TARGET_AUTH' || error.code === 'TARGET_REFUSED' ? 'refused' : 'waiting';
    this.#setState({ state, code: error.code, message: error.message, since, attempts: this.#attempts });
    this.#pause = setTimeout(() => this.#resume(), delayMs ?? backoffMs(retry, this.#attempts, random));
  }

  async #resume(): Promise<void> {
    if (!this.#isOpen) {
      this.#pause = undefined;
      await this.#open();
      return;
    }
    if (!this.#link.facts.json) await this.#link.refresh().catch(() => {});
    this.#pause = undefined;
    if (this.#isOpen) this.#pump();
    else if (!this.#isClosed) await this.#open();
  }

  #recovered(): void {
    if (this.#pause !== undefined || !this.#isOpen) return;
    this.#attempts = 0;
    if (this.#state.state !== 'ready') this.#setState({ state: 'ready' });
  }

  #setState(state: TargetState): void {
    this.#state = state;
    this.#options.onState(state);
  }

  #noJson(): TargetError {
    return new TargetError('TARGET_NO_JSON', 'JSON documents are to be written, and the target has no RedisJSON', {
      where: `target ${this.#where}`,
      fix: 'Load the RedisJSON module there (Redis 8 has it built in), or set target_data_type: hash; writes wait until then',
      retryable: true,
    });
  }

  #unconfirmed(): TargetError {
    return unavailable(
      `No replica confirmed the writes within ${this.#options.wait.timeoutMs} ms (wait_enabled)`,
      this.#where,
    );
  }

  #notOpenError(): TargetError {
    if ('message' in this.#state) {
      const { code, message } = this.#state;
      return new TargetError(code, message.replace(/\.$/, ''), { retryable: true });
    }
    return unavailable('The target is not connected', this.#where);
  }

  #closedError(): TargetError {
    return new TargetError('TARGET_UNAVAILABLE', 'The writer was closed before these writes were settled', {
      where: `target ${this.#where}`,
      fix: 'They are repeated after the next start',
      retryable: true,
    });
  }
}
