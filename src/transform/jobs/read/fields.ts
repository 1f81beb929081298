import type { CompiledExpression, FieldPath } from '../definition.ts';

/** The fields of a record in full format. */
export const FULL_FIELDS: readonly string[] = [
  'key',
  'before',
  'after',
  'opcode',
  'db',
  'schema',
  'table',
  'server_name',
  'source',
  'source_type',
  'timestamp',
  'removed_fields',
];

/** Names that mean something in full format only; a table seldom has such columns. */
const ONLY_FULL: ReadonlySet<string> = new Set(['before', 'after', 'opcode']);

/**
 * Which first names of fields a record can have after the blocks that were read so far. The columns of the table are not known
 * when a job is loaded, so a field of a row counts as there until a block takes it away.
 */
export class FieldsInReach {
  readonly #isFull: boolean;
  /** All names there can be; null when there may be any. */
  #known: Set<string> | null;
  /** Why there are no others. */
  #why: string;
  /** Names that a block took away, with the block. */
  readonly #gone = new Map<string, string>();
  #isAsDelivered = true;

  constructor(isFull: boolean) {
    this.#isFull = isFull;
    this.#known = isFull ? new Set(FULL_FIELDS) : null;
    this.#why = '`row_format` is full, where the columns are in `after` and `before`';
  }

  add([name]: FieldPath): void {
    this.#known?.add(name!);
    this.#gone.delete(name!);
    if (ONLY_FULL.has(name!)) this.#isAsDelivered = false;
  }

  /** `step` takes the field at `path` away. */
  remove(path: FieldPath, step: string): void {
    if (path.length > 1) return;
    this.#known?.delete(path[0]!);
    this.#gone.set(path[0]!, step);
  }

  /** `step` leaves nothing but fields of these names; null when it may leave any. */
  replace(names: readonly string[] | null, step: string): void {
    this.#gone.clear();
    this.#isAsDelivered = false;
    if (!this.#isFull) this.#known = names === null ? null : new Set(names);
    // In full format an object without `after` becomes the row, and the rest of the record stays as it was.
    else this.#known = names?.includes('after') ? new Set([...FULL_FIELDS, ...names]) : null;
    this.#why = `\`${step}\` leaves only the fields that it names`;
  }

  /** Every field that an expression reads and no record can have, with the reason. */
  unreachable({ reads, language }: CompiledExpression): { name: string; why: string }[] {
    const ignoresCase = language === 'sql';
    const found: { name: string; why: string }[] = [];
    for (const name of reads ?? []) {
      // Of a dotted name in SQL both its first part and the whole are listed; one of them is enough.
      const first = name.split('.', 1)[0]!;
      const isPart = reads!.some((other) => other.startsWith(`${name}.`));
      if (isPart || (first !== name && this.whyUnreachable(first, ignoresCase) === null)) continue;
      const why = this.whyUnreachable(name, ignoresCase);
      if (why !== null) found.push({ name, why });
    }
    return found;
  }

  /** Null when a record may have the field. */
  whyUnreachable(name: string, ignoresCase: boolean): string | null {
    const step = this.#gone.get(name);
    if (this.#known === null) {
      if (step !== undefined) return `\`${step}\` takes it away`;
      if (this.#isFull || !this.#isAsDelivered || !ONLY_FULL.has(name)) return null;
      return 'a record is the row itself, unless `source` says `row_format: full`';
    }
    if (this.#known.has(name)) return null;
    if (ignoresCase && [...this.#known].some((known) => known.toLowerCase() === name.toLowerCase())) return null;
    return step === undefined ? this.#why : `\`${step}\` takes it away`;
  }
}
