import { expect, it } from 'vitest';
import { JsonText, NumberText, UNAVAILABLE, type Value } from '../../../src/types.ts';
import { isObject, jsonDocument, mayHoldNull } from '../../../src/write/json-text.ts';

it('writes numbers with their digits, JSON columns as they are, and leaves out what was not delivered', () => {
  const names = ['id', 'big', 'price', 'ok', 'none', 'lost', 'doc', 'a"b'];
  const values: Value[] = [1, new NumberText('12345678901234567890'), new NumberText('100.0'), true, null, UNAVAILABLE];
  expect(jsonDocument(names, [...values, new JsonText('{"x": [1, null]}'), 'q"\n'])).toBe(
    '{"id":1,"big":12345678901234567890,"price":100.0,"ok":true,"none":null,"doc":{"x": [1, null]},"a\\"b":"q\\"\\n"}',
  );
});

it('writes numbers that JSON does not know as strings, and half characters as U+FFFD', () => {
  expect(jsonDocument(['a', 'b', 'c'], [Number.NaN, Number.NEGATIVE_INFINITY, 'x\ud800'])).toBe(
    '{"a":"NaN","b":"-Infinity","c":"x\ufffd"}',
  );
});

it('is an object also when nothing was delivered', () => {
  expect(jsonDocument(['a'], [UNAVAILABLE])).toBe('{}');
});

it('knows which values a merge would look into, and which may remove something', () => {
  expect([new JsonText(' {"a":1}'), new JsonText('[{}]'), '{', null].map(isObject)).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect([new JsonText('{"a":null}'), new JsonText('{}'), null, 'null'].map(mayHoldNull)).toEqual([
    true,
    false,
    true,
    false,
  ]);
});
