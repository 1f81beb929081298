import { describe, expect, it } from 'vitest';
import { compileJmespath, describeFunctions } from '../../../src/transform/expressions/jmespath.ts';
import { ExpressionError } from '../../../src/transform/expressions/types.ts';
import { parseJson } from '../../../src/transform/expressions/values.ts';
import { outcome, type Row, x } from './jmespath-evaluate.ts';

const EXACT: readonly Row[] = [
  ['abs(x)', x(-0.5), '0.5'],
  ['abs(x)', '{"x":-12345678901234567890}', '12345678901234567890'],
  ['abs(x)', '{"x":-1.0}', '1.0'],
  ['floor(x)', '{"x":12345678901234567890}', '12345678901234567890'],
  ['ceil(x)', '{"x":-0.5}', '0'],
  ['floor(x)', '{"x":1e20}', '100000000000000000000'],
  ['floor(x)', '{"x":1e999}', '!floor(x): argument 1 (the field x) is too large'],
  ['sum(x)', '{"x":[9007199254740991, 2]}', '9007199254740993'],
  ['sum(x)', '{"x":[1.5, 1.5]}', '3.0'],
  ['sum(x)', '{"x":[12345678901234567890, -12345678901234567889]}', '1'],
  ['avg(x)', '{"x":[1, 3]}', '2.0'],
  ['max(x)', '{"x":[9007199254740993, 9007199254740992]}', '9007199254740993'],
  ['sort(x)', '{"x":[1.0, -2, 12345678901234567890, 0.5]}', '[-2,0.5,1.0,12345678901234567890]'],
  ['to_number(x)', x('12345678901234567890'), '12345678901234567890'],
  ['to_number(x)', x(' +0012 '), '12'],
  ['to_number(x)', x('100.0'), '100.0'],
  ['to_number(x)', x('.5'), '0.5'],
  ['to_number(x)', x('-0'), '0'],
  ['to_number(x)', x('1e999'), 'null'],
  ['to_number(x)', x('NaN'), 'null'],
  ['to_number(x)', x('0x10'), 'null'],
  ['to_number(x)', x(''), 'null'],
  ['to_string(x)', '{"x":100.0}', '"100.0"'],
  [
    'contains(x, `5`)',
    x('abc5'),
    '!contains(x, `5`): argument 2 must be text to be found in text. Write to_string(`5`)',
  ],
  ['contains(x, `5`)', x([5]), 'true'],
  ['in(x, `[1.0]`)', x(1), 'true'],
  [
    'max_by(x, &n).t',
    x([
      { n: 1, t: 'first' },
      { n: 1, t: 'second' },
    ]),
    '"first"',
  ],
  [
    'sort_by(x, &n)[*].t',
    x([
      { n: 2, t: 'c' },
      { n: 1, t: 'a' },
      { n: 1, t: 'b' },
    ]),
    '["a","b","c"]',
  ],
  ['sort_by(x, &n)', x([]), '[]'],
  ['sort(x)', x(['😀', 'ﬀ', 'b']), '["b","ﬀ","😀"]'],
  ['merge(a, b, c)', '{"a":{"p":1,"q":1},"b":{"p":2},"c":{"r":3}}', '{"p":2,"q":1,"r":3}'],
  ['to_entries(x)', '{"x":{"10":1,"2":null}}', '[{"key":"10","value":1},{"key":"2","value":null}]'],
  ['from_entries(to_entries(x))', '{"x":{"10":1,"2":null}}', '{"10":1,"2":null}'],
  ['from_entries(x)', x([{ key: 5, value: 1 }]), '{"5":1}'],
  ['from_entries(x)', x([{ key: [1], value: 1 }]), '!from_entries(x): argument 1 (the field x) has an item whose key'],
  ['filter_entries(x, p)', '{"x":{"a":1,"b":0},"p":"value"}', '{"a":1}'],
  ['filter_entries(x, p)', '{"x":{"a":1},"p":"("}', '!filter_entries(x, p): argument 2 (the field p) is no JMESPath'],
  ['json_parse(x)', x({ a: 1 }), '{"a":1}'],
  ['json_parse(x)', x('"text"'), '"text"'],
  ['json_parse(x)', x('{"10":1.50,"2":1e2}'), '{"10":1.50,"2":1e2}'],
  ['json_parse(x)', x(`${'['.repeat(501)}${']'.repeat(501)}`), '!json_parse(x): argument 1 (the field x) is JSON'],
];

