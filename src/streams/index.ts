/**
 * # streams: the durable buffer between feeder and engine
 *
 * **In**: entries that a feeder appends (`XADD`), and the feeder's own small state (`metadata:*` hashes and streams).
 * **Out**: the same entries, in arrival order, to the engine; the state, to the feeder.
 *
 * **Promises**
 * - What {@link StreamStore.durable} covers survives `kill -9` and power loss. Nothing is answered before it is covered.
 * - Ids are `ms-seq` and grow strictly per stream, across restarts and when the clock steps back.
 * - The engine sees an entry only when it is durable, each one in order, and again after a restart until it is settled.
 * - An append that cannot be made durable (full disk, I/O error) is taken back as a whole tail: what was accepted of a
 *   pipeline is always a prefix of it.
 * - A backlog larger than memory stays on disk: memory holds a bounded tail.
 * - One process at a time uses a data folder.
 *
 * **Does not promise**: order between streams on restart of a stopped stream; removal of every duplicate (only an
 * identical sub-batch sent again after a cut is recognised, see `resends.ts`).
 *
 * ## The data folder
 *
 * ```
 * data/
 *   state.db, state.db-wal     SQLite: metadata, checkpoint, accounting, DLQ, last connection to each target, deployed revisions,
 *                              encrypted secrets (`state-store.ts`)
 *   reserve                    room that is given up when the disk is full (`reserve.ts`)
 *   journal/
 *     0000000000000000.journal  segments, named by the position of their first byte (hexadecimal)
 *     0000000004000040.journal
 * ```
 *
 * ## Journal format, version 1 (little endian; all records start at multiples of 8)
 *
 * A **position** is the number of bytes ever appended before a byte; it never goes back and is the order of all entries
 * over all streams. A segment holds positions `[base, next segment's base)`, so a file offset is `position - base`.
 *
 * | offset | type | content of a record |
 * |---|---|---|
 * | 0 | u32 | length of the body in bytes, without header and padding |
 * | 4 | u32 | XXH32 of the rest of the record, padding included, xor the length |
 * | 8 | f64 | position of this record: a stale or misplaced record cannot pass for a valid one |
 * | 16 | f64 | id, first half (ms) |
 * | 24 | u32 | id, second half |
 * | 28 | u32 | stream number |
 * | 32 | u32 | origin: hash of the feeder's name, address and user |
 * | 36 | u32 | number of bulk strings (bits 0–23), kind (bits 24–27), flag "starts a sub-batch" (bit 28) |
 * | 40 | | body, padded with zeros to a multiple of 8 |
 *
 * | kind | body |
 * |---|---|
 * | 1 entry | the fields as RESP bulk strings, byte for byte as they came |
 * | 2 segment header | JSON: format version and all streams with their last id and number of entries so far. First record of every segment, so a start reads only the last segment |
 * | 3 stream | JSON `{number, db, name}`: declares a stream before its first entry |
 * | 4 commit | JSON `{durable}`: everything before `durable` was durable when it was written. Ends each group, and seals the last one when nothing follows |
 * | 5 gap | none. Here `rdi repair` cut something out: the journal goes on at the position in the field at offset 16; the field at 24 counts the lost entries of the stream at 28 |
 *
 * **Group commit**: all that is appended while one `fdatasync` runs goes out with the next; one is in flight at a time.
 *
 * **Recovery** scans the last segment. The first invalid record is a *torn tail* when no later commit record says that
 * it had been durable (nor the state store, which notes the end of the journal with each checkpoint): it was never
 * acknowledged, and is cut. Otherwise it is *damage*, and the start stops with file, offset and the repair command. Older segments are checked when they are read (at the start too, as far as half a
 * second reaches); a damaged record stops the engine in the same way. After recovery a new segment begins.
 *
 * **Repair** (`repair.ts`) keeps a copy of each damaged stretch, writes gaps over it and a new segment with all streams
 * behind the last one. Positions do not move. The engine counts what is lost as skipped when it comes to the gap.
 *
 * **Trimming**: a segment is deleted when every entry in it is settled. With a retention it stays for people who look until its
 * last entry is older than that, the journal holds more than it may, or the disk refuses to write. A start does not read what is
 * settled, a repair passes it by, and no feeder is held back because of it.
 */
export type { PipelineRow, StoredRevision } from './configuration-store.ts';
export { EmbeddedStore } from './embedded-store.ts';
export { lookAtStore, type StateView, type StoreView } from './look.ts';
export { type DamagedStretch, type RepairReport, repairJournal } from './repair.ts';
export type { Retention } from './retention.ts';
export type { EmbeddedStoreOptions } from './store-options.ts';
export type {
  BehindStream,
  CheckpointState,
  DlqFilter,
  DlqRecord,
  DlqStore,
  EntryBatch,
  EntryReader,
  LostEntries,
  MetadataStore,
  Pressure,
  StoredDlqRecord,
  StoredStream,
  StreamCounters,
  StreamStore,
} from './types.ts';
