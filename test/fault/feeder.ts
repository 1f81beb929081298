import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from './random.ts';
import { type Answer, Cut, ErrorText, RespClient } from './resp-client.ts';
import { type Change, Fold, type Workload } from './workload.ts';

const OFFSETS_KEY = 'metadata:debezium:offsets';
const OFFSETS_FIELD = '["redis",{"server":"shop"}]';
const OOM = "OOM command not allowed when used memory > 'maxmemory'";

export interface FeederOptions {
  readonly port: number;
  readonly workload: Workload;
  readonly random: Random;
  /** Most records of a sub-batch. */
  readonly batchSize?: number;
  /** Fewest records of a sub-batch. */
  readonly leastBatchSize?: number;
  /** Longest pause between sub-batches, ms. */
  readonly pauseMs?: number;
  /** False behaves like Debezium 1.9 and 2.0, which do not ask whether memory is full. */
  readonly asksMemory?: boolean;
}

/** A sub-batch that was sent more than once, by the numbers of its changes. */
export interface Resent {
  readonly first: number;
  readonly last: number;
}

/**
 * Sends a workload as Debezium's Redis sink does (spec/debezium-sink-protocol.md §3–§5): `INFO memory`, `PING`, a pipeline
 * of `XADD`s; records refused with OOM are sent again after a pause; a cut connection is opened again and the whole open
 * sub-batch sent again. A second connection stores offsets. Everything that was acknowledged is folded into `fold`; an
 * answer at which Debezium would lose a record, or stop, is noted in `violations`.
 */
export class Feeder {
  readonly fold = new Fold();
  readonly violations: string[] = [];
  /** Acknowledged records and commands sent, by stream. */
  readonly acknowledged = new Map<string, number>();
  readonly sent = new Map<string, number>();
  readonly resent: Resent[] = [];
  /** The open sub-batch: sent or to be sent, and not acknowledged. */
  open: Change[] = [];
  /** True while replies to a pipeline of `XADD`s are due. */
  isWaiting = false;
  connections = 0;
  timesFull = 0;
  timesRefused = 0;
  /** Longest time that a pipeline waited for one of its replies, ms. */
  slowestReplyMs = 0;
  offsetSent = -1;
  offsetAcknowledged = -1;
  /** Called when a pipeline was written, and as its replies come in. */
  onPipeline: (answered: number) => void = () => {};
  /** While true no new sub-batch is begun. */
  isHeld = false;