const TEXTS: readonly Row[] = [
  ['left(x, `2`)', x('😀é😀'), '"😀é"'],
  ['left(x, `-1`)', x('😀é😀'), '"😀é"'],
  ['left(x, `-9`)', x('abc'), '""'],
  ['left(x, `0`)', x('abc'), '""'],
  ['right(x, `2`)', x('a😀é'), '"😀é"'],
  ['right(x, `-1`)', x('abc'), '"bc"'],
  ['mid(x, `1`, `2`)', x('a😀éb'), '"😀é"'],
  ['mid(x, `-2`, `2`)', x('redis'), '"is"'],
  ['mid(x, `-9`, `5`)', x('redis'), '"r"'],
  ['mid(x, `-9`, `2`)', x('redis'), '""'],
  ['mid(x, `1`, `-1`)', x('redis'), '""'],
  ['left(x, y)', '{"x":"abc"}', '!left(x, y): argument 2 (the field y) is null, but must be a number'],
  ['capitalize(x)', x(''), '""'],
  ['capitalize(x)', x('ß ﬁ élan\u00a0ÀÉ'), '"Ss Fi Élan Àé"'],
  ['upper(x)', x('ﬁ'), '"FI"'],
  ['lower(x)', x('ΑΣ'), '"ας"'],
  ['replace(x, `a`, `aa`)', x('aXa'), '"aaXaa"'],
  ['concat([])', '{}', '!concat([]): argument 1 ([]) is null'],
  ['concat(x)', x(['a', 1, 1.5, null, true, ['b'], { c: 1 }]), '"a11.5NoneTrue[\\"b\\"]{\\"c\\":1}"'],
  ["join(', ', map(&to_string(@), x))", x([1, 'a']), '"1, a"'],
];

describe('numbers stay exact and keep their digits', () => {
  it.each(EXACT)('%s of %s is %s', check);
});

describe('text is counted in characters', () => {
  it.each(TEXTS)('%s of %s is %s', check);
});

function check(expression: string, record: string, expected: string): void {
  const actual = outcome(expression, record);
  expect(/^[!?]/.test(expected) ? actual.slice(0, expected.length) : actual).toBe(expected);
}

describe('errors', () => {
  it.each([
    [
      'length(a.b)',
      '{"a":{}}',
      "(the field a.b) is null, but must be text, an array or an object. Write length(not_null(a.b, ''))",
    ],
    ['abs(x)', x(null), 'Write abs(not_null(x, `0`))'],
    ['keys(x)', x('{"a":1}'), 'Write keys(json_parse(x))'],
    ["join('-', x)", x('a'), 'argument 2 (the field x) is text, but must be an array'],
    ["join('-', x)", x(5), "Write join('-', to_array(x))"],
    ['sort(x)', x({ a: 1 }), 'Write sort(values(x))'],
    ['upper(left(a, `1`) || b)', '{"b":5}', 'argument 1 (left(a, `1`) || b) is a number'],
  ])('%s of %s says %s', (expression, record, words) => {
    expect(outcome(expression, record)).toContain(words);
  });

  it('never show values of the record', () => {
    const secret = 'secret-4711';
    const row = { x: secret, l: [secret, 1], d: { k: secret } };
    for (const text of [
      'abs(x)',
      'sum(l)',
      'sort(l)',
      'join(x, l)',
      'upper(d)',
      'x > `1`',
      'hash(x, x)',
      'time_delta_days(x)',
    ]) {
      const actual = outcome(text, JSON.stringify(row));
      expect(actual).toMatch(/^!/);
      expect(actual).not.toContain(secret);
    }
  });

  it('concern one record only: the next one is evaluated as if nothing had been', () => {
    const { evaluate } = compileJmespath('upper(x)');
    expect(() => evaluate(parseJson(x(5)))).toThrow(ExpressionError);
    expect(evaluate(parseJson(x('a')))).toBe('A');
  });

  it('of results that outgrow memory reject the record', () => {
    const doubling = `[x, x]${' | [@, @]'.repeat(40)} | to_string([0])`.replace('[0]', '@');
    const { evaluate } = compileJmespath(doubling.replaceAll('[@, @]', 'concat([@, @])'));
    expect(() => evaluate(parseJson(x('0123456789')))).toThrow(ExpressionError);
  });
});

describe('the list of functions', () => {
  it('holds the 26 of the language and the 21 of RDI, each with what it takes', () => {
    const functions = describeFunctions();
    expect(functions).toHaveLength(47);
    expect(functions.find(({ name }) => name === 'left')).toEqual({
      name: 'left',
      summary: expect.stringContaining('first n characters'),
      parameters: [
        { name: 's', accepts: 'text or null', isOptional: false, isRest: false },
        { name: 'n', accepts: 'a number', isOptional: false, isRest: false },
      ],
    });
    expect(functions.find(({ name }) => name === 'type')?.parameters[0]?.accepts).toBe('any value');
  });
});

describe('records are never changed', () => {
  it.each(['sort(l)', 'reverse(l)', 'sort_by(l, &@)', 'merge(d, `{"k":2}`)', 'map(&[@], l)', 'l[]', 'from_entries(e)'])(
    '%s',
    (text) => {
      const record = '{"l":[3,1,2],"d":{"k":1},"e":[{"key":"a","value":[1]}]}';
      const value = parseJson(record);
      compileJmespath(text).evaluate(value);
      expect(value).toEqual(parseJson(record));
    },
  );
});
