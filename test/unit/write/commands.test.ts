import { describe, expect, it } from 'vitest';
import { JsonText, NumberText, UNAVAILABLE } from '../../../src/types.ts';
import { commandsOf, type TargetWrite } from '../../../src/write/index.ts';
import { del, hash, json, rowOf } from '../../helpers/target-writes.ts';

const WITHOUT_MERGE = { jsonMerge: false, nativeJsonMerge: true };
const LEGACY = { jsonMerge: true, nativeJsonMerge: false };
const base = { key: 'k', index: 0 };

function nest(overrides: Partial<Extract<TargetWrite, { kind: 'nest' }>>): TargetWrite {
  const row = rowOf({ id: 2, sku: 'B2' });
  return { ...base, kind: 'nest', path: ['lines', '2'], row, createsParent: true, ...overrides };
}

const CASES: Record<string, [TargetWrite, string[][]]> = {
  'a member of a set': [{ ...base, kind: 'set', member: '8', isMember: true }, [['SADD', 'k', '8']]],
  'a member that leaves a set': [{ ...base, kind: 'set', member: '8', isMember: false }, [['SREM', 'k', '8']]],
  'a score': [{ ...base, kind: 'sorted_set', member: '8', score: '-inf' }, [['ZADD', 'k', '-inf', '8']]],
  'a member without a score': [{ ...base, kind: 'sorted_set', member: '8', score: null }, [['ZREM', 'k', '8']]],
  'an entry, without what is null or was not delivered': [
    { ...base, kind: 'stream', row: rowOf({ id: 501, no: null, big: UNAVAILABLE, ok: true, op_code: 'c' }) },
    [['XADD', 'k', '*', 'id', '501', 'ok', '1', 'op_code', 'c']],
  ],
  'a string': [{ ...base, kind: 'string', value: new NumberText('100.0') }, [['SET', 'k', '100.0']]],
  'fields of a hash that go': [
    { ...base, kind: 'remove_fields', type: 'hash', paths: [['a'], ['b c']] },
    [['HDEL', 'k', 'a', 'b c']],
  ],
  'members of a document that go, path by path': [
    { ...base, kind: 'remove_fields', type: 'json', paths: [['a'], ['b.c', "it's"]] },
    [
      ['JSON.DEL', 'k', '$["a"]'],
      ['JSON.DEL', 'k', '$["b.c"]["it\'s"]'],
    ],
  ],
  'a member that no path can name': [
    { ...base, kind: 'remove_fields', type: 'json', paths: [['a"b\\']] },
    [['EVAL', 'json-edit', '1', 'k', 'remove', '["a\\"b\\\\"]', '', 'exist']],
  ],
  'a time to live behind the write': [
    { ...base, kind: 'set', member: '7', isMember: true, expire: 100 },
    [
      ['SADD', 'k', '7'],
      ['EXPIRE', 'k', '100'],
    ],
  ],
  'a time to live behind both halves of a hash': [
    { ...(hash('k', { a: 1, b: null }) as Extract<TargetWrite, { kind: 'hash' }>), expire: 5 },
    [
      ['HSET', 'k', 'a', '1'],
      ['HDEL', 'k', 'b'],
      ['EXPIRE', 'k', '5'],
    ],
  ],
  'a document that loses its time to live': [
    { ...base, kind: 'json', mode: 'replace', row: rowOf({ a: 1 }), expire: 0 },
    [
      ['JSON.SET', 'k', '$', '{"a":1}'],
      ['PERSIST', 'k'],
    ],
  ],
  'a hash that becomes exactly the row': [
    { ...base, kind: 'hash', replace: true, removeNulls: false, row: rowOf({ a: 1, no: null, big: UNAVAILABLE }) },
    [['EVAL', 'hash-replace', '1', 'k', '1', 'big', 'a', '1']],
  ],
  'a hash that becomes exactly a row of nulls': [
    { ...base, kind: 'hash', replace: true, removeNulls: false, row: rowOf({ a: null }) },
    [['DEL', 'k']],
  ],
  'a document with paths that stay': [
    { ...base, kind: 'json', mode: 'replace', row: rowOf({ a: 1 }), keep: [['lines'], ['home', 'places']] },
    [['EVAL', 'json-edit', '1', 'k', 'keep', '[["lines"],["home","places"]]', '{"a":1}', 'create']],
  ],
  'a nested row': [nest({}), [['JSON.MERGE', 'k', '$', '{"lines":{"2":{"id":2,"sku":"B2"}}}']]],
  'a nested row with nulls makes sure of the parent': [
    nest({ row: rowOf({ id: 2, sku: null }) }),
    [
      ['JSON.SET', 'k', '$', '{}', 'NX'],
      ['JSON.MERGE', 'k', '$', '{"lines":{"2":{"id":2,"sku":null}}}'],
    ],
  ],
  'a nested row that goes': [nest({ row: null }), [['JSON.DEL', 'k', '$["lines"]["2"]']]],
  'a nested row whose parent must be there': [
    nest({ createsParent: false }),
    [['EVAL', 'json-edit', '1', 'k', 'rfc', '["lines","2"]', '{"id":2,"sku":"B2"}', 'exist']],
  ],
  'an element of an array': [
    nest({ path: ['lines', { field: 'sku', value: 'B2' }, 'tax'], row: rowOf({ p: new JsonText('[1]') }) }),
    [['EVAL', 'json-edit', '1', 'k', 'rfc', '["lines",["sku","\\"B2\\""],"tax"]', '{"p":[1]}', 'create']],
  ],
};

describe('one write is said as', () => {
  for (const [name, [write, commands]] of Object.entries(CASES)) {
    it(name, () => {
      expect(commandsOf(write)).toEqual(commands);
    });
  }

  it('a script where the target has no JSON.MERGE, or null is to be stored', () => {
    expect(commandsOf(nest({}), WITHOUT_MERGE)[0]?.slice(0, 5)).toEqual(['EVAL', 'json-edit', '1', 'k', 'rfc']);
    expect(commandsOf(nest({}), LEGACY)[0]?.slice(0, 5)).toEqual(['EVAL', 'json-edit', '1', 'k', 'keepnull']);
    expect(commandsOf(nest({ row: null }), LEGACY)).toEqual([['JSON.DEL', 'k', '$["lines"]["2"]']]);
  });

  it('nothing when it has nothing to say', () => {
    expect(commandsOf(hash('k', { a: UNAVAILABLE }))).toEqual([]);
    expect(commandsOf(del('k'))).toEqual([['DEL', 'k']]);
    expect(commandsOf(json('k', {}))).toEqual([['JSON.SET', 'k', '$', '{}']]);
  });
});
