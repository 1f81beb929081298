import type { TableIdentity } from '../types.ts';
import { Literal } from './literal.ts';

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
  readonly fixed: readonly Literal[];
  readonly roles: readonly HoleRole[];
  /** What the fixed bytes say about the table. */
  readonly table: TableIdentity;

  /** Learns from the event at `bytes[start, end)`; the holes must not overlap. */
  constructor(bytes: Buffer, start: number, end: number, holes: readonly Hole[], table: TableIdentity) {
    const ordered = [...holes].sort((a, b) => a.start - b.start);
    const fixed: Literal[] = [];
    let from = start;
    for (const hole of ordered) {
      fixed.push(new Literal(bytes, from, hole.start));
      from = hole.end;
    }
    fixed.push(new Literal(bytes, from, end));
    this.fixed = fixed;
    this.roles = ordered.map((hole) => hole.role);
    this.table = table;
  }
}
