import { describe, expect, it } from 'vitest';
import { compileJmespath } from '../../../src/transform/expressions/jmespath.ts';
import { ExpressionSyntaxError } from '../../../src/transform/expressions/types.ts';
import { outcome, type Row, x } from './jmespath-evaluate.ts';

const NESTED = '{"a":{"b":{"c":[{"n":1,"t":["p","q"]},{"n":2,"t":[]},{"n":3}]}},"l":[[1,[2]],[3],4],"s":"text"}';

const VALUES: readonly Row[] = [
  // Fields, indexes, slices.
  ['a.b.c[1].n', NESTED, '2'],
  ['a . b . c [ 1 ] . n', NESTED, '2'],
  ['@.s', NESTED, '"text"'],
  ['"\\u0073"', NESTED, '"text"'],
  ['l[0][1][0]', NESTED, '2'],
  ['l[-3][0]', NESTED, '1'],
  ['l[3]', NESTED, 'null'],
  ['l[-4]', NESTED, 'null'],
  ['[0]', '[5,6]', '5'],
  ['[?@ > `5`]', '[5,6]', '[6]'],
  ['[1:]', '[5,6]', '[6]'],
  ['x[:2]', x([1, 2, 3]), '[1,2]'],
  ['x[-2:]', x([1, 2, 3]), '[2,3]'],
  ['x[::2]', x([1, 2, 3]), '[1,3]'],
  ['x[2:0:-1]', x([1, 2, 3]), '[3,2]'],
  ['x[-1::-2]', x([1, 2, 3]), '[3,1]'],
  ['x[5:]', x([1, 2, 3]), '[]'],
  ['x[-9:9]', x([1, 2, 3]), '[1,2,3]'],
  ['x[9:-9:-1]', x([1, 2, 3]), '[3,2,1]'],
  ['x[0:2].n', x([{ n: 1 }, { n: null }, { n: 3 }]), '[1]'],
  // Projections.
  ['a.b.c[*].n', NESTED, '[1,2,3]'],
  ['a.b.c[*].t[0]', NESTED, '["p"]'],
  ['a.b.c[*].t | [0]', NESTED, '["p","q"]'],
  ['(a.b.c[*].t)[0]', NESTED, '["p","q"]'],
  ['a.b.c[].t[]', NESTED, '["p","q"]'],
  ['l[]', NESTED, '[1,[2],3,4]'],
  ['l[][]', NESTED, '[1,2,3,4]'],
  ['s[*]', NESTED, 'null'],
  ['s.*', NESTED, 'null'],
  ['s[]', NESTED, 'null'],
  ['s[?@]', NESTED, 'null'],
  ['*.b.c[0].n', NESTED, '[1]'],
  ['a.*.c', NESTED, '[[{"n":1,"t":["p","q"]},{"n":2,"t":[]},{"n":3}]]'],
  ['a.b.c[?t].n', NESTED, '[1]'],
  ['a.b.c[?n > `1` && n < `3`].n', NESTED, '[2]'],
  ['a.b.c[?n == `1`].t[]', NESTED, '["p","q"]'],
  ['a.b.c[?contains(t || `[]`, `p`)].n | [0]', NESTED, '1'],
  ['a.b.c[*].{n: n, first: t[0]}', NESTED, '[{"n":1,"first":"p"},{"n":2,"first":null},{"n":3,"first":null}]'],
  ['a.b.c[*].[n, t[1]]', NESTED, '[[1,"q"],[2,null],[3,null]]'],
  ['a.b.c[*].length(t || `[]`)', NESTED, '[2,0,0]'],
  // Precedence.
  ['a || b && c', '{"a":1,"b":2,"c":0}', '1'],
  ['(a || b) && c', '{"a":1,"b":2,"c":0}', '0'],
  ['!a && b', '{"a":"","b":2}', '2'],
  ['!(a && b)', '{"a":"","b":2}', 'true'],
  // The reference library binds `!` more strongly than a dot.
  ['!a.b', '{"a":{"b":1}}', 'null'],
  ['!(a.b)', '{"a":{"b":1}}', 'false'],
  ['a == b || c', '{"a":1,"b":2,"c":3}', '3'],
  ['a == b == c', '{"a":1,"b":1,"c":true}', 'true'],
  ['a | b || c', '{"a":{"c":2},"c":3}', '2'],
  ['a || b | c', '{"b":{"c":2}}', '2'],
  // Multi-select.
  ['{b: a, a: b, b: c}', '{"a":1,"b":2,"c":3}', '{"b":3,"a":2}'],
  ['{"10": a, "2": b}', '{"a":1,"b":2}', '{"10":1,"2":2}'],
  ['[a, [b], {c: c}]', '{"a":1,"b":2,"c":3}', '[1,[2],{"c":3}]'],
  ['[*]', '{"a":1}', 'null'],
  ['[*.a]', '{"p":{"a":1}}', '[[1]]'],
  // Literals and comparisons.
  ["'a\\b\n'", '{}', '"a\\\\b\\n"'],
  ['` {"a": [1.0, "x"]} `', '{}', '{"a":[1.0,"x"]}'],
  ['` loose`', '{}', '"loose"'],
  ['`2024-01-01`', '{}', '"2024-01-01"'],
  ['`[1, 2`', '{}', '"[1, 2"'],
  ['``', '{}', '""'],
  ['`"\\u00e9"`', '{}', '"é"'],
  ["'ﬀ' < '😀'", '{}', 'true'],
  ["'a' < 'ab'", '{}', 'true'],
  ["'B' < 'a'", '{}', 'true'],
  ['a < b', '{"a":9007199254740992,"b":9007199254740993}', 'true'],
  ['a == b', '{"a":9007199254740992,"b":9007199254740993}', 'false'],
  ['a == b', '{"a":9007199254740993,"b":9007199254740993.0}', 'false'],
  ['a == b', '{"a":-0,"b":0}', 'true'],
  ['a < b', '{"a":true,"b":2}', 'null'],
  ['a < b', '{"a":[1],"b":[2]}', 'null'],
  ['a < b', '{"b":"x"}', 'null'],
  // Functions behind a dot see the value before it.
  ['a.keys(@)', '{"a":{"p":1}}', '["p"]'],
  ["concat(['a',])", '{}', '?12 unexpected ]'],
  ["join('-',x,)", x(['a', 'b']), '"a-b"'],
];

