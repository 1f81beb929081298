/**
 * Replay: a feeder made of recorded traffic, for demonstrations, tests and measurements without a database.
 *
 * In: files with the raw bytes that a feeder sent (`sink.client.resp[.gz]`, `offsets…`, `history…`), or the entries of
 * its streams (`entries.ndjson[.gz]`). Out: the same bytes on a connection of their own per file, cut as Debezium's
 * synchronous client cuts them, every reply checked. Promises: an entry counts as sent only when it was acknowledged
 * with an id; after a broken connection or an OOM refusal the same records are sent again, in the same order, without
 * end; memory holds one sub-batch per file. Does not: keep the pauses of the recording.
 */
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Feeder } from './feeder.ts';
import type { ReplayAddress } from './feeder-connection.ts';
import { readCommands } from './recording-file.ts';
import { cutRecording, isDataEntry } from './sub-batches.ts';
import type { ReplayCounts } from './types.ts';

export type { ReplayAddress } from './feeder-connection.ts';
export { readCommands } from './recording-file.ts';
export { isDataEntry } from './sub-batches.ts';
export type { RecordedCommand, ReplayCounts } from './types.ts';

export interface ReplayOptions {
  readonly file: string;
  readonly to: ReplayAddress;
  /** Data entries per second; a pipeline is sent as a whole when its turn has come. Absent: as fast as acknowledged. */
  readonly eventsPerSecond?: number;
  /** How long the server may be silent before the connection counts as broken; Debezium's default is 2000. */
  readonly silenceMs?: number;
  /** Pauses before a repetition; Debezium's defaults are 300 and 10 000. */
  readonly retry?: { readonly initialMs: number; readonly maxMs: number };
  /** Ends the replay between two commands. */
  readonly signal?: AbortSignal;
  /** Told after every sub-batch; `done` is the part of the file that was read, 0 to 1. */
  readonly onProgress?: (counts: ReplayCounts, done: number) => void;
}

export interface ReplayResult extends ReplayCounts {
  readonly seconds: number;
}

/**
 * Sends one recording and resolves when the last entry is acknowledged.
 *
 * @throws ReplayError when nothing listens, or at an answer at which Debezium stops
 * @throws ConfigError when the file is no recording
 */
export async function replayFile(options: ReplayOptions): Promise<ReplayResult> {
  const { file, to, eventsPerSecond, silenceMs = 2000, retry = { initialMs: 300, maxMs: 10_000 } } = options;
  const signal = options.signal ?? new AbortController().signal;
  const counts: ReplayCounts = {
    commands: 0,
    events: 0,
    bytes: 0,
    refused: 0,
    resent: 0,
    reconnects: 0,
    held: 0,
    lost: 0,
  };
  let bytesRead = 0;
  const commands = readCommands(file, (bytes) => {
    bytesRead = bytes;
  });
  const recording = await cutRecording(commands);
  const { size } = await stat(file);
  const feeder = new Feeder({ address: to, handshake: recording.handshake, counts, silenceMs, retry, signal });
  const startedAt = performance.now();
  let scheduled = 0;
  try {
    await feeder.connect();
    for await (const subBatch of recording.subBatches) {
      if (eventsPerSecond !== undefined) {
        const waitMs = (scheduled / eventsPerSecond) * 1000 - (performance.now() - startedAt);
        if (waitMs > 0) await sleep(waitMs, undefined, { signal });
        scheduled += subBatch.pipeline.filter(isDataEntry).length;
      }
      await feeder.send(subBatch);
      options.onProgress?.(counts, size === 0 ? 1 : Math.min(1, bytesRead / size));
    }
  } finally {
    feeder.close();
    await commands.return(undefined);
  }
  return { ...counts, seconds: (performance.now() - startedAt) / 1000 };
}