  readonly #options: FeederOptions;
  readonly #lastIds = new Map<string, readonly [number, number]>();
  #sink: RespClient | undefined;
  #offsets: RespClient | undefined;
  #attempts = 0;
  #isStopping = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: FeederOptions) {
    this.#options = options;
  }

  get acknowledgedTotal(): number {
    return [...this.acknowledged.values()].reduce((sum, count) => sum + count, 0);
  }

  start(): void {
    this.#isStopping = false;
    this.#running = Promise.all([this.#runSink(), this.#runOffsets()]);
    // A bug of the test itself must be told at `stop`, not end the process.
    this.#running.catch(() => {});
  }

  /** Ends after the open sub-batch is acknowledged; needs an endpoint that takes it. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
    this.#sink?.close();
    this.#offsets?.close();
    this.#sink = undefined;
    this.#offsets = undefined;
  }

  /** Cuts the connections as a network failure would. */
  cut(): void {
    this.#sink?.close();
    this.#offsets?.close();
  }

  /** One attempt to get the open sub-batch acknowledged; false when it has to be tried again. */
  async sendOnce(): Promise<boolean> {
    try {
      return await this.#attempt();
    } catch (error) {
      if (!(error instanceof Cut)) throw error;
      this.#sink = undefined;
      return false;
    }
  }

  async #runSink(): Promise<void> {
    const { random, pauseMs = 0 } = this.#options;
    let burst = 0;
    while (!this.#isStopping || this.open.length > 0) {
      if (this.isHeld && this.open.length === 0) {
        await sleep(2);
        continue;
      }
      this.fill();
      if (!(await this.sendOnce())) {
        await sleep(this.#sink ? 60 : 10);
        continue;
      }
      // Sometimes a stretch without pauses, so that a backlog grows.
      if (burst > 0) burst--;
      else if (random.isLucky(0.03)) burst = 15;
      if (burst === 0 && pauseMs > 0) await sleep(random.between(0, pauseMs));
    }
  }

  /** Begins a sub-batch where none is open. */
  fill(): void {
    if (this.open.length > 0) return;
    const { workload, random, batchSize = 120, leastBatchSize = 1 } = this.#options;
    this.open = workload.take(leastBatchSize + random.below(batchSize - leastBatchSize + 1));
    this.#attempts = 0;
  }

  async #attempt(): Promise<boolean> {
    const sink = await this.#connectSink();
    if (this.#options.asksMemory !== false && isFull(await sink.ask('INFO', 'memory'))) {
      this.timesFull++;
      return false;
    }
    await sink.ask('PING');
    const batch = this.open;
    for (const { stream } of batch) this.sent.set(stream, (this.sent.get(stream) ?? 0) + 1);
    if (++this.#attempts === 2) this.#noteResent();
    const answers = await this.#pipeline(sink, batch);
    return this.#judge(batch, answers);
  }

  #noteResent(): void {
    const [first, last] = [this.open[0], this.open[this.open.length - 1]];
    if (first && last) this.resent.push({ first: first.version, last: last.version });
  }

  async #pipeline(sink: RespClient, batch: readonly Change[]): Promise<Answer[]> {
    this.isWaiting = true;
    let last = performance.now();
    try {
      const bytes = Buffer.concat(batch.map(({ command }) => command));
      const answers = sink.send(bytes, batch.length, (answered) => {
        this.slowestReplyMs = Math.max(this.slowestReplyMs, performance.now() - last);
        last = performance.now();
        this.onPipeline(answered);
      });
      this.onPipeline(0);
      return await answers;
    } finally {
      this.isWaiting = false;
    }
  }

  /** Ids are deliveries, OOM is tried again, anything else would lose the record or stop Debezium. */
  #judge(batch: readonly Change[], answers: readonly Answer[]): boolean {
    const refused: Change[] = [];
    for (const [index, change] of batch.entries()) {
      const answer = answers[index];
      if (answer instanceof ErrorText && answer.text.includes(OOM)) refused.push(change);
      else if (typeof answer !== 'string' || !/^\d+-\d+$/.test(answer)) {
        this.violations.push(`an XADD was answered ${JSON.stringify(answer)}: Debezium would lose the record`);
      } else {
        if (refused.length > 0)
          this.violations.push('a record behind a refused one was taken: rows would change order');
        this.#acknowledge(change, answer);
      }
    }
    this.open = refused;
    this.#attempts = refused.length > 0 ? 1 : 0;
    if (refused.length === 0) return true;
    this.timesRefused++;
    return false;
  }

  #acknowledge(change: Change, answer: string): void {
    const { stream } = change;
    const [ms, seq] = answer.split('-').map(Number) as [number, number];
    const [lastMs, lastSeq] = this.#lastIds.get(stream) ?? [-1, -1];
    if (ms < lastMs || (ms === lastMs && seq <= lastSeq)) {
      this.violations.push(`${stream} got the id ${answer} after ${lastMs}-${lastSeq}`);
    }
    this.#lastIds.set(stream, [ms, seq]);
    this.acknowledged.set(stream, (this.acknowledged.get(stream) ?? 0) + 1);
    this.fold.apply(change);
    this.#newest = change.version;
  }

  #newest = 0;

  async #runOffsets(): Promise<void> {
    while (!this.#isStopping) {
      const offset = this.#newest;
      if (offset > this.offsetAcknowledged) {
        try {
          await this.#storeOffset(offset);
        } catch (error) {
          if (!(error instanceof Cut)) throw error;
          this.#offsets = undefined;
        }
      }
      await sleep(this.#options.random.between(5, 40));
    }
  }

  async #storeOffset(offset: number): Promise<void> {
    const offsets = await this.#connectOffsets();
    this.offsetSent = offset;
    const answer = await offsets.ask('HSET', OFFSETS_KEY, OFFSETS_FIELD, JSON.stringify({ lsn: offset }));
    if (typeof answer === 'number') this.offsetAcknowledged = offset;
    // Debezium tries again after any error of its offset store.
    else if (!(answer instanceof ErrorText)) this.violations.push(`an HSET was answered ${JSON.stringify(answer)}`);
  }

  async #connectSink(): Promise<RespClient> {
    if (!this.#sink || this.#sink.isCut) this.#sink = await this.#greet('debezium:redis:sink');
    return this.#sink;
  }

  /** A new connection reads the offsets back, as a Debezium that starts does. */
  async #connectOffsets(): Promise<RespClient> {
    if (this.#offsets && !this.#offsets.isCut) return this.#offsets;
    this.#offsets = await this.#greet('debezium:offsets');
    await this.checkOffset(this.#offsets);
    return this.#offsets;
  }

  /** The stored offset must be one that was sent, and not older than the last one that was acknowledged. */
  async checkOffset(client: RespClient): Promise<void> {
    const stored = (await client.ask('HGETALL', OFFSETS_KEY)) as string[];
    const lsn = stored.length === 0 ? -1 : (JSON.parse(stored[1] as string) as { lsn: number }).lsn;
    if (lsn < this.offsetAcknowledged || lsn > this.offsetSent) {
      this.violations.push(
        `offset ${lsn} is stored, ${this.offsetAcknowledged} was acknowledged, ${this.offsetSent} sent`,
      );
    }
  }

  async #greet(name: string): Promise<RespClient> {
    const client = await RespClient.open(this.#options.port);
    await client.ask('PING');
    await client.ask('CLIENT', 'SETNAME', name);
    this.connections++;
    return client;
  }
}

/** What Debezium 2.6 and later make of `INFO memory`, without their estimate. */
function isFull(info: Answer): boolean {
  const read = (name: string) => Number(new RegExp(`^${name}:(\\d+)\\r?$`, 'm').exec(String(info))?.[1]);
  const [used, limit] = [read('used_memory'), read('maxmemory')];
  if (Number.isNaN(used) || Number.isNaN(limit))
    throw new Error(`INFO memory without used_memory or maxmemory: ${info}`);
  return limit > 0 && used >= limit;
}
