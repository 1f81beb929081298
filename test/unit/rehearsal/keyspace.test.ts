import { describe, expect, it } from 'vitest';
import { Keyspace } from '../../../src/rehearsal/index.ts';
import { keyAsJson } from '../../../src/rehearsal/stored-keys.ts';
import { JsonText, NumberText, type Row, UNAVAILABLE, type Value } from '../../../src/types.ts';
import type { TargetWrite } from '../../../src/write/types.ts';

function row(columns: Record<string, Value>): Row {
  const values = Object.values(columns);
  return { names: Object.keys(columns), values, partial: values.includes(UNAVAILABLE) };
}

type Write = TargetWrite extends infer W ? (W extends TargetWrite ? Omit<W, 'index' | 'key'> : never) : never;

function left(writes: readonly Write[], options = {}): string | undefined {
  const keyspace = new Keyspace(options);
  for (const write of writes) expect(keyspace.apply({ ...write, key: 'k', index: 0 } as TargetWrite)).toBeNull();
  const stored = keyspace.keys.get('k');
  return stored && keyAsJson(stored);
}

const hash = (columns: Record<string, Value>, more = {}): Write => {
  return { kind: 'hash', row: row(columns), removeNulls: true, ...more };
};
const json = (columns: Record<string, Value>, more = {}): Write => {
  return { kind: 'json', row: row(columns), mode: 'replace', ...more };
};
const nest = (path: readonly unknown[], columns: Record<string, Value> | null, createsParent = true): Write => {
  return { kind: 'nest', path, row: columns && row(columns), createsParent } as unknown as Write;
};
const element = (value: unknown) => ({ field: 'no', value });
const DELETE: Write = { kind: 'delete' };
const text = (value: string, more = {}): Write => ({ kind: 'string', value, ...more });

