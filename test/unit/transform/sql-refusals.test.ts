import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { compileSql } from '../../../src/transform/expressions/sql.ts';
import { SQL_AGGREGATES, SQL_FUNCTIONS, SQL_WINDOWS } from '../../../src/transform/expressions/sql-functions.ts';
import { RESERVED } from '../../../src/transform/expressions/sql-keywords.ts';
import { ExpressionSyntaxError } from '../../../src/transform/expressions/types.ts';

function refusal(expression: string): ExpressionSyntaxError {
  try {
    compileSql(expression);
  } catch (error) {
    if (error instanceof ExpressionSyntaxError) return error;
    throw error;
  }
  throw new Error(`"${expression}" is accepted`);
}

/** Expression, the text at which the message points, and what the message says. */
const REFUSED: [expression: string, at: string, message: RegExp][] = [
  ['', '', /empty/],
  ['  -- only a comment', '', /empty/],
  ['SELECT 1', 'SELECT 1', /statement/],
  ["DELETE FROM t WHERE a = 'x'", 'DELETE', /statement/],
  ['drop table customers', 'drop', /statement/],
  ["ATTACH '/etc/passwd' AS x", 'ATTACH', /statement/],
  ['PRAGMA user_version', 'PRAGMA', /statement/],
  ['VACUUM INTO x', 'VACUUM', /statement/],
  ['WITH x AS (SELECT 1) SELECT 1', 'WITH', /statement/],
  ['a; DROP TABLE x', ';', /not a statement/],
  ['a FROM sqlite_master', 'FROM', /between SELECT and FROM/],
  ['a WHERE b', 'WHERE', /between SELECT and FROM/],
  ['a ORDER BY b', 'ORDER', /between SELECT and FROM/],
  ['a UNION SELECT 1', 'UNION', /between SELECT and FROM/],
  ['a AS b', 'AS', /between SELECT and FROM/],
  ['a) FROM sqlite_master --', ') FROM', /closes nothing/],
  ['(SELECT 1)', 'SELECT', /subquery/],
  ['1 + (select max(a, b))', 'select', /subquery/],
  ['(VALUES (1))', 'VALUES', /subquery/],
  ['(WITH x AS (VALUES(1)) SELECT 1)', 'WITH', /subquery/],
  ['EXISTS (SELECT 1)', 'EXISTS', /subquery/],
  ['a IN (SELECT 1)', 'SELECT', /subquery/],
  ['a IN sqlite_master', 'sqlite_master', /list in brackets/],
  ['a IN main.sqlite_master', 'main', /list in brackets/],
  ['abs((SELECT 1))', 'SELECT', /subquery/],
  ['coalesce(a, SELECT 1)', 'SELECT', /subquery/],
  ['count(*)', 'count', /many rows/],
  ['count(a)', 'count', /many rows/],
  ['sum(a) + 1', 'sum', /many rows/],
  ['total(a)', 'total', /many rows/],
  ['group_concat(a)', 'group_concat', /many rows/],
  ['max(a)', 'max', /takes 2 or more arguments, and here are 1.*many rows/],
  ['min(a)', 'min', /many rows/],
  ['max(*)', '*', /many rows/],
  ['abs(DISTINCT a)', 'DISTINCT', /many rows/],
  ['row_number() OVER ()', 'row_number', /many rows/],
  ['max(a, b) OVER (ORDER BY a)', 'OVER', /window/],
  ['max(a, b) FILTER (WHERE a)', 'FILTER', /window/],
  ["load_extension('x')", 'load_extension', /no function load_extension/],
  ["fts5('x')", 'fts5', /no function fts5/],
  ["readfile('/etc/passwd')", 'readfile', /no function readfile/],
  ["json_each('[1]')", 'json_each', /no function json_each/],
  ["RAISE(ABORT, 'x')", 'RAISE', /word of SQL/],
  ['?', '?', /parameter/],
  ['a + ?1', '?', /parameter/],
  [':x', ':', /parameter/],
  ['@x', '@', /parameter/],
  ['$x', '$', /parameter/],
  ['a + #1', '#', /parameter/],
  ['no_such(x)', 'no_such', /no function no_such/],
  ['1 + uper(x)', 'uper', /Did you mean upper\(\)\?/],
  ['ABS(1, 2)', 'ABS', /abs\(\) takes 1 argument, and here are 2/],
  ['round()', 'round', /round\(\) takes 1 or 2 arguments, and here are 0/],
  ['coalesce(a)', 'coalesce', /takes 2 or more arguments/],
  ['pi(1)', 'pi', /takes no arguments/],
  ['a.upper(x)', 'a.upper', /no dots/],
  ['table', 'table', /back quotes: `table`/],
  ['a + order', 'order', /back quotes/],
  ['group || a', 'group', /back quotes/],
  ["x MATCH 'a'", 'MATCH', /Use REGEXP/],
  ["x NOT MATCH 'a'", 'MATCH', /Use REGEXP/],
  ["match('a', x)", 'match', /no function match/],
  ['a COLLATE german', 'german', /BINARY, NOCASE and RTRIM/],
  ['a NOT 5', '5', /After a value, "NOT"/],
  ['a BETWEEN 1', '', /BETWEEN needs two limits/],
  ['a IS DISTINCT 1', '1', /"FROM"/],
  ['CASE WHEN a THEN b', '', /closed by END/],
  ['CASE a END', 'END', /WHEN/],
  ['CASE WHEN a END', 'END', /THEN/],
  ['CAST(a)', ')', /AS/],
  ['CAST(a AS)', ')', /no type/],
  ['CAST(a AS REAL', '', /bracket is missing/],
  ['CAST(a AS DECIMAL(x))', 'x))', /size of a type/],
  ['a b', 'b', /operator is due before "b"/],
  ["a 'text'", "'text'", /operator is due/],
  ['a = = b', '= b', /value is due/],
  ['a +', '', /ends where a value is due/],
  ['(a', '', /bracket is missing/],
  ['a)', ')', /closes nothing/],
  ['a, b', ',', /one value/],
  ['()', ')', /value is due/],
  ['concat(a,)', ')', /value is due/],
  ['a.', '', /name is due after the dot/],
  ['a.*', '*', /name is due after the dot/],
  ['*', '*', /value is due/],
  ["'it's'", "'", /no end/],
  ["'abc", "'abc", /no end/],
  ['"abc', '"abc', /no end/],
  ['`abc', '`abc', /no end/],
  ['[abc', '[abc', /no end/],
  ['12abc', '12abc', /neither a number nor a name/],
  ["x'abc'", 'x', /blob/],
  ['0x12345678901234567', '0x', /64 bits/],
  ['a ! b', '!', /no "!"/],
  ['a ^ 2', '^', /no "\^"/],
  ['{a: b}', '{', /no "\{"/],
  ["x REGEXP '(a'", "(a'", /never closed/],
  ["x REGEXP 'a**'", "*'", /repeats nothing|cannot be repeated/],
  ["json('{bad')", 'json', /json\(\) got a text that is no JSON/],
  ['abs(-9223372036854775808)', 'abs', /64 bits/],
  ['(1, 2)', '(1, 2)', /one value/],
  [`${'('.repeat(500)}1${')'.repeat(500)}`, '(', /nested too deeply/],
  [`1${' + 1'.repeat(2000)}`, '1', /too many operators/],
];

