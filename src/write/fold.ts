import { type Row, UNAVAILABLE, type Value } from '../types.ts';
import { isObject, mayHoldNull } from './json-text.ts';
import type { HashWrite, JsonWrite, TargetWrite } from './types.ts';

/** What a unit leaves at its key, apart from deleting it first. */
export type UnitKind = 'none' | 'hash' | 'json';

/**
 * One state for one key: a write, or several consecutive writes of a batch folded into one.
 *
 * A unit is sent as a whole and repeated as a whole, so its commands must be harmless when repeated.
 * In a hash unit `null` means "remove the field" and UNAVAILABLE "leave it".
 */
export class Unit<Owner = unknown> {
  readonly key: string;
  readonly owner: Owner;
  /** Growing in the order in which writes were handed over. */
  readonly sequence: number;
  /** The entry whose write came last. */
  index: number;
  /** Entries of the writes before it, oldest first. */
  folded: number[] | null = null;
  /** Whether the key is deleted before the rest. */
  clear = false;
  kind: UnitKind = 'none';
  names: readonly string[] = NO_NAMES;
  values: readonly Value[] = NO_VALUES;
  mode: 'replace' | 'merge' = 'replace';
  partial = false;
  /** The next state of the same key, which must wait for this one. */
  next: Unit<Owner> | null = null;
  /** It has its outcome. */
  isSettled = false;

  constructor(write: TargetWrite, owner: Owner, sequence: number) {
    this.key = write.key;
    this.owner = owner;
    this.sequence = sequence;
    this.index = write.index;
    if (write.kind === 'delete' || clearsHash(write)) this.clear = true;
    else if (write.kind === 'hash') this.#setHash(write);
    else this.#setJson(write.row, write.mode);
  }

  /**
   * Takes over the next write of the same key when one write can say exactly what the two in a row would do.
   * False: nothing changed, and the write must follow as a unit of its own.
   */
  fold(write: TargetWrite): boolean {
    if (!this.#takeOver(write)) return false;
    if (this.folded === null) this.folded = [];
    this.folded.push(this.index);
    this.index = write.index;
    return true;
  }

  #takeOver(write: TargetWrite): boolean {
    if (write.kind === 'delete' || clearsHash(write)) {
      this.clear = true;
      this.kind = 'none';
      this.names = NO_NAMES;
      this.values = NO_VALUES;
      return true;
    }
    if (this.kind === 'none') {
      if (write.kind === 'hash') this.#setHash(write);
      else this.#setJson(write.row, write.mode);
      return true;
    }
    if (write.kind !== this.kind) return false;
    return write.kind === 'hash' ? this.#foldHash(write) : this.#foldJson(write);
  }

  #setHash(write: HashWrite): void {
    this.kind = 'hash';
    this.names = write.row.names;
    const { values } = write.row;
    this.values = write.removeNulls || !values.includes(null) ? values : values.map((value) => value ?? UNAVAILABLE);
  }

  #setJson(row: Row, mode: 'replace' | 'merge'): void {
    this.kind = 'json';
    this.names = row.names;
    this.values = row.values;
    this.mode = mode;
    this.partial = row.partial;
  }

  #foldHash(write: HashWrite): boolean {
    const { removeNulls } = write;
    this.#overlay(write.row, (value) => value === UNAVAILABLE || (value === null && !removeNulls));
    return true;
  }

  #foldJson(write: JsonWrite): boolean {
    const { row, mode } = write;
    if (mode === 'replace' && !row.partial) {
      this.#setJson(row, mode);
      return true;
    }
    if (mode === 'replace') {
      // With other columns, what an unavailable one should keep is in the target, not here.
      if (this.mode !== 'replace' || this.names !== row.names) return false;
      this.#overlay(row, isUnavailable);
      this.partial = this.partial && this.values.includes(UNAVAILABLE);
      return true;
    }
    if (this.mode === 'merge') {
      if (this.#wouldNest(row)) return false;
      this.#overlay(row, isUnavailable);
      return true;
    }
    // A patch with null or an object changes a whole document in ways that a column-wise overlay cannot say.
    if (this.partial || row.values.some((value) => mayHoldNull(value) || isObject(value))) return false;
    this.#overlay(row, isUnavailable);
    return true;
  }

  /** Whether the patch has an object for a column that the earlier patch mentions: RFC 7396 would merge the two. */
  #wouldNest(row: Row): boolean {
    return row.values.some((value, index) => {
      if (!isObject(value)) return false;
      const earlier = this.names.indexOf(row.names[index]!);
      return earlier !== -1 && this.values[earlier] !== UNAVAILABLE;
    });
  }

  /** Later columns win; where `keeps` says so, the earlier value stays. Names shared by both rows stay shared. */
  #overlay(row: Row, keeps: (value: Value) => boolean): void {
    if (row.names === this.names) {
      const before = this.values;
      this.values = row.values.map((value, index) => (keeps(value) ? before[index]! : value));
      return;
    }
    const columns = new Map<string, Value>();
    this.names.forEach((name, index) => {
      columns.set(name, this.values[index]!);
    });
    row.names.forEach((name, index) => {
      const value = row.values[index]!;
      if (!keeps(value)) columns.set(name, value);
      else if (!columns.has(name)) columns.set(name, UNAVAILABLE);
    });
    this.names = [...columns.keys()];
    this.values = [...columns.values()];
  }
}

const NO_NAMES: readonly string[] = [];
const NO_VALUES: readonly Value[] = [];

function isUnavailable(value: Value): boolean {
  return value === UNAVAILABLE;
}

/**
 * Whether a hash write deletes its key: every column delivered, and every one of them null (`types.md` §18, 11).
 * A row with unavailable columns never does, because the target may hold them.
 */
function clearsHash(write: TargetWrite): boolean {
  return write.kind === 'hash' && write.removeNulls && write.row.values.every((value) => value === null);
}

/** Whether the write has nothing to say: no column to set and none to remove. It is accepted without a command. */
export function isEmptyWrite(write: TargetWrite): boolean {
  if (write.kind !== 'hash') return false;
  const { values } = write.row;
  for (const value of values) {
    if (value !== UNAVAILABLE && (value !== null || write.removeNulls)) return false;
  }
  return !(write.removeNulls && values.length === 0);
}
