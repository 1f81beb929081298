/** One command of a recording, with the exact bytes that a feeder sent. */
export interface RecordedCommand {
  /** Upper case, for example `XADD`. */
  readonly name: string;
  /** The first argument as text; empty when there is none. For `XADD` the stream, for `HSET` the key. */
  readonly key: string;
  readonly bytes: Buffer;
  /** Place in the recording, for error messages. */
  readonly offset: number;
}

/**
 * What Debezium sends as one unit and repeats as one unit when the connection breaks: the probes (`INFO`, `PING`, each
 * answered before the next command is sent), then a pipeline (all data XADDs of a sub-batch, or one other command),
 * then `WAIT` where the feeder uses it.
 */
export interface SubBatch {
  readonly probes: readonly RecordedCommand[];
  readonly pipeline: readonly RecordedCommand[];
  readonly wait: RecordedCommand | undefined;
}

/** How a recording is cut: what is sent after each connect, and the sub-batches in order. */
export interface Recording {
  readonly handshake: readonly RecordedCommand[];
  readonly subBatches: AsyncIterable<SubBatch>;
}

/** Counts of one replay so far. */
export interface ReplayCounts {
  /** Commands answered, handshakes and repetitions included. */
  commands: number;
  /** Data entries acknowledged with an id. */
  events: number;
  /** Bytes of acknowledged entries. */
  bytes: number;
  /** Entries refused with OOM and sent again. */
  refused: number;
  /** Entries sent again because the connection broke before the last reply. */
  resent: number;
  /** Connections opened after the first. */
  reconnects: number;
  /** Polls of `INFO memory` that said to wait. */
  held: number;
  /** Data entries answered with an error that makes a real feeder lose them without a word. */
  lost: number;
}
