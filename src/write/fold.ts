import { type Row, UNAVAILABLE, type Value } from '../types.ts';
import { type Content, type ContentKind, contentOf, type Folding } from './content.ts';
import { isObject, mayHoldNull } from './json-text.ts';
import type { HashWrite, JsonWrite, RemoveFieldsWrite, TargetWrite } from './types.ts';

/** What a unit leaves at its key, apart from deleting it first. */
export type UnitKind = 'none' | 'hash' | 'json' | ContentKind;

type Paths = readonly (readonly string[])[];

/**
 * One state for one key: a write, or several consecutive writes of a batch folded into one.
 *
 * A unit is sent as a whole and repeated as a whole, so its commands must be harmless when repeated.
 * In a hash unit `null` means "remove the field" and UNAVAILABLE "leave it". Hashes and documents, the bulk of all writes,
 * are held by the unit itself; what the other kinds do is its `content`.
 */
export class Unit<Owner = unknown> {
  readonly key: string;
  readonly owner: Owner;
  /** Growing in the order in which writes were handed over. */
  readonly sequence: number;
  /** The write that came last. */
  last: TargetWrite;
  /** The writes before it, oldest first. */
  folded: TargetWrite[] | null = null;
  /** Whether the key is deleted before the rest. */
  clear = false;
  kind: UnitKind = 'none';
  names: readonly string[] = NO_NAMES;
  values: readonly Value[] = NO_VALUES;
  mode: 'replace' | 'merge' = 'replace';
  partial = false;
  /** The hash becomes exactly the row: null means absent, UNAVAILABLE what is stored. */
  replace = false;
  /** Paths of the document whose stored value survives a `replace`. */
  keep: Paths | null = null;
  content: Content | null = null;
  /** Seconds to live; 0: none, an earlier time to live ends; -1: nothing is said about it. */
  expire = NO_EXPIRY;
  /** Its commands were accepted; only the time to live is left. */
  isWritten = false;
  /** The next state of the same key, which must wait for this one. */
  next: Unit<Owner> | null = null;
  /** It has its outcome. */
  isSettled = false;

  constructor(write: TargetWrite, owner: Owner, sequence: number) {
    this.key = write.key;
    this.owner = owner;
    this.sequence = sequence;
    this.last = write;
    this.#begin(write);
  }

  /** The entry whose write came last. */
  get index(): number {
    return this.last.index;
  }

  get needsJson(): boolean {
    return this.kind === 'json' || this.content?.needsJson === true;
  }

  get hasExpiry(): boolean {
    return this.expire !== NO_EXPIRY;
  }

  /**
   * Takes over the next write of the same key when one write can say exactly what the two in a row would do.
   * `no`: nothing changed, and the write must follow as a unit of its own.
   */
  fold(write: TargetWrite): Folding {
    const folding = this.#takeOver(write);
    if (folding === 'no') return folding;
    if (this.folded === null) this.folded = [];
    this.folded.push(this.last);
    this.last = write;
    return folding;
  }

