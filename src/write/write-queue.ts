import { isEmptyWrite, Unit } from './fold.ts';
import type { Refused, TargetWrite, WriteOutcome } from './types.ts';

/** Writes handed over together, and what became of them so far. */
export class Batch {
  readonly writes: readonly TargetWrite[];
  readonly refused: Refused[] = [];
  /** Units whose outcome is not known yet. */
  open = 0;
  /** `[entry, entry whose write took its place]`, in pairs. */
  readonly folds: [number, number][] = [];
  /** The newest unit of each key in this batch; it ends with the batch, see {@link WriteQueue}. */
  readonly newest = new Map<string, Unit<Batch>>();

  readonly done = Promise.withResolvers<WriteOutcome>();

  constructor(writes: readonly TargetWrite[]) {
    this.writes = writes;
  }

  /** What to report. An entry with several writes is superseded when all of them are, and refused when one of them is. */
  outcome(): WriteOutcome {
    if (this.folds.length === 0 && this.refused.length === 0) return ALL_ACCEPTED;
    const refused = new Map<number, Refused>();
    for (const refusal of this.refused) if (!refused.has(refusal.index)) refused.set(refusal.index, refusal);
    const writesLeft = new Map<number, number>();
    for (const { index } of this.writes) writesLeft.set(index, (writesLeft.get(index) ?? 0) + 1);
    const superseded = new Set<number>();
    for (const [index, by] of this.folds) {
      const left = writesLeft.get(index)! - 1;
      writesLeft.set(index, left);
      if (left === 0 && by !== index && !refused.has(index)) superseded.add(index);
    }
    return { superseded: [...superseded], refused: [...refused.values()] };
  }
}

const ALL_ACCEPTED: WriteOutcome = { superseded: [], refused: [] };

/**
 * Units that wait to be sent, and the rule that keeps order: of one key, only the oldest unit may be here or under way;
 * later ones hang on it until it is settled.
 *
 * Each batch has an index of its own keys. One long-lived index for all of them costs more than searching the few open
 * ones: V8's hash tables link to their successors when they grow or shrink, so that in an index whose keys come and go a
 * table that is garbage keeps all later ones, and every unit in them, alive until a full collection.
 */
export class WriteQueue {
  #open: Batch[] = [];
  #ready: Unit<Batch>[] = [];
  #head = 0;
  #sequence = 0;

  /** Batches with units that are not settled, oldest first. */
  get openBatches(): readonly Batch[] {
    return this.#open;
  }

  /** Number of units ready to be sent. */
  get size(): number {
    return this.#ready.length - this.#head;
  }

  /** Takes a batch in, folding consecutive states of a key; `batch.open` says how many units it became. */
  add(batch: Batch): void {
    for (const write of batch.writes) {
      if (isEmptyWrite(write)) continue;
      const own = batch.newest.get(write.key);
      if (own !== undefined) {
        const before = own.index;
        const folding = own.fold(write);
        // What is combined is carried out, not superseded.
        if (folding === 'replaced') batch.folds.push([before, write.index]);
        if (folding !== 'no') continue;
      }
      const unit = new Unit(write, batch, this.#sequence++);
      batch.open++;
      const earlier = own ?? this.#unsettled(write.key);
      batch.newest.set(write.key, unit);
      if (earlier === undefined) this.#ready.push(unit);
      else earlier.next = unit;
    }
    if (batch.open > 0) this.#open.push(batch);
  }

  /** The newest unit of the key that has no outcome yet, in the batches before. */
  #unsettled(key: string): Unit<Batch> | undefined {
    for (let i = this.#open.length - 1; i >= 0; i--) {
      const unit = (this.#open[i] as Batch).newest.get(key);
      if (unit !== undefined) return unit.isSettled ? undefined : unit;
    }
    return undefined;
  }

  /** The next units to send, at most `count`; they stay in the queue until {@link take} says how many went. */
  peek(count: number): readonly Unit<Batch>[] {
    return this.#ready.slice(this.#head, this.#head + count);
  }

  take(count: number): void {
    this.#head += count;
    if (this.#head === this.#ready.length) {
      this.#ready = [];
      this.#head = 0;
    } else if (this.#head > 4096) {
      this.#ready = this.#ready.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Puts units back that were not accepted, in front of later ones. */
  putBack(units: readonly Unit<Batch>[]): void {
    if (units.length === 0) return;
    this.#ready = [...units, ...this.#ready.slice(this.#head)].sort((one, other) => one.sequence - other.sequence);
    this.#head = 0;
  }

  /**
   * Takes a folded unit apart again: its writes go one after the other, each as a unit of its own, so that a refusal falls on
   * the one that earned it.
   */
  split(unit: Unit<Batch>): void {
    const batch = unit.owner;
    const units = [...(unit.folded ?? []), unit.last].map((write) => new Unit(write, batch, unit.sequence));
    units.forEach((one, index) => {
      one.next = units[index + 1] ?? unit.next;
    });
    unit.isSettled = true;
    unit.next = null;
    batch.open += units.length - 1;
    if (batch.newest.get(unit.key) === unit) batch.newest.set(unit.key, units.at(-1)!);
    this.putBack(units.slice(0, 1));
  }

  /** Lets the next unit of this key go: this one has its outcome. */
  settle(unit: Unit<Batch>): void {
    const batch = unit.owner;
    unit.isSettled = true;
    batch.open--;
    if (batch.open === 0) this.#open = this.#open.filter((other) => other !== batch);
    if (unit.next !== null) this.#ready.push(unit.next);
    // Or a settled unit that has become old would keep the next batch alive, that one its next, and so on: garbage, but only
    // for a full collection.
    unit.next = null;
  }
}
