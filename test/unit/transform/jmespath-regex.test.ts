import { describe, expect, it } from 'vitest';
import { compileJmespath } from '../../../src/transform/expressions/jmespath.ts';
import { ExpressionError, ExpressionSyntaxError } from '../../../src/transform/expressions/types.ts';

const replaceAll = compileJmespath('regex_replace(t, p, r)');

function replace(text: string, pattern: string, replacement: string): unknown {
  return replaceAll.evaluate(
    new Map([
      ['t', text],
      ['p', pattern],
      ['r', replacement],
    ]),
  );
}

/** Results of Python 3's `re.sub(pattern, replacement, text)`. */
const PYTHON: readonly (readonly [text: string, pattern: string, replacement: string, result: string])[] = [
  ['abxd', 'x*', '-', '-a-b--d-'],
  ['Aa bB', '(?i)a', '_', '__ bB'],
  ['a\nb', '(?m)^', '> ', '> a\n> b'],
  ['a\nb\n', '$', '!', 'a\nb!\n!'],
  ['a\nb', '.', '-', '-\n-'],
  ['a\nb', '(?s).+', '-', '-'],
  ['a\u2028b', '.', '-', '---'],
  ['a1', '(?x) a # letter\n \\d', '-', '-'],
  ['ab\n', '\\Z', '!', 'ab\n!'],
  ['ab ab', '\\Aab', '-', '- ab'],
  ['aa bb', '(\\w)\\1', '<\\1>', '<a> <b>'],
  ['aa bb', '(?P<c>\\w)(?P=c)', '<\\g<c>>', '<a> <b>'],
  ['ab', '(a)|(b)', '[\\1\\2]', '[a][b]'],
  ['ab', 'b', '\\g<0>\\g<0>', 'abb'],
  ['a$b', '\\$', '$1$&$$', 'a$1$&$$b'],
  ['a.b', '\\.', '\\\\', 'a\\b'],
  ['a-b', '-', '\\n', 'a\nb'],
  ['é1', '\\w', 'x', 'xx'],
  ['é1', '(?a)\\w', 'x', 'éx'],
  ['١a', '\\d', '0', '0a'],
  ['a\u00a0b', '\\s', '_', 'a_b'],
  ['naïve été', '\\b', '|', '|naïve| |été|'],
  ['😀a', '.', '-', '--'],
  ['a😀', '\\Z', '!', 'a😀!'],
  ['a]b', '[]]', '-', 'a-b'],
  ['a-b_c', '[\\w-]+', 'x', 'x'],
  ['a^b', '[\\^b]', '-', 'a--'],
  ['a&&b', '[&&]', '-', 'a--b'],
  ['x{2}', 'x{2}', '-', 'x{2}'],
  ['{a}', '{a}', '-', '-'],
  ['x{,}', 'x{,}', '-', '--{-,-}-'],
  ['x{}', 'x{}', '-', '-'],
  ['aaa', 'a{,2}?b|a{2}', '-', '-a'],
  ['A', '\\x41|\\101', '-', '-'],
  ['a/b"c', '\\/|\\"', '-', 'a-b-c'],
  ['foobar', '(?<=foo)bar', '!', 'foo!'],
  ['foobar', 'foo(?!baz)', '!', '!bar'],
  ['a b', 'a(?# blank) ', '', 'b'],
  ['a\nB', '(?s:.)B', '-', 'a-'],
];

describe('patterns of Python match what they match in Python', () => {
  it.each(PYTHON)('%j: %s by %s', (text, pattern, replacement, result) => {
    expect(replace(text, pattern, replacement)).toBe(result);
  });
});

describe('what cannot be used is refused with its place', () => {
  it.each([
    ['(', 'a group has no )', 1],
    ['a)', 'a ) without its (', 1],
    ['*a', 'nothing before *', 0],
    ['a**', 'a quantifier follows another', 2],
    ['a++', 'possessive', 3],
    ['[a', 'a [ has no ]', 1],
    ['[z-a]', 'range', 4],
    ['\\q', 'no escape \\q', 1],
    ['a\\', 'ends with a backslash', 2],
    ['\\1', 'no group 1', 2],
    ['(?P=n)', 'names no group before it', 6],
    ['(?P<n>a)(?P<n>b)', 'stands twice', 14],
    ['(?>a)', 'not known here', 2],
    ['(?i:a)', 'begin it with (?i)', 4],
    ['a{5,2}', 'wrong order', 6],
    ['a{2000}', 'more than 1000 times', 7],
    ['('.repeat(100), 'levels deep', 51],
    ['(?L)a', 'no flag L', 4],
  ])('%s: %s', (pattern, words, offset) => {
    expect(() => replace('text', pattern, '')).toThrow(`${words}`);
    expect(() => replace('text', pattern, '')).toThrow(`offset ${offset})`);
    expect(() => compileJmespath(`regex_replace(t, '${pattern}', '')`)).toThrow(ExpressionSyntaxError);
  });

  it.each(['\\g<x>', '\\g<1>', '\\2', '\\q'])('replacement %s', (replacement) => {
    expect(() => replace('text', 't', replacement)).toThrow(ExpressionError);
  });
});

describe('no pattern hangs the process', () => {
  it.each(['(a+)+$', '(a|a)*$', '(a*)*c', '(?:a|aa)+c', '(.*)*\\1x', '(\\w+\\s?)*!'])(
    '%s rejects the record after its time',
    (pattern) => {
      const before = performance.now();
      expect(() => replace(`${'a'.repeat(5_000)}b`, pattern, '')).toThrow(/takes more than 100 ms/);
      expect(performance.now() - before).toBeLessThan(1_000);
    },
  );

  it('patterns with choices inside repetitions work on what they match', () => {
    expect(replace('a, b;c', '(?:[a-z]+[,;]?\\s*)+', 'x')).toBe('x');
    expect(replace('1-2-3', '(?:(\\d)-?)+', '\\1')).toBe('3');
  });

  it('long texts are replaced within the time', () => {
    expect(replace('a b '.repeat(50_000), '\\s+', '_')).toBe('a_b_'.repeat(50_000));
  });
});
