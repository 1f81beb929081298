import { describe, expect, it } from 'vitest';
import { compileJmespath } from '../../../src/transform/expressions/jmespath.ts';
import { ExpressionError } from '../../../src/transform/expressions/types.ts';
import { compactJson, parseJson, rowToObject, toColumns } from '../../../src/transform/expressions/values.ts';
import { JsonText, NumberText, type Row, UNAVAILABLE } from '../../../src/types.ts';

const NAMES = ['id', 'name', '10', '2', 'big', 'price', 'doc', 'list'];
const ROW: Row = {
  names: NAMES,
  values: [
    1,
    'a',
    null,
    true,
    new NumberText('12345678901234567890'),
    new NumberText('100.0'),
    new JsonText('{"b": 1.50, "a": [1, 2]}'),
    new JsonText('[1,{"k":9007199254740993}]'),
  ],
  partial: false,
};

describe('JSON keeps what was written', () => {
  it.each([
    '{"10":1,"2":2,"a":{"b":[]}}',
    '[9007199254740993,1.0,100.00,1E5,-0,0.1,1e-7,-12345678901234567890123]',
    '"é\\"\\\\\\n\u2028😀"',
    '[true,false,null,"",{}]',
  ])('%s', (text) => {
    expect(compactJson(parseJson(text))).toBe(text);
  });

  it('reads blanks, escapes and members that stand twice as JSON.parse does', () => {
    expect(compactJson(parseJson(' { "a" : [ 1 , 2 ] ,\n"\\u0062":"\\/" , "a":3 }\t'))).toBe('{"a":3,"b":"/"}');
  });

  it.each([
    '',
    ' ',
    '{',
    '[1,]',
    '{"a"}',
    '{"a":1,}',
    '{a:1}',
    "'a'",
    '01',
    '1.',
    '.5',
    '+1',
    '1e',
    '-',
    'nul',
    'truex',
    '"a',
    '"\n"',
    '"\\q"',
    '"\\u12"',
    '[1]]',
    'NaN',
    '\ufeff1',
  ])('refuses %j, which is not JSON', (text) => {
    expect(() => JSON.parse(text)).toThrow();
    expect(() => parseJson(text)).toThrow(ExpressionError);
  });

  it('refuses depths that would exhaust the stack', () => {
    expect(() => parseJson('['.repeat(1e6))).toThrow(/levels deep/);
    expect(() => parseJson('{"a":'.repeat(1e6))).toThrow(/levels deep/);
  });
});

describe('a row as object', () => {
  it('keeps the order of columns and the digits of numbers', () => {
    const object = rowToObject(ROW);
    expect([...object.keys()]).toEqual(NAMES);
    expect(compactJson(object)).toBe(
      '{"id":1,"name":"a","10":null,"2":true,"big":12345678901234567890,"price":100.0,' +
        '"doc":{"b":1.50,"a":[1,2]},"list":[1,{"k":9007199254740993}]}',
    );
  });

  it('leaves out what the feeder did not deliver', () => {
    const object = rowToObject({ names: ['a', 'b'], values: [UNAVAILABLE, 1], partial: true });
    expect([...object]).toEqual([['b', 1]]);
    const withJson = rowToObject({ names: ['a', 'b'], values: [UNAVAILABLE, new JsonText('[]')], partial: true });
    expect([...withJson]).toEqual([['b', []]]);
  });

  it('shows an integer beyond 2^53 always with its digits', () => {
    const object = rowToObject({ names: ['a'], values: [9007199254740994], partial: false });
    expect(object.get('a')).toEqual(new NumberText('9007199254740994'));
  });

  it('shows JSON columns as values in every way to read it', () => {
    const object = rowToObject(ROW);
    const list = [1, new Map([['k', new NumberText('9007199254740993')]])];
    expect(object.get('list')).toEqual(list);
    expect([...object.values()].at(-1)).toEqual(list);
    expect([...object.entries()].at(-1)).toEqual(['list', list]);
    expect([...object].at(-1)).toEqual(['list', list]);
    expect(new Map(object).get('list')).toEqual(list);
    const seen: unknown[] = [];
    object.forEach((value) => {
      seen.push(value);
    });
    expect(seen.at(-1)).toEqual(list);
    expect(compileJmespath('[list[0], values(@)[-1][0], doc.a[1]]').evaluate(object)).toEqual([1, 1, 2]);
  });

  it('names the column whose JSON cannot be read, and only when it is read', () => {
    const deep = new JsonText('['.repeat(600) + ']'.repeat(600));
    const object = rowToObject({ names: ['a', 'doc'], values: [1, deep], partial: false });
    expect(compileJmespath('a').evaluate(object)).toBe(1);
    expect(() => compileJmespath('doc').evaluate(object)).toThrow(/the JSON column doc cannot be read/);
    expect(toColumns(object).values).toEqual([1, deep]);
  });
});

describe('an object as columns', () => {
  it('gives the row back, JSON columns byte for byte even when they were read', () => {
    const object = rowToObject(ROW);
    compileJmespath('[doc.a, length(list), to_string(@)]').evaluate(object);
    expect(toColumns(object)).toEqual({ names: NAMES, values: ROW.values });
  });

  it('writes new arrays and objects as JSON, and takes what was set for what was there', () => {
    const object = rowToObject(ROW);
    object.set('doc', parseJson('{"z":1.0}')).set('new', [1, 'b']).delete('list');
    expect(toColumns(object)).toEqual({
      names: ['id', 'name', '10', '2', 'big', 'price', 'doc', 'new'],
      values: [...ROW.values.slice(0, 6), new JsonText('{"z":1.0}'), new JsonText('[1,"b"]')],
    });
    expect(object.get('doc')).toEqual(new Map([['z', new NumberText('1.0')]]));
  });

  it('keeps the array of names while they are the same, for encoders that cache by it', () => {
    const object = rowToObject(ROW);
    expect(toColumns(object, NAMES).names).toBe(NAMES);
    object.set('more', 1);
    expect(toColumns(object, NAMES).names).toEqual([...NAMES, 'more']);
    object.delete('more');
    object.delete('id');
    object.set('id', 1);
    expect(toColumns(object, NAMES).names).toEqual([...NAMES.slice(1), 'id']);
  });
});
