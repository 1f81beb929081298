/**
 * Column types and primary keys of the test schemas, read from the SQL that made them (`fixtures/source/*.schema.sql`).
 *
 * Understands exactly the `create table` statements of these files: one per table, columns separated by commas, an
 * optional `primary key(…)` at the end.
 */

export interface TableShape {
  readonly name: string;
  /** Column name to its type as written, lower case, without constraints: `numeric(12,2)`, `bit varying(10)`, `int[]`. */
  readonly types: ReadonlyMap<string, string>;
  /** Key columns in key order; empty for a table without a primary key. */
  readonly key: readonly string[];
}

const CONSTRAINTS =
  /\s+(?:not null|null\b|default|primary key|unique|auto_increment|references|check|character set|as \().*$/i;

/** Tables of a schema file by name. */
export function readTableShapes(sql: string): Map<string, TableShape> {
  const shapes = new Map<string, TableShape>();
  for (const statement of sql.matchAll(/create table\s+("[^"]+"|`[^`]+`|\w+)\s*\(/gi)) {
    const name = unquote(statement[1] ?? '');
    const start = statement.index + statement[0].length;
    shapes.set(name, readTable(name, splitAtCommas(sql.slice(start))));
  }
  return shapes;
}

function readTable(name: string, parts: readonly string[]): TableShape {
  const types = new Map<string, string>();
  let key: string[] = [];
  for (const part of parts) {
    const tableKey = /^primary key\s*\(([^)]*)\)$/i.exec(part);
    if (tableKey) {
      key = (tableKey[1] ?? '').split(',').map((column) => unquote(column.trim()));
      continue;
    }
    const column = /^("[^"]+"|`[^`]+`|\w+)\s+(.*)$/s.exec(part);
    if (!column) throw new Error(`The column definition "${part}" of table ${name} is not understood.`);
    const [, quoted = '', definition = ''] = column;
    types.set(unquote(quoted), definition.replace(CONSTRAINTS, '').trim().toLowerCase());
    if (/primary key/i.test(definition)) key = [unquote(quoted)];
  }
  return { name, types, key };
}

/** Splits the inside of a parenthesis at its commas of depth 0, up to the closing parenthesis. */
function splitAtCommas(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '(') depth++;
    if ((character === ',' && depth === 0) || (character === ')' && depth === 0)) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
    if (character === ')' && depth-- === 0) return parts;
  }
  throw new Error('A create table statement has no closing parenthesis.');
}

function unquote(name: string): string {
  return name.replace(/^["`]|["`]$/g, '');
}
