/**
 * Rows that are one member of a key: sets and sorted sets.
 */
import { UNAVAILABLE, type Value } from '../../../types.ts';
import type { TargetWrite } from '../../../write/types.ts';
import type { OutputDefinition } from '../definition.ts';
import { DELIVER_ALL_COLUMNS } from '../evaluation.ts';
import type { Image } from '../image.ts';
import type { OutputArgument } from './argument.ts';
import type { OutputContext } from './context.ts';
import { rejected } from './evaluate.ts';
import { lasting } from './keyed.ts';
import { joinReads, type Place, type RowKeeper, type Stamp } from './place.ts';
import type { RowKey } from './row-key.ts';
import { scoreText, textOfValue } from './texts.ts';

abstract class MemberRows implements RowKeeper {
  readonly reads: readonly string[] | null;
  readonly #key: RowKey;
  readonly #member: OutputArgument;
  readonly #warn: (table: string) => void;
  #hasWarned = false;

  constructor(definition: OutputDefinition, key: RowKey, member: OutputArgument, context: OutputContext) {
    this.#key = key;
    this.#member = member;
    this.reads = joinReads([key.reads, member.reads]);
    this.#warn = (table) =>
      context.onWarning(
        `The job ${context.job} (${definition.step}) cannot take deleted rows of the table ${table} out of its ${definition.dataType}: their changes do not carry ${member.what}. ${DELIVER_ALL_COLUMNS}`,
      );
  }

  placeOf(image: Image): Place | null {
    const key = this.#key.of(image);
    const member = this.#member.of(image);
    if (member === UNAVAILABLE) return this.undelivered(image, this.#member);
    const inside = textOfValue(member);
    if (inside !== null) return { key, inside };
    if (image.operation === 'd' && image.event.before === null) this.#warnOnce(image);
    return null;
  }

  /** What follows from a member that was not delivered. */
  protected abstract undelivered(image: Image, member: OutputArgument): null;

  abstract write(place: Place, image: Image, stamp: Stamp, expire: number | null): TargetWrite | null;
  abstract remove(place: Place, image: Image, stamp: Stamp): TargetWrite;

  #warnOnce({ event }: Image): void {
    if (!this.#hasWarned) this.#warn(event.table.table);
    this.#hasWarned = true;
  }
}

function unknownMember({ what, expression }: OutputArgument) {
  return rejected(`The member is not known: the change does not carry ${what}. ${DELIVER_ALL_COLUMNS}`, expression);
}

export class SetRows extends MemberRows {
  /** An update leaves out only what it does not change, so the member stays in its set. */
  protected undelivered({ operation }: Image, member: OutputArgument): null {
    if (operation === 'd') throw unknownMember(member);
    return null;
  }

  write({ key, inside }: Place, _image: Image, { index, origin }: Stamp, expire: number | null): TargetWrite {
    return { kind: 'set', key, index, origin, member: inside, isMember: true, ...lasting(expire) };
  }

  remove({ key, inside }: Place, _image: Image, { index, origin }: Stamp): TargetWrite {
    return { kind: 'set', key, index, origin, member: inside, isMember: false };
  }
}

export class SortedSetRows extends MemberRows {
  readonly #score: OutputArgument;

  constructor(
    definition: OutputDefinition,
    key: RowKey,
    member: OutputArgument,
    score: OutputArgument,
    context: OutputContext,
  ) {
    super(definition, key, member, context);
    this.#score = score;
  }

  /** The score may have changed, and without the member it cannot be set. */
  protected undelivered(_image: Image, member: OutputArgument): null {
    throw unknownMember(member);
  }

  write({ key, inside }: Place, image: Image, { index, origin }: Stamp, expire: number | null): TargetWrite | null {
    const value = this.#score.of(image);
    if (value === UNAVAILABLE) return null;
    const isMember = value !== null;
    const score = isMember ? this.#numeric(value) : null;
    return { kind: 'sorted_set', key, index, origin, member: inside, score, ...(isMember ? lasting(expire) : null) };
  }

  remove({ key, inside }: Place, _image: Image, { index, origin }: Stamp): TargetWrite {
    return { kind: 'sorted_set', key, index, origin, member: inside, score: null };
  }

  #numeric(value: Value): string {
    const score = scoreText(value);
    if (score !== null) return score;
    const { what, expression } = this.#score;
    throw rejected(
      `The score is not numeric: ${what} holds neither a number nor the text of one, nor inf or -inf. Convert it with a block, or give null for rows that do not belong into the sorted set.`,
      expression,
    );
  }
}
