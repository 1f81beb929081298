import { describe, expect, it } from 'vitest';
import { resolveStreamName, withoutCredentials } from '../../../src/control/index.ts';

describe('texts that leave the engine', () => {
  it.each([
    ['redis://app:secret@h:1', 'redis://h:1'],
    ['rediss://:se/cret@h and more', 'rediss://h and more'],
    ['at redis://app:se@cr@et@h:1/2', 'at redis://h:1/2'],
    ['redis+sentinel://u:secret@a,b/name', 'redis+sentinel://a,b/name'],
    ['http://127.0.0.1:8080/x', 'http://127.0.0.1:8080/x'],
    ['mail a@b', 'mail a@b'],
  ])('hold no user part of a URL: %s', (text, expected) => {
    expect(withoutCredentials({ deep: [text] })).toEqual({ deep: [expected] });
  });

  it('keep everything that is not text', () => {
    const value = { number: 1, nothing: null, list: [true], undefined: undefined };
    expect(withoutCredentials(value)).toEqual(value);
  });
});

describe('stream names as people write them', () => {
  const names = ['data:{rdi}:shop.orders', 'data:{rdi}:shop.items', 'data:{rdi}:old.items', 'orders'];

  it.each([
    ['data:{rdi}:shop.orders', 'data:{rdi}:shop.orders'],
    ['dlq:data:{rdi}:shop.orders', 'data:{rdi}:shop.orders'],
    ['{rdi}:shop.items', 'data:{rdi}:shop.items'],
    ['shop.items', 'data:{rdi}:shop.items'],
    ['orders', 'orders'],
    ['items', undefined],
    ['tems', undefined],
    ['', undefined],
  ])('%j means %j', (given, expected) => {
    expect(resolveStreamName(given, names)).toBe(expected);
  });
});
