import { beforeEach, expect, it } from 'vitest';
import type { JobValue } from '../../../../src/transform/expressions/types.ts';
import { parseJson } from '../../../../src/transform/expressions/values.ts';
import { cachedExpression, TimedCache } from '../../../../src/transform/jobs/cache.ts';
import type { CompiledExpression } from '../../../../src/transform/jobs/definition.ts';
import { add, expression, jobOf, run, testClock } from './job-world.ts';

const SETTINGS = { maxSize: 2, ttlMs: 100 };

beforeEach(() => {
  testClock.at = 0;
});

/** An expression that counts how often it is really evaluated. */
function counted(text: string): { calls: number; expression: CompiledExpression } {
  const original = expression(text, SETTINGS);
  const counter = {
    calls: 0,
    expression: {
      ...original,
      evaluate(record: JobValue) {
        counter.calls++;
        return original.evaluate(record);
      },
    },
  };
  return counter;
}

it('gives what it gave for the same values of the fields that are read, whatever else the record holds', () => {
  const counter = counted('jm: upper(name)');
  const evaluate = cachedExpression(counter.expression, testClock);
  expect(evaluate(parseJson('{"name":"a","id":1}'))).toBe('A');
  expect(evaluate(parseJson('{"id":2,"name":"a"}'))).toBe('A');
  expect(counter.calls).toBe(1);
  expect(evaluate(parseJson('{"name":"b"}'))).toBe('B');
  expect(counter.calls).toBe(2);
});

it.each([
  ['jm: concat([a, b])', '{"a":"x","b":null}', '{"a":"x,null","b":null}'],
  ['jm: type(a)', '{"a":1}', '{"a":"1"}'],
  ['jm: concat([a])', '{"a":1.0}', '{"a":1.00}'],
  ['jm: to_string(a)', '{"a":true}', '{"a":1}'],
  ['sql: upper(NAME)', '{"name":"a"}', '{"name":"b"}'],
  ['sql: upper(`o.n`)', '{"o":{"n":"a"}}', '{"o":{"n":"b"}}'],
  ['sql: upper(`o.n`)', '{"o.n":"a"}', '{"o.n":"b"}'],
  ['sql: typeof(a)', '{"a":1}', '{"a":1.0}'],
])('never mixes up records for which %s may differ', (text, first, second) => {
  const plain = expression(text);
  const evaluate = cachedExpression({ ...plain, cache: SETTINGS }, testClock);
  for (const record of [first, second, first].map(parseJson)) expect(evaluate(record)).toEqual(plain.evaluate(record));
});

it('forgets after its time, and first what was not asked for longest', () => {
  const counter = counted('jm: a');
  const evaluate = cachedExpression(counter.expression, testClock);
  const ask = (a: number) => {
    const before = counter.calls;
    evaluate(new Map([['a', a]]));
    return counter.calls > before;
  };
  expect([ask(1), ask(2), ask(1), ask(3), ask(1), ask(2)]).toEqual([true, true, false, true, false, true]);
  testClock.at = 99;
  expect(ask(2)).toBe(false);
  testClock.at = 100;
  expect(ask(2)).toBe(true);
});

it('remembers null, and never an error', () => {
  const counter = counted('jm: json_parse(a)');
  const evaluate = cachedExpression(counter.expression, testClock);
  for (let i = 0; i < 2; i++) expect(evaluate(new Map([['a', 'null']]))).toBe(null);
  expect(counter.calls).toBe(1);
  for (let i = 0; i < 2; i++) expect(() => evaluate(new Map([['a', '{']]))).toThrow();
  expect(counter.calls).toBe(3);
});

it('is not used where the expression may read anything or changes by itself', () => {
  for (const text of ['jm: to_string(@)', 'jm: uuid()', 'sql: random()']) {
    const original = expression(text, SETTINGS);
    expect(cachedExpression(original, testClock)).toBe(original.evaluate);
  }
});

it('keeps copies, so that a cached text does not hold its event in memory', () => {
  const cache = new TimedCache(SETTINGS, testClock);
  const value = parseJson('{"a":["x\\ud800",12345678901234567890]}');
  cache.set('k', value);
  expect(cache.get('k')).toEqual(value);
  expect(cache.get('k')).not.toBe(value);
});

it('changes nothing in a job', async () => {
  const block = add({ o: expression('jm: {n: name}', SETTINGS), 'o.id': 'jm: id' });
  const { records } = await run(
    jobOf([block]),
    [1, 2].map((id) => ({ after: { id, name: 'a' } })),
  );
  expect([...records.values()]).toEqual([1, 2].map((id) => `{"id":${id},"name":"a","o":{"n":"a","id":${id}}}`));
});
