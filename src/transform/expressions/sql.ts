/**
 * SQL expressions in SQLite's dialect, evaluated by the SQLite inside Node.
 *
 * An own parser (`sql-parser.ts`) reads each expression with SQLite's grammar before SQLite sees it: it finds the columns,
 * which become parameters, and refuses with a place whatever is not a plain value of one record: statements, subqueries,
 * aggregates, windows, parameters, unknown functions, wrong numbers of arguments. So SQLite never sees a name that is not a
 * function, a type or a collation of its own, and its database stays empty.
 */
import { asResult, type ColumnName, readColumn, type SqlValue, toSqlValue } from './sql-columns.ts';
import { fromSqlValue, type Prepared, prepareSelect, reasonOf } from './sql-engine.ts';
import { type ParsedSql, parseSql } from './sql-parser.ts';
import { type Expression, ExpressionError, ExpressionSyntaxError, type JobValue } from './types.ts';

/** Several expressions over the same record, evaluated in one go. */
export interface SqlGroup {
  /** One result per expression, in order. Throws {@link SqlGroupError}: the record is rejected. */
  evaluate(record: JobValue): JobValue[];
  /** Each expression by itself. */
  readonly expressions: readonly Expression[];
}

/** The first expression of a group that fails on one record. */
export class SqlGroupError extends ExpressionError {
  /** Its place in the group, from 0. */
  readonly index: number;
  constructor(message: string, index: number) {
    super(message);
    this.index = index;
  }
}

/**
 * Compiles one SQL expression. Throws {@link ExpressionSyntaxError}.
 *
 * A column by itself keeps the digits that the database wrote; a calculated REAL that is whole stays recognisable (`3.0`).
 */
export function compileSql(text: string): Expression {
  return compile(text).expression;
}

/**
 * Compiles expressions that are evaluated together, none of which sees the result of another. Throws
 * {@link ExpressionSyntaxError} for the first wrong one.
 */
export function compileSqlGroup(texts: readonly string[]): SqlGroup {
  const compiled = texts.map(compile);
  const expressions = compiled.map(({ expression }) => expression);
  const together = joinStatements(compiled.map(({ parsed }) => parsed));
  return {
    expressions,
    evaluate(record) {
      if (together === null) return evaluateSingly(expressions, record);
      try {
        return together(record);
      } catch {
        return evaluateSingly(expressions, record);
      }
    },
  };
}

function evaluateSingly(expressions: readonly Expression[], record: JobValue): JobValue[] {
  return expressions.map((expression, index) => {
    try {
      return expression.evaluate(record);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      throw new SqlGroupError(error.message, index);
    }
  });
}

interface CompiledSql {
  readonly parsed: ParsedSql;
  readonly expression: Expression;
}

function compile(text: string): CompiledSql {
  const parsed = parseSql(text);
  const columns = parsed.pieces.filter(isColumn);
  const reads = [...new Set(columns.flatMap(({ name, path }) => [path[0] as string, name]))];
  const column = onlyColumn(parsed);
  const evaluate = column === null ? statementOf(text, parsed, columns) : columnReader(column);
  return { parsed, expression: { evaluate, reads, isVolatile: parsed.isVolatile } };
}

function isColumn(piece: string | ColumnName): piece is ColumnName {
  return typeof piece !== 'string';
}

/** The column, when the expression is nothing else. */
function onlyColumn({ pieces }: ParsedSql): ColumnName | null {
  const [first] = pieces;
  return pieces.length === 1 && first !== undefined && isColumn(first) ? first : null;
}

/** Past SQLite, so that a number keeps its written digits; otherwise as if it had been there. */
function columnReader(column: ColumnName): (record: JobValue) => JobValue {
  return (record) => asResult(readColumn(record, column));
}

function statementOf(text: string, parsed: ParsedSql, columns: ColumnName[]): (record: JobValue) => JobValue {
  const parameters = new Parameters();
  const fails = (error: unknown) => `The SQL expression ${shorten(text)} fails: ${reasonOf(error, parsed.functions)}`;
  let statement: Prepared;
  try {
    statement = prepareSelect([parameters.write(parsed)]);
    // Without columns it gives or fails the same for every record, so a failure can be told now.
    if (columns.length === 0 && !parsed.isVolatile) statement.run([]);
  } catch (error) {
    throw new ExpressionSyntaxError(fails(error), 0);
  }
  return (record) => {
    try {
      return fromSqlValue(statement.run(parameters.values(record))[0]);
    } catch (error) {
      throw new ExpressionError(`${fails(error)}${readFields(columns)}`);
    }
  };
}

function readFields(columns: readonly ColumnName[]): string {
  const names = [...new Set(columns.map(({ name }) => `"${name}"`))];
  return names.length === 0 ? '' : ` It reads ${names.join(', ')}.`;
}

const SHOWN_CHARACTERS = 120;

function shorten(text: string): string {
  return text.length <= SHOWN_CHARACTERS ? `"${text}"` : `"${text.slice(0, SHOWN_CHARACTERS)}…"`;
}

/** One evaluation for all; null when SQLite cannot take them in one statement. */
function joinStatements(group: readonly ParsedSql[]): ((record: JobValue) => JobValue[]) | null {
  const parameters = new Parameters();
  const texts: string[] = [];
  const readers = group.map((parsed) => {
    const column = onlyColumn(parsed);
    if (column === null) texts.push(parameters.write(parsed));
    return column === null ? null : columnReader(column);
  });
  const statement = texts.length === 0 ? null : prepareOrNull(texts);
  if (texts.length > 0 && statement === null) return null;
  return (record) => {
    const row = statement === null ? [] : statement.run(parameters.values(record));
    let next = 0;
    return readers.map((reader) => (reader === null ? fromSqlValue(row[next++]) : reader(record)));
  };
}

function prepareOrNull(texts: readonly string[]): Prepared | null {
  try {
    return prepareSelect(texts);
  } catch {
    return null;
  }
}

/** The columns that become the parameters `?1`, `?2`, … of one statement, each once however often it is named. */
class Parameters {
  readonly #columns: ColumnName[] = [];
  readonly #numbers = new Map<string, number>();

  /** The SQL text of an expression with its columns as parameters. */
  write({ pieces }: ParsedSql): string {
    return pieces.map((piece) => (isColumn(piece) ? `?${this.#number(piece)}` : piece)).join(' ');
  }

  values(record: JobValue): SqlValue[] {
    return this.#columns.map((column) => toSqlValue(readColumn(record, column)));
  }

  #number(column: ColumnName): number {
    const known = this.#numbers.get(column.name);
    if (known !== undefined) return known;
    this.#columns.push(column);
    this.#numbers.set(column.name, this.#columns.length);
    return this.#columns.length;
  }
}
