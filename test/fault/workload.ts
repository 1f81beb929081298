/**
 * A busy source database, told as a Debezium Server tells it: schema-less envelopes of several tables, with creates,
 * updates (columns that become NULL, columns that were not delivered), deletes with their tombstones, rows that come back,
 * and changes of the primary key. Every change carries a number that grows over all of them, in the column `v`.
 */
import type { Random } from './random.ts';

/** Column values of a row in text form, without its NULLs: what the row's hash must hold. */
export type Fields = Map<string, string>;

type Column = string | number | null;
type SourceRow = Record<string, Column>;

const UNAVAILABLE = '__debezium_unavailable_value';

/** One record of the feeder. */
export interface Change {
  readonly stream: string;
  /** The whole `XADD` command; the same bytes whenever it is sent again. */
  readonly command: Buffer;
  /** Number of the change, growing; a tombstone and a heartbeat have one of their own, too. */
  readonly version: number;
  /** Key of the target that it concerns; undefined for records that change no row. */
  readonly key?: string;
  /** What it does to the key. Columns that were not delivered are not named. */
  readonly effect?:
    | { readonly set: readonly (readonly [string, string])[]; readonly remove: readonly string[] }
    | 'delete';
}

interface Table {
  readonly name: string;
  readonly keyColumns: readonly string[];
  /** Rows that may exist. */
  readonly rows: number;
  readonly compact: boolean;
  readonly weight: number;
  readonly makeKey: (number: number) => SourceRow;
}

const TABLES: readonly Table[] = [
  { name: 'customers', keyColumns: ['id'], rows: 300, compact: false, weight: 3, makeKey: (id) => ({ id }) },
  { name: 'orders', keyColumns: ['id'], rows: 1500, compact: false, weight: 4, makeKey: (id) => ({ id }) },
  {
    name: 'lines',
    keyColumns: ['order_id', 'line_no'],
    rows: 900,
    compact: true,
    weight: 3,
    makeKey: (number) => ({ order_id: Math.floor(number / 3), line_no: (number % 3) + 1 }),
  },
  // A few rows that change all the time: where order is easiest to break.
  { name: 'hot', keyColumns: ['id'], rows: 6, compact: false, weight: 5, makeKey: (id) => ({ id }) },
];

export const HEARTBEATS = '__debezium-heartbeat.shop';

/** Makes changes one after the other; the sequence follows from the random generator alone. */
export class Workload {
  readonly #random: Random;
  readonly #live = new Map<string, SourceRow>();
  readonly #tables: Table[];
  readonly #hasDeletes: boolean;
  /** Records that must follow the last change: the tombstone of a delete, the create of a new key. */
  readonly #next: Change[] = [];
  #version = 0;

  constructor(random: Random, options: { tables?: readonly string[]; deletes?: boolean } = {}) {
    this.#random = random;
    this.#hasDeletes = options.deletes ?? true;
    const wanted = TABLES.filter(({ name }) => options.tables?.includes(name) ?? true);
    this.#tables = wanted.flatMap((table) => new Array<Table>(table.weight).fill(table));
  }

  take(count: number): Change[] {
    return Array.from({ length: count }, () => this.#next.shift() ?? this.#make());
  }

  #make(): Change {
    const random = this.#random;
    if (random.isLucky(0.01)) return this.#heartbeat();
    const table = random.pick(this.#tables);
    const keyRow = table.makeKey(random.below(table.rows));
    const key = targetKey(table, keyRow);
    const before = this.#live.get(key);
    if (!before) return this.#create(table, key, keyRow);
    const chance = this.#hasDeletes ? random.next() : 1;
    if (chance < 0.12) return this.#delete(table, key, before);
    if (chance < 0.17) return this.#move(table, key, before);
    return this.#update(table, key, keyRow, before);
  }

  #create(table: Table, key: string, keyRow: SourceRow): Change {
    const after = this.#row(keyRow);
    this.#live.set(key, after);
    return this.#change(table, 'c', key, null, after);
  }

