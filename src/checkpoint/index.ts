/**
 * # checkpoint: what is settled, and what became of it
 *
 * **In**: batches whose entries all have an outcome, in the order they were read. **Out**: the position from which a restart goes
 * on, and the account of every stream.
 *
 * An entry is **settled** when the target accepted its write, or a later one of the same key in its batch, or it went to
 * the DLQ, or it needs no write. Order of a batch: target accepted → DLQ stored → checkpoint stored → segments trimmed. The
 * checkpoint follows the DLQ in one write-ahead log, so it can never be the only one of the two that survives.
 *
 * **Promises**
 * - A restart repeats what was not settled yet, and at most the last {@link PERSIST_MS} of what was; it skips nothing.
 * - Position and counters change in one transaction, so the account is right after any crash:
 *   `received = written + filtered + superseded + deduplicated + rejected + skipped + pending`.
 *   `received` and `pending` are counted by the store as entries come, the rest here as they are settled.
 * - A stream that is *stopped* (`error_handling: abort`) keeps its place and lets the others go on.
 *
 * ## A stopped stream, and its way back
 *
 * ```
 * level ──stop(position)──> stopped at position ──resume──> catching up from position ──reaches the others──> level
 * ```
 *
 * The engine passes by the entries of a stopped stream. After `resume` its reader goes back to the stream's position and reads
 * that stream alone until it is where the others are. What was in flight behind a stopped entry is not counted: it is
 * read again.
 */
export { type BatchOutcomes, Checkpoint, OPERATION, OUTCOME } from './checkpoint.ts';
