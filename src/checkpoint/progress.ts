import { InternalError } from '../errors.ts';
import type { BehindStream, LostEntries, StoredStream } from '../streams/types.ts';
import { formatEntryId, type StreamEntry } from '../types.ts';
import { type Accounts, OUTCOME } from './accounts.ts';

/** A batch with one {@link OUTCOME} and one operation per entry. */
export interface BatchOutcomes {
  readonly entries: readonly StreamEntry[];
  readonly outcomes: Uint8Array;
  readonly operations: Uint8Array;
  readonly endPosition: number;
  /** Entries that a repair could not save; counted as skipped. */
  readonly lost?: readonly LostEntries[];
}

export interface ProgressOptions {
  readonly position: number;
  readonly behind: ReadonlyMap<StoredStream, BehindStream>;
  readonly accounts: Accounts;
  readonly owns: (stream: StoredStream) => boolean;
  readonly now: () => number;
  /** Something changed that must be stored. */
  readonly onChange: () => void;
}

/** A stream whose place is its own: stopped, parked, or catching up (neither). */
interface OwnPlace extends BehindStream {
  /** Its entries from here on belong to another lane, which has not taken it over yet. */
  readonly isParked: boolean;
}

/** How far one lane is: its position, and its streams whose place is another one. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #places: Map<StoredStream, OwnPlace>;
  /**
   * Streams that were stopped or parked at a place before which entries are still on their way: those from this position
   * on are not settled, and the lane's position does not tell.
   */
  readonly #unsettledFrom = new Map<StoredStream, number>();
  #position: number;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#position = options.position;
    this.#places = new Map([...options.behind].map(([stream, behind]) => [stream, { ...behind, isParked: false }]));
  }

  /** Everything before is settled, but for streams that have a place of their own. */
  get position(): number {
    return this.#position;
  }

  /** Streams that have a place of their own. */
  get behind(): ReadonlyMap<StoredStream, BehindStream> {
    return this.#places;
  }

  /** Where a reader must begin so that nothing unsettled is missed: a stream that catches up may lie before the rest. */
  get readFrom(): number {
    let from = this.#position;
    for (const place of this.#places.values()) if (!isHeld(place)) from = Math.min(from, place.position);
    return from;
  }

  /** Whether everything before the position is settled, but for what streams that stand still have left there. */
  get hasSettledAll(): boolean {
    for (const [stream, place] of this.#places) if (!isHeld(place) || this.#unsettledFrom.has(stream)) return false;
    return true;
  }

  /** Whether the lane must handle the entry of this stream at `position`, read again or for the first time. */
  wants(stream: StoredStream, position: number, levelFrom: number): boolean {
    if (!this.#options.owns(stream)) return false;
    const place = this.#places.get(stream);
    if (!place) return position >= levelFrom;
    // What lies before its stop was read before, and is settled or on its way.
    return !isHeld(place) && position >= place.position;
  }

  /** Whether an entry that was read lies at or behind the place at which its stream was stopped or parked. */
  isLeft(entry: StreamEntry): boolean {
    if (this.#places.size === 0) return false;
    const place = this.#places.get(entry.stream as StoredStream);
    return place !== undefined && isHeld(place) && entry.position >= place.position;
  }

  /** Leaves the stream at this entry; those before it are settled as usual. The first stop of a stream counts. */
  stop(stream: StoredStream, entry: StreamEntry, reason: string): void {
    const stopped = { reason, entryId: formatEntryId(entry), since: this.#options.now() };
    this.#hold(stream, { position: entry.position, stopped, isParked: false });
  }

  /** Leaves the stream at this entry for another lane, until {@link leave}. */
  park(stream: StoredStream, position: number): void {
    this.#hold(stream, { position, stopped: null, isParked: true });
  }

  isParked(stream: StoredStream): boolean {
    return this.#places.get(stream)?.isParked === true;
  }

  #hold(stream: StoredStream, place: OwnPlace): void {
    const known = this.#places.get(stream);
    if (known && isHeld(known) && known.position <= place.position) return;
    if (!known) this.#unsettledFrom.set(stream, Math.min(this.#position, place.position));
    else if (!isHeld(known)) this.#unsettledFrom.set(stream, known.position);
    this.#places.set(stream, place);
    this.#options.onChange();
  }

  /** Lets a stopped stream catch up. The caller moves its reader to {@link readFrom}. False when it was not stopped. */
  resume(stream: StoredStream): boolean {
    const known = this.#places.get(stream);
    if (!known?.stopped) return false;
    this.adopt(stream, { position: known.position, stopped: null });
    return true;
  }

  /** Takes a stream in at a place of its own. The caller moves its reader to {@link readFrom}. */
  adopt(stream: StoredStream, { position, stopped }: BehindStream): void {
    this.#unsettledFrom.delete(stream);
    this.#places.set(stream, { position, stopped, isParked: false });
    this.#options.onChange();
  }

  /** Forgets a stream that goes to another lane, and says where it stands; everything before that must be settled. */
  leave(stream: StoredStream): BehindStream {
    const { position, stopped } = this.#places.get(stream) ?? { position: this.#position, stopped: null };
    this.#places.delete(stream);
    this.#unsettledFrom.delete(stream);
    return { position, stopped };
  }

  /**
   * Counts a batch and moves the position behind it. Batches must come in the order they were read. Throws
   * {@link InternalError} when an entry has no outcome: then nothing moves, so nothing is lost.
   */
  settle(batch: BatchOutcomes): void {
    const { accounts, owns, onChange } = this.#options;
    const { entries, outcomes, operations, endPosition } = batch;
    this.#checkOutcomes(batch);
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as StreamEntry;
      const outcome = outcomes[i] as number;
      // Whoever reads it again counts it.
      if (outcome === OUTCOME.left || this.isLeft(entry)) continue;
      accounts.count(entry.stream as StoredStream, outcome, operations[i] as number);
    }
    for (const { stream, count, position } of batch.lost ?? []) {
      const place = this.#places.get(stream);
      if (!owns(stream) || (place && isHeld(place) && position >= place.position)) continue;
      accounts.skip(stream, count);
    }
    if (endPosition > this.#position) this.#position = endPosition;
    if (this.#places.size > 0) this.#catchUp(endPosition);
    onChange();
  }

  /**
   * Where a restart must go on with a stream; null when the lane's position says it. Until everything before a new stop is
   * settled, the stream goes on as catching up, and stops again at the same entry.
   */
  toStore(stream: StoredStream): BehindStream | null {
    const position = this.#unsettledFrom.get(stream);
    if (position !== undefined) return { position, stopped: null };
    const place = this.#places.get(stream);
    return place ? { position: place.position, stopped: place.stopped } : null;
  }

  /** Before anything is counted: a batch that is counted in part would spoil the account for good. */
  #checkOutcomes({ entries, outcomes }: BatchOutcomes): void {
    for (let i = outcomes.indexOf(OUTCOME.none); i >= 0; i = outcomes.indexOf(OUTCOME.none, i + 1)) {
      const entry = entries[i] as StreamEntry;
      if (this.isLeft(entry)) continue;
      throw new InternalError(`Entry ${formatEntryId(entry)} of ${entry.stream.name} has no outcome`);
    }
  }

  #catchUp(endPosition: number): void {
    for (const [stream, place] of this.#places) {
      const { position } = place;
      if (isHeld(place)) {
        const from = this.#unsettledFrom.get(stream);
        if (from === undefined) continue;
        if (endPosition > position) this.#unsettledFrom.delete(stream);
        else if (endPosition > from) this.#unsettledFrom.set(stream, endPosition);
        continue;
      }
      // A stream may also be ahead of the others, when it was in another lane before.
      if (endPosition >= this.#position && endPosition >= position) this.#places.delete(stream);
      else if (endPosition > position) this.#places.set(stream, { ...place, position: endPosition });
    }
  }
}

function isHeld({ stopped, isParked }: OwnPlace): boolean {
  return stopped !== null || isParked;
}
