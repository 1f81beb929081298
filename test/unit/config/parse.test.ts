import { describe, expect, it } from 'vitest';
import { isLoopback, parseDuration, parseHostPort, parseSize } from '../../../src/config/index.ts';
import { closestWord } from '../../../src/lib/closest.ts';

describe('words of the configuration', () => {
  it.each([
    ['20gb', 20 * 2 ** 30],
    ['512MB', 512 * 2 ** 20],
    ['1.5kb', 1536],
    ['10k', 10_000],
    ['1g', 1e9],
    ['7', 7],
    ['7b', 7],
    ['1 gb', 2 ** 30],
    ['', undefined],
    ['gb', undefined],
    ['-1', undefined],
    ['0', undefined],
    ['1pb', undefined],
    ['1e3', undefined],
    ['99999999tb', undefined],
  ])('the size %j is %j bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['30', undefined],
    ['0s', undefined],
    ['-1s', undefined],
    ['1d', undefined],
    ['999h', undefined],
    ['', undefined],
  ])('the duration %j is %j ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each([
    ['h:1', { host: 'h', port: 1 }],
    ['[::1]:65535', { host: '::1', port: 65535 }],
    ['*:5', { host: '0.0.0.0', port: 5 }],
    ['h', undefined],
    [':1', undefined],
    ['h:0', undefined],
    ['h:65536', undefined],
    ['::1:5', undefined],
    ['a b:1', undefined],
    ['u@h:1', undefined],
  ])('the address %j is %j', (text, address) => expect(parseHostPort(text)).toEqual(address));

  it.each([
    ['127.0.0.1', true],
    ['127.1.2.3', true],
    ['localhost', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['127.0.0.1.example.net', false],
    ['::', false],
    ['10.0.0.1', false],
  ])('%s is loopback: %j', (host, expected) => expect(isLoopback(host)).toBe(expected));

  it.each([
    ['prot', 'port'],
    ['PORT', 'port'],
    ['target-data-type', 'target_data_type'],
    ['writebatchsize', 'write_batch_size'],
    ['xyz', undefined],
    ['', undefined],
    ['p'.repeat(5000), undefined],
  ])('%s was probably meant to be %j', (word, meant) => {
    expect(closestWord(word, ['host', 'port', 'target_data_type', 'write_batch_size'])).toBe(meant);
  });
});
