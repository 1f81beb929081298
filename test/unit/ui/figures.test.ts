import { describe, expect, test } from 'vitest';
import type { AccountSums } from '../../../src/http/api-types.ts';
import {
  bucketsSince,
  changedFields,
  formatBytes,
  formatDuration,
  formatRate,
  indentJson,
  missingEntries,
  quantile,
  ratePerSecond,
  readHistogram,
  visible,
} from '../../../src/ui/state/figures.ts';
import { linkTo, parseRoute } from '../../../src/ui/state/router.ts';

const NONE: AccountSums = {
  received: 0,
  written: 0,
  filtered: 0,
  superseded: 0,
  deduplicated: 0,
  rejected: 0,
  skipped: 0,
  pending: 0,
  inserted: 0,
  updated: 0,
  deleted: 0,
};

test('an account that does not add up says by how much', () => {
  expect(missingEntries({ ...NONE, received: 10, written: 7, pending: 3 })).toBe(0);
  expect(missingEntries({ ...NONE, received: 10, written: 7, pending: 1 })).toBe(2);
});

describe('rates', () => {
  const at = (ms: number, received: number, startedAt = 1) => ({ at: ms, startedAt, sums: { ...NONE, received } });

  test('are growth by time', () => {
    expect(ratePerSecond(at(1000, 10), at(3000, 50), 'received')).toBe(20);
  });

  test('are not known over a restart, a reset, or no time', () => {
    expect(ratePerSecond(at(1000, 10, 1), at(3000, 50, 2), 'received')).toBeNull();
    expect(ratePerSecond(at(1000, 10), at(3000, 5), 'received')).toBeNull();
    expect(ratePerSecond(at(1000, 10), at(1000, 50), 'received')).toBeNull();
  });
});

describe('histograms of /metrics', () => {
  const text = [
    'x_seconds_bucket{table="a",le="0.1"} 5',
    'x_seconds_bucket{table="a",le="1"} 9',
    'x_seconds_bucket{table="a",le="+Inf"} 10',
    'x_seconds_bucket{table="b, le=\\"7\\"",le="0.1"} 5',
    'x_seconds_bucket{table="b, le=\\"7\\"",le="1"} 9',
    'x_seconds_bucket{table="b, le=\\"7\\"",le="+Inf"} 10',
    'x_seconds_count{table="a"} 10',
    'other_x_seconds_bucket{le="0.1"} 1000',
  ].join('\n');

  test('are added up over their series, whatever the names of tables hold', () => {
    expect([...readHistogram(text, 'x_seconds')]).toEqual([
      [0.1, 10],
      [1, 18],
      [Number.POSITIVE_INFINITY, 20],
    ]);
  });

  test('give quantiles between their bounds, and say when one is beyond the last', () => {
    const buckets = readHistogram(text, 'x_seconds');
    expect(quantile(buckets, 0.25)).toBeCloseTo(0.05);
    expect(quantile(buckets, 0.5)).toBeCloseTo(0.1);
    expect(quantile(buckets, 0.99)).toBe(Number.POSITIVE_INFINITY);
    expect(quantile(new Map(), 0.5)).toBeNull();
  });

  test('are read from their beginning again when rdi was restarted', () => {
    const later = new Map([[1, 3]]);
    expect([...bucketsSince(new Map([[1, 2]]), later)]).toEqual([[1, 1]]);
    expect([...bucketsSince(new Map([[1, 9]]), later)]).toEqual([[1, 3]]);
  });
});

test('figures are said as people say them', () => {
  expect([formatRate(null), formatRate(0), formatRate(0.44), formatRate(1234), formatRate(123_456)]).toEqual(
    ['–', '0', '0.4', '1,234', '123.5k'], // biome-ignore format: one row
  );
  expect([0, 0.4, 850, 12_000, 192_000, 7_500_000, Number.POSITIVE_INFINITY].map(formatDuration)).toEqual([
    '0 ms',
    '< 1 ms',
    '850 ms',
    '12 s',
    '3 min 12 s',
    '2 h 5 min',
    'over 1 h',
  ]);
  expect([512, 1536, 20 * 1024 ** 3].map(formatBytes)).toEqual(['512 B', '1.5 KB', '20 GB']);
});

test('what cannot be seen, or turns the direction of reading, is written out', () => {
  expect(visible('a\u202egpj.exe\u0000\u200b')).toBe('a\\u202egpj.exe\\u0000\\u200b');
  expect(visible('Käse 🧀 漢字')).toBe('Käse 🧀 漢字');
});

test('JSON is indented without reading its numbers, and reads back the same', () => {
  const text = '{"id":12345678901234567890,"d":1.10,"empty":{},"none":[],"list":[1,{"a":"x{,}:\\" y"}],"s":""}';
  expect(indentJson(text)).toContain('"id": 12345678901234567890,\n  "d": 1.10,\n  "empty": {},\n  "none": [],');
  expect(JSON.parse(indentJson(text))).toEqual(JSON.parse(text));
  expect(indentJson('no JSON')).toBe('no JSON');
});

test('what a block changed is named field by field, to the last digit', () => {
  const before = '{"id":12345678901234567890,"name":"a","gone":1}';
  const after = '{"id":12345678901234567891,"name":"a","fresh":{"x":1.0}}';
  expect(changedFields(before, after)).toEqual([
    { name: 'id', before: '12345678901234567890', after: '12345678901234567891' },
    { name: 'gone', before: '1', after: null },
    { name: 'fresh', before: null, after: '{"x":1.0}' },
  ]);
  expect(changedFields(before, null)).toEqual([]);
});

test('a link leads to the place it was made for, whatever the names', () => {
  for (const name of ['shop.orders', 'a/b?c#d', '%2e%2e/', '"><script>', '\u202e', 'ä b']) {
    expect(parseRoute(linkTo('dlq', [name, '1-0'], { reason: name }))).toEqual({
      page: 'dlq',
      parts: [name, '1-0'],
      query: { reason: name },
    });
  }
  expect(parseRoute('#/%E0%A4%A').page).toBe('overview');
});
