import type { TableIdentity } from '../types.ts';
import { BRACE } from './json-bytes.ts';
import { Members } from './members.ts';
import type { Scanner } from './scanner.ts';
import { HOLE, type Hole } from './template.ts';

/** Keeps memory bounded when something sends table names without end. */
const MAX_TABLES = 100_000;

/** One object per table, so that later rooms may cache by identity. */
export class Tables {
  readonly #known = new Map<string, TableIdentity>();

  intern(connector: string, serverName: string, db: string, schema: string, table: string): TableIdentity {
    const id = JSON.stringify([connector, serverName, db, schema, table]);
    let identity = this.#known.get(id);
    if (identity === undefined) {
      identity = { connector, serverName, db, schema, table };
      if (this.#known.size >= MAX_TABLES) this.#known.clear();
      this.#known.set(id, identity);
    }
    return identity;
  }
}

/** What an event's `source` block says. */
export interface SourceBlock {
  readonly table: TableIdentity;
  /** `ts_ms`, 0 when absent. */
  readonly ms: number;
  /** The text of `snapshot`; null when it is null or absent. */
  readonly snapshot: string | null;
  /** Everything but the table's identity; see {@link Hole}. */
  readonly holes: readonly Hole[];
}

/** Members that are the same in all events of a table. Their names differ by connector; `version` changes with a restart. */
const FIXED: ReadonlySet<string> = new Set([
  'version',
  'connector',
  'name',
  'db',
  'schema',
  'table',
  'collection',
  'keyspace',
  'database_id',
]);

/**
 * Reads the `source` block at the scanner's position. `fallbackTable` is used when the block names no table.
 * Members by connector are those of Debezium 3.6: most have `db`, `schema`, `table`; MongoDB `collection`, Cassandra and
 * Vitess `keyspace`, Spanner `database_id`.
 */
export function readSource(scanner: Scanner, tables: Tables, fallbackTable: string): SourceBlock {
  const members = new Members(scanner);
  const holes: Hole[] = [];
  for (const name of members.names) {
    if (FIXED.has(name)) continue;
    const role = name === 'ts_ms' ? HOLE.sourceMs : name === 'snapshot' ? HOLE.snapshot : HOLE.skip;
    holes.push({ role, ...members.place(name)! });
  }
  const table = tables.intern(
    members.text('connector') ?? '',
    members.text('name') ?? '',
    members.text('db') ?? members.text('keyspace') ?? members.text('database_id') ?? '',
    members.text('schema') ?? '',
    (members.text('table') ?? members.text('collection')) || fallbackTable,
  );
  return { table, ms: members.number('ts_ms'), snapshot: members.text('snapshot'), holes };
}

/** True when the scanner stands at an object. */
export function atObject(scanner: Scanner): boolean {
  return scanner.at < scanner.end && scanner.bytes[scanner.at] === BRACE.open;
}

/**
 * The table that a stream's name ends in: `data:{rdi}:shop.sales.orders` gives `orders`. Only for events that name no table,
 * because topics replace letters and may be routed.
 */
export function tableOfStream(streamName: string): string {
  const topic = streamName.replace(/^data:/, '').replace(/^\{[^}]*\}:/, '');
  return topic.slice(topic.lastIndexOf('.') + 1);
}
