import { describe, expect, test } from 'vitest';
import { compileSql, compileSqlGroup, SqlGroupError } from '../../../src/transform/expressions/sql.ts';
import { prepareSelect } from '../../../src/transform/expressions/sql-engine.ts';
import { ExpressionError, ExpressionSyntaxError, type JobValue } from '../../../src/transform/expressions/types.ts';
import { parseJson } from '../../../src/transform/expressions/values.ts';
import { NumberText } from '../../../src/types.ts';
import { digits, evaluate } from './sql-evaluate.ts';

describe('values arrive in SQLite with their type', () => {
  test.each<[expression: string, record: string, result: JobValue]>([
    ["id || ''", '{"id":5}', '5'],
    ["id || ''", '{"id":5.0}', '5.0'],
    ["id || ''", '{"id":-0}', '0'],
    ['typeof(id)', '{"id":5}', 'integer'],
    ['typeof(id)', '{"id":5.0}', 'real'],
    ['typeof(id)', '{"id":1e2}', 'real'],
    ['typeof(id)', '{"id":1e21}', 'real'],
    ['typeof(id)', '{"id":100.10}', 'real'],
    ['typeof(id)', '{"id":"5"}', 'text'],
    ['typeof(id)', '{"id":true}', 'integer'],
    ['typeof(id)', '{"id":null}', 'null'],
    ['typeof(id)', '{"id":[]}', 'text'],
    ["id || ''", '{"id":9007199254740993}', '9007199254740993'],
    ["id || ''", '{"id":9223372036854775807}', '9223372036854775807'],
    ["id || ''", '{"id":-9223372036854775808}', '-9223372036854775808'],
    ['typeof(id)', '{"id":9223372036854775807}', 'integer'],
    ['typeof(id)', '{"id":9223372036854775808}', 'text'],
    ["id || ''", '{"id":18446744073709551615}', '18446744073709551615'],
    ["id || ''", '{"id":-9223372036854775809}', '-9223372036854775809'],
    ['id + 1', '{"id":9007199254740992}', digits('9007199254740993')],
    ['id - 1', '{"id":9007199254740992}', 9007199254740991],
    ["id = '5'", '{"id":5}', 0],
    ['id IN (5, 6)', '{"id":5}', 1],
    ['amount * 2', '{"amount":100.10}', 200.2],
    ["a || '|'", '{"a":"x\\u0000y"}', 'x\u0000y|'],
    ["a || 'ß😀'", '{"a":"名"}', '名ß😀'],
  ])('%s on %s', (expression, record, result) => {
    expect(evaluate(expression, record)).toEqual(result);
  });

  test('integers that were calculated beyond 2^53 do not turn into reals', () => {
    expect(compileSql("id || ''").evaluate(new Map([['id', 2 ** 60]]))).toBe('1152921504606846976');
  });

  test('a column by itself keeps the digits that the database wrote', () => {
    for (const number of ['100.10', '1.0E-300', '3.0', '18446744073709551615', '-9223372036854775809']) {
      expect(evaluate('x', `{"x":${number}}`)).toEqual(new NumberText(number));
    }
  });

  test('a record that is no object has no columns', () => {
    for (const record of [null, 5, 'x', ['a']] as JobValue[]) {
      expect(compileSql("coalesce(a, after.b, 'none')").evaluate(record)).toBe('none');
    }
  });
});

describe('columns', () => {
  test.each<[expression: string, record: string, result: JobValue]>([
    ['a.b.c', '{"a":{"b":{"c":1}}}', 1],
    ['`a.b.c`', '{"a":{"b":{"c":1}}}', 1],
    ['`a.b`.c', '{"a":{"b":{"c":1}}}', 1],
    ['`a.b.c`', '{"a":{"b":5}}', null],
    ['`a.b`', '{"a":"text"}', null],
    ['`a.b`', '{"a":[1]}', null],
    ['`a.b`', '{"a":null,"a.b":1}', 1],
    ['`a.b`', '{"a":{"b":null},"a.b":1}', null],
    ['AFTER.Email', '{"after":{"email":1}}', 1],
    ['AFTER.Email', '{"after":{"email":1},"AFTER":{"Email":2}}', 2],
    ['`A.B`', '{"a.b":1}', 1],
    ['`a.b`', '{"A":{"B":1},"a.b":2}', 2],
    ['NAME', '{"Name":null,"naMe":1}', null],
    ['ÅRE', '{"åre":1}', 1],
    ['name', '{"xx":0,"NAME":1}', 1],
    ['naMe', '{"NamE":1,"NAME":2}', 1],
    ['"a."', '{"a.":1}', 1],
    ['".a"', '{".a":1}', 1],
    ['"1"', '{"1":"x"}', 'x'],
    ['__proto__', '{"a":1}', null],
    ['constructor', '{"a":1}', null],
    ['a + a + A', '{"a":1}', 3],
  ])('%s on %s', (expression, record, result) => {
    expect(evaluate(expression, record)).toEqual(result);
  });

  test('the fields that an expression reads are known, words of SQL are not among them', () => {
    const reads = (text: string) => compileSql(text).reads;
    expect(reads("'x' || 10 || CURRENT_DATE")).toEqual([]);
    expect(reads('a + b * a')).toEqual(['a', 'b']);
    expect(reads('`after.email` || key.id')).toEqual(['after', 'after.email', 'key', 'key.id']);
    expect(
      reads("CASE WHEN CAST(a AS INTEGER) BETWEEN 1 AND b THEN upper(c) COLLATE NOCASE ELSE strftime('%s', d) END"),
    ).toEqual(['a', 'b', 'c', 'd']);
    expect(reads('x -- , y\n + /* z */ "text"')).toEqual(['x', 'text']);
  });
});

