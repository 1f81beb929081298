import { describe, expect, test } from 'vitest';
import type { JobValue } from '../../../src/transform/expressions/types.ts';
import { isTrue } from '../../../src/transform/expressions/values.ts';
import { NumberText } from '../../../src/types.ts';
import { digits, evaluate } from './sql-evaluate.ts';

type Case = readonly [expression: string, record: string, result: JobValue];

/** What users write, in the order of the specification. */
const USUAL: Case[] = [
  ["a || '-' || b", '{"a":"x","b":4}', 'x-4'],
  ['a || b', '{"a":"x","b":null}', null],
  ['concat(a, b)', '{"a":"x","b":null}', 'x'],
  ["concat_ws('-', a, b, c)", '{"a":1,"b":null,"c":3}', '1-3'],
  ["CASE WHEN age < 18 THEN 'minor' ELSE 'adult' END", '{"age":30}', 'adult'],
  ["CASE tier WHEN 'gold' THEN 1 WHEN 'silver' THEN 2 END", '{"tier":"silver"}', 2],
  ["iif(age > 1, 'y', 'n')", '{"age":2}', 'y'],
  ["coalesce(a, b, 'none')", '{"a":null,"b":null}', 'none'],
  ["ifnull(a, '-')", '{"a":null}', '-'],
  ["nullif(a, '')", '{"a":""}', null],
  ['CAST(amt AS REAL) > 100', '{"amt":"20.5"}', 0],
  ['amt > 100', '{"amt":"20.5"}', 1],
  ['age > 20', '{"age":null}', null],
  ['qty / 4', '{"qty":10}', 2],
  ['qty / 4.0', '{"qty":10}', 2.5],
  ['qty % 4', '{"qty":10}', 2],
  ['round(2.345, 2)', '{}', 2.35],
  ['round(2.5)', '{}', digits('3.0')],
  ['floor(7 / 2)', '{}', 3],
  ['floor(7 / 2.0)', '{}', digits('3.0')],
  ["printf('%d:%02d', ms / 60000, (ms / 1000) % 60)", '{"ms":215000}', '3:35'],
  ["concat(floor(ms / 60000), ':', floor(mod(ms / 1000, 60)))", '{"ms":215000}', '3:35.0'],
  ['upper(x)', '{"x":"é"}', 'é'],
  ['lower(x)', '{"x":"É"}', 'É'],
  ['substr(x, 1, 3)', '{"x":"abcdef"}', 'abc'],
  ['substr(x, -2)', '{"x":"abcdef"}', 'ef'],
  ["instr(x, 'cd')", '{"x":"abcdef"}', 3],
  ["replace(x, '-', '')", '{"x":"1-2-3"}', '123'],
  ['trim(x)', '{"x":"  a b "}', 'a b'],
  ['length(x)', '{"x":"größe"}', 5],
  ["city LIKE 'cal%'", '{"city":"CALGARY"}', 1],
  ["city LIKE 'c\\_%' ESCAPE '\\'", '{"city":"c_x"}', 1],
  ["name GLOB 'A*'", '{"name":"abc"}', 0],
  ["x IN ('a','b')", '{"x":"a"}', 1],
  ["x NOT IN ('a','b')", '{"x":"a"}', 0],
  ['x BETWEEN 1 AND 3', '{"x":3}', 1],
  ['x NOT BETWEEN 1 AND 3 AND x > 0', '{"x":4}', 1],
  ["x REGEXP 'a'", '{"x":"cat"}', 1],
  ["x REGEXP 'a'", '{"x":"dog"}', 0],
  ["x NOT REGEXP '^[0-9]+$'", '{"x":"12a"}', 1],
  ["x REGEXP 'a'", '{"x":null}', null],
  ["json_extract(j, '$.a.b')", '{"j":"{\\"a\\":{\\"b\\":7}}"}', 7],
  ["j ->> '$.a'", '{"j":"{\\"a\\":{\\"b\\":7}}"}', '{"b":7}'],
  ['1 / 0', '{}', null],
];

