import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileSql, compileSqlGroup } from '../../../src/transform/expressions/sql.ts';
import {
  type Expression,
  ExpressionError,
  ExpressionSyntaxError,
  type JobValue,
} from '../../../src/transform/expressions/types.ts';
import { compactJson } from '../../../src/transform/expressions/values.ts';
import { NumberText } from '../../../src/types.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

/** On a busy machine fewer runs, not a failure. */
const BOUNDED = { interruptAfterTimeLimit: 10_000 };

const FOLDER = tempFolder();
const OUTSIDE = path.join(FOLDER, 'outside.db');

const SEEDS = [
  "a || '-' || b",
  "CASE WHEN CAST(age AS INTEGER) < 18 THEN 'minor' ELSE `after.x` END",
  "strftime('%Y-%m-%d', d / 1000, 'unixepoch')",
  "x NOT IN ('a', 'b') AND y BETWEEN 1 AND 3 OR z IS NOT NULL",
  "json_extract(j, '$.a.b') ->> '$[0]'",
  "name LIKE 'c\\_%' ESCAPE '\\' COLLATE NOCASE",
  "x REGEXP '^(a|b)+$'",
  "printf('%d:%02d', ms / 60000, (ms / 1000) % 60)",
  'coalesce("my col", [other], -1.5e3, x\'0aff\', 0x1F, ~1, NULL, TRUE)',
];

/** What an attacker or a mistake would put in. */
const SCRAPS = [
  "'",
  '"',
  '`',
  '[',
  ']',
  '(',
  ')',
  ',',
  ';',
  '--',
  '/*',
  '*/',
  '.',
  '?',
  ':a',
  '@a',
  '$a',
  '||',
  '->>',
  '=',
  '*',
  '\0',
  'é',
  ' SELECT ',
  ' FROM sqlite_master ',
  ' UNION SELECT name ',
  '(SELECT 1)',
  'PRAGMA user_version',
  `ATTACH '${OUTSIDE}' AS y`,
  `VACUUM INTO '${OUTSIDE}'`,
  "load_extension('x')",
  'count(*)',
  ' OVER () ',
  ' AND ',
  ' NOT ',
  ' IN ',
  ' BETWEEN ',
  ' IS ',
  ' CASE ',
  ' WHEN ',
  ' END ',
  ' AS x ',
  'a.b.c',
  '1',
  '1e',
  '0x',
  "x'0'",
  'max(',
  'randomblob(9)',
  'CAST(',
  ' COLLATE ',
  ' ESCAPE ',
  ' REGEXP ',
];