const REFUSED: readonly (readonly [text: string, offset: number, words: string])[] = [
  ['', 0, 'empty'],
  ['   ', 0, 'empty'],
  ['a.', 2, 'ends too early'],
  ['a.1', 2, 'unexpected 1'],
  ['a b', 2, 'unexpected b'],
  ['a[', 2, 'ends too early'],
  ['a[b]', 2, 'Behind ['],
  ['a[1', 3, 'ends too early'],
  ['a[1:2:0]', 6, 'step'],
  ['a[1:2:3:4]', 7, '[from:to:step]'],
  ['[a', 2, 'Here ] is due'],
  ['{a}', 2, 'Here : is due'],
  ['{a: b', 5, 'Here } is due'],
  ["{'a': b}", 1, 'name: expression'],
  ['(a', 2, 'Here ) is due'],
  ['a)', 1, 'unexpected )'],
  ['"abc', 0, 'no closing "'],
  ["x == 'abc", 5, "no closing '"],
  ['x == `abc', 5, 'no closing `'],
  ['"a\\q"', 0, 'escape'],
  ['`a"b`', 0, 'neither JSON nor plain text'],
  ['a = 1', 2, '`==`'],
  ['a == 1', 5, 'back quotes'],
  ['my-1', 2, 'double quotes'],
  ['a * b', 2, 'unexpected *'],
  ['a / b', 2, 'sql'],
  ['a ? b : c', 2, '? :'],
  ['größe', 2, 'double quotes'],
  ['$.a', 0, '`@`'],
  ['"upper"(a)', 0, 'without quotes'],
  ['a.b == uper(c)', 7, 'did you mean upper?'],
  ['group_by(a, &b)', 0, 'there is no function group_by'],
  ['length()', 0, 'length(x) does not take 0 arguments'],
  ['split(a, b, c)', 0, 'split(s, separator?) does not take 3 arguments'],
  ['merge()', 0, 'merge(object, more…?) does not take 0 arguments'],
  ['uuid(a)', 0, 'uuid() does not take 1 argument'],
  ['&a', 0, 'reference'],
  ['[&a]', 1, 'reference'],
  ['length(&a)', 7, 'argument 1 of length must be text, an array or an object'],
  ['sort_by(a, b)', 11, 'argument 2 of sort_by must be an expression reference such as &name'],
  ["regex_replace(a, '(', '')", 17, 'a group has no )'],
  ["regex_replace(a, 'b', '\\1')", 22, 'no group 1'],
  ["filter_entries(a, 'b ==')", 18, 'is no JMESPath expression'],
  [`${'('.repeat(5000)}a${')'.repeat(5000)}`, 200, 'levels deep'],
  [`a${'.a'.repeat(5000)}`, 0, 'levels deep'],
  [`${'!'.repeat(5000)}a`, 200, 'levels deep'],
];

