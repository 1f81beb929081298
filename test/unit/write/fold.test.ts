import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonText, UNAVAILABLE, type Value } from '../../../src/types.ts';
import { emitCommands } from '../../../src/write/commands.ts';
import { CommandWords } from '../../../src/write/encode.ts';
import type { Unit } from '../../../src/write/fold.ts';
import type { TargetWrite } from '../../../src/write/index.ts';
import { Batch, WriteQueue } from '../../../src/write/write-queue.ts';
import { del, hash, json, rowOf } from '../../helpers/target-writes.ts';

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

describe('members of one set', () => {
  const set = (member: string, isMember: boolean, expire?: number): TargetWrite => {
    return { kind: 'set', key: 'k', index: 0, member, isMember, ...(expire === undefined ? {} : { expire }) };
  };

  it('go in one command and come in one, in the order of the first of them', () => {
    expect(commandsOf(set('a', false), set('b', true), set('c', false), set('d', true), set('d', true))).toEqual([
      ['SREM', 'k', 'a'],
      ['SADD', 'k', 'b', 'd'],
      ['SREM', 'k', 'c'],
    ]);
  });

  it('with scores keep the last score', () => {
    const write = (member: string, score: string | null): TargetWrite => {
      return { kind: 'sorted_set', key: 'k', index: 0, member, score };
    };
    expect(commandsOf(write('a', '1'), write('b', '2'), write('a', '3'), write('b', null))).toEqual([
      ['ZADD', 'k', '3', 'a'],
      ['ZREM', 'k', 'b'],
    ]);
  });

  it('may leave the set empty on the way, as the writes do', () => {
    expect(commandsOf(set('a', true), set('a', false), set('a', true))).toEqual([
      ['SADD', 'k', 'a'],
      ['SREM', 'k', 'a'],
      ['SADD', 'k', 'a'],
    ]);
  });

  it('fill units of some hundreds', () => {
    const units = unitsOf(Array.from({ length: 1200 }, (_, index) => set(`${index}`, true)));
    expect(units.map((unit) => unit.folded!.length + 1)).toEqual([500, 500, 200]);
  });

  it('that could take a pending time to live along are a unit of their own', () => {
    expect(unitsOf([set('a', true, 5), set('b', true)])).toHaveLength(1);
    expect(unitsOf([set('a', true, 5), set('a', false)])).toHaveLength(2);
    expect(unitsOf([set('a', false, 5), set('b', true)])).toHaveLength(2);
    expect(unitsOf([set('a', false), set('b', true, 5)])).toHaveLength(1);
  });
});

describe('entries of one stream', () => {
  const entry = (text: string): TargetWrite => {
    return { kind: 'stream', key: 'k', index: 0, row: { names: ['a', 'no'], values: [text, null], partial: false } };
  };

  it('are appended by one command, in order', () => {
    const [command, ...others] = commandsOf(entry('1'), entry('2'));
    expect(command?.slice(2)).toEqual(['1', 'k', '2', 'a', '1', '2', 'a', '2']);
    expect(others).toEqual([]);
  });

  it('fill units that are bounded in number and size', () => {
    const sizes = (text: string, count: number) =>
      unitsOf(Array.from({ length: count }, () => entry(text))).map((unit) => unit.folded!.length + 1);
    expect(sizes('x', 600)).toEqual([250, 250, 100]);
    expect(sizes('x'.repeat(100_000), 6)).toEqual([3, 3]);
  });
});

describe('rows nested into one document', () => {
  const nest = (id: string, row: Record<string, Value> | null, createsParent = true): TargetWrite => {
    const base = { kind: 'nest' as const, key: 'k', index: 0, createsParent };
    return { ...base, path: ['lines', id], row: row === null ? null : rowOf(row) };
  };

  it('are one patch as long as their places differ', () => {
    expect(commandsOf(nest('1', { n: 1 }), nest('2', { n: 2 }), nest('1', { n: 3 }))).toEqual([
      ['JSON.MERGE', 'k', '$', '{"lines":{"1":{"n":1},"2":{"n":2}}}'],
      ['JSON.MERGE', 'k', '$', '{"lines":{"1":{"n":3}}}'],
    ]);
  });

  it('come and go in order', () => {
    expect(commandsOf(nest('1', null), nest('1', { n: null }), nest('2', null))).toEqual([
      ['JSON.DEL', 'k', '$["lines"]["1"]'],
      ['JSON.SET', 'k', '$', '{}', 'NX'],
      ['JSON.MERGE', 'k', '$', '{"lines":{"1":{"n":null}}}'],
      ['JSON.DEL', 'k', '$["lines"]["2"]'],
    ]);
  });

  it('in long sequences, and those that create no parent, are one call of the script', () => {
    const many = Array.from({ length: 30 }, (_, index) => nest(`${index}`, null));
    expect(commandsOf(...many).map((words) => words.length)).toEqual([4 + 30 * 4]);
    const [script] = commandsOf(nest('1', { n: 1 }), nest('2', { n: 2 }, false));
    expect(script?.slice(4)).toEqual([
      ...['rfc', '["lines","1"]', '{"n":1}', 'create'],
      ...['rfc', '["lines","2"]', '{"n":2}', 'exist'],
    ]);
  });
});

describe('a document that keeps paths', () => {
  const keeping = (columns: Record<string, Value>): TargetWrite => {
    return { kind: 'json', key: 'k', index: 0, row: rowOf(columns), mode: 'replace', keep: [['lines']] };
  };

  it('is replaced once, unless a column could be what the next one keeps', () => {
    expect(unitsOf([keeping({ a: 1 }), keeping({ a: 2, lines: 0 })])).toHaveLength(1);
    expect(unitsOf([keeping({ a: 1, lines: 0 }), keeping({ a: 2 })])).toHaveLength(2);
    expect(unitsOf([json('k', { a: 1 }), keeping({ a: 2 })])).toHaveLength(2);
  });

  it('after a delete keeps nothing', () => {
    expect(commandsOf(del('k'), keeping({ a: 1 }))).toEqual([
      ['DEL', 'k'],
      ['JSON.SET', 'k', '$', '{"a":1}'],
    ]);
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

describe('a unit that is taken apart', () => {
  it('sends its writes one after the other, and whatever waited for it after them', () => {
    const queue = new WriteQueue();
    const batch = new Batch([hash('k', { a: 1 }, 0), hash('k', { b: 2 }, 1), json('k', { c: 3 }, 'replace', 2)]);
    queue.add(batch);
    queue.add(new Batch([hash('k', { d: 4 }, 0)]));
    const [whole] = queue.peek(9);
    queue.take(1);
    queue.split(whole!);
    expect(batch.open).toBe(3);
    const kinds: string[] = [];
    for (let [unit] = queue.peek(1); unit; [unit] = queue.peek(1)) {
      expect(queue.size).toBe(1);
      queue.take(1);
      kinds.push(`${unit.kind} ${unit.index} ${unit.names}`);
      queue.settle(unit);
    }
    expect(kinds).toEqual(['hash 0 a', 'hash 1 b', 'json 2 c', 'hash 0 d']);
    expect(batch.open).toBe(0);
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
