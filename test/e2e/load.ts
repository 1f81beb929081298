/** Changes for the database under test, in its own SQL. Ids from 100 000 on are this file's. */
import type { Database } from './database.ts';

/** One transaction that inserts `count` rows into `counters`, from `first` on. */
export function insertMany(kind: Database['kind'], first: number, count: number): string {
  const last = first + count - 1;
  return kind === 'postgresql'
    ? `insert into shop.counters select i, i from generate_series(${first},${last}) i;`
    : `use shop; insert into counters select seq, seq from seq_${first}_to_${last};`;
}

/**
 * Transactions that touch the rows `first` to `first + count - 1` again and again: updates, deletes, key changes, rows
 * that come back, a rollback. Every step number gives other changes.
 */
export function changeMany(kind: Database['kind'], first: number, count: number, step: number): string {
  const last = first + count - 1;
  const begin = kind === 'postgresql' ? 'begin;' : 'start transaction;';
  const order = 100_000 + step;
  const moved = first + (step % 10) * 60;
  return [
    kind === 'postgresql' ? 'set search_path=shop,public;' : 'use shop;',
    `${begin} update counters set n=n+1 where id between ${first} and ${last} and id%3=${step % 3};`,
    `delete from counters where id between ${first} and ${last} and id%10=${step % 10}; commit;`,
    `${begin} insert into order_lines values (${order},1,'L ${step}',${step},1.50); update order_lines set line_no=2 where order_id=${order};`,
    `update order_lines set qty=qty+1 where order_id between 100000 and ${order}; commit;`,
    `${begin} update counters set n=-1 where id between ${first} and ${last}; rollback;`,
    `update counters set id=id+${20_000_000 + step * 1_000_000} where id between ${moved} and ${moved + 50};`,
    `update customers set last_name='step ${step}' where id<10;`,
  ].join('\n');
}

/** The last change of a test: when its key is in the target, everything before it has been sent. */
export function marker(id: number): { sql: string; key: string } {
  return { sql: `insert into shop.counters values (${id},0);`, key: `counters:id:${id}` };
}
