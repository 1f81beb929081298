import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';

export interface Column<T> {
  readonly title: string;
  /** What rows are sorted by. Absent: the column cannot be sorted. */
  readonly by?: (row: T) => string | number;
  readonly show: (row: T) => ComponentChildren;
  readonly isNumber?: boolean;
}

interface DataTableProps<T> {
  /** What the table shows; for those who do not see it, too. */
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  /** Shown in place of rows. */
  readonly empty: string;
  readonly foot?: readonly ComponentChildren[];
}

/** A table with a caption whose columns sort it. The first column names the row. */
export function DataTable<T>(props: DataTableProps<T>): JSX.Element {
  const [order, setOrder] = useState<{ title: string; isDown: boolean } | null>(null);
  const sortedBy = props.columns.find(({ title }) => title === order?.title)?.by;
  const rows = sortedBy && order ? [...props.rows].sort(comparing(sortedBy, order.isDown)) : props.rows;
  const turn = (title: string): void =>
    setOrder((now) => ({ title, isDown: now?.title === title ? !now.isDown : false }));
  if (props.rows.length === 0) return <p class="quiet">{props.empty}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable
    <section class="scroll" tabIndex={0} aria-label={props.caption}>
      <table>
        <caption>{props.caption}</caption>
        <thead>
          <tr>
            {props.columns.map(({ title, by, isNumber }) => (
              <th key={title} scope="col" class={isNumber ? 'number' : ''} aria-sort={sortOf(title, order)}>
                {by ? (
                  <button type="button" class="plain" onClick={() => turn(title)}>
                    {title}
                    <span aria-hidden="true">{order?.title === title ? (order.isDown ? ' ↓' : ' ↑') : ''}</span>
                  </button>
                ) : (
                  title
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={props.keyOf(row)}>
              {props.columns.map(({ title, show, isNumber }, index) =>
                index === 0 ? (
                  <th key={title} scope="row">
                    {show(row)}
                  </th>
                ) : (
                  <td key={title} class={isNumber ? 'number' : ''}>
                    {show(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
        {props.foot && (
          <tfoot>
            <tr>
              {props.foot.map((cell, index) => (
                <td key={index} class={props.columns[index]?.isNumber ? 'number' : ''}>
                  {cell}
                </td>
              ))}
            </tr>
          </tfoot>
        )}
      </table>
    </section>
  );
}

function sortOf(title: string, order: { title: string; isDown: boolean } | null): 'ascending' | 'descending' | 'none' {
  if (order?.title !== title) return 'none';
  return order.isDown ? 'descending' : 'ascending';
}

function comparing<T>(by: (row: T) => string | number, isDown: boolean): (a: T, b: T) => number {
  return (a, b) => {
    const [left, right] = [by(a), by(b)];
    const sign =
      typeof left === 'number' && typeof right === 'number' ? left - right : `${left}`.localeCompare(`${right}`, 'en');
    return isDown ? -sign : sign;
  };
}
