import type { TargetWrite, WriteOrigin } from '../../../write/types.ts';
import { ExpressionError } from '../../expressions/types.ts';
import type { OutputDefinition } from '../definition.ts';
import { DELIVER_ALL_COLUMNS } from '../evaluation.ts';
import { type Image, type JobOutput, OutputRejection } from '../image.ts';
import type { OutputContext } from './context.ts';
import { rejected } from './evaluate.ts';
import { compileExpire, EXPIRED, type Lifetime } from './expire.ts';
import { isSamePlace, type Place, type RowKeeper, type Stamp } from './place.ts';
import { Selection } from './selection.ts';

/** A place with the state of the row that was kept there. */
interface Left<P> {
  readonly place: P;
  readonly image: Image;
}

const NOTHING: readonly never[] = [];

/** Keeps every row at one place (with `foreach`, at one place per element), and moves it when the place changes. */
export class PlacedOutput<P extends Place> implements JobOutput {
  readonly connection: number;
  readonly place: readonly string[] | null;
  readonly #keeper: RowKeeper<P>;
  readonly #origin: WriteOrigin;
  readonly #selection: Selection;
  readonly #lifetime: Lifetime;
  readonly #onDelete: OutputDefinition['onDelete'];

  constructor(definition: OutputDefinition, keeper: RowKeeper<P>, context: OutputContext) {
    this.connection = context.connection;
    this.#keeper = keeper;
    this.#origin = { job: context.job, step: definition.step };
    this.#selection = new Selection(definition);
    this.#lifetime = compileExpire(definition);
    this.#onDelete = definition.onDelete;
    this.place = this.#selection.readsWith(keeper.reads);
  }

  write(image: Image, old: Image | null, index: number, writes: TargetWrite[]): boolean {
    const images = this.#selection.imagesOf(image);
    if (image.operation === 'd' && this.#onDelete === 'keep' && !image.isLeaving) return images !== null;
    const left = old === null ? NOTHING : this.#leftBy(old);
    if (images === null && left.length === 0) return false;
    const stamp = { index, origin: this.#origin };
    const taken: P[] = [];
    const changes = this.#changes(images ?? NOTHING, stamp, left, taken);
    const removals = this.#removals(left, taken, stamp);
    if (removals.length > 0) addRemovals(removals, stamp, writes);
    for (const change of changes) writes.push(change);
    return true;
  }

  /** The writes for the row itself; adds its places to `taken`. */
  #changes(images: readonly Image[], stamp: Stamp, left: readonly Left<P>[], taken: P[]): TargetWrite[] {
    const changes: TargetWrite[] = [];
    for (const one of images) {
      const place = this.#keeper.placeOf(one);
      if (place === null) continue;
      taken.push(place);
      const change =
        one.operation === 'd' ? this.#keeper.remove(place, one, stamp) : this.#stored(place, one, stamp, left);
      if (change !== null) changes.push(change);
    }
    return changes;
  }

  #stored(place: P, image: Image, stamp: Stamp, left: readonly Left<P>[]): TargetWrite | null {
    const expire = this.#lifetime(image);
    if (expire === EXPIRED) return { kind: 'delete', key: place.key, index: stamp.index, origin: stamp.origin };
    const write = this.#keeper.write(place, image, stamp, expire);
    const isIncomplete = write === null || ('row' in write && write.row?.partial === true);
    // What is stored at the old place is removed, so that nothing would be left of the columns that were not delivered.
    if (isIncomplete && left.length > 0 && !left.some((one) => isSamePlace(one.place, place))) {
      throw rejected(
        `The row moves in the target, but the change does not carry all that must move. ${DELIVER_ALL_COLUMNS}`,
      );
    }
    return write;
  }

  #removals(left: readonly Left<P>[], taken: readonly P[], stamp: Stamp): TargetWrite[] {
    if (left.length === 0) return [];
    const now = new Set(taken.map(identityOf));
    const removals: TargetWrite[] = [];
    for (const { place, image } of left) {
      const removal = now.has(identityOf(place)) ? null : this.#keeper.remove(place, image, stamp);
      if (removal !== null) removals.push(removal);
    }
    return removals;
  }

  /** What the row left in its earlier state; nothing when that state has no place or cannot be made. */
  #leftBy(old: Image): Left<P>[] {
    try {
      return (this.#selection.imagesOf(old) ?? []).flatMap((image) => {
        const place = this.#keeper.placeOf(image);
        return place === null ? [] : [{ place, image }];
      });
    } catch (error) {
      if (error instanceof OutputRejection || error instanceof ExpressionError) return [];
      throw error;
    }
  }
}

function identityOf({ key, inside }: Place): string {
  return `${key.length}:${key}${inside}`;
}

/**
 * Adds removals, before what another output of the same record wrote to one of their keys: when a row changes, an output may
 * leave its key to another one, whichever of the two comes first in the job.
 */
function addRemovals(removals: readonly TargetWrite[], { index }: Stamp, writes: TargetWrite[]): void {
  let at = writes.length;
  for (let i = writes.length - 1; i >= 0 && writes[i]?.index === index; i--) {
    if (removals.some(({ key }) => key === writes[i]?.key)) at = i;
  }
  // One by one, because `foreach` may have made more of them than a call can take.
  for (const removal of removals) writes.splice(at++, 0, removal);
}
