import { MONGODB_FLAVORS, type MongodbFlavor, mongodb } from './mongodb.ts';
import type { Database, Setting } from './types.ts';
import { PASSWORD, USER } from './variable.ts';

/** Every database that RDI's scaffold knows, and what is special about it. Sources: Debezium 3.6 and the RDI documentation. */

export const DATABASE_TYPES = [
  'mariadb',
  'mongodb',
  'mysql',
  'oracle',
  'postgresql',
  'snowflake',
  'spanner',
  'sqlserver',
] as const;
export type DatabaseType = (typeof DATABASE_TYPES)[number];
export { MONGODB_FLAVORS, type MongodbFlavor };

/** The description of a database; `flavor` is of MongoDB only. */
export function databaseOf(type: DatabaseType, flavor: MongodbFlavor | undefined): Database {
  if (type === 'mongodb') return mongodb(flavor ?? 'mongodb-replica-set');
  return OTHERS[type];
}

const set = (name: string, value: string, reason: string): Setting => ({ name, value, reason });
const off = (name: string, value: string, reason: string): Setting => ({ name, value, reason, isOff: true });

const USER_SETTING = set('database.user', USER, 'Read from the environment, so that no secret stands here.');
const PASSWORD_SETTING = set('database.password', PASSWORD, 'Read from the environment, too.');

function place(port: number, connector: string, words: string): Setting[] {
  return [
    set('connector.class', `io.debezium.connector.${connector}`, words),
    set('database.hostname', '127.0.0.1', 'EDIT: where the database is.'),
    set('database.port', String(port), 'EDIT: its port.'),
    USER_SETTING,
    PASSWORD_SETTING,
  ];
}

function sqlConnection(port: number, database: string | null, note: string): string[] {
  const named = database === null ? [] : [`database: ${database}${note}`];
  return ['host: 127.0.0.1', `port: ${port}`, ...named, `user: ${USER}`, `password: ${PASSWORD}`];
}

function exampleTables(qualifier: string): string[] {
  return [
    '# Without this section every table is captured. `keys` is needed where a table has neither primary key nor unique index.',
    '# tables:',
    `#   ${qualifier}.orders: {columns: [id, status, total], keys: [id]}`,
  ];
}

const DECIMALS = set(
  'decimal.handling.mode',
  'string',
  'Every digit as text. The default sends base64 of an integer whose scale only a schema tells: unreadable without one.',
);

/** MySQL and MariaDB: one family, two connectors. */
function binlog(label: string, connector: string, grants: string): Database {
  return {
    label,
    collector: 'cdc',
    connection: sqlConnection(3306, null, ''),
    capture: ['databases: [shop]', ...exampleTables('shop')],
    server: [
      'The server writes `log_bin` with `binlog_format=ROW` and `binlog_row_image=FULL`.',
      `The user has ${grants}.`,
    ],
    debezium: {
      place: () => [
        ...place(3306, connector, 'The connector reads the binary log.'),
        set(
          'database.server.id',
          '5401',
          'A number of its own among all servers and replicas of this database: two with the same number push each other out.',
        ),
        set('database.include.list', 'shop', 'EDIT: the databases to capture (comma list). Without it: all of them.'),
        off('table.include.list', 'shop.orders,shop.customers', 'To capture only some tables.'),
        off(
          'database.ssl.mode',
          'disabled',
          'For a server without TLS, where the connection fails; `verify_identity` is right for one that has a certificate.',
        ),
      ],
      values: [
        DECIMALS,
        set(
          'bigint.unsigned.handling.mode',
          'precise',
          'By default a `bigint unsigned` beyond 9223372036854775807 arrives as a negative number. It belongs together with ' +
            '`decimal.format` below.',
        ),
        set(
          'time.precision.mode',
          'adaptive_time_microseconds',
          'Times keep their microseconds. The numbers are those that RDI writes.',
        ),
      ],
      format: [
        set(
          'debezium.format.key.decimal.format',
          'numeric',
          '`bigint unsigned` as plain digits also in keys; otherwise as base64.',
        ),
        set(
          'debezium.format.value.decimal.format',
          'numeric',
          'The same in rows. With it no schema is needed to read the digits.',
        ),
      ],
      hasHistory: true,
    },
  };
}

const SNOWFLAKE_AND_SPANNER = 'What arrives at the endpoint as Debezium events is written like any other source.';

