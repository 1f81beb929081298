import { expect, test } from 'vitest';
import { Checkpoint, OPERATION, OUTCOME, type Progress } from '../../../src/checkpoint/index.ts';
import type { CheckpointState, StoredStream } from '../../../src/streams/index.ts';
import type { StreamEntry } from '../../../src/types.ts';

const [stream, other] = ['s', 'o'].map((name, number) => ({ number, db: 0, name, rawName: name })) as [
  StoredStream,
  StoredStream,
];

function entry(position: number, of = stream): StreamEntry {
  return { stream: of, ms: 1, seq: position, position, bytes: Buffer.alloc(0), start: 0, end: 0, fieldCount: 0 };
}

function open(from: Partial<CheckpointState> = {}) {
  const saved: CheckpointState[] = [];
  const checkpoint = new Checkpoint({
    from: { position: 0, behind: new Map(), counters: new Map(), ...from },
    save: async (state) => void saved.push(state),
    now: () => 0,
    onSaveFailed: () => {},
  });
  const last = async () => {
    await checkpoint.flush();
    return saved.at(-1) as CheckpointState;
  };
  return { checkpoint, last };
}

function settle(
  lane: Progress,
  entries: readonly StreamEntry[],
  endPosition: number,
  outcome: number = OUTCOME.written,
) {
  lane.settle({
    entries,
    outcomes: new Uint8Array(entries.length).fill(outcome),
    operations: new Uint8Array(entries.length).fill(OPERATION.none),
    endPosition,
  });
}

/** Positions that a process with this checkpoint would handle in its main lane. */
function handledAfterRestart(from: CheckpointState, positions: readonly number[]): number[] {
  const { main } = open(from).checkpoint;
  return positions.filter((at) => at >= main.readFrom && main.wants(stream, at, main.position));
}

test('a crash while a parked stream has entries on their way repeats those, and none that were settled', async () => {
  const { checkpoint, last } = open();
  settle(checkpoint.main, [entry(10)], 20);
  checkpoint.main.park(stream, 40);
  expect(handledAfterRestart(await last(), [10, 20, 30, 40, 50])).toEqual([20, 30, 40, 50]);
  settle(checkpoint.main, [entry(20), entry(30)], 60);
  expect(handledAfterRestart(await last(), [10, 20, 30, 40, 50, 60])).toEqual([40, 50, 60]);
});

test('entries that are left to another lane are not counted here', () => {
  const { checkpoint } = open();
  settle(checkpoint.main, [entry(10)], 20, OUTCOME.left);
  expect(checkpoint.counters(stream).written).toBe(0);
});

test('a stream of a side lane is wanted there and nowhere else, from the place on at which it was parked', () => {
  const { checkpoint } = open();
  checkpoint.main.park(stream, 40);
  const lane = checkpoint.openLane(100);
  checkpoint.handOver(stream, lane);
  expect(checkpoint.main.wants(stream, 50, 0)).toBe(false);
  expect([30, 40, 90].map((at) => lane.wants(stream, at, 100))).toEqual([false, true, true]);
  expect(lane.readFrom).toBe(40);
  expect(lane.wants(other, 50, 0)).toBe(false);
});

test('a lane that is ahead of the main one, or behind it, is stored with its own position', async () => {
  const { checkpoint, last } = open();
  checkpoint.main.park(stream, 40);
  const lane = checkpoint.openLane(40);
  checkpoint.handOver(stream, lane);
  settle(lane, [entry(40)], 300);
  settle(checkpoint.main, [], 100);
  expect((await last()).behind.get(stream)).toEqual({ position: 300, stopped: null });
  expect(handledAfterRestart(await last(), [40, 200, 300])).toEqual([300]);
  settle(checkpoint.main, [], 900);
  expect((await last()).behind.get(stream)).toEqual({ position: 300, stopped: null });
});

test('a stream ahead of the others is not read again when the others are settled below its place', () => {
  const { checkpoint } = open({ behind: new Map([[stream, { position: 300, stopped: null }]]) });
  settle(checkpoint.main, [], 100);
  expect([200, 300].map((at) => checkpoint.main.wants(stream, at, 100))).toEqual([false, true]);
  settle(checkpoint.main, [entry(300)], 400);
  expect(checkpoint.main.behind.size).toBe(0);
});

test('a stop before the place at which a stream was parked counts, and the stream is parked no more', () => {
  const { checkpoint } = open();
  checkpoint.main.park(stream, 40);
  checkpoint.main.stop(stream, entry(20), 'why');
  expect(checkpoint.main.isParked(stream)).toBe(false);
  expect(checkpoint.behind(stream)).toMatchObject({ position: 20, stopped: { entryId: '1-20' } });
});