describe('every construct of the grammar has its result', () => {
  it.each(VALUES)('%s of %s is %s', (expression, record, expected) => {
    const actual = outcome(expression, record);
    expect(expected.startsWith('?') ? actual.slice(0, expected.length) : actual).toBe(expected);
  });
});

describe('what is no expression is refused with its place', () => {
  it.each(REFUSED.map(([text, ...rest]) => [text.slice(0, 40), ...rest, text] as const))(
    '%s at %i: %s',
    (_shown, offset, words, text) => {
      let error: unknown;
      try {
        compileJmespath(text);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(ExpressionSyntaxError);
      expect(error).toMatchObject({ offset });
      expect((error as Error).message).toContain(words);
    },
  );
});

describe('what an expression reads is known without a record', () => {
  it.each([
    ['a', ['a']],
    ['a.b[0].c', ['a']],
    ["concat([a, '-', b.c, a])", ['a', 'b']],
    ['{n: a, m: length(b)}', ['a', 'b']],
    ['a[?b > `1`].c', ['a']],
    ['a | b', ['a']],
    ['@.a', ['a']],
    ['@ | b', ['b']],
    ['sort_by(a, &b)', ['a']],
    ['map(&[@, c], a)', ['a']],
    ['a.*', ['a']],
    ['a.keys(@)', ['a']],
    ['a[*].[b, @]', ['a']],
    ["'text'", []],
    ['`[1]`[0].a', []],
    ['!a || b == c && d', ['a', 'b', 'c', 'd']],
    ['@', null],
    ['*', null],
    ['*.a', null],
    ['@.*', null],
    ['keys(@)', null],
    ['[a, @]', null],
    ['[*].a', null],
    ['(a || @).b', null],
    ['merge(@, {a: b})', null],
  ])('%s reads %j', (text, reads) => {
    expect(compileJmespath(text).reads).toEqual(reads);
  });
});

describe('an expression whose result may change says so', () => {
  it.each([
    ['uuid()', true],
    ["concat(['a', uuid()])", true],
    ['time_delta_days(a)', true],
    ['a[?time_delta_seconds(b) > `5`]', true],
    ['map(&uuid(), a)', true],
    ["filter_entries(a, 'time_delta_days(value) > `1`')", true],
    ['filter_entries(a, b)', true],
    ["filter_entries(a, 'value')", false],
    ['hash(a)', false],
    ['a', false],
  ])('%s: %s', (text, isVolatile) => {
    expect(compileJmespath(text).isVolatile).toBe(isVolatile);
  });
});