describe('what is not a value of one record is refused with its place', () => {
  test.each(REFUSED.map((row) => [row[0].slice(0, 60), ...row] as const))('%s', (_, expression, at, message) => {
    const error = refusal(expression);
    expect(error.message).toMatch(message);
    expect(expression.startsWith(at, error.offset)).toBe(true);
    if (at === '') expect(error.offset).toBe(expression.length);
  });
});

describe('words that mean something elsewhere may be names', () => {
  test.each([
    ['date', { date: 'x' }, 'x'],
    ['key', { key: 'x' }, 'x'],
    ['replace', { replace: 'x' }, 'x'],
    ['like', { like: 'x' }, 'x'],
    ['pragma', { pragma: 'x' }, 'x'],
    ['with', { with: 'x' }, 'x'],
    ['(with)', { with: 'x' }, 'x'],
    ['end || left', { end: 'x', left: 'y' }, 'xy'],
    ['CASE WHEN "end" THEN "case" ELSE `else` END', { end: 1, case: 'x' }, 'x'],
    ['CASE `WHEN` WHEN 1 THEN 2 END', { WHEN: 1 }, 2],
    ['CAST(integer AS INTEGER)', { integer: '7' }, 7],
    ['CAST(text AS VARCHAR(10))', { text: 7 }, '7'],
    ['real BETWEEN `and` AND "between"', { real: 2, and: 1, between: 3 }, 1],
    ['nocase = name COLLATE NOCASE', { nocase: 'A', name: 'a' }, 1],
    ['a IN (`in`, `not`)', { a: 1, in: 2, not: 1 }, 1],
    ['strftime || "strftime"', { strftime: 'x' }, 'xx'],
    ['"upper"(upper)', { upper: 'x' }, 'X'],
    ['`null`', { null: 'x' }, 'x'],
    ['"true"', { true: 'x' }, 'x'],
    ["before || '/' || after.text", { before: 'b', after: { text: 'a' } }, 'b/a'],
    ['after.`my col` || "after"."my col" || after . [my col]', { after: { 'my col': 'a' } }, 'aaa'],
    ['"a ""b"" c"', { 'a "b" c': 'x' }, 'x'],
    ['`a``b`', { 'a`b': 'x' }, 'x'],
    ['"a;--b"', { 'a;--b': 'x' }, 'x'],
    ['"?1"', { '?1': 'x' }, 'x'],
    ['größe', { größe: 'x' }, 'x'],
    ['a$b', { a$b: 'x' }, 'x'],
    ['名前', { 名前: 'x' }, 'x'],
  ])('%s', (expression, record, result) => {
    expect(compileSql(expression).evaluate(toMap(record))).toBe(result);
  });
});