const DATES: Case[] = [
  ["strftime('%Y-%m-%d %H:%M:%S', d / 1000, 'unixepoch')", '{"d":1749047572000}', '2025-06-04 14:32:52'],
  ["date(d * 86400, 'unixepoch')", '{"d":19000}', '2022-01-08'],
  ["time(t / 1000000, 'unixepoch')", '{"t":26100000000}', '07:15:00'],
  ["strftime('%s', d)", '{"d":"2025-06-07T10:15:00.000000Z"}', '1749291300'],
  ["strftime('%s', d)", '{"d":"2025-01-02T14:45:30.123+05:00"}', '1735811130'],
  ["STRFTIME('%s', d) - 1", '{"d":"2025-01-02T14:45:30.123+05:00"}', 1735811129],
  ["strftime('%s', d)", '{"d":"bad"}', null],
  ["datetime(d, '+1 day', 'start of month')", '{"d":"2025-06-30 10:00:00"}', '2025-07-01 00:00:00'],
];

const DIALECT: Case[] = [
  ['email', '{"email":"a@b"}', 'a@b'],
  ['"my col"', '{"my col":1}', 1],
  ['`my col`', '{"my col":1}', 1],
  ['[my col]', '{"my col":1}', 1],
  ['`after.email`', '{"after":{"email":"a@b"}}', 'a@b'],
  ['after.email', '{"after":{"email":"a@b"}}', 'a@b'],
  ['`a.b`', '{"a.b":1,"a":{"b":2}}', 2],
  ['`a.b`', '{"a.b":1,"a":{"c":2}}', 1],
  ['NAME', '{"name":"x"}', 'x'],
  ['NAME', '{"name":"x","NAME":"y"}', 'y'],
  ['missing', '{"a":1}', null],
  ['"missing"', '{"a":1}', null],
  ["ifnull(`after.x`, 'none')", '{"after":null}', 'none'],
  ['`table` || `order` || `key`', '{"table":"t","order":"o","key":"k"}', 'tok'],
  ["'it''s'", '{}', "it's"],
  ['10', '{}', 10],
  ['True', '{}', 1],
  ['FALSE', '{}', 0],
  ['flag', '{"flag":true}', 1],
  ['flag = True', '{"flag":true}', 1],
  ["json_extract(o, '$.a[1]')", '{"o":{"a":[1,2]}}', 2],
  ['o', '{"o":{"b":1,"2":[true,null,"ü"]}}', '{"b":1,"2":[true,null,"ü"]}'],
  ['o || 1', '{"o":[1, 2.50]}', '[1,2.50]1'],
  ['price > 100', '{"price":"99.5"}', 1],
];

const RESULTS: Case[] = [
  ['a + 1', '{"a":1}', 2],
  ['a + 0', '{"a":9007199254740993}', digits('9007199254740993')],
  ['a * 1.0', '{"a":3}', digits('3.0')],
  ['a + 0.0', '{"a":3.0}', digits('3.0')],
  ['0.1 + 0.2', '{}', 0.30000000000000004],
  ["'text'", '{}', 'text'],
  ['null', '{}', null],
  ["x'00ff10'", '{}', 'AP8Q'],
  ['9e999', '{}', 'Infinity'],
  ['-9e999', '{}', '-Infinity'],
];

function rows(cases: readonly Case[]): [string, JobValue, string, string][] {
  return cases.map(([expression, record, result]) => [
    `${expression} on ${record} is ${result instanceof NumberText ? result.text : JSON.stringify(result)}`,
    result,
    expression,
    record,
  ]);
}

describe('what users write gives what SQLite gives', () => {
  test.each(rows(USUAL))('%s', (_, result, expression, record) => {
    expect(evaluate(expression, record)).toEqual(result);
  });
});

