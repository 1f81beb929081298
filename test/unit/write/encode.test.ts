import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonText, NumberText } from '../../../src/types.ts';
import { CommandBuffer, CommandWords, type Writable } from '../../../src/write/encode.ts';

/** The obvious way to say the same. */
function plainly(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

function written(buffer: CommandBuffer): string {
  return buffer.bytes.toString('utf8', 0, buffer.length);
}

describe('commands in bytes', () => {
  it('hold text of any length and script with its length in bytes', () => {
    for (const unit of ['a', 'é', '語', '🐟']) {
      for (const length of [0, 1, 9, 10, 11, 33, 47, 48, 49, 99, 100, 333, 334, 999, 1000, 3333, 4095, 4097, 40_000]) {
        const text = unit.repeat(length);
        const buffer = new CommandBuffer(16);
        buffer.begin(1);
        buffer.text(text);
        expect(written(buffer) === plainly([text])).toBe(true);
      }
    }
  });

  it('hold random texts one after the other', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 120 }), { minLength: 1 }), (words) => {
        const buffer = new CommandBuffer(16);
        buffer.begin(words.length);
        for (const word of words) buffer.text(word);
        expect(written(buffer)).toBe(plainly(words));
      }),
    );
  });

  it('hold a lone surrogate as U+FFFD', () => {
    const buffer = new CommandBuffer(16);
    buffer.begin(1);
    buffer.text('a\ud800b');
    expect(written(buffer)).toBe(plainly(['a\ufffdb']));
  });

  const values: [Writable, string][] = [
    [0, '0'],
    [-0, '0'],
    [7, '7'],
    [10, '10'],
    [999, '999'],
    [1000, '1000'],
    [2147483647, '2147483647'],
    [2147483648, '2147483648'],
    [-1, '-1'],
    [9007199254740991, '9007199254740991'],
    [0.1, '0.1'],
    [1e21, '1e+21'],
    [Number.NaN, 'NaN'],
    [true, '1'],
    [false, '0'],
    ['x', 'x'],
    [new NumberText('1.0E-300'), '1.0E-300'],
    [new JsonText('{"a":[]}'), '{"a":[]}'],
  ];
  for (const [value, text] of values) {
    it(`show ${JSON.stringify(value)} as ${text}, as do commands in words`, () => {
      const buffer = new CommandBuffer(16);
      buffer.begin(1);
      buffer.value(value);
      expect(written(buffer)).toBe(plainly([text]));
      const words = new CommandWords();
      words.begin(1);
      words.value(value);
      expect(words.commands).toEqual([[text]]);
    });
  }

  it('name columns by their array, and notice another array', () => {
    const one = ['id', 'naïve'];
    const other = ['x'.repeat(300), 'id'];
    const buffer = new CommandBuffer(16);
    buffer.begin(4);
    buffer.name(one, 1);
    buffer.name(other, 0);
    buffer.name(other, 1);
    buffer.name(one, 0);
    expect(written(buffer)).toBe(plainly(['naïve', 'x'.repeat(300), 'id', 'id']));
  });
});
