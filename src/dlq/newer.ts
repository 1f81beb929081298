import type { DlqRow, DlqStore } from '../streams/types.ts';
import type { ChangeEvent, StreamEntry } from '../types.ts';
import { rowKeys, sourcePositionOf, tableText } from './row.ts';
import { compareSources, type SourcePosition } from './source-position.ts';

/** An entry whose event was settled otherwise than by a rejection: its row has this value now. */
export interface AppliedEntry {
  readonly entry: StreamEntry;
  readonly event: ChangeEvent;
  /** Where it was a record of the DLQ itself: its id. Only older records are behind it then. */
  readonly id?: string;
}

/** A record that is about to be stored. */
export interface FreshRecord {
  readonly stream: string;
  readonly position: number;
  readonly row: DlqRow;
  isSuperseded: boolean | null;
}

/**
 * Finds the records that are outdated by what was applied after them: those in the store, whose ids it returns, and fresh ones
 * of the same batch, which it marks. An update without all columns (an unchanged large one is not delivered) leaves the record
 * in doubt: neither of the two is the whole row; so does a value of the row whose key the record frees. What arrived later and
 * is older at the source, or the same change, outdates nothing.
 */
export function findSuperseded(
  store: DlqStore,
  applied: readonly AppliedEntry[],
  fresh: readonly FreshRecord[],
): { supersede: string[]; doubt: string[] } {
  const freshByRow = byRow(fresh);
  const ids = new Set<string>();
  const doubt = new Set<string>();
  for (const { entry, event, id } of applied) {
    const stream = entry.stream.name;
    const isWhole = event.after?.partial !== true;
    let position: SourcePosition | null | undefined;
    const outdates = (row: DlqRow) => {
      if (row.table !== '' && row.table !== tableText(event.table)) return false;
      position ??= sourcePositionOf(entry);
      const order = compareSources(position, row.source === null ? null : (JSON.parse(row.source) as SourcePosition));
      return order !== 'older' && order !== 'same';
    };
    for (const key of rowKeys(entry, entry.stream.db, event)) {
      for (const record of freshByRow.get(`${stream}\0${key}`) ?? []) {
        const isAfter = entry.position > record.position && record.isSuperseded !== true;
        if (isAfter && outdates(record.row)) record.isSuperseded = isWhole && record.row.key === key ? true : null;
      }
      if (store.rowCount(stream, key).open === 0) continue;
      for (const record of store.rowRecords(stream, key)) {
        const isBefore = id === undefined || Number(record.id) < Number(id);
        if (isBefore && record.isSuperseded !== true && outdates(record)) {
          (isWhole && record.key === key ? ids : doubt).add(record.id);
        }
      }
    }
  }
  return { supersede: [...ids], doubt: [...doubt] };
}

/** Records by each of their keys. */
function byRow(records: readonly FreshRecord[]): Map<string, FreshRecord[]> {
  const rows = new Map<string, FreshRecord[]>();
  for (const record of records) {
    for (const key of [record.row.key, record.row.oldKey]) {
      if (!key) continue;
      const name = `${record.stream}\0${key}`;
      const known = rows.get(name);
      if (known) known.push(record);
      else rows.set(name, [record]);
    }
  }
  return rows;
}
