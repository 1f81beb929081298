import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonText, UNAVAILABLE, type Value } from '../../../src/types.ts';
import { emitCommands } from '../../../src/write/commands.ts';
import { CommandWords } from '../../../src/write/encode.ts';
import type { Unit } from '../../../src/write/fold.ts';
import type { TargetWrite } from '../../../src/write/index.ts';
import { Batch, WriteQueue } from '../../../src/write/write-queue.ts';
import { del, hash, json } from '../../helpers/target-writes.ts';

const WAY = { jsonMerge: true, nativeJsonMerge: true };

function commandsOf(...writes: TargetWrite[]): string[][] {
  const words = new CommandWords();
  for (const unit of unitsOf(writes)) emitCommands(unit, words, WAY);
  return words.commands;
}

/** The units of one batch in the order in which they may be sent, one settled after the other. */
function unitsOf(writes: readonly TargetWrite[]): Unit<Batch>[] {
  const queue = new WriteQueue();
  queue.add(new Batch(writes));
  const units: Unit<Batch>[] = [];
  for (let [unit] = queue.peek(1); unit; [unit] = queue.peek(1)) {
    queue.take(1);
    units.push(unit);
    queue.settle(unit);
  }
  return units;
}

describe('hash states of one key', () => {
  it('fold into one write in which later columns win', () => {
    expect(commandsOf(hash('k', { a: 1, b: 1 }), hash('k', { b: 2, c: 2 }))).toEqual([
      ['HSET', 'k', 'a', '1', 'b', '2', 'c', '2'],
    ]);
  });

  it('fold nulls into removals, but not the nulls of a create', () => {
    expect(commandsOf(hash('k', { a: 1, b: 1 }), hash('k', { a: 2, b: null }))).toEqual([
      ['HSET', 'k', 'a', '2'],
      ['HDEL', 'k', 'b'],
    ]);
    expect(commandsOf(hash('k', { a: 1, b: 1 }), hash('k', { a: 2, b: null }, 0, false))).toEqual([
      ['HSET', 'k', 'a', '2', 'b', '1'],
    ]);
  });

  it('after a delete are DEL and the rest, and a delete makes everything before it needless', () => {
    expect(commandsOf(hash('k', { a: 1 }), del('k'), hash('k', { a: 2, b: null }))).toEqual([
      ['DEL', 'k'],
      ['HSET', 'k', 'a', '2'],
    ]);
    expect(commandsOf(hash('k', { a: 1 }), del('k'))).toEqual([['DEL', 'k']]);
  });

  it('with nothing to say make no command', () => {
    expect(commandsOf(hash('k', { a: null }, 0, false), hash('k', { a: UNAVAILABLE }))).toEqual([]);
  });
});

describe('JSON states of one key', () => {
  it('that replace: the last wins, and columns not delivered come from the row before', () => {
    expect(commandsOf(json('k', { a: 1 }), json('k', { b: 2 }))).toEqual([['JSON.SET', 'k', '$', '{"b":2}']]);
    expect(commandsOf(json('k', { a: 1, b: 'long' }), json('k', { a: 2, b: UNAVAILABLE }))).toEqual([
      ['JSON.SET', 'k', '$', '{"a":2,"b":"long"}'],
    ]);
  });

  it('that replace without all columns are merged where that means the same, else written by script', () => {
    expect(commandsOf(json('k', { a: 1, b: UNAVAILABLE }))).toEqual([['JSON.MERGE', 'k', '$', '{"a":1}']]);
    expect(commandsOf(json('k', { a: null, b: UNAVAILABLE }))[0]).toMatchObject({ 0: 'EVAL', 4: 'columns' });
    expect(commandsOf(json('k', { a: new JsonText('{}'), b: UNAVAILABLE }))[0]).toMatchObject({
      0: 'EVAL',
      4: 'columns',
    });
  });

  it('that merge are one patch where that is exact', () => {
    expect(commandsOf(json('k', { a: 1, b: 1 }, 'merge'), json('k', { b: 2, c: 3 }, 'merge'))).toEqual([
      ['JSON.MERGE', 'k', '$', '{"a":1,"b":2,"c":3}'],
    ]);
  });

  it('that merge an object into a column of the patch before follow each other', () => {
    const object = new JsonText('{"x":1}');
    expect(commandsOf(json('k', { a: 1 }, 'merge'), json('k', { a: object }, 'merge'))).toHaveLength(2);
    expect(commandsOf(json('k', { b: 1 }, 'merge'), json('k', { a: object }, 'merge'))).toHaveLength(1);
  });

  it('that may remove members make sure of a document first', () => {
    expect(commandsOf(json('k', { a: 1, b: null }, 'merge'))).toEqual([
      ['JSON.SET', 'k', '$', '{}', 'NX'],
      ['JSON.MERGE', 'k', '$', '{"a":1,"b":null}'],
    ]);
  });

  it('and hash states do not mix', () => {
    expect(commandsOf(json('k', { a: 1 }), hash('k', { a: 1 })).map((words) => words[0])).toEqual(['JSON.SET', 'HSET']);
  });
});

