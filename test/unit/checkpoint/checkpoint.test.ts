import { expect, test } from 'vitest';
import { Checkpoint, OPERATION, OUTCOME } from '../../../src/checkpoint/index.ts';
import type { CheckpointState, StoredStream } from '../../../src/streams/index.ts';
import type { StreamEntry } from '../../../src/types.ts';

const stream = { number: 1, db: 0, name: 's', rawName: 's', appended: 0 } as StoredStream;

function entry(position: number): StreamEntry {
  return { stream, ms: 1, seq: position, position, bytes: Buffer.alloc(0), start: 0, end: 0, fieldCount: 0 };
}

function newCheckpoint() {
  const saved: CheckpointState[] = [];
  const checkpoint = new Checkpoint({
    from: { position: 0, behind: new Map(), counters: new Map() },
    save: async (state) => void saved.push(state),
    now: () => 0,
    onSaveFailed: () => {},
  });
  return { checkpoint, saved };
}

const outcomes = (...values: number[]) => Uint8Array.from(values);

test('a batch with an entry whose outcome is missing changes nothing at all', async () => {
  const { checkpoint, saved } = newCheckpoint();
  const batch = {
    entries: [entry(10), entry(20)],
    outcomes: outcomes(OUTCOME.written, OUTCOME.none),
    operations: outcomes(OPERATION.inserted, OPERATION.none),
    endPosition: 30,
  };
  expect(() => checkpoint.main.settle(batch)).toThrow(/Entry 1-20 of s has no outcome/);
  expect(checkpoint.main.position).toBe(0);
  expect(checkpoint.counters(stream)).toMatchObject({ written: 0, inserted: 0 });
  await checkpoint.flush();
  expect(saved).toEqual([]);
});

test('what a repair could not save is counted as skipped, once, and not before a stopped stream gets there', () => {
  const { checkpoint } = newCheckpoint();
  const lost = [{ stream, count: 3, position: 15 }];
  const none = { entries: [], outcomes: outcomes(), operations: outcomes() };
  checkpoint.main.stop(stream, entry(12), 'why');
  checkpoint.main.settle({ ...none, endPosition: 40, lost });
  expect(checkpoint.counters(stream).skipped).toBe(0);
  checkpoint.main.resume(stream);
  checkpoint.main.settle({ ...none, endPosition: 40, lost });
  expect(checkpoint.counters(stream).skipped).toBe(3);
  expect(checkpoint.main.behind.size).toBe(0);
});

test('position and counters are stored together, of the streams that changed', async () => {
  const { checkpoint, saved } = newCheckpoint();
  checkpoint.main.settle({
    entries: [entry(10), entry(20), entry(30)],
    outcomes: outcomes(OUTCOME.written, OUTCOME.superseded, OUTCOME.rejected),
    operations: outcomes(OPERATION.inserted, OPERATION.updated, OPERATION.none),
    endPosition: 40,
  });
  await checkpoint.flush();
  expect(saved).toHaveLength(1);
  expect(saved[0]?.position).toBe(40);
  expect(saved[0]?.counters.get(stream)).toEqual({
    written: 1,
    filtered: 0,
    superseded: 1,
    rejected: 1,
    skipped: 0,
    inserted: 1,
    updated: 1,
    deleted: 0,
  });
});
