import { describe, expect, it } from 'vitest';
import type { FlatTables } from '../../../src/decode/index.ts';
import type { Stream } from '../../../src/types.ts';
import { rowOf, World } from './entries.ts';

const STREAM = 'shop.shop.Odd_Table-1';

describe('a restart in the middle of flattened rows', () => {
  it('leaves a delete without row a delete, of the table that the rows named', () => {
    let learned: FlatTables | undefined;
    const before = new World({ onFlatTables: (_stream, tables) => (learned = tables) });
    before.change({ id: 7 }, { id: 7, a: 'x', __table: 'Odd Table-1' }, {}, STREAM);
    expect(learned).toBeDefined();

    const stored = JSON.parse(JSON.stringify(learned)) as FlatTables;
    const after = new World({ flatTables: (stream: Stream) => (stream.name === STREAM ? stored : undefined) });
    const event = after.change({ id: 7 }, 'default', {}, STREAM);
    expect(event.op).toBe('d');
    expect(event.table.table).toBe('Odd Table-1');
    expect(rowOf(event.key)).toEqual({ id: 7 });
  });

  it('leaves a tombstone between envelopes a tombstone', () => {
    const after = new World({ flatTables: () => undefined });
    expect(after.decode({ id: 7 }, 'default')).toEqual({ kind: 'control', control: 'tombstone' });
  });

  it('is told of every new table once', () => {
    const told: FlatTables[] = [];
    const world = new World({ onFlatTables: (_stream, tables) => told.push(tables) });
    for (const table of ['a', 'a', 'b', 'b']) world.change({ id: 7 }, { id: 7, __table: table }, {}, STREAM);
    expect(told.map((tables) => tables.length)).toEqual([1, 2]);
  });
});
