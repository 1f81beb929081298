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
 * - An entry that was settled in the DLQ and is applied later moves within the account, in the transaction in which its record
 *   leaves the DLQ; the sum stays what it was.
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
 *
 * ## Lanes
 *
 * The main lane reads every stream, until it meets an entry whose job may have to wait for something that is none of the
 * others' business: a lookup, another target. It *parks* the stream there, and hands it over to the lane for that purpose as
 * soon as everything of it before is settled. Each lane is a {@link Progress}: a position of its own, and places of single
 * streams in it. What is stored knows no lanes: a stream of a side lane is kept like one that catches up, with its position.
 *
 * ```
 * level, catching up ──park(position)──> parked ──leave──> adopted by a side lane at position ──> level there
 * ```
 */
export { OPERATION, OUTCOME, type RetriedOutcome } from './accounts.ts';
export { Checkpoint } from './checkpoint.ts';
export { type BatchOutcomes, Progress } from './progress.ts';