const OTHERS: Readonly<Record<Exclude<DatabaseType, 'mongodb'>, Database>> = {
  mysql: binlog(
    'MySQL',
    'mysql.MySqlConnector',
    'SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE and REPLICATION CLIENT',
  ),
  mariadb: binlog(
    'MariaDB',
    'mariadb.MariaDbConnector',
    'SELECT, RELOAD, SHOW DATABASES, BINLOG MONITOR and REPLICATION SLAVE',
  ),
  postgresql: {
    label: 'PostgreSQL',
    collector: 'cdc',
    connection: sqlConnection(5432, 'shop', ''),
    capture: ['schemas: [public]', ...exampleTables('public')],
    server: [
      'The server runs with `wal_level=logical`.',
      'The user has LOGIN and REPLICATION, may read the tables, and owns them or is given a publication.',
      'While Debezium is away the server keeps its log for the slot: watch its disk, and drop the slot when you stop for good.',
    ],
    debezium: {
      place: ({ word }) => [
        ...place(5432, 'postgresql.PostgresConnector', 'The connector reads the log through logical replication.'),
        set('database.dbname', 'shop', 'EDIT: the database; one feeder reads one.'),
        set('schema.include.list', 'public', 'EDIT: the schemas to capture (comma list). Without it: all of them.'),
        off('table.include.list', 'public.orders,public.customers', 'To capture only some tables.'),
        set('plugin.name', 'pgoutput', 'The decoder that PostgreSQL 10 and later bring along; nothing to install.'),
        set('slot.name', `rdi_${word}`, 'The replication slot. Each Debezium Server needs one of its own.'),
        set('publication.name', `rdi_${word}`, 'The publication; made at the first start when the user may do so.'),
        set(
          'publication.autocreate.mode',
          'filtered',
          'Only captured tables belong to it: other tables without a primary key stay open for updates.',
        ),
      ],
      values: [
        DECIMALS,
        set(
          'time.precision.mode',
          'adaptive',
          'Times keep the precision of their column. The numbers are those that RDI writes.',
        ),
      ],
      format: [],
      hasHistory: false,
    },
  },
  oracle: {
    label: 'Oracle',
    collector: 'cdc',
    connection: sqlConnection(1521, 'ORCLCDB', ' # the container database'),
    capture: ['schemas: [SHOP]', ...exampleTables('SHOP')],
    server: [
      'The database runs in ARCHIVELOG mode, with supplemental logging: `ALTER TABLE … ADD SUPPLEMENTAL LOG DATA (ALL) COLUMNS`.',
      'The user has the LogMiner rights that the Debezium documentation lists.',
      'Oracle’s JDBC driver (ojdbc11.jar) is not part of Debezium Server: put it into its folder `lib`.',
    ],
    debezium: {
      place: () => [
        ...place(1521, 'oracle.OracleConnector', 'The connector reads the redo log through LogMiner.'),
        set('database.dbname', 'ORCLCDB', 'EDIT: the database; of a container database its name.'),
        set('database.pdb.name', 'ORCLPDB1', 'EDIT: the pluggable database. Remove the line where there is none.'),
        set('schema.include.list', 'SHOP', 'EDIT: the schemas to capture (comma list). Without it: all of them.'),
        off('table.include.list', 'SHOP.ORDERS,SHOP.CUSTOMERS', 'To capture only some tables.'),
        off('database.url', 'jdbc:oracle:thin:@…', 'In place of host and port, for RAC and other long addresses.'),
        set(
          'log.mining.strategy',
          'online_catalog',
          'Reads definitions from the catalog: far less redo than the default. Changes of tables are followed as they come.',
        ),
        set(
          'log.mining.query.filter.mode',
          'in',
          'The server sends the captured tables only, not the whole log. Names in the lists above must not be patterns.',
        ),
        off(
          'log.mining.transaction.retention.ms',
          '0',
          'Leave it at 0: with a limit, changes of a transaction that stays open longer are lost.',
        ),
      ],
      values: [
        DECIMALS,
        set(
          'lob.enabled',
          'true',
          'Without it the content of CLOB, NCLOB and BLOB columns is missing from changes. It costs memory and time.',
        ),
        set('time.precision.mode', 'adaptive', 'Times keep their precision. The numbers are those that RDI writes.'),
      ],
      format: [],
      hasHistory: true,
    },
  },
  sqlserver: {
    label: 'SQL Server',
    collector: 'cdc',
    connection: sqlConnection(1433, 'shop', ' # a comma list is possible'),
    capture: ['schemas: [dbo]', ...exampleTables('dbo')],
    server: [
      'CDC is on: `sys.sp_cdc_enable_db` for the database and `sys.sp_cdc_enable_table` for each table; the Agent runs.',
      'After `ALTER TABLE` a table needs a new capture instance, else new columns do not arrive.',
    ],
    debezium: {
      place: () => [
        ...place(1433, 'sqlserver.SqlServerConnector', 'The connector reads the tables of change data capture.'),
        set('database.names', 'shop', 'EDIT: the databases (comma list).'),
        set('schema.include.list', 'dbo', 'EDIT: the schemas to capture (comma list). Without it: all of them.'),
        off('table.include.list', 'dbo.orders,dbo.customers', 'To capture only some tables.'),
        set(
          'database.encrypt',
          'true',
          'Encrypted, as the driver does by itself. `false` only for a server without TLS in a network that you trust.',
        ),
        off(
          'database.trustServerCertificate',
          'true',
          'For a server with a self-signed certificate, where the connection fails.',
        ),
        off(
          'snapshot.isolation.mode',
          'snapshot',
          'The first read locks tables less, where the database allows snapshot isolation.',
        ),
      ],
      values: [
        DECIMALS,
        set('time.precision.mode', 'adaptive', 'Times keep their precision. The numbers are those that RDI writes.'),
      ],
      format: [],
      hasHistory: true,
    },
  },
  snowflake: {
    label: 'Snowflake',
    collector: 'riotx',
    connection: [
      'url: "jdbc:snowflake://ACCOUNT.snowflakecomputing.com/"',
      `user: ${USER}`,
      `password: ${PASSWORD} # or without it a key pair`,
      'database: SHOP',
      'warehouse: COMPUTE_WH',
    ],
    capture: ['tables:', '  PUBLIC.ORDERS: {keys: [ID]}'],
    server: [
      'rdi has no collector for Snowflake, and no Debezium connector reads it: RDI uses its own one (RIOT-X) for it.',
      SNOWFLAKE_AND_SPANNER,
    ],
    debezium: null,
  },
  spanner: {
    label: 'Google Spanner',
    collector: 'flink',
    connection: [
      'project_id: my-project',
      'instance_id: my-instance',
      'database_id: shop',
      'change_streams:',
      '  shop_changes: {retention_period_hours: 24}',
    ],
    capture: [],
    server: [
      'rdi has no collector for Spanner: RDI uses its own one (on Flink). Debezium’s connector for it coordinates itself over Kafka.',
      SNOWFLAKE_AND_SPANNER,
    ],
    debezium: null,
  },
};
