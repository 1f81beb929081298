import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileJmespath, describeFunctions } from '../../../src/transform/expressions/jmespath.ts';
import { ExpressionError, ExpressionSyntaxError, type JobValue } from '../../../src/transform/expressions/types.ts';
import { compactJson, isEqual, isTrue, parseJson, textOf } from '../../../src/transform/expressions/values.ts';

const NAMES = ['a', 'b', 'c', '"my col"', '"10"'];

/** Patterns may use up their whole time, so they are not left to chance here; see the test of `regex_replace`. */
const FUNCTIONS = describeFunctions().filter(({ name }) => name !== 'regex_replace');

const call = (argument: fc.Arbitrary<string>) =>
  fc.constantFrom(...FUNCTIONS).chain(({ name, parameters }) => {
    const shown = parameters.map(({ accepts }) =>
      accepts.includes('&') ? argument.map((text) => `&${text}`) : argument,
    );
    return fc.tuple(...shown).map((texts) => `${name}(${texts.join(', ')})`);
  });

/** Expressions of the grammar: all compile, but for what only a literal argument shows to be wrong. */
const { expression } = fc.letrec<{ expression: string; literal: string }>((tie) => ({
  literal: fc.oneof(
    fc.constantFrom("'a'", "'12'", '`gold`', "'md5'", "'value'", '`[]`', '`null`'),
    fc.json({ maxDepth: 2 }).map((text) => `\`${text.replaceAll('`', '\\`')}\``),
  ),
  expression: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom(...NAMES, '@', '*'),
    tie('literal'),
    call(tie('expression')),
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom('.a', '.*', '[0]', '[-1]', '[*]', '[]', '[1:]', '[::-1]', '.[a, b]', '.{a: b}'),
      )
      .map(([left, right]) => `(${left})${right}`),
    fc
      .tuple(tie('expression'), fc.constantFrom('||', '&&', '|', '==', '!=', '<', '<=', '>', '>='), tie('expression'))
      .map((parts) => parts.join(' ')),
    fc.tuple(tie('expression'), tie('expression')).map(([left, condition]) => `(${left})[?${condition}]`),
    fc.array(tie('expression'), { minLength: 1, maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc
      .array(tie('expression'), { minLength: 1, maxLength: 3 })
      .map((items) => `{${items.map((item, at) => `${NAMES[at]}: ${item}`).join(', ')}}`),
    tie('expression').map((text) => `!${text}`),
  ),
}));

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('2024-01-01', 'cmVkaXM=', '<a b="1">t</a>', '{"k":[1]}', '1e3', '-0'),
);
const { value } = fc.letrec<{ value: JobValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    texts,
    fc.constant(null),
    fc.boolean(),
    fc.constantFrom('0', '-1', '2.0', '1e400', '9007199254740993', '0.1', '1e-7').map(parseJson),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((double) => parseJson(JSON.stringify(double))),
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'my col', '10', 'key', 'value'), tie('value')), { maxLength: 5 })
      .map((members) => new Map(members)),
  ),
}));

/** The expression, or null when it is refused, as it must be: with a place inside the text. */
function compiled(text: string): ReturnType<typeof compileJmespath> | null {
  try {
    return compileJmespath(text);
  } catch (error) {
    if (!(error instanceof ExpressionSyntaxError)) throw error;
    expect(error.offset).toBeGreaterThanOrEqual(0);
    expect(error.offset).toBeLessThanOrEqual(text.length);
    expect(error.message).not.toBe('');
    return null;
  }
}

/** Every value of a result is one that a job may hold. */
function isJobValue(result: unknown): boolean {
  try {
    return compactJson(parseJson(compactJson(result as JobValue))) === compactJson(result as JobValue);
  } catch {
    return false;
  }
}

function evaluated(text: string, record: JobValue): JobValue | undefined {
  try {
    return compiled(text)?.evaluate(record);
  } catch (error) {
    if (error instanceof ExpressionError) return undefined;
    throw error;
  }
}

describe('random expressions', () => {
  it('of the grammar compile, and never fail but with an ExpressionError', () => {
    let results = 0;
    fc.assert(
      fc.property(expression, value, (text, record) => {
        const before = compactJson(record);
        const result = evaluated(text, record);
        if (result === undefined) return;
        results++;
        expect(isJobValue(result)).toBe(true);
        expect(compactJson(record)).toBe(before);
      }),
      { numRuns: 5_000 },
    );
    // Most must get through, or the test would show nothing.
    expect(results).toBeGreaterThan(1_500);
  });

  it('read nothing but what they say: other columns make no difference', () => {
    fc.assert(
      fc.property(expression, value, value, (text, record, other) => {
        const expr = compiled(text);
        if (!expr?.reads || expr.isVolatile || !(record instanceof Map)) return;
        const changed = new Map(record);
        for (const name of ['a', 'b', 'c', 'my col', '10', 'key', 'value'])
          if (!expr.reads.includes(name)) changed.set(name, other);
        const first = evaluated(text, record);
        const second = evaluated(text, changed);
        expect(second === undefined).toBe(first === undefined);
        if (first !== undefined) expect(compactJson(second!)).toBe(compactJson(first));
      }),
      { numRuns: 2_000 },
    );
  });

  it('changed anywhere are refused with a place, or work', () => {
    const change = fc.tuple(fc.nat(), fc.nat(3), fc.constantFrom(...'.*[]{}()|&!<>=@`\'"\\,:?-+ a1é😀\n\u0000'));
    fc.assert(
      fc.property(expression, fc.array(change, { minLength: 1, maxLength: 4 }), value, (original, changes, record) => {
        let text = original;
        for (const [at, removed, inserted] of changes) {
          const place = at % (text.length + 1);
          text = text.slice(0, place) + inserted + text.slice(place + removed);
        }
        if (!text.includes('regex_replace')) evaluated(text, record);
      }),
      { numRuns: 10_000 },
    );
  });

  it('of any characters are refused with a place, or work', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), value, (text, record) => {
        evaluated(text, record);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('random patterns', () => {
  it('are refused or replace within their time', () => {
    const { evaluate } = compileJmespath('regex_replace(t, p, r)');
    const piece = fc.constantFrom(...'ab.\\()[]{}*+?|^$-1,<>wdsgPi=!#'.split(''), '(?', '\\g<', '(?P<n>', '[^', '\\b');
    const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(
        text,
        text,
        fc.string({ unit: fc.constantFrom('a', 'b', '1', '\n', '😀'), maxLength: 15 }),
        (p, r, t) => {
          try {
            expect(
              evaluate(
                new Map([
                  ['t', t],
                  ['p', p],
                  ['r', r],
                ]),
              ),
            ).toBeTypeOf('string');
          } catch (error) {
            expect(error).toBeInstanceOf(ExpressionError);
          }
        },
      ),
      { numRuns: 5_000 },
    );
  });
});

describe('random values', () => {
  it('survive JSON, equal themselves, and have text and truth', () => {
    fc.assert(
      fc.property(value, (original) => {
        const again = parseJson(compactJson(original));
        expect(isEqual(original, again)).toBe(true);
        expect(textOf(original)).toBeTypeOf('string');
        expect(isTrue(original)).toBe(isTrue(again));
      }),
      { numRuns: 2_000 },
    );
  });

  it('of JSON.parse and of ours are the same where numbers and order allow to compare', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.parse(compactJson(parseJson(text)))).toEqual(JSON.parse(text));
      }),
      { numRuns: 2_000 },
    );
  });
});