function toMap(record: object): Map<string, never> {
  return new Map(
    Object.entries(record).map(([name, value]) => [name, (typeof value === 'object' ? toMap(value) : value) as never]),
  );
}

describe('the lists of words and functions are those of the SQLite in use', () => {
  const database = new DatabaseSync(':memory:');
  const accepts = (sql: string): boolean => {
    try {
      database.prepare(sql);
      return true;
    } catch {
      return false;
    }
  };

  test('every reserved word is refused as a column by SQLite, every other keyword is taken', () => {
    const taken = KEYWORDS.filter((word) => accepts(`SELECT ${word} FROM (SELECT 1 AS "${word}")`));
    const refused = KEYWORDS.filter((word) => !taken.includes(word));
    expect(refused).toEqual([...RESERVED].sort());
  });

  test('every function exists, and its numbers of arguments are those that SQLite takes', () => {
    const wrong: string[] = [];
    for (const [name, { least, most }] of SQL_FUNCTIONS) {
      // REGEXP is ours.
      if (name === 'regexp') continue;
      const taken = [0, 1, 2, 3, 4].filter((count) => accepts(`SELECT ${name}(${Array(count).fill('0.5').join()})`));
      const allowed = [0, 1, 2, 3, 4].filter((count) => count >= least && count <= most);
      // A single argument makes aggregates of these two.
      if (name === 'max' || name === 'min') allowed.unshift(1);
      if (taken.join() !== allowed.join()) wrong.push(`${name}: ${taken.join()} instead of ${allowed.join()}`);
    }
    expect(wrong).toEqual([]);
  });

  test('every aggregate and window function of SQLite is known as one', () => {
    const rows = database
      .prepare("SELECT DISTINCT name FROM pragma_function_list WHERE type IN ('a', 'w')")
      .all() as unknown as { name: string }[];
    const unknown = rows.map(({ name }) => name).filter((name) => !SQL_AGGREGATES.has(name) && !SQL_WINDOWS.has(name));
    expect(unknown.sort()).toEqual(['geopoly_group_bbox', 'max', 'min']);
  });
});

/** https://sqlite.org/lang_keywords.html; without `NULL`, which is a value. */
const KEYWORDS =
  `ABORT ACTION ADD AFTER ALL ALTER ALWAYS ANALYZE AND AS ASC ATTACH AUTOINCREMENT BEFORE BEGIN BETWEEN BY
  CASCADE CASE CAST CHECK COLLATE COLUMN COMMIT CONFLICT CONSTRAINT CREATE CROSS CURRENT DATABASE DEFAULT DEFERRABLE DEFERRED
  DELETE DESC DETACH DISTINCT DO DROP EACH ELSE END ESCAPE EXCEPT EXCLUDE EXCLUSIVE EXISTS EXPLAIN FAIL FILTER FIRST FOLLOWING
  FOR FOREIGN FROM FULL GENERATED GLOB GROUP GROUPS HAVING IF IGNORE IMMEDIATE IN INDEX INDEXED INITIALLY INNER INSERT INSTEAD
  INTERSECT INTO IS ISNULL JOIN KEY LAST LEFT LIKE LIMIT MATCH MATERIALIZED NATURAL NO NOT NOTHING NOTNULL NULLS OF OFFSET
  ON OR ORDER OTHERS OUTER OVER PARTITION PLAN PRAGMA PRECEDING PRIMARY QUERY RAISE RANGE RECURSIVE REFERENCES REGEXP REINDEX
  RELEASE RENAME REPLACE RESTRICT RETURNING RIGHT ROLLBACK ROW ROWS SAVEPOINT SELECT SET TABLE TEMP TEMPORARY THEN TIES TO
  TRANSACTION TRIGGER UNBOUNDED UNION UNIQUE UPDATE USING VACUUM VALUES VIEW VIRTUAL WHEN WHERE WINDOW WITH WITHOUT`
    .split(/\s+/)
    .sort();
