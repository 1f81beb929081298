/**
 * Words of SQLite's grammar (https://sqlite.org/lang_keywords.html). A test holds {@link RESERVED} against the SQLite in use.
 */

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Words that SQLite never takes for a bare column; `NULL` is a value. */
export const RESERVED = words(`
  ADD ALL ALTER AND AS AUTOINCREMENT BETWEEN CASE CAST CHECK COLLATE COMMIT CONSTRAINT CREATE DEFAULT DEFERRABLE DELETE
  DISTINCT DROP ELSE ESCAPE EXCEPT EXISTS FOREIGN FROM GROUP HAVING IN INDEX INSERT INTERSECT INTO IS ISNULL JOIN LIMIT NOT
  NOTHING NOTNULL ON OR ORDER PRIMARY RAISE REFERENCES RETURNING SELECT SET TABLE THEN TO TRANSACTION UNION UNIQUE UPDATE
  USING VALUES WHEN WHERE`);

/** Words with which a statement begins. */
export const STATEMENTS = words(`
  ALTER ANALYZE ATTACH BEGIN COMMIT CREATE DELETE DETACH DROP END EXPLAIN INSERT PRAGMA REINDEX RELEASE REPLACE ROLLBACK
  SAVEPOINT SELECT UPDATE VACUUM VALUES WITH`);

/** Words that begin a subquery. */
export const SUBQUERIES = words('SELECT VALUES WITH');

/** Words that stand for a value. */
export const CONSTANTS = words('NULL TRUE FALSE');
export const CLOCKS = words('CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP');

/** Words between two operands that ask a question and may follow NOT. */
export const TESTS = words('IN LIKE GLOB REGEXP MATCH BETWEEN');

export const COLLATIONS = words('BINARY NOCASE RTRIM');

/** Strength of operators between two operands; the strongest binds first. */
export const POWERS: ReadonlyMap<string, number> = new Map(
  [
    ['OR'],
    ['AND'],
    [],
    ['=', '==', '!=', '<>', 'IS', 'IN', 'LIKE', 'GLOB', 'REGEXP', 'MATCH', 'BETWEEN', 'NOT', 'ISNULL', 'NOTNULL'],
    ['<', '<=', '>', '>='],
    ['&', '|', '<<', '>>'],
    ['+', '-'],
    ['*', '/', '%'],
    ['||', '->', '->>'],
    ['COLLATE'],
  ].flatMap((operators, index) => operators.map((operator): [string, number] => [operator, index + 1])),
);

/** Strength of what stands before its operand: `NOT x`, and `-x`, `+x`, `~x`. */
export const NOT_POWER = 3;
export const SIGN_POWER = 11;

/** Operands of these operators end before the next comparison, or before `AND`. */
export const COMPARISON_POWER = 5;
