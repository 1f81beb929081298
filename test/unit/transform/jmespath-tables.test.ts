import { describe, expect, it } from 'vitest';
import { compileJmespath } from '../../../src/transform/expressions/jmespath.ts';
import { isTrue, isTruthy, parseJson, textOf } from '../../../src/transform/expressions/values.ts';
import { outcome, type Row, x } from './jmespath-evaluate.ts';

/** Section 2, "Language level". */
const CONSTRUCTS: readonly Row[] = [
  ['a.b', '{"a":{"b":1}}', '1'],
  ['a.b', '{}', 'null'],
  ['a.b', '{"a":null}', 'null'],
  ['a.b', '{"a":5}', 'null'],
  ['a.b', '{"a":"text"}', 'null'],
  ['"my col"', '{"my col":1}', '1'],
  ['"a.b"', '{"a.b":1,"a":{"b":2}}', '1'],
  ['"my-col"', '{"my-col":1}', '1'],
  ["'gold'", '{}', '"gold"'],
  ["'it\\'s'", '{}', '"it\'s"'],
  ['`36`', '{}', '36'],
  ['`"gold"`', '{}', '"gold"'],
  ['`["a"]`', '{}', '["a"]'],
  ['`null`', '{}', 'null'],
  ['`true`', '{}', 'true'],
  ['`gold`', '{}', '"gold"'],
  ['`value > \\`2\\``', '{}', '"value > `2`"'],
  ['x[0]', x([1, 2, 3]), '1'],
  ['x[-1]', x([1, 2, 3]), '3'],
  ['x[1:3]', x([1, 2, 3, 4]), '[2,3]'],
  ['x[::-1]', x([1, 2, 3]), '[3,2,1]'],
  ['x[0]', x('text'), 'null'],
  ['x[0:1]', x('text'), 'null'],
  ['x[*].s', x([{ s: 1 }, { s: null }, { t: 2 }, 5, { s: 0 }]), '[1,0]'],
  ['x[].s', x([[{ s: 1 }], { s: 2 }, [[{ s: 3 }]]]), '[1,2]'],
  ['*.x', '{"a":{"x":1},"b":{"x":null},"c":{"x":2}}', '[1,2]'],
  ['x[?q > `1`].s', x([{ q: 1, s: 'a' }, { q: 2, s: 'b' }, { q: 3 }]), '["b"]'],
  [
    'x[?q > `1`] | [0].s',
    x([
      { q: 1, s: 'a' },
      { q: 2, s: 'b' },
    ]),
    '"b"',
  ],
  ['[a, b]', '{"a":1}', '[1,null]'],
  ['{n: a, "my col": b}', '{"a":1}', '{"n":1,"my col":null}'],
  ['a.[b]', '{"a":null}', 'null'],
  ['a.{b: b}', '{}', 'null'],
  ['a && b', '{"a":1,"b":2}', '2'],
  ['a && b', '{"a":"","b":2}', '""'],
  ['a || b', '{"a":1,"b":2}', '1'],
  ['a || b', '{"a":[],"b":{}}', '{}'],
  ['!a', '{"a":0}', 'false'],
  ['!a', '{"a":{}}', 'true'],
  ['a == b', '{"a":[1,{"p":1,"q":2}],"b":[1.0,{"q":2,"p":1}]}', 'true'],
  ['a != b', '{"a":{"p":1},"b":{"p":1,"q":null}}', 'true'],
  ['a < b', '{"a":1,"b":2}', 'true'],
  ['a <= b', '{"a":2,"b":2.0}', 'true'],
  ['a >= b', '{"a":2,"b":3}', 'false'],
  ['@', '{"a":1}', '{"a":1}'],
  ['sort_by(x, &q)[*].q', x([{ q: 2 }, { q: 1 }]), '[1,2]'],
];

