/** A source database of the e2e suite: its own process in a temporary folder, never the system's service. */
import type { SourceRow } from '../helpers/expected-rows.ts';
import type { TableShape } from '../helpers/table-shapes.ts';

export interface Database {
  readonly kind: 'postgresql' | 'mariadb';
  readonly port: number;
  /** Runs SQL statements; throws with the client's message when one fails. */
  run(sql: string): Promise<void>;
  /** All rows of the tables, every value as the database prints it. */
  rows(shapes: ReadonlyMap<string, TableShape>): Promise<SourceRow[]>;
  /** Crashes the server and starts it again on the same data. */
  crashAndRestart(): Promise<void>;
  close(): Promise<void>;
}