describe('a key in memory', () => {
  it.each<[string, readonly Write[], string | undefined]>([
    [
      'hash: digits, booleans and JSON as texts',
      [hash({ a: new NumberText('100.0'), b: true, c: new JsonText('[1]'), d: null })],
      '{"hash":{"a":"100.0","b":"1","c":"[1]"}}',
    ],
    [
      'hash: null removes, undelivered stays',
      [hash({ a: 1, b: 2 }), hash({ a: null, b: UNAVAILABLE })],
      '{"hash":{"b":"2"}}',
    ],
    ['hash: nothing left is no key', [hash({ a: 1 }), hash({ a: null })], undefined],
    [
      'hash: a create removes nothing',
      [hash({ a: 1 }), hash({ a: null }, { removeNulls: false })],
      '{"hash":{"a":"1"}}',
    ],
    [
      'hash: replace leaves only the row and what was not delivered',
      [hash({ a: 1, b: 2, c: 3 }), hash({ a: 5, b: UNAVAILABLE }, { replace: true })],
      '{"hash":{"b":"2","a":"5"}}',
    ],
    [
      'hash: replace ends the time to live',
      [hash({ a: 1 }, { expire: 9 }), hash({ a: 2 }, { replace: true })],
      '{"hash":{"a":"2"}}',
    ],
    ['hash: else it stays', [hash({ a: 1 }, { expire: 9 }), hash({ a: 2 })], '{"hash":{"a":"2"},"ttl":9}'],
    ['expire 0 ends it', [hash({ a: 1 }, { expire: 9 }), hash({ a: 2 }, { expire: 0 })], '{"hash":{"a":"2"}}'],
    ['json: replace', [json({ a: 1, b: 2 }), json({ a: new JsonText('{"x":1.0}') })], '{"json":{"a":{"x":1.0}}}'],
    [
      'json: merge by RFC 7396',
      [
        json({ a: new JsonText('{"x":1,"y":2}'), b: 1 }),
        json({ a: new JsonText('{"x":null,"z":3}'), b: null }, { mode: 'merge' }),
      ],
      '{"json":{"a":{"y":2,"z":3}}}',
    ],
    ['json: merge into nothing drops nulls', [json({ a: null, b: 1 }, { mode: 'merge' })], '{"json":{"b":1}}'],
    [
      'json: a partial row keeps what was not delivered',
      [json({ a: 1, b: 2 }), json({ a: 3, b: UNAVAILABLE })],
      '{"json":{"a":3,"b":2}}',
    ],
    [
      'json: kept paths survive',
      [json({ a: 1, kids: new JsonText('{"1":{}}') }), json({ a: 2 }, { keep: [['kids'], ['none', 'x']] })],
      '{"json":{"a":2,"kids":{"1":{}}}}',
    ],
    ['hash: a row of nulls deletes the hash of a table', [hash({ a: 1 }), hash({ b: null })], undefined],
    [
      'hash: but not that of a job',
      [hash({ a: 1 }), hash({ b: null }, { origin: { job: 'j', step: 's' } })],
      '{"hash":{"a":"1"}}',
    ],
    ['delete', [json({ a: 1 }), DELETE], undefined],
    [
      'remove_fields of a hash',
      [hash({ a: 1, b: 2 }), { kind: 'remove_fields', type: 'hash', paths: [['a'], ['x']] }],
      '{"hash":{"b":"2"}}',
    ],
    [
      'remove_fields of a document',
      [
        json({ a: new JsonText('{"x":1,"y":2}') }),
        {
          kind: 'remove_fields',
          type: 'json',
          paths: [
            ['a', 'x'],
            ['q', 'r'],
          ],
        },
      ],
      '{"json":{"a":{"y":2}}}',
    ],
    ['remove_fields of nothing', [{ kind: 'remove_fields', type: 'json', paths: [['a']] }], undefined],
    [
      'set',
      [
        { kind: 'set', member: 'b', isMember: true },
        { kind: 'set', member: 'a', isMember: true },
      ],
      '{"set":["a","b"]}',
    ],
    [
      'set: the last member takes the key along',
      [
        { kind: 'set', member: 'b', isMember: true },
        { kind: 'set', member: 'b', isMember: false },
      ],
      undefined,
    ],
    [
      'sorted set',
      [
        { kind: 'sorted_set', member: 'a', score: '1.50' },
        { kind: 'sorted_set', member: 'b', score: '-inf' },
        { kind: 'sorted_set', member: 'c', score: null },
      ],
      '{"zset":{"a":1.5,"b":"-inf"}}',
    ],
    [
      'stream',
      [
        { kind: 'stream', row: row({ b: 1, a: null, c: 'x' }) },
        { kind: 'stream', row: row({ b: 2 }) },
      ],
      '{"stream":[{"b":"1","c":"x"},{"b":"2"}]}',
    ],
    ['string: any other type goes', [hash({ a: 1 }, { expire: 9 }), text('x')], '{"string":"x"}'],
    ['string with a time to live', [text('x', { expire: 60 })], '{"string":"x","ttl":60}'],
    [
      'nest: creates parent and levels',
      [nest(['a', 'b', '7'], { x: 1, y: null })],
      '{"json":{"a":{"b":{"7":{"x":1}}}}}',
    ],
    [
      'nest: what is no object on the way is replaced',
      [json({ a: null }), nest(['a', '7'], { x: 1 })],
      '{"json":{"a":{"7":{"x":1}}}}',
    ],
    ['nest: removal leaves the map', [nest(['a', '7'], { x: 1 }), nest(['a', '7'], null)], '{"json":{"a":{}}}'],
    ['nest: removal creates nothing', [nest(['a', '7'], null)], undefined],
    ['nest: a missing parent may stay missing', [nest(['a', '7'], { x: 1 }, false)], undefined],
    [
      'nest: elements are appended, merged and found by value',
      [nest(['a', element(1)], { no: 1, x: 1 }), nest(['a', element(2)], { no: 2 }), nest(['a', element(1)], { y: 2 })],
      '{"json":{"a":[{"no":1,"x":1,"y":2},{"no":2}]}}',
    ],
    [
      'nest: an element is taken out',
      [nest(['a', element(1)], { no: 1 }), nest(['a', element('1')], { no: '1' }), nest(['a', element(1)], null)],
      '{"json":{"a":[{"no":"1"}]}}',
    ],
    [
      'nest: below an element',
      [nest(['a', element(1), 'parts', 'x'], { q: 1 })],
      '{"json":{"a":[{"no":1,"parts":{"x":{"q":1}}}]}}',
    ],
  ])('%s', (_about, writes, expected) => {
    expect(left(writes)).toBe(expected);
  });

  it('stores the nulls of merges where native merging is off', () => {
    expect(left([json({ a: null }, { mode: 'merge' })], { nativeJsonMerge: false })).toBe('{"json":{"a":null}}');
  });

  it.each<Write>([
    hash({ a: 1 }),
    json({ a: 1 }),
    nest(['a'], { x: 1 }),
    { kind: 'set', member: 'a', isMember: false },
    { kind: 'sorted_set', member: 'a', score: '1' },
    { kind: 'stream', row: row({ a: 1 }) },
    { kind: 'remove_fields', type: 'hash', paths: [['a']] },
  ])('refuses a write that needs another type, and stays as it is: $kind', (write) => {
    const keyspace = new Keyspace();
    keyspace.apply({ kind: 'string', value: 'x', key: 'k', index: 0 });
    expect(keyspace.apply({ ...write, key: 'k', index: 0 } as TargetWrite)).toMatchObject({
      code: 'TARGET_WRONG_TYPE',
      reason: expect.stringMatching(/WRONGTYPE.*"k" found a string/),
    });
    expect(keyAsJson(keyspace.keys.get('k')!)).toBe('{"string":"x"}');
  });
});