describe('what may differ for the same record is volatile', () => {
  test.each([
    'random()',
    'abs(random()) % 10',
    'hex(randomblob(4))',
    'CURRENT_DATE',
    'current_time',
    'a || CURRENT_TIMESTAMP',
    'date()',
    'unixepoch()',
    'julianday()',
    "strftime('%s')",
    "strftime('%s', 'now')",
    "date('NOW', '-1 day')",
    "unixepoch('subsec')",
    "date(coalesce(d, 'now'))",
    "e / 1000 - strftime('%s', 'now')",
  ])('%s', (expression) => {
    expect(compileSql(expression).isVolatile).toBe(true);
  });

  test.each(["date(d, 'unixepoch')", "strftime('%Y', d)", "'now'", "a LIKE 'now'", 'upper(a)', '10', '`random`'])(
    '%s is not',
    (expression) => {
      expect(compileSql(expression).isVolatile).toBe(false);
    },
  );

  test('a volatile literal is evaluated for each record', () => {
    const expression = compileSql('random()');
    expect(expression.evaluate(null)).not.toEqual(expression.evaluate(null));
  });
});

describe('a record on which an expression fails', () => {
  test.each<[expression: string, record: string, message: RegExp]>([
    ["json_extract(j, '$.a')", '{"j":"{bad"}', /"json_extract\(j, '\$\.a'\)" fails: json_extract\(\).*json_valid.*"j"/],
    ["after.j -> '$.a'", '{"after":{"j":"{bad"}}', /"->" got a text that is no JSON.*"after\.j"/],
    ['json_extract(j, p)', '{"j":"{}","p":"a"}', /bad path/],
    ['abs(a)', '{"a":-9223372036854775808}', /64 bits.*CAST\(x AS REAL\)/],
    ['x LIKE p', `{"x":"a","p":"${'%a'.repeat(600)}"}`, /LIKE or GLOB/],
    ['x REGEXP p', '{"x":"a","p":"a("}', /REGEXP is wrong at its character 2: .*"x", "p"/],
    ["x REGEXP '(a?){900}b'", `{"x":"${'a'.repeat(100_000)}"}`, /too long for the pattern/],
    ['hex(zeroblob(a))', '{"a":40000000}', /longer than 64 MB/],
  ])('%s says why, and what it reads', (expression, record, message) => {
    const compiled = compileSql(expression);
    const error = failure(() => compiled.evaluate(parseJson(record)));
    expect(error).toBeInstanceOf(ExpressionError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message.length).toBeLessThan(400);
  });

  test('does not spoil the next one', () => {
    const expression = compileSql("json_extract(j, '$.a')");
    expect(failure(() => expression.evaluate(parseJson('{"j":"{bad"}')))).toBeInstanceOf(ExpressionError);
    expect(expression.evaluate(parseJson('{"j":"{\\"a\\":1}"}'))).toBe(1);
    const pattern = compileSql('x REGEXP p');
    expect(failure(() => pattern.evaluate(parseJson('{"x":"a","p":"("}')))).toBeInstanceOf(ExpressionError);
    expect(pattern.evaluate(parseJson('{"x":"a","p":"a"}'))).toBe(1);
  });
});

describe('behind the parser, SQLite itself', () => {
  test.each([
    'SELECT name FROM sqlite_master',
    'SELECT name FROM pragma_function_list',
    "SELECT value FROM json_each('[1]')",
    'WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) SELECT n FROM x',
    "load_extension('x')",
    'count(*)',
    'sqlite_source_id()',
  ])('refuses %s', (text) => {
    expect(() => prepareSelect([text])).toThrow(/prohibited|not authorized|too many terms/);
  });
});

describe('a group of expressions', () => {
  const texts = ["fname || ' ' || lname", 'id', 'age * 2', "iif(age < 30, 'young', 'adult')", "'x'", 'missing'];

  test('gives for each the result that it gives alone', () => {
    const group = compileSqlGroup(texts);
    const record = parseJson('{"id":7.10,"fname":"Ada","lname":"Moss","age":36}');
    expect(group.evaluate(record)).toEqual(['Ada Moss', digits('7.10'), 72, 'adult', 'x', null]);
    expect(group.evaluate(record)).toEqual(group.expressions.map((expression) => expression.evaluate(record)));
  });

  test('of columns only, of nothing, or of more than one statement holds', () => {
    expect(compileSqlGroup(['a', 'b.c']).evaluate(parseJson('{"a":true,"b":{"c":[1]}}'))).toEqual([1, '[1]']);
    expect(compileSqlGroup([]).evaluate(null)).toEqual([]);
    const many = Array.from({ length: 2500 }, (_, index) => `a + ${index}`);
    expect(compileSqlGroup(many).evaluate(parseJson('{"a":1}'))).toEqual(many.map((_, index) => index + 1));
  });

  test('names the one that fails and goes on with the next record', () => {
    const group = compileSqlGroup(['id', 'abs(id)', "json_extract(j, '$.a')", 'json(j)']);
    const error = failure(() => group.evaluate(parseJson('{"id":1,"j":"{bad"}')));
    expect(error).toBeInstanceOf(SqlGroupError);
    expect((error as SqlGroupError).index).toBe(2);
    expect((error as SqlGroupError).message).toMatch(/json_extract/);
    expect(group.evaluate(parseJson('{"id":1,"j":"{}"}'))).toEqual([1, 1, null, '{}']);
  });

  test('is refused with the first wrong expression', () => {
    expect(failure(() => compileSqlGroup(['a', 'b +']))).toBeInstanceOf(ExpressionSyntaxError);
  });
});

function failure(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
