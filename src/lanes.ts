import type { Checkpoint, Progress } from './checkpoint/index.ts';
import type { Decoder } from './decode/index.ts';
import { Lane, type Passage, type ReadLimits } from './lane.ts';
import type { Clock } from './lib/clock.ts';
import type { StoredStream, StreamStore } from './streams/index.ts';
import { type EventTransformer, MAIN_LANE } from './transform/index.ts';
import type { StreamEntry, TableIdentity } from './types.ts';

export interface LanesParts {
  readonly store: StreamStore;
  readonly checkpoint: Checkpoint;
  readonly decoder: Decoder;
  readonly transformer: EventTransformer;
  readonly clock: Clock;
  /** Of each lane. */
  readonly limits: ReadLimits;
  /** A batch is read when the one before it is settled. */
  readonly takesOneBatch: boolean;
  /** Follows the path of one lane until it is stopped. */
  readonly follow: (lane: Lane) => Promise<void>;
  /** The stream leaves the main lane because of this table; what {@link tableOf} should say after the next start. */
  readonly onLeaving: (stream: StoredStream, table: TableIdentity) => void;
  /** The table because of which the stream left the main lane in an earlier process. */
  readonly tableOf: (stream: StoredStream) => TableIdentity | null;
}

/**
 * All lanes of a pipeline: the main one, which every stream begins in, and one for each purpose that may have to wait for
 * something else. Says which stream is where, and moves streams from the main lane to others.
 */
export class Lanes {
  readonly main: Lane;
  readonly #parts: LanesParts;
  readonly #sideLanes = new Map<string, Lane>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<void>();
  #running = 0;
  #hasStarted = false;
  #isStopped = false;

  /** Streams that were in side lanes in an earlier process are there at once, so that no other waits for them. */
  constructor(parts: LanesParts) {
    this.#parts = parts;
    this.#bringBack();
    this.main = this.#newLane(parts.checkpoint.main);
  }

  /** Follows all of them until {@link stop}. Rejects with what made the first one fail. */
  run(): Promise<void> {
    this.#hasStarted = true;
    for (const lane of this.all) void this.#start(lane);
    return this.#ended.promise;
  }

  /** Resolves when nothing more is settled: also the lanes beside one that failed have ended. Never rejects. */
  get over(): Promise<void> {
    return this.#running === 0 ? Promise.resolve() : this.#over.promise;
  }

  stop(): void {
    this.#isStopped = true;
    for (const lane of this.all) lane.stop();
  }

  /**
   * Whether records of the stream need another lane than the main one with the current jobs. Then the stream leaves for it,
   * where it stands: nothing of it is on its way.
   */
  movesAway(lane: Lane, stream: StoredStream, entries: readonly StreamEntry[]): boolean {
    if (lane !== this.main) return false;
    const { decoder, transformer, checkpoint, onLeaving } = this.#parts;
    // A stopped stream keeps its place; it leaves once it is resumed.
    if (checkpoint.behind(stream)?.stopped) return false;
    for (const entry of entries) {
      const decoded = decoder.decode(entry);
      const name = decoded.kind === 'change' ? transformer.laneOf(decoded.table) : MAIN_LANE;
      if (decoded.kind !== 'change' || name === MAIN_LANE) continue;
      const position = checkpoint.positionOf(stream);
      const side = this.#sideLane(name, position);
      this.main.progress.park(stream, position);
      onLeaving(stream, decoded.table);
      side.join(stream, this.main.lastReadMs);
      return true;
    }
    return false;
  }

  /** Parks the stream of an entry that another lane must handle. What came before it is settled here first. */
  leavesMain(passage: Passage, entry: StreamEntry, table: TableIdentity): boolean {
    const name = this.#parts.transformer.laneOf(table);
    if (name === MAIN_LANE) return false;
    const stream = entry.stream as StoredStream;
    const lane = this.#sideLane(name, entry.position);
    this.main.progress.park(stream, entry.position);
    this.#parts.onLeaving(stream, table);
    if (this.main.holdsBefore(stream, entry.position)) passage.leaving.push({ stream, lane });
    else lane.join(stream, entry.ms);
    return true;
  }

  /**
   * A parked stream may have been stopped at an earlier entry meanwhile; then it stays, comes again when it is resumed, and
   * may have been parked again with entries before on their way.
   */
  #mayLeave(stream: StoredStream): boolean {
    const { progress } = this.main;
    const position = progress.behind.get(stream)?.position ?? 0;
    return progress.isParked(stream) && !this.main.holdsBefore(stream, position);
  }

  /** Gives streams that were in side lanes in an earlier process to such lanes at once, so that no other waits for them. */
  #bringBack(): void {
    const { checkpoint, transformer, tableOf } = this.#parts;
    const places = [...checkpoint.main.behind].flatMap(([stream, { position, stopped }]) => {
      const table = tableOf(stream);
      const name = table === null ? MAIN_LANE : transformer.laneOf(table);
      return name === MAIN_LANE ? [] : [{ stream, name, position: stopped ? checkpoint.main.position : position }];
    });
    // Each lane begins at the first of its own streams: what lies before may be deleted while it still reads there.
    for (const { stream, name, position } of places.sort((one, other) => one.position - other.position)) {
      checkpoint.handOver(stream, this.#sideLane(name, position).progress);
    }
  }

  get all(): Lane[] {
    return [this.main, ...this.#sideLanes.values()];
  }

  laneOf(stream: StoredStream): Lane {
    const progress = this.#parts.checkpoint.laneOf(stream);
    return this.all.find((lane) => lane.progress === progress) ?? this.main;
  }

  #sideLane(name: string, position: number): Lane {
    const known = this.#sideLanes.get(name);
    if (known) return known;
    const lane = this.#newLane(this.#parts.checkpoint.openLane(position));
    this.#sideLanes.set(name, lane);
    if (this.#isStopped) lane.stop();
    if (this.#hasStarted) void this.#start(lane);
    return lane;
  }

  #newLane(progress: Progress): Lane {
    const { store, checkpoint, clock, limits, transformer } = this.#parts;
    const connections = transformer.connections.length;
    const mayLeave = (stream: StoredStream) => this.#mayLeave(stream);
    const own = this.#parts.takesOneBatch ? { ...limits, batchesInFlight: 1 } : limits;
    return new Lane({ store, checkpoint, progress, clock, limits: own, connections, mayLeave });
  }

  /** The first lane that fails ends all of them. */
  async #start(lane: Lane): Promise<void> {
    this.#running++;
    await this.#parts.follow(lane).catch((error: unknown) => {
      this.stop();
      this.#ended.reject(error);
    });
    await lane.settled;
    if (--this.#running > 0) return;
    this.#ended.resolve();
    this.#over.resolve();
  }
}
