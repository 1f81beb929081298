/** Which feeder reads which database, and what is known of the data that this feeder itself damages. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FeederSettings } from '../helpers/expected-rows.ts';
import { readTableShapes, type TableShape } from '../helpers/table-shapes.ts';
import type { Database } from './database.ts';
import type { DebeziumVersion } from './debezium.ts';
import { startMariadb } from './mariadb.ts';
import { startPostgresql } from './postgresql.ts';

const SOURCE = join(import.meta.dirname, '../../fixtures/source');

export interface Combination {
  readonly name: string;
  readonly version: DebeziumVersion;
  readonly startDatabase: (folder: string) => Promise<Database>;
  /** The feeder's settings as `examples/quickstart` recommends them, for values that arrive undamaged. */
  readonly properties: Readonly<Record<string, string>>;
  readonly expected: FeederSettings;
  /** Columns that the snapshot, and only the snapshot, brings wrongly. */
  readonly unreliableInSnapshot: readonly string[];
  readonly schemaSql: string;
  readonly rowsSql: string;
  readonly liveSql: string;
  readonly shapes: ReadonlyMap<string, TableShape>;
}

const RECOMMENDED = {
  'debezium.source.decimal.handling.mode': 'string',
  'debezium.format.value.replace.null.with.default': 'false',
  'debezium.source.extended.headers.enabled': 'false',
  'debezium.sink.redis.retry.max.delay.ms': '1000',
};

/**
 * Debezium 2.5 stops when its sink goes away, and waits twice 90 s for a reader that is blocked in front of a full queue.
 * A queue that takes a whole test's changes keeps these three minutes out of the suite.
 */
const ROOMY_QUEUE = { 'debezium.source.max.queue.size': '131072' };

export const COMBINATIONS: readonly Combination[] = [
  postgresql('3.6.1.Final', { unsent: ['all_types.c_box'] }),
  mariadb('3.6.1.Final', []),
  // Debezium 2.5 does not know tsvector, shifts year 1 by the calendar, and misspells column names beyond ASCII.
  postgresql('2.5.4.Final', {
    unsent: ['all_types.c_box', 'all_types.c_tsv'],
    unreliable: ['all_types.c_ts0', 'Odd Table-1.näme', 'Odd Table-1.n\uffc3\uffa4me'],
  }),
  mariadb('2.5.4.Final', ['all_types.c_blob', 'all_types.c_longblob']),
];

function postgresql(version: DebeziumVersion, known: Partial<FeederSettings>): Combination {
  return {
    name: `Debezium ${version} on PostgreSQL`,
    version,
    startDatabase: startPostgresql,
    properties: { ...RECOMMENDED, ...(version.startsWith('2') ? ROOMY_QUEUE : {}) },
    expected: { database: 'postgresql', schemas: false, decimals: 'string', ...known },
    unreliableInSnapshot: [],
    ...sql('postgresql', (live) => `${live}\nalter table customers add column nick varchar(20) default 'nn';`),
  };
}

function mariadb(version: DebeziumVersion, unreliableInSnapshot: readonly string[]): Combination {
  return {
    name: `Debezium ${version} on MariaDB`,
    version,
    startDatabase: startMariadb,
    // `precise` would send bytes: the decimal mode does not apply to unsigned bigints.
    properties: {
      ...RECOMMENDED,
      ...(version.startsWith('2') ? ROOMY_QUEUE : {}),
      'debezium.source.bigint.unsigned.handling.mode': 'long',
    },
    expected: { database: 'mariadb', schemas: false, decimals: 'string', unsignedBigints: 'long' },
    unreliableInSnapshot,
    // A dropped column would stay in rows that are not written again, and could not be compared.
    ...sql('mariadb', (live) => live.replace(', drop column note', '')),
  };
}

/** The recordings' SQL. After the new column every customer changes once, so that every row has it. */
function sql(database: string, adjustLive: (live: string) => string) {
  const read = (part: string) => readFileSync(join(SOURCE, `${database}.${part}.sql`), 'utf8');
  const shapes = readTableShapes(read('schema'));
  const customers = shapes.get('customers');
  if (!customers) throw new Error('The schema has no table customers.');
  shapes.set('customers', { ...customers, types: new Map([...customers.types, ['nick', 'varchar(20)']]) });
  const odd = shapes.get('Odd Table-1');
  if (odd && database === 'postgresql') {
    shapes.set('Odd Table-1', { ...odd, types: new Map([...odd.types, ['n\uffc3\uffa4me', 'text']]) });
  }
  const liveSql = `${adjustLive(read('live'))}\nupdate customers set balance=balance+0.01;`;
  return { schemaSql: read('schema'), rowsSql: read('rows'), liveSql, shapes };
}