  #update(table: Table, key: string, keyRow: SourceRow, before: SourceRow): Change {
    const after = this.#row(keyRow);
    if (this.#random.isLucky(0.3)) {
      after['body'] = before['body'] as Column;
      this.#live.set(key, after);
      // An unchanged large column is not delivered, unless it is NULL.
      return this.#change(table, 'u', key, null, after['body'] === null ? after : { ...after, body: UNAVAILABLE });
    }
    this.#live.set(key, after);
    return this.#change(table, 'u', key, null, after);
  }

  #delete(table: Table, key: string, before: SourceRow): Change {
    this.#live.delete(key);
    const deleted = this.#change(table, 'd', key, before, null);
    this.#next.push(this.#tombstone(table, before));
    return deleted;
  }

  /** Debezium tells a new primary key as delete, tombstone and create. */
  #move(table: Table, key: string, before: SourceRow): Change {
    const deleted = this.#delete(table, key, before);
    const newKeyRow = table.makeKey(this.#random.below(table.rows));
    const newKey = targetKey(table, newKeyRow);
    if (!this.#live.has(newKey)) this.#next.push(this.#create(table, newKey, newKeyRow));
    return deleted;
  }

  #row(keyRow: SourceRow): SourceRow {
    const random = this.#random;
    const text = (share: number, length: number) =>
      random.isLucky(share) ? null : `${random.below(1e9).toString(36)} é${'x'.repeat(random.below(length))}`;
    return {
      ...keyRow,
      v: this.#version + 1,
      name: text(0.02, 30),
      note: text(0.5, 60),
      amount: random.isLucky(0.2) ? null : random.below(1e6) / 4,
      body: text(0.1, 200),
    };
  }

  #change(table: Table, op: 'c' | 'u' | 'd', key: string, before: SourceRow | null, after: SourceRow | null): Change {
    const version = ++this.#version;
    const keyText = JSON.stringify(keyOf(table, (after ?? before) as SourceRow));
    const value = JSON.stringify({
      before,
      after,
      source: sourceOf(table, version),
      transaction: null,
      op,
      ts_ms: 1700000001000 + version,
    });
    return {
      stream: streamOf(table),
      command: this.#command(table, keyText, value),
      version,
      key,
      effect: after ? effectOf(after) : 'delete',
    };
  }

  #tombstone(table: Table, row: SourceRow): Change {
    const keyText = JSON.stringify(keyOf(table, row));
    return { stream: streamOf(table), command: this.#command(table, keyText, 'default'), version: ++this.#version };
  }

  #heartbeat(): Change {
    const version = ++this.#version;
    const words = ['key', '{"serverName":"shop"}', 'value', JSON.stringify({ ts_ms: 1700000000000 + version })];
    return { stream: HEARTBEATS, command: encodeCommand(['XADD', HEARTBEATS, '*', ...words]), version };
  }

  #command(table: Table, key: string, value: string): Buffer {
    const fields = table.compact
      ? [key, value]
      : ['key', key, 'value', value, '__DEBEZIUM.CONTEXT.CONNECTORNAME', '"postgresql"'];
    return encodeCommand(['XADD', streamOf(table), '*', ...fields]);
  }
}

/** What the target must hold after some changes, and the numbers of the changes of each key in order. */
export class Fold {
  readonly rows: Map<string, Fields>;
  /** Deletes as negative numbers. */
  readonly history = new Map<string, number[]>();

  constructor(rows: ReadonlyMap<string, Fields> = new Map()) {
    this.rows = new Map([...rows].map(([key, fields]) => [key, new Map(fields)]));
  }

  apply({ key, effect, version }: Change): void {
    if (key === undefined || effect === undefined) return;
    const history = this.history.get(key) ?? [];
    if (history.length === 0) this.history.set(key, history);
    history.push(effect === 'delete' ? -version : version);
    if (effect === 'delete') {
      this.rows.delete(key);
      return;
    }
    const fields = this.rows.get(key) ?? new Map<string, string>();
    for (const [name, value] of effect.set) fields.set(name, value);
    for (const name of effect.remove) fields.delete(name);
    this.rows.set(key, fields);
  }
}

/** A command in the form in which Redis' clients send it. */
export function encodeCommand(words: readonly string[]): Buffer {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return Buffer.from(`*${words.length}\r\n${parts.join('')}`);
}

function streamOf(table: Table): string {
  return `data:shop.sales.${table.name}`;
}

function targetKey(table: Table, row: SourceRow): string {
  return `${table.name}:${table.keyColumns.map((column) => `${column}:${row[column]}`).join(':')}`;
}

function keyOf(table: Table, row: SourceRow): SourceRow {
  return Object.fromEntries(table.keyColumns.map((column) => [column, row[column] as Column]));
}

function sourceOf(table: Table, version: number): Record<string, unknown> {
  return {
    ...{ version: '3.6.1.Final', connector: 'postgresql', name: 'shop', ts_ms: 1700000000000 + version },
    ...{ snapshot: 'false', db: 'shopdb', sequence: `["${version}","${version}"]`, schema: 'sales' },
    ...{ table: table.name, txId: version, lsn: version * 8, xmin: null },
  };
}

function effectOf(row: SourceRow): { set: [string, string][]; remove: string[] } {
  const set: [string, string][] = [];
  const remove: string[] = [];
  for (const [name, value] of Object.entries(row)) {
    if (value === null) remove.push(name);
    else if (value !== UNAVAILABLE) set.push([name, String(value)]);
  }
  return { set, remove };
}