/** Section 2, "Traps". */
const TRAPS: readonly Row[] = [
  ['a || b', '{"a":0,"b":1}', '0'],
  ["opcode == 'd' && before.id || after.id", '{"opcode":"u","before":{"id":7},"after":{"id":0}}', '0'],
  ['a == null', '{}', 'true'],
  ['a == null', '{"null":5}', 'false'],
  ['a == `null`', '{"null":5}', 'true'],
  ['a == `1`', '{"a":"1"}', 'false'],
  ['a == `true`', '{"a":1}', 'false'],
  ['a == `1.0`', '{"a":1}', 'true'],
  ["a > 'b'", '{"a":"c"}', 'true'],
  ['a > `2`', '{"a":"3"}', '!a > `2`: text and a number have no order. Compare to_number(a) instead'],
  ['a > `2`', '{"a":null}', 'null'],
  ['my-col', '{}', '?2 unexpected "-". A name with a dash stands in double quotes'],
  ['x + `1`', '{}', '?2 unexpected "+". JMESPath has no arithmetic'],
  ['keys(x)', x(null), '!keys(x): argument 1 (the field x) is null, but must be an object'],
  ['values(x)', x(null), '!values(x): argument 1 (the field x) is null, but must be an object'],
  ['length(x)', x(null), '!length(x): argument 1 (the field x) is null, but must be text, an array or an object'],
  ['keys(@)', '{"b":1,"10":2,"a":3,"2":4}', '["b","10","a","2"]'],
  ['keys(key)[0]', '{"key":{"9":1,"1":2}}', '"9"'],
];

/** Section 2, "Standard functions". */
const STANDARD: readonly Row[] = [
  ['abs(x)', x(-2), '2'],
  ['abs(x)', x('-2'), '!abs(x): argument 1 (the field x) is text, but must be a number. Write abs(to_number(x))'],
  ['abs(to_number(x))', x('-2.50'), '2.5'],
  ['ceil(x)', x(1.2), '2'],
  ['floor(x)', x(-1.2), '-2'],
  ['ceil(x)', x('1'), '!ceil(x): argument 1'],
  ['floor(x)', x('1'), '!floor(x): argument 1'],
  ['avg(x)', x([]), 'null'],
  ['max(x)', x([]), 'null'],
  ['min(x)', x([]), 'null'],
  ['sum(x)', x([]), '0'],
  ['avg(x)', x([1, 2]), '1.5'],
  ['sum(x)', x([1, 2]), '3'],
  ['max(x)', x([1, 3, 2]), '3'],
  ['min(x)', x(['b', 'a']), '"a"'],
  ['max(x)', x([1, 'a']), '!max(x): argument 1 (the field x) has text as element 1'],
  ['sum(x)', x([1, 'a']), '!sum(x): argument 1 (the field x) must hold numbers only, but element 1 is text'],
  ["contains(x, 'b')", x('abc'), 'true'],
  ["contains(x, 'b')", x(['a', 'b']), 'true'],
  ["contains(x, 'b')", x(null), "!contains(x, 'b'): argument 1 (the field x) is null"],
  ["starts_with(x, 'a')", x('abc'), 'true'],
  ["ends_with(x, 'a')", x('abc'), 'false'],
  ["starts_with(x, 'a')", x(null), "!starts_with(x, 'a'): argument 1 (the field x) is null, but must be text"],
  ["ends_with(x, 'a')", x(null), "!ends_with(x, 'a'): argument 1 (the field x) is null, but must be text"],
  ["join('-', x)", x(['a', 'b']), '"a-b"'],
  [
    "join('-', x)",
    x(['a', 1]),
    "!join('-', x): argument 2 (the field x) must hold text only, but element 1 is a number",
  ],
  ['length(x)', x('a😀é'), '3'],
  ['length(x)', x([1, 2]), '2'],
  ['length(x)', x({ a: 1 }), '1'],
  ['keys(x)', x([1]), '!keys(x): argument 1 (the field x) is an array, but must be an object'],
  ['values(x)', x({ a: 1, b: null }), '[1,null]'],
  ['merge(x, `{"b":2}`)', x({ a: 1, b: { c: 1 } }), '{"a":1,"b":2}'],
  ['merge(x, `{}`)', x(null), '!merge(x, `{}`): argument 1 (the field x) is null, but must be an object'],
  ["not_null(a, x, 'z')", x('y'), '"y"'],
  ['not_null(a, b)', '{}', 'null'],
  ['not_null(a, b)', '{"b":false}', 'false'],
  ['sort(x)', x([3, 1, 2.5]), '[1,2.5,3]'],
  ['sort(x)', x(['b', 'a']), '["a","b"]'],
  ['sort(x)', x(['b', 1]), '!sort(x): argument 1'],
  ['sort_by(x, &q)', x([{ q: 'b' }, { q: null }]), '!sort_by(x, &q): argument 2 (&q) gives null for element 1'],
  [
    'max_by(x, &q).n',
    x([
      { q: 1, n: 'a' },
      { q: 2, n: 'b' },
    ]),
    '"b"',
  ],
  [
    'min_by(x, &q).n',
    x([
      { q: 1, n: 'a' },
      { q: 2, n: 'b' },
    ]),
    '"a"',
  ],
  ['max_by(x, &q)', x([]), 'null'],
  ['max_by(x, &q)', x([{ q: true }]), '!max_by(x, &q): argument 2 (&q) gives a boolean for element 0'],
  ['map(&q, x)', x([{ q: 1 }, {}]), '[1,null]'],
  ['map(&q, x)', x(null), '!map(&q, x): argument 2 (the field x) is null, but must be an array'],
  ['reverse(x)', x([1, 2]), '[2,1]'],
  ['reverse(x)', x('a😀b'), '"b😀a"'],
  ['to_array(x)', x('a'), '["a"]'],
  ['to_array(x)', x(['a']), '["a"]'],
  ['to_array(x)', x(null), '[null]'],
  ['to_number(x)', x('12'), '12'],
  ['to_number(x)', x('12.50'), '12.5'],
  ['to_number(x)', x('1e3'), '1000'],
  ['to_number(x)', x('twelve'), 'null'],
  ['to_number(x)', x(true), 'null'],
  ['to_number(x)', x(null), 'null'],
  ['to_number(x)', x([1]), 'null'],
  ['to_string(x)', x('é'), '"é"'],
  ['to_string(x)', x(['é']), '"[\\"é\\"]"'],
  ['to_string(x)', '{"x":{"b": 1.50, "a": null}}', '"{\\"b\\":1.50,\\"a\\":null}"'],
  ...(['a', 1, true, [], {}, null] as const).map(
    (value, index): Row => [
      'type(x)',
      x(value),
      `"${['string', 'number', 'boolean', 'array', 'object', 'null'][index]}"`,
    ],
  ),
];

