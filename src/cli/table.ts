import { printable } from './terminal.ts';

export interface Column {
  readonly title: string;
  /** Numbers stand at the right. */
  readonly align?: 'left' | 'right';
}

/** A column of numbers. */
export function right(title: string): Column {
  return { title, align: 'right' };
}

export function left(title: string): Column {
  return { title };
}

/**
 * Rows as aligned text with a heading and a rule, each line ended and indented by two blanks. The last column is not
 * padded, so no line ends in blanks.
 */
export function formatTable(columns: readonly Column[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = rows.map((row) => row.map((cell) => printable(String(cell))));
  const titles = columns.map(({ title }) => title);
  const widths = titles.map((title, index) => Math.max(...[titles, ...cells].map((row) => width(row[index] ?? title))));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, index) => pad(cell, widths[index]!, columns[index]!.align))
      .join('  ')
      .trimEnd();
  const rule = widths.map((size) => '─'.repeat(size)).join('  ');
  return [line(titles), rule, ...cells.map(line)].map((text) => `  ${text}\n`).join('');
}

function pad(text: string, size: number, align: Column['align']): string {
  const blanks = ' '.repeat(Math.max(0, size - width(text)));
  return align === 'right' ? blanks + text : text + blanks;
}

/** Code points, so that letters outside the first plane count once. */
function width(text: string): number {
  return [...text].length;
}