  #begin(write: TargetWrite): void {
    if (write.kind === 'hash') {
      if (clearsHash(write)) this.clear = true;
      else {
        this.#setHash(write);
        if (write.expire !== undefined) this.expire = write.expire;
      }
    } else if (write.kind === 'json') {
      this.#setJson(write);
      this.expire = expiryOf(write);
    } else if (write.kind === 'delete') {
      this.clear = true;
    } else {
      this.kind = write.kind;
      this.content = contentOf(write);
      this.expire = expiryOf(write);
    }
  }

  #takeOver(write: TargetWrite): Folding {
    if (write.kind === 'delete' || clearsHash(write)) {
      this.#reset();
      this.clear = true;
      return 'replaced';
    }
    if (this.kind === 'none') {
      this.#begin(write);
      return 'replaced';
    }
    const expire = expiryOf(write);
    const folding = this.#takeOverState(write, this.expire > 0 && expire === NO_EXPIRY);
    if (folding !== 'no' && (expire !== NO_EXPIRY || endsExpiry(write))) this.expire = expire;
    return folding;
  }

  #takeOverState(write: TargetWrite, inheritsExpiry: boolean): Folding {
    if (this.kind === 'hash') {
      if (write.kind === 'hash') return this.#foldHash(write);
      return write.kind === 'remove_fields' && write.type === 'hash' ? this.#foldRemoval(write) : 'no';
    }
    if (this.kind === 'json') return write.kind === 'json' && this.#foldJson(write) ? 'replaced' : 'no';
    return write.kind === this.kind ? this.content!.fold(write, inheritsExpiry) : 'no';
  }

  #reset(): void {
    this.kind = 'none';
    this.names = NO_NAMES;
    this.values = NO_VALUES;
    this.replace = false;
    this.keep = null;
    this.content = null;
    this.expire = NO_EXPIRY;
  }

  #setHash(write: HashWrite): void {
    this.kind = 'hash';
    this.names = write.row.names;
    const { values } = write.row;
    this.replace = write.replace === true;
    const keepsNulls = write.removeNulls || this.replace || !values.includes(null);
    this.values = keepsNulls ? values : values.map((value) => value ?? UNAVAILABLE);
  }

  #setJson({ row, mode, keep }: JsonWrite): void {
    this.kind = 'json';
    this.names = row.names;
    this.values = row.values;
    this.mode = mode;
    this.partial = row.partial;
    this.keep = mode === 'replace' && keep !== undefined && keep.length > 0 ? keep : null;
  }

  #foldHash(write: HashWrite): Folding {
    // A hash that runs empty ends, and its time to live with it; only with a field on both sides is that out of the question.
    if (!hasField(this.values) || !hasField(write.row.values)) return 'no';
    if (write.replace) this.#replaceHash(write.row);
    else {
      const { removeNulls } = write;
      this.#overlay(write.row, (value) => value === UNAVAILABLE || (value === null && !removeNulls));
    }
    return 'replaced';
  }

  /** The hash becomes the row; what was not delivered is as the unit leaves it. */
  #replaceHash(row: Row): void {
    const absent = this.replace ? null : UNAVAILABLE;
    this.values = row.values.map((value, index) => {
      if (value !== UNAVAILABLE) return value;
      const before = this.names.indexOf(row.names[index]!);
      return before === -1 ? absent : this.values[before]!;
    });
    this.names = row.names;
    this.replace = true;
  }

  #foldRemoval(write: RemoveFieldsWrite): Folding {
    const removed = new Set(write.paths.map(([name]) => name!));
    const left = this.values.filter((_, index) => !removed.has(this.names[index]!));
    if (!hasField(left)) return 'no';
    const names = [...removed];
    this.#overlay({ names, values: names.map(() => null), partial: false }, () => false);
    return 'combined';
  }

  #foldJson(write: JsonWrite): boolean {
    const { row, mode } = write;
    if (mode === 'replace') return this.#foldReplacement(write);
    if (this.keep !== null) return false;
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

  #foldReplacement(write: JsonWrite): boolean {
    const { row } = write;
    const keep = write.keep !== undefined && write.keep.length > 0 ? write.keep : null;
    // What the unit itself puts at a kept path would be what the later write keeps.
    if (keep !== null && !(isSame(keep, this.keep) && this.#isApartFrom(keep))) return false;
    if (!row.partial) {
      this.#setJson(write);
      return true;
    }
    // With other columns, what an unavailable one should keep is in the target, not here.
    if (this.mode !== 'replace' || this.names !== row.names || !isSame(keep, this.keep)) return false;
    this.#overlay(row, isUnavailable);
    return true;
  }

  #isApartFrom(paths: Paths): boolean {
    return !paths.some(([name]) => this.names.includes(name!));
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
      // In a hash that becomes exactly the row, a field that is not mentioned is absent, and stays so.
      else if (!columns.has(name) && !this.replace) columns.set(name, UNAVAILABLE);
    });
    this.names = [...columns.keys()];
    this.values = [...columns.values()];
  }
}

const NO_NAMES: readonly string[] = [];
const NO_VALUES: readonly Value[] = [];
const NO_EXPIRY = -1;

function isUnavailable(value: Value): boolean {
  return value === UNAVAILABLE;
}

function hasField(values: readonly Value[]): boolean {
  return values.some((value) => value !== null && value !== UNAVAILABLE);
}

function isSame(paths: Paths | null, others: Paths | null): boolean {
  return paths === others || JSON.stringify(paths) === JSON.stringify(others);
}

/** What a write says of the key's time to live, as {@link Unit.expire}. */
function expiryOf(write: TargetWrite): number {
  if (write.kind === 'delete' || write.kind === 'remove_fields') return NO_EXPIRY;
  return write.expire ?? NO_EXPIRY;
}

/** Whether the write's own commands end an earlier time to live. */
function endsExpiry(write: TargetWrite): boolean {
  return write.kind === 'string' || (write.kind === 'hash' && write.replace === true);
}

/**
 * Whether a hash write deletes its key: every column delivered, and every one of them null (`types.md` §18, 11).
 * A row with unavailable columns never does, because the target may hold them. Nor does the row of a job, whose hash may have
 * fields of other outputs and jobs: its own go one by one, and the key with the last of them.
 */
function clearsHash(write: TargetWrite): boolean {
  if (write.kind !== 'hash') return false;
  const { values } = write.row;
  const ownsHash = write.replace === true || (write.removeNulls && (write.origin === undefined || values.length === 0));
  return ownsHash && values.every((value) => value === null);
}

/** Whether the write has nothing to say: no column to set and none to remove. It is accepted without a command. */
export function isEmptyWrite(write: TargetWrite): boolean {
  if (write.kind !== 'hash' || write.replace) return false;
  const { values } = write.row;
  for (const value of values) {
    if (value !== UNAVAILABLE && (value !== null || write.removeNulls)) return false;
  }
  return !(write.removeNulls && values.length === 0);
}