/** Section 2, "Custom functions": the examples. */
const CUSTOM: readonly Row[] = [
  ['base64_decode(x)', x('cmVkaXM='), '"redis"'],
  ['base64_decode(x)', x('cmVkaXM'), '!base64_decode(x): argument 1 (the field x) is not base64: its padding'],
  ['capitalize(x)', x("  mary   ANN o'neil-smith "), '"Mary Ann O\'neil-smith"'],
  ["concat([a, '-', b])", '{"a":"k","b":5}', '"k-5"'],
  ['filter_entries(@, `value != null`)', '{"a":1,"b":null,"c":0}', '{"a":1,"c":0}'],
  ["filter_entries(@, 'starts_with(key, `pub_`)')", '{"pub_a":1,"x":2}', '{"pub_a":1}'],
  ['filter_entries(@, `value > \\`2\\``)', '{"a":1,"b":"x","c":5}', '{"c":5}'],
  [
    'from_entries(x)',
    x([{ key: 'a', value: 1 }, { key: 'a', value: 2 }, { value: 3 }, 5, { key: 'n' }]),
    '{"a":2,"n":null}',
  ],
  ['hash(x)', x('redis'), '"b840fc02d524045429941cc15f59e41cb7be6c52"'],
  ["hash(x, 'md5')", x('redis'), '"86a1b907d54bf7010394bf316e183e67"'],
  ['hash(x, `md5`)', x('redis'), '"86a1b907d54bf7010394bf316e183e67"'],
  ['hash(x)', x(null), '"da39a3ee5e6b4b0d3255bfef95601890afd80709"'],
  ['hash(x)', x({ b: 1, a: 2 }), '"1c072775cb3d4104c26a2bc3483f500d1b5c0e17"'],
  ['hash(x)', x(1), '"356a192b7913b04c54574d18c28d46e6395428ab"'],
  ['in(x, `["gold","silver"]`)', x('gold'), 'true'],
  ['in(x, `["1"]`)', x(1), 'false'],
  ['json_parse(x).k[1]', x('{"k":[1,2]}'), '2'],
  ['left(x, `3`)', x('redis'), '"red"'],
  ['right(x, `2`)', x('redis'), '"is"'],
  ['mid(x, `1`, `3`)', x('redis'), '"edi"'],
  ['left(x, `-2`)', x('redis'), '"red"'],
  ['mid(x, `-3`, `2`)', x('redis'), '"di"'],
  ['right(x, `10`)', x('abc'), '"abc"'],
  ['mid(x, `10`, `2`)', x('abc'), '""'],
  ['lower(x)', x('ÅB'), '"åb"'],
  ['upper(x)', x('straße'), '"STRASSE"'],
  ["regex_replace(x, '[^0-9]', '')", x('+47 22-33'), '"472233"'],
  ["regex_replace(x, '(\\w+) (\\w+)', '\\2, \\1')", x('Ada Moss'), '"Moss, Ada"'],
  ["regex_replace(x, '(?P<n>\\d+)', '<\\g<n>>')", x('a12'), '"a<12>"'],
  ["replace(x, '-', '/')", x('1-2-3'), '"1/2/3"'],
  ['split(x)', x('a,b'), '["a","b"]'],
  ["split(x, '|')", x('a|b|'), '["a","b",""]'],
  ['to_entries(@)[?value > `1`].key', '{"a":1,"b":2}', '["b"]'],
  ['length(uuid())', '{}', '36'],
  ['xml_to_dict(x)', x("<p id='4'><q>1</q><q>2</q><r/></p>"), '{"p":{"@id":"4","q":["1","2"],"r":null}}'],
];

