import type { TargetWrite, WriteOrigin } from '../../../write/types.ts';
import type { Image } from '../image.ts';

/** Where in the target an output keeps a row. */
export interface Place {
  readonly key: string;
  /** What tells places of one key apart: a member, a path. Empty where the row is all of the key. */
  readonly inside: string;
}

/** What all writes of one output for one record have in common. */
export interface Stamp {
  readonly index: number;
  readonly origin: WriteOrigin;
}

/** How rows of one data type are kept: one object per output. */
export interface RowKeeper<P extends Place = Place> {
  /** Where the row belongs; null when the target holds nothing of it. Throws OutputRejection. */
  placeOf(image: Image): P | null;
  /** First names of the record's fields that the place depends on; null when it may be any. */
  readonly reads: readonly string[] | null;
  /** What writes the row; null when there is nothing to write. `expire` as in a write. Throws OutputRejection. */
  write(place: P, image: Image, stamp: Stamp, expire: number | null): TargetWrite | null;
  /** What takes the row away; null when there is nothing to take. `image` shows the row as it was there. */
  remove(place: P, image: Image, stamp: Stamp): TargetWrite | null;
}

export function isSamePlace(a: Place, b: Place): boolean {
  return a.key === b.key && a.inside === b.inside;
}

/** All of several lists of names, each once; null when one of them may be any. */
export function joinReads(lists: readonly (readonly string[] | null)[]): readonly string[] | null {
  const names = new Set<string>();
  for (const list of lists) {
    if (list === null) return null;
    for (const name of list) names.add(name);
  }
  return [...names];
}