const mutated = fc
  .tuple(
    fc.constantFrom(...SEEDS),
    fc.array(
      fc.record({ at: fc.nat(80), drop: fc.nat(6), scrap: fc.oneof(fc.constantFrom(...SCRAPS), fc.constant('')) }),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([seed, edits]) =>
    edits.reduce((text, { at, drop, scrap }) => text.slice(0, at) + scrap + text.slice(at + drop), seed),
  );

const RECORD: JobValue = new Map<string, JobValue>([
  ['a', 'text'],
  ['b', 5],
  ['age', '20'],
  ['after', new Map<string, JobValue>([['x', 1.5]])],
  ['d', new NumberText('9007199254740993')],
  ['j', '{"a":{"b":[1]}}'],
  ['my col', true],
]);

function compiled(text: string): Expression | ExpressionSyntaxError {
  try {
    return compileSql(text);
  } catch (error) {
    if (error instanceof ExpressionSyntaxError) return error;
    throw error;
  }
}

describe('texts that went wrong', () => {
  test('give an expression that works or an error with its place, and never reach a table or a file', () => {
    let working = 0;
    fc.assert(
      fc.property(mutated, (text) => {
        const expression = compiled(text);
        if (expression instanceof ExpressionSyntaxError) {
          expect(expression.offset >= 0 && expression.offset <= text.length).toBe(true);
          // What SQLite itself has to refuse has no place; the parser must have seen it before.
          expect(expression.message).not.toMatch(/SQLite says/);
          return;
        }
        working++;
        evaluateSafely(expression, RECORD);
        evaluateSafely(expression, null);
      }),
      { numRuns: 20_000, ...BOUNDED },
    );
    expect(working).toBeGreaterThan(20);
    expect(fs.readdirSync(FOLDER)).toEqual([]);
  });
});

/** Any result that is a value, or an {@link ExpressionError}; everything else fails the test. */
function evaluateSafely(expression: Expression, record: JobValue): void {
  try {
    expect(typeof compactJson(expression.evaluate(record))).toBe('string');
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
  }
}

/** Columns as SQLite literals and as values; the literals in a subquery have no affinity, just as parameters. */
const COLUMNS: [name: string, literal: string, value: JobValue][] = [
  ['i', '7', 7],
  ['big', '9007199254740993', new NumberText('9007199254740993')],
  ['r', '2.5', 2.5],
  ['whole', '3.0', new NumberText('3.0')],
  ['t', "'Abc'", 'Abc'],
  ['num', "'20.5'", '20.5'],
  ['n', 'NULL', null],
  ['yes', '1', true],
  ['j', `'{"a":{"b":7}}'`, '{"a":{"b":7}}'],
  ['my col', "'x y'", 'x y'],
];

const { valid } = fc.letrec<{ valid: string; operand: string }>((tie) => {
  const e = tie('operand');
  const operator = fc.constantFrom(
    '||',
    '*',
    '/',
    '%',
    '+',
    '-',
    '&',
    '|',
    '<<',
    '>>',
    '<',
    '<=',
    '>',
    '>=',
    '=',
    '==',
    '<>',
    '!=',
    'IS',
    'IS NOT',
    'AND',
    'or',
    'LIKE',
    'NOT LIKE',
    'GLOB',
    'IS DISTINCT FROM',
    'IS NOT DISTINCT FROM',
  );
  const leaf = fc.constantFrom(
    'i',
    'big',
    'r',
    'whole',
    't',
    'num',
    'n',
    'yes',
    'j',
    '"my col"',
    '`my col`',
    '[my col]',
    'I',
    '1',
    '2.5',
    '.5',
    "'abc'",
    "'it''s'",
    'NULL',
    'TRUE',
    '0x1f',
    "x'41'",
    '1e3',
    '9223372036854775807',
  );
  const unary = fc.constantFrom('-', '+', '~', 'NOT ');
  const type = fc.constantFrom('INTEGER', 'REAL', 'TEXT', 'BLOB', 'DECIMAL(10, 2)', 'VARCHAR(3)', 'DOUBLE PRECISION');
  const one = fc.constantFrom(
    'upper',
    'length',
    'typeof',
    'hex',
    'quote',
    'round',
    'trim',
    'floor',
    'unicode',
    'likely',
  );
  const many = fc.constantFrom('coalesce', 'concat', 'max', 'min', 'iif', 'concat_ws', 'json_array');
  return {
    operand: fc.oneof({ maxDepth: 4, depthSize: 'small' }, leaf, tie('valid')),
    valid: fc.oneof(
      fc.tuple(e, operator, e).map(([a, op, b]) => `${a} ${op} ${b}`),
      fc.tuple(unary, e).map(([op, a]) => `${op}(${a})`),
      e.map((a) => `(${a})`),
      e.map((a) => `${a} -- a remark\n`),
      fc.tuple(e, fc.constantFrom('ISNULL', 'NOTNULL', 'NOT NULL', 'COLLATE NOCASE')).map(([a, op]) => `(${a}) ${op}`),
      fc.tuple(e, type).map(([a, name]) => `CAST(${a} AS ${name})`),
      fc.tuple(e, e, e).map(([a, b, c]) => `(${a}) BETWEEN (${b}) AND (${c})`),
      fc.tuple(e, fc.array(e, { maxLength: 3 })).map(([a, list]) => `(${a}) NOT IN (${list.join(', ')})`),
      fc.tuple(e, e, e).map(([a, b, c]) => `CASE WHEN ${a} THEN ${b} ELSE ${c} END`),
      fc.tuple(e, e, e).map(([a, b, c]) => `CASE ${a} WHEN ${b} THEN ${c} END`),
      fc.tuple(one, e).map(([name, a]) => `${name}(${a})`),
      fc.tuple(many, fc.array(e, { minLength: 2, maxLength: 3 })).map(([name, list]) => `${name}(${list.join(', ')})`),
    ),
  };
});

describe('random expressions', () => {
  const database = new DatabaseSync(':memory:', { readBigInts: true, returnArrays: true });
  const source = `(SELECT ${COLUMNS.map(([name, literal]) => `${literal} AS "${name}"`).join(', ')})`;
  const record = new Map(COLUMNS.map(([name, , value]) => [name, value]));

  /** What SQLite makes of an expression over a row, in words; undefined when it fails. */
  const reference = (text: string): string | undefined => {
    try {
      const row = database.prepare(`SELECT typeof(v), quote(v) FROM (SELECT (${text}\n) AS v FROM ${source})`).get();
      return (row as unknown as string[]).join(' ');
    } catch {
      return undefined;
    }
  };

  test('give what SQLite gives for a row with these columns', () => {
    let working = 0;
    fc.assert(
      fc.property(valid, (text) => {
        const expected = reference(text);
        const expression = compiled(`typeof(${text}\n) || ' ' || quote(${text}\n)`);
        if (expression instanceof ExpressionSyntaxError) {
          expect([text, expression.message, expected]).toEqual([text, expression.message, undefined]);
          return;
        }
        working++;
        expect([text, resultOf(expression, record)]).toEqual([text, expected]);
      }),
      { numRuns: 5000, ...BOUNDED },
    );
    expect(working).toBeGreaterThan(20);
  });

  test('give in a group what they give alone', () => {
    fc.assert(
      fc.property(fc.array(valid, { minLength: 1, maxLength: 5 }), (texts) => {
        const working = texts.filter((text) => !(compiled(text) instanceof ExpressionSyntaxError));
        const group = compileSqlGroup(working);
        const single = group.expressions.map((expression) => resultOf(expression, record));
        if (single.includes(undefined)) expect(() => group.evaluate(record)).toThrow(ExpressionError);
        else expect(group.evaluate(record)).toEqual(single);
      }),
      { numRuns: 1000, ...BOUNDED },
    );
  });
});

/** Undefined when it fails. */
function resultOf(expression: Expression, record: JobValue): JobValue | undefined {
  try {
    return expression.evaluate(record);
  } catch (error) {
    if (error instanceof ExpressionError) return undefined;
    throw error;
  }
}