/** Section 2, "Custom functions": what null and wrong types do, and the notes. */
const NULLS_AND_NOTES: readonly Row[] = [
  ...['capitalize(x)', 'lower(x)', 'upper(x)', 'left(x, `1`)', 'right(x, `1`)', 'mid(x, `1`, `1`)', 'split(x)'].map(
    (call): Row => [call, x(null), 'null'],
  ),
  ...["replace(x, 'a', 'b')", 'to_entries(x)', 'from_entries(x)', "filter_entries(x, 'key')", 'xml_to_dict(x)'].map(
    (call): Row => [call, x(null), 'null'],
  ),
  ...['base64_decode(x)', 'concat(x)', 'json_parse(x)', "regex_replace(x, 'a', 'b')", 'time_delta_days(x)'].map(
    (call): Row => [call, x(null), `!${call}: argument 1 (the field x) is null, but must be`],
  ),
  ['time_delta_seconds(x)', x(null), '!time_delta_seconds(x): argument 1 (the field x) is null'],
  ['in(x, `[null, 1]`)', x(null), 'true'],
  ['in(x, `[1]`)', x(null), 'false'],
  ['in(x, `[1]`)', x(true), 'false'],
  ['in(`1`, x)', x(null), '!in(`1`, x): argument 2 (the field x) is null, but must be an array'],
  [
    'upper(x)',
    x(5),
    '!upper(x): argument 1 (the field x) is a number, but must be text or null. Write upper(to_string(x))',
  ],
  ['left(x, `2.0`)', x('abc'), '"ab"'],
  ['left(x, `1.5`)', x('abc'), '!left(x, `1.5`): argument 2 must be a whole number'],
  ["left(x, '1')", x('abc'), "!left(x, '1'): argument 2 is text, but must be a number"],
  ['right(x, `0`)', x('abc'), '""'],
  ["replace(x, '', '-')", x('abc'), '"abc"'],
  ["replace(x, '.', '$&')", x('a.b'), '"a$&b"'],
  ['split(x)', x(''), '[""]'],
  ['split(x)', x(' a , b '), '[" a "," b "]'],
  ["split(x, '')", x('ab'), "!split(x, ''): argument 2 is empty"],
  ['base64_decode(x)', x('cm-Vk\naX*M='), '"redis"'],
  [
    'base64_decode(x)',
    x('/w=='),
    '!base64_decode(x): argument 1 (the field x) is base64 of bytes that are no UTF-8 text',
  ],
  ['json_parse(x)', x('{"a":}'), '!json_parse(x): argument 1 (the field x) is no valid JSON'],
  ['json_parse(x)', x(' 12345678901234567890 '), '12345678901234567890'],
  ['hash(x)', x(true), '"5ffe533b830f08a0326348a9160afafc8ada44db"'],
  ["hash(x, 'sha-256')", x('a'), '?8 argument 2 of hash names no known hash; did you mean sha256?'],
  ['hash(x, y)', '{"x":"a","y":"crc"}', '!hash(x, y): argument 2 (the field y) names no known hash'],
  ['xml_to_dict(x)', x(''), '""'],
  ['xml_to_dict(x)', x('<p>'), '!xml_to_dict(x): argument 1 (the field x) is no well-formed XML: <p> is not closed'],
];

function check(rows: readonly Row[]): void {
  it.each(rows)('%s of %s gives %s', (expression, record, expected) => {
    const actual = outcome(expression, record);
    if (/^[!?]/.test(expected)) expect(actual.slice(0, expected.length)).toBe(expected);
    else expect(actual).toBe(expected);
  });
}

