import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compilePattern } from '../../../src/transform/expressions/sql-regexp.ts';
import { ExpressionSyntaxError } from '../../../src/transform/expressions/types.ts';

const matches = (pattern: string, text: string) => compilePattern(pattern)(text);

describe('patterns', () => {
  test.each<[pattern: string, yes: string[], no: string[]]>([
    ['', ['', 'a'], []],
    ['abc', ['xabcx'], ['ab', 'acb']],
    ['a.c', ['abc', 'a😀c'], ['a\nc', 'ac']],
    ['^a', ['ab'], ['ba', '\na']],
    ['a$', ['ba'], ['ab', 'a\n']],
    ['^$', [''], ['a']],
    ['^(cat|dog)s?$', ['cat', 'dogs'], ['cats!', 'cow']],
    ['^(?:a|b|c)+$', ['abccba'], ['', 'abd']],
    ['^a{2}$', ['aa'], ['a', 'aaa']],
    ['^a{2,}$', ['aa', 'aaaa'], ['a']],
    ['^a{1,3}$', ['a', 'aaa'], ['', 'aaaa']],
    ['^(ab){2,3}c$', ['ababc', 'abababc'], ['abc', 'ababababc']],
    ['^(a|bc){2}$', ['aa', 'abc', 'bcbc'], ['a', 'abca']],
    ['a{x}', ['a{x}'], ['ax']],
    ['^a*?b+?$', ['b', 'aabb'], ['a']],
    ['[a-c]', ['b'], ['d']],
    ['[^a-c]', ['d'], ['b']],
    ['[]x]', [']', 'x'], ['y']],
    ['[^]x]', ['y'], [']', 'x']],
    ['[a-]', ['-', 'a'], ['b']],
    ['[\\d_-]', ['5', '_', '-'], ['a']],
    ['^\\d{4}-\\d\\d$', ['2025-06'], ['2025-6']],
    ['\\bcat\\b', ['a cat!', 'cat'], ['cats', 'concat']],
    ['\\Bcat', ['concat'], ['cat']],
    ['^\\w+@\\w+\\.\\w+$', ['ada@moss.org'], ['ada@moss', 'a b@c.d']],
    ['^\\S+\\s\\S+$', ['a b', 'a\tb'], ['ab', 'a  b']],
    ['\\D\\W', ['a-'], ['1-', 'ab']],
    ['\\x41\\u00e9\\t', ['Aé\t'], ['Ae\t']],
    ['\\(\\[\\.\\*\\\\', ['([.*\\'], ['(']],
    ['(?i)straße|[a-c]x', ['STRAßE', 'BX'], ['strasse']],
    ['(?i)[^a]', ['b'], ['a', 'A']],
    ['^😀+$', ['😀😀'], ['😀a']],
    ['[😀-😂]', ['😁'], ['😎']],
    ['(a*)*b', ['b', 'aab'], ['a']],
    ['(|a)+$', ['', 'aa'], []],
  ])('%s', (pattern, yes, no) => {
    expect(yes.filter((text) => !matches(pattern, text))).toEqual([]);
    expect(no.filter((text) => matches(pattern, text))).toEqual([]);
  });

  test.each<[pattern: string, offset: number]>([
    ['*a', 0],
    ['a|+', 2],
    ['(a', 0],
    ['a)', 1],
    ['[a', 0],
    ['[b-a]', 4],
    ['a\\', 1],
    ['(a)\\1', 3],
    ['\\x4', 0],
    ['\\q', 0],
    ['(?=a)', 0],
    ['(?<n>a)', 0],
    ['a**', 2],
    ['a{2}{3}', 4],
    ['a{3,2}', 1],
    ['a{1001}', 1],
    ['((a{100}){100}){100}', 14],
    ['('.repeat(200), 100],
  ])('%s is refused at the place of the mistake', (pattern, offset) => {
    const error = failure(pattern);
    expect(error).toBeInstanceOf(ExpressionSyntaxError);
    expect((error as ExpressionSyntaxError).offset).toBe(offset);
  });

  test('a pattern at which backtracking would take years answers at once', () => {
    const started = performance.now();
    expect(matches('^(a+)+$', `${'a'.repeat(20_000)}!`)).toBe(false);
    expect(matches('(x+x+)+y', 'x'.repeat(20_000))).toBe(false);
    expect(matches('^(a|aa)*b', 'a'.repeat(20_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('agrees with the regular expressions of JavaScript on random patterns and texts', () => {
    const atom = fc.constantFrom('a', 'b', 'c', '.', '[ab]', '[^a]', '\\d', '\\w', '\\b', '^', '$', '1', '(?:)');
    const { pattern } = fc.letrec<{ pattern: string; part: string; group: string }>((tie) => ({
      pattern: fc.array(fc.array(tie('part'), { maxLength: 3 }), { minLength: 1, maxLength: 2 }).map(joinAlternatives),
      part: fc
        .tuple(
          fc.oneof({ maxDepth: 3 }, atom, tie('group')),
          fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,2}', '*?'),
        )
        .map(([text, times]) => (['^', '$', '\\b'].includes(text) ? text : text + times)),
      group: tie('pattern').map((text) => `(${text})`),
    }));
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', ' ', '\n'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 5 }), (source, texts) => {
        const reference = new RegExp(source, 'u');
        const own = compilePattern(source);
        for (const sample of texts)
          expect([source, sample, own(sample)]).toEqual([source, sample, reference.test(sample)]);
      }),
      { numRuns: 3000, interruptAfterTimeLimit: 10_000 },
    );
  });

  test('any text is a pattern or is refused with a place', () => {
    const unit = fc.constantFrom(...'ab()[]{}|*+?^$\\.-,12dwxu:i😀');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 20 }), fc.string({ unit, maxLength: 10 }), (pattern, text) => {
        try {
          expect(typeof matches(pattern, text)).toBe('boolean');
        } catch (error) {
          expect(error).toBeInstanceOf(ExpressionSyntaxError);
          const { offset } = error as ExpressionSyntaxError;
          expect(offset >= 0 && offset <= pattern.length).toBe(true);
        }
      }),
      { numRuns: 5000, interruptAfterTimeLimit: 10_000 },
    );
  });
});

function joinAlternatives(alternatives: string[][]): string {
  return alternatives.map((parts) => parts.join('')).join('|');
}

function failure(pattern: string): unknown {
  try {
    return compilePattern(pattern);
  } catch (error) {
    return error;
  }
}
