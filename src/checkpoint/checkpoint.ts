import type { BehindStream, CheckpointState, StoredStream, StreamCounters } from '../streams/types.ts';
import { Accounts, type RetriedOutcome } from './accounts.ts';
import { Progress } from './progress.ts';

/** Longest time between a settled batch and its stored checkpoint. */
export const PERSIST_MS = 50;
const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 5000;

export interface CheckpointOptions {
  /** The checkpoint as the store has it. */
  readonly from: CheckpointState;
  readonly save: (checkpoint: CheckpointState) => Promise<void>;
  readonly now: () => number;
  readonly onSaveFailed: (error: Error) => void;
}

/** The progress of all lanes and the accounts, in memory; stored a moment after they change. */
export class Checkpoint {
  readonly #options: CheckpointOptions;
  readonly #accounts: Accounts;
  /** Streams that another lane than the main one reads. */
  readonly #owners = new Map<StoredStream, Progress>();
  /** The lane that reads every stream that no other one has taken over. */
  readonly main: Progress;
  #isDirty = false;
  #saving: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isClosed = false;
  /** Why the checkpoint cannot be stored at the moment. */
  failure: string | null = null;

  constructor(options: CheckpointOptions) {
    this.#options = options;
    const { position, behind, counters } = options.from;
    this.#accounts = new Accounts(counters);
    this.main = this.#progress(position, behind, (stream) => !this.#owners.has(stream));
  }

  /** A lane beside the main one; it has no streams yet and begins to read at `position`. */
  openLane(position: number): Progress {
    const lane: Progress = this.#progress(position, new Map(), (stream) => this.#owners.get(stream) === lane);
    return lane;
  }

  /**
   * Gives a stream of the main lane to another one, which goes on where the stream stands. Everything of it before must be
   * settled. The caller moves the lane's reader to its `readFrom`.
   */
  handOver(stream: StoredStream, lane: Progress): void {
    const place = this.main.leave(stream);
    this.#owners.set(stream, lane);
    lane.adopt(stream, place);
  }

  /** The lane that reads this stream. */
  laneOf(stream: StoredStream): Progress {
    return this.#owners.get(stream) ?? this.main;
  }

  /** Where a stream stands that is stopped or catches up; undefined when it goes along with its lane. */
  behind(stream: StoredStream): BehindStream | undefined {
    return this.laneOf(stream).behind.get(stream);
  }

  counters(stream: StoredStream): Readonly<StreamCounters> {
    return this.#accounts.of(stream);
  }

  /**
   * Where the stream stands: everything of it before is settled, and nothing from there on, as long as nothing of its lane is
   * on its way.
   */
  positionOf(stream: StoredStream): number {
    const lane = this.laneOf(stream);
    return lane.toStore(stream)?.position ?? lane.position;
  }

  /** How the account of a stream changes when records of its DLQ are settled otherwise; see {@link settleRetried}. */
  changeOf(stream: StoredStream, retried: readonly RetriedOutcome[]): Readonly<Partial<StreamCounters>> {
    return this.#accounts.changeOf(stream, retried);
  }

  /** Applies that change, once the store has it together with the end of the records. */
  settleRetried(stream: StoredStream, change: Readonly<Partial<StreamCounters>>): void {
    this.#accounts.apply(stream, change);
    this.#touch();
  }

  /** Stores what is settled at this moment; resolves to false when the store cannot take it now. */
  async persist(): Promise<boolean> {
    if (this.#saving) await this.#saving;
    // One that began meanwhile has everything, too.
    if (this.#saving) await this.#saving;
    else if (this.#isDirty) await this.#save();
    return this.failure === null;
  }

  /**
   * Has the next save store the accounts of these streams as far as entries of them were recognised as sent again: the
   * endpoint counts those without anything being settled.
   */
  recount(streams: readonly StoredStream[]): void {
    for (const stream of streams) if (stream.deduplicated > 0) this.#accounts.touch(stream);
    if (this.#accounts.hasChanged) this.#touch();
  }

  /** Stores what changed; resolves when the store has it. Repeated until it succeeds, unless closing. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#isDirty || this.#saving) {
      if (this.#saving) await this.#saving;
      else await this.#save();
      if (this.failure) return;
    }
  }

  /** Stores nothing any more. Another checkpoint goes on from what the store has, and must not be followed by this one. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #progress(
    position: number,
    behind: ReadonlyMap<StoredStream, BehindStream>,
    owns: (stream: StoredStream) => boolean,
  ): Progress {
    const { now } = this.#options;
    return new Progress({ position, behind, accounts: this.#accounts, owns, now, onChange: () => this.#touch() });
  }

  /** Streams of other lanes than the main one are stored with their own position, as if they caught up. */
  #behindToStore(): Map<StoredStream, BehindStream> {
    const behind = new Map<StoredStream, BehindStream>();
    for (const stream of this.main.behind.keys()) {
      const place = this.main.toStore(stream);
      if (place) behind.set(stream, place);
    }
    for (const [stream, lane] of this.#owners) {
      behind.set(stream, lane.toStore(stream) ?? { position: lane.position, stopped: null });
    }
    return behind;
  }

  #touch(): void {
    this.#isDirty = true;
    if (this.#isClosed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!this.#saving) void this.#save();
    }, this.#delay());
  }

  #delay(): number {
    return this.#failures === 0 ? PERSIST_MS : Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
  }

  async #save(): Promise<void> {
    this.#saving = this.#saveNow().finally(() => {
      this.#saving = null;
      if (this.#isDirty) this.#touch();
    });
    await this.#saving;
  }

  async #saveNow(): Promise<void> {
    this.#isDirty = false;
    const counters = this.#accounts.takeChanged();
    try {
      await this.#options.save({ position: this.main.position, behind: this.#behindToStore(), counters });
      this.#failures = 0;
      this.failure = null;
    } catch (error) {
      for (const stream of counters.keys()) this.#accounts.touch(stream);
      this.#isDirty = true;
      this.#failures++;
      this.failure = (error as Error).message;
      this.#options.onSaveFailed(error as Error);
    }
  }
}