describe('the tables of the specification hold', () => {
  describe('constructs', () => check(CONSTRUCTS));
  describe('traps', () => check(TRAPS));
  describe('standard functions', () => check(STANDARD));
  describe('custom functions', () => check(CUSTOM));
  describe('nulls, wrong types and notes of custom functions', () => check(NULLS_AND_NOTES));
});

describe('every hash that jobs may name gives its digest', () => {
  const lengths = { md5: 32, sha1: 40, sha224: 56, sha256: 64, sha384: 96, sha512: 128 };
  const newer = { sha3_224: 56, sha3_256: 64, sha3_384: 96, sha3_512: 128, blake2b: 128, blake2s: 64 };
  it.each(Object.entries({ ...lengths, ...newer }))('%s', (name, length) => {
    expect(outcome(`length(hash(x, '${name}'))`, x('redis'))).toBe(String(length));
  });
});

describe('times are measured from the clock that is given', () => {
  const now = Date.UTC(2025, 5, 15, 12, 0, 0);
  const clock = { now: () => now, elapsed: () => 0 };
  const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString();
  it.each([
    ['time_delta_days(x)', ago(10 * 86_400), 10],
    ['time_delta_days(x)', now / 1000 - 10 * 86_400, 10],
    ['time_delta_days(x)', ago(-36 * 3600), -2],
    ['time_delta_seconds(x)', ago(90), 90],
    ['time_delta_seconds(x)', now / 1000 - 90.5, 90],
    ['time_delta_days(x)', '2025-06-15', 0],
    ['time_delta_seconds(x)', '2025-06-15', 43_200],
    ['time_delta_seconds(x)', '2025-06-15T12:00:00', 0],
    ['time_delta_seconds(x)', '2025-06-15 14:00:00.250+02:00', -1],
    ['time_delta_seconds(x)', '20250615T115900Z', 60],
    ['time_delta_seconds(x)', '2025-06-15T12:00-0030', -1800],
  ])('%s of %s is %s', (expression, value, expected) => {
    expect(compileJmespath(expression, clock).evaluate(new Map([['x', value]]))).toBe(expected);
  });
  it.each(['yesterday', '2025-02-30', '2025-00-10', '2025-13-01', '2025-06-15T25:00', '1750000000', ''])(
    'the text %j is no time and rejects the record',
    (text) => {
      expect(outcome('time_delta_days(x)', x(text))).toContain(
        '!time_delta_days(x): argument 1 (the field x) is no ISO',
      );
    },
  );
});

describe('text of values inside concat', () => {
  it.each([
    ['"text"', 'text'],
    ['5', '5'],
    ['12345678901234567890', '12345678901234567890'],
    ['1.0', '1.0'],
    ['0.1', '0.1'],
    ['0.0000001', '1e-07'],
    ['1e21', '1e+21'],
    ['100.00', '100.0'],
    ['1E2', '100.0'],
    ['0.00001', '1e-05'],
    ['0.0001', '0.0001'],
    ['1e16', '1e+16'],
    ['1234567890123456.5', '1234567890123456.5'],
    ['-0.0', '-0.0'],
    ['1234567890123456789012.25', '1234567890123456789012.25'],
    ['true', 'True'],
    ['false', 'False'],
    ['null', 'None'],
    ['[1, "a", null]', '[1,"a",null]'],
    ['{"k": 1.50}', '{"k":1.50}'],
  ])('%s is %s', (json, expected) => {
    expect(textOf(parseJson(json))).toBe(expected);
    expect(compileJmespath('concat([x])').evaluate(new Map([['x', parseJson(json)]]))).toBe(expected);
  });
  it('a missing field is None', () => expect(outcome("concat(['a-', missing])", '{}')).toBe('"a-None"'));
});

describe('truth', () => {
  it.each([
    ['null', false, false],
    ['false', false, false],
    ['""', false, false],
    ['[]', false, false],
    ['{}', false, false],
    ['0', false, true],
    ['0.0', false, true],
    ['"0"', true, true],
    ['"false"', true, true],
    ['1', true, true],
    ['0.10', true, true],
    ['true', true, true],
    ['" "', true, true],
    ['[0]', true, true],
    ['{"a":null}', true, true],
  ])('%s: filter %s, language %s', (json, inFilter, inLanguage) => {
    const value = parseJson(json);
    expect(isTrue(value)).toBe(inFilter);
    expect(isTruthy(value)).toBe(inLanguage);
    expect(outcome('!x', `{"x":${json}}`)).toBe(String(!inLanguage));
    expect(outcome('x[?@] | length(@)', `{"x":[${json}]}`)).toBe(inLanguage ? '1' : '0');
  });
});
