import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expirySeconds, keyText, plainDecimal, scoreText } from '../../../../src/transform/jobs/outputs/texts.ts';
import { JsonText, NumberText } from '../../../../src/types.ts';

describe('scores', () => {
  it.each([
    [36, '36'],
    [-0.5, '-0.5'],
    [new NumberText('100.0'), '100.0'],
    [new NumberText('9007199254740993'), '9007199254740993'],
    ['120.50', '120.50'],
    [' 7 ', '7'],
    ['+7', '7'],
    ['.5', '.5'],
    ['1e3', '1e3'],
    ['inf', 'inf'],
    ['+Inf', 'inf'],
    ['-infinity', '-inf'],
    [Number.NEGATIVE_INFINITY, '-inf'],
    [new NumberText('1e-400'), '0'],
  ])('%j is the score %s', (value, score) => {
    expect(scoreText(value)).toBe(score);
  });

  it.each(['Ada', '', ' ', '1,5', '0x10', '1e999', true, Number.NaN, new JsonText('[1]'), null])(
    '%j is none',
    (value) => {
      expect(scoreText(value)).toBeNull();
    },
  );
});

describe('seconds to live', () => {
  it.each([
    [36, 36],
    [1.9, 1],
    ['120.50', 120],
    [new NumberText('3.0'), 3],
    [0.5, 0],
    [0, 0],
    [-3, -3],
    ['-0.1', -1],
    [null, null],
  ])('%j gives %j', (value, seconds) => {
    expect(expirySeconds(value)).toBe(seconds);
  });

  it.each(['soon', '', true, ['1'], new Map(), Number.NaN, 'inf', new NumberText('1e30')])(
    '%j are not numeric',
    (value) => {
      expect(expirySeconds(value)).toBeUndefined();
    },
  );
});

describe('numbers in keys', () => {
  it.each([
    ['1e21', '1000000000000000000000'],
    ['1.25e1', '12.5'],
    ['1.25e2', '125'],
    ['1.250e2', '125.0'],
    ['-2.5E-3', '-0.0025'],
    ['0e5', '0'],
    ['12.50', '12.50'],
    ['1e999999999', '1e999999999'],
  ])('%s is written %s', (text, plain) => {
    expect(plainDecimal(text)).toBe(plain);
  });

  it('mean the same without their exponent', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        const text = keyText(number) as string;
        expect(text).not.toMatch(/e/i);
        expect(Number(text)).toBe(number === 0 ? 0 : number);
      }),
      { numRuns: 2_000 },
    );
  });
});
