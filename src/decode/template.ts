import type { TableIdentity } from '../types.ts';

/** What stands at a place of an envelope where events of one table differ. */
export const HOLE = { skip: 0, before: 1, after: 2, op: 3, sourceMs: 4, snapshot: 5 } as const;
export type HoleRole = (typeof HOLE)[keyof typeof HOLE];

export interface Hole {
  readonly role: HoleRole;
  /** Bytes of the value, as offsets in the buffer of the event it was learned from. */
  readonly start: number;
  readonly end: number;
}

/**
 * The envelope of one table as learned from one of its events: fixed bytes with holes between. Two events of a table
 * differ only in rows, operation, times and positions, so the next one is checked by comparing bytes, and only the
 * holes are read as JSON. Since fixed bytes and holes come from a valid event, whatever fits them is valid too.
 */
export class EnvelopeTemplate {
  /** One more than `roles`: before the first hole, between, behind the last. */
  readonly fixed: readonly Uint8Array[];
  readonly roles: readonly HoleRole[];
  /** What the fixed bytes say about the table. */
  readonly table: TableIdentity;

  /** Learns from the event at `bytes[start, end)`; the holes must not overlap. */
  constructor(bytes: Buffer, start: number, end: number, holes: readonly Hole[], table: TableIdentity) {
    const ordered = [...holes].sort((a, b) => a.start - b.start);
    const fixed: Uint8Array[] = [];
    let from = start;
    for (const hole of ordered) {
      fixed.push(copyOf(bytes, from, hole.start));
      from = hole.end;
    }
    fixed.push(copyOf(bytes, from, end));
    this.fixed = fixed;
    this.roles = ordered.map((hole) => hole.role);
    this.table = table;
  }
}

/** Own bytes, because the event's buffer must not live as long as what was learned from it. */
export function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}
