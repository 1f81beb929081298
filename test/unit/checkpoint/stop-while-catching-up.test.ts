import { expect, test } from 'vitest';
import { Checkpoint, OPERATION, OUTCOME } from '../../../src/checkpoint/index.ts';
import type { CheckpointState, StoredStream } from '../../../src/streams/types.ts';
import type { StreamEntry } from '../../../src/types.ts';

const stream: StoredStream = {
  number: 1,
  db: 0,
  name: 'data:shop.orders',
  rawName: 'data:shop.orders',
  lastMs: 0,
  lastSeq: 0,
  appended: 0,
  deduplicated: 0,
  lastArrivalMs: 0,
};

function entryAt(position: number): StreamEntry {
  return { stream, ms: position, seq: 0, position, bytes: Buffer.alloc(0), start: 0, end: 0, fieldCount: 0 };
}

/** A checkpoint whose others are at 1000 while the stream catches up from 100, and what it stores. */
function catchingUp() {
  const saved: CheckpointState[] = [];
  const checkpoint = new Checkpoint({
    from: { position: 1000, behind: new Map([[stream, { position: 100, stopped: null }]]), counters: new Map() },
    save: async ({ position, behind, counters }) => {
      saved.push({ position, behind: new Map(behind), counters });
    },
    now: () => 1,
    onSaveFailed: (error) => {
      throw error;
    },
  });
  return { checkpoint, last: () => saved[saved.length - 1] as CheckpointState };
}

/** Positions of the stream's entries that a process with this checkpoint would handle. */
function handledAfterRestart(from: CheckpointState, positions: readonly number[]): number[] {
  const next = new Checkpoint({ from, save: async () => {}, now: () => 1, onSaveFailed: () => {} }).main;
  return positions.filter((at) => at >= next.readFrom && next.wants(stream, at, next.position));
}

test('a crash after a stream stopped again while it caught up loses none of the entries before the stop', async () => {
  const { checkpoint, last } = catchingUp();
  checkpoint.main.stop(stream, entryAt(300), 'DECODE_NOT_JSON');
  await checkpoint.flush();
  // The batch with 100 and 200 waits for an absent target; now the process is killed.
  expect(handledAfterRestart(last(), [100, 200, 300])).toEqual([100, 200, 300]);
  expect(checkpoint.behind(stream)?.stopped).not.toBeNull();
});

test('what was settled before the new stop is not read again, and the stop is kept once all before it is settled', async () => {
  const { checkpoint, last } = catchingUp();
  const settle = (entries: readonly StreamEntry[], endPosition: number) =>
    checkpoint.main.settle({
      entries,
      outcomes: new Uint8Array(entries.length).fill(OUTCOME.written),
      operations: new Uint8Array(entries.length).fill(OPERATION.inserted),
      endPosition,
    });
  checkpoint.main.stop(stream, entryAt(300), 'DECODE_NOT_JSON');
  settle([entryAt(100)], 200);
  await checkpoint.flush();
  expect(handledAfterRestart(last(), [100, 200, 300])).toEqual([200, 300]);
  settle([entryAt(200), entryAt(300), entryAt(400)], 500);
  await checkpoint.flush();
  expect(handledAfterRestart(last(), [100, 200, 300, 400])).toEqual([]);
  expect(last().behind.get(stream)).toMatchObject({ position: 300, stopped: { entryId: '300-0' } });
  expect(checkpoint.counters(stream).written).toBe(2);
  checkpoint.main.resume(stream);
  await checkpoint.flush();
  expect(handledAfterRestart(last(), [100, 200, 300, 400])).toEqual([300, 400]);
});