describe('a batch', () => {
  it('reports an entry with two writes as superseded only when both are', () => {
    const batch = new Batch([del('old', 0), hash('new', { a: 1 }, 0), hash('old', { a: 2 }, 1)]);
    new WriteQueue().add(batch);
    expect(batch.outcome().superseded).toEqual([]);
    const whole = new Batch([
      del('old', 0),
      hash('new', { a: 1 }, 0),
      hash('old', { a: 2 }, 1),
      hash('new', { a: 2 }, 2),
    ]);
    new WriteQueue().add(whole);
    expect(whole.outcome().superseded).toEqual([0]);
  });

  it('does not count an entry that folds into its own later write', () => {
    const batch = new Batch([del('k', 0), hash('k', { a: 1 }, 0)]);
    new WriteQueue().add(batch);
    expect(batch.outcome().superseded).toEqual([]);
  });

  it('lets a key go on only when the earlier unit of it is settled, also across batches', () => {
    const queue = new WriteQueue();
    queue.add(new Batch([hash('a', { n: 1 }), hash('b', { n: 1 })]));
    queue.add(new Batch([hash('a', { n: 2 }), hash('c', { n: 2 })]));
    const first = queue.peek(10);
    expect(first.map((unit) => unit.key)).toEqual(['a', 'b', 'c']);
    queue.take(3);
    expect(queue.size).toBe(0);
    queue.putBack([first[1]!]);
    queue.settle(first[0]!);
    expect(queue.peek(10).map((unit) => [unit.key, unit.values])).toEqual([
      ['b', [1]],
      ['a', [2]],
    ]);
  });
});

describe('folding', () => {
  const columns = fc.record(
    {
      a: fc.constantFrom<Value>('1', '2', null, UNAVAILABLE),
      b: fc.constantFrom<Value>('1', '2', null, UNAVAILABLE),
    },
    { requiredKeys: [] },
  );
  const write: fc.Arbitrary<TargetWrite> = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(columns, fc.boolean()).map(([row, nulls]) => hash('k', row, 0, nulls)) },
    { weight: 1, arbitrary: fc.constant(del('k')) },
  );

  it('of hash writes ends like the writes one by one, whatever was stored', () => {
    fc.assert(
      fc.property(fc.array(write, { maxLength: 8 }), fc.boolean(), (writes, stored) => {
        const start = stored ? { a: 'old', b: 'old', foreign: 'f' } : {};
        const oneByOne = writes.reduce(
          (state, next) => apply(state, commandsOf(next)),
          start as Record<string, string>,
        );
        expect(apply(start, commandsOf(...writes))).toEqual(oneByOne);
      }),
      { numRuns: 3000 },
    );
  });
});

/** What a server would hold after these commands. */
function apply(before: Record<string, string>, commands: readonly string[][]): Record<string, string> {
  const state = new Map(Object.entries(before));
  for (const [name, , ...rest] of commands) {
    if (name === 'DEL') state.clear();
    else if (name === 'HDEL') for (const field of rest) state.delete(field);
    else for (let at = 0; at < rest.length; at += 2) state.set(rest[at]!, rest[at + 1]!);
  }
  return Object.fromEntries(state);
}