describe('dates', () => {
  test.each(rows(DATES))('%s', (_, result, expression, record) => {
    expect(evaluate(expression, record)).toEqual(result);
  });

  test('the seconds left are an integer, because subtracting makes one of the text', () => {
    const left = evaluate("e / 1000 - strftime('%s', 'now')", `{"e":${Date.now() + 3_600_000}}`);
    expect(Number.isInteger(left)).toBe(true);
    expect(Math.abs((left as number) - 3600)).toBeLessThan(5);
    expect(evaluate("1000 / 1000 - strftime('%s', 'now')")).toBeLessThan(0);
  });

  test('the time of day is UTC', () => {
    const before = new Date().toISOString();
    const date = evaluate('CURRENT_DATE') as string;
    const timestamp = evaluate('CURRENT_TIMESTAMP') as string;
    const seconds = evaluate('unixepoch()') as number;
    expect(timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    expect([before.slice(0, 10), new Date().toISOString().slice(0, 10)]).toContain(date);
    expect(Math.abs(Date.parse(`${timestamp.replace(' ', 'T')}Z`) - Date.parse(before))).toBeLessThan(5000);
    expect(Math.abs(seconds * 1000 - Date.parse(before))).toBeLessThan(5000);
  });
});

describe('columns and literals follow the rules of the dialect', () => {
  test.each(rows(DIALECT))('%s', (_, result, expression, record) => {
    expect(evaluate(expression, record)).toEqual(result);
  });
});

describe('results keep their type', () => {
  test.each(rows(RESULTS))('%s', (_, result, expression, record) => {
    expect(evaluate(expression, record)).toEqual(result);
  });

  test.each<[string, boolean]>([
    ['null', false],
    ['0', false],
    ['0.0', false],
    ["''", false],
    ["'0'", true],
    ["'false'", true],
    ['1', true],
    ['0.5', true],
    ['age > 20', false],
  ])('a filter sees the result of %s as %s', (expression, truth) => {
    expect(isTrue(evaluate(expression))).toBe(truth);
  });
});

/** A call of each function that the specification promises. */
const PROMISED: Case[] = [
  ['abs(-3)', '{}', 3],
  ['ceil(1.2)', '{}', digits('2.0')],
  ['ceiling(1.2)', '{}', digits('2.0')],
  ['coalesce(null, 2)', '{}', 2],
  ["concat(1, null, 'a')", '{}', '1a'],
  ["concat_ws('-', 1, 'a')", '{}', '1-a'],
  ["date('2025-01-31', '+1 day')", '{}', '2025-02-01'],
  ["datetime(0, 'unixepoch')", '{}', '1970-01-01 00:00:00'],
  ['exp(0)', '{}', digits('1.0')],
  ['floor(-1.5)', '{}', digits('-2.0')],
  ["format('%05.1f', 2.25)", '{}', '002.3'],
  ["glob('a*', 'abc')", '{}', 1],
  ["hex('az')", '{}', '617A'],
  ['ifnull(null, 1)', '{}', 1],
  ['iif(0, 1, 2)', '{}', 2],
  ["instr('abc', 'c')", '{}', 3],
  ["json(' [1, 2] ')", '{}', '[1,2]'],
  ["json_array(1, 'a', null)", '{}', '[1,"a",null]'],
  ["json_array_length('[1,2,3]')", '{}', 3],
  ["json_extract('[1,2,3]', '$[2]')", '{}', 3],
  ["json_object('a', 1)", '{}', '{"a":1}'],
  ["json_type('[1]', '$[0]')", '{}', 'integer'],
  ["julianday('2000-01-01 12:00:00')", '{}', digits('2451545.0')],
  ["length('größe')", '{}', 5],
  ["like('a%', 'ABC')", '{}', 1],
  ['ln(1)', '{}', digits('0.0')],
  ['log(100)', '{}', digits('2.0')],
  ["lower('ÄB')", '{}', 'Äb'],
  ["ltrim('xxa', 'x')", '{}', 'a'],
  ['max(1, 3, 2)', '{}', 3],
  ['min(3, 1, 2)', '{}', 1],
  ['mod(7, 4)', '{}', digits('3.0')],
  ['nullif(1, 1)', '{}', null],
  ['pi()', '{}', Math.PI],
  ['pow(2, 3)', '{}', digits('8.0')],
  ['power(2, 3)', '{}', digits('8.0')],
  ["printf('%s-%d', 'a', 5)", '{}', 'a-5'],
  ["quote('it''s')", '{}', "'it''s'"],
  ['typeof(random())', '{}', 'integer'],
  ["replace('aXa', 'X', 'b')", '{}', 'aba'],
  ['round(1.25, 1)', '{}', 1.3],
  ["rtrim('a  ')", '{}', 'a'],
  ['sign(-5)', '{}', -1],
  ['sqrt(16)', '{}', digits('4.0')],
  ["strftime('%j', '2025-02-01')", '{}', '032'],
  ["substr('abc', 2)", '{}', 'bc'],
  ["substring('abc', 2, 1)", '{}', 'b'],
  ["time('10:11:12', '+1 hour')", '{}', '11:11:12'],
  ["trim('xax', 'x')", '{}', 'a'],
  ['trunc(-1.7)', '{}', digits('-1.0')],
  ['typeof(1.0)', '{}', 'real'],
  ["unhex('617A')", '{}', 'YXo='],
  ["unicode('ä')", '{}', 228],
  ["unixepoch('1970-01-02')", '{}', 86400],
  ["upper('abc')", '{}', 'ABC'],
];

describe('every function that the specification promises is there', () => {
  test.each(rows(PROMISED))('%s', (_, result, expression, record) => {
    expect(evaluate(expression, record)).toEqual(result);
  });
});
