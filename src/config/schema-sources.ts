import {
  byType,
  choice,
  flag,
  group,
  integer,
  list,
  map,
  opaque,
  properties,
  scalar,
  text,
  variable,
} from './declare.ts';

/**
 * `sources`: the databases that a collector captures. rdi starts no collector; the section is checked as RDI checks it
 * and kept, so that a pipeline folder can be used unchanged.
 */

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;

export const logging = group(
  { level: choice(LOG_LEVELS, { description: 'Log level.', default: 'info' }).optional() },
  { description: 'Logging.' },
);

const sqlUser = text({ description: 'User.', empty: true, example: variable('SOURCE_DB_USERNAME') });
const sqlPassword = text({
  description: 'Password.',
  empty: true,
  secret: true,
  example: variable('SOURCE_DB_PASSWORD'),
});
const historic = 'write it under `advanced.source` instead';

export const SQL_TYPES = ['mariadb', 'mysql', 'oracle', 'postgresql', 'sqlserver'] as const;

const sqlConnection = group(
  {
    type: choice(SQL_TYPES, { description: 'Kind of database.' }).optional(),
    host: text({ description: 'Host name or IP address.' }).optional(),
    port: integer({ description: 'Port.', min: 1, max: 65535 }).optional(),
    database: text({ description: 'Name of the database; for SQL Server a comma list is allowed.' }).optional(),
    user: sqlUser.optional(),
    password: sqlPassword.optional(),
    key: text({ description: 'Path of the client’s private key.', deprecated: historic }).optional(),
    cert: text({ description: 'Path of the client’s certificate.', deprecated: historic }).optional(),
    cacert: text({ description: 'Path of the CA certificates.', deprecated: historic }).optional(),
    key_password: text({ description: 'Pass phrase of the key.', secret: true, deprecated: historic }).optional(),
    'database.encrypt': scalar({ description: 'SQL Server: encrypt.', deprecated: historic }).optional(),
    'database.server.id': scalar({ description: 'MySQL: id in the replication.', deprecated: historic }).optional(),
    'database.url': text({ description: 'Oracle: JDBC url.', deprecated: historic }).optional(),
  },
  { description: 'MariaDB, MySQL, Oracle, PostgreSQL, SQL Server.' },
);

const mongodbConnection = group(
  {
    type: choice(['mongodb'], { description: 'Kind of database.' }),
    connection_string: text({
      description: 'MongoDB URI.',
      secret: true,
      url: true,
      example: `mongodb://${variable('USER')}:${variable('PASSWORD')}@db:27017`,
    }),
    user: sqlUser.optional(),
    password: sqlPassword.optional(),
    database: text({ description: 'Comma list of databases.' }).optional(),
  },
  { description: 'MongoDB.' },
);

const changeStream = group(
  { retention_period_hours: integer({ description: 'Hours that changes are kept.', min: 1 }).optional() },
  { description: 'One change stream.' },
);

const spannerConnection = group(
  {
    type: choice(['spanner'], { description: 'Kind of database.' }),
    project_id: text({ description: 'Google Cloud project.' }),
    instance_id: text({ description: 'Spanner instance.' }),
    database_id: text({ description: 'Spanner database.' }),
    change_streams: map(changeStream.nullable(), { description: 'Change streams by name.', min: 1 }),
    emulator_host: text({ description: 'Address of the emulator, for tests.' }).optional(),
    use_credentials_file: flag({ description: 'Log in with a credentials file.', default: false }).optional(),
  },
  { description: 'Google Spanner.' },
);

const snowflakeConnection = group(
  {
    type: choice(['snowflake'], { description: 'Kind of database.' }),
    url: text({ description: 'JDBC url.' }),
    user: text({ description: 'User.' }),
    database: text({ description: 'Database.' }),
    warehouse: text({ description: 'Warehouse.' }),
    password: text({ description: 'Password; without it a key pair is used.', secret: true }).optional(),
    role: text({ description: 'Role.' }).optional(),
    cdcDatabase: text({ description: 'Database that holds the streams.' }).optional(),
    cdcSchema: text({ description: 'Schema that holds the streams.' }).optional(),
  },
  { description: 'Snowflake.' },
);

const table = group(
  {
    snapshot_sql: text({ description: 'SELECT used for this table in the initial snapshot.' }).optional(),
    columns: list(text({ description: 'Column.' }), { description: 'Columns to capture; all by default.' }).optional(),
    exclude_columns: list(text({ description: 'Field.' }), { description: 'MongoDB: fields to leave out.' }).optional(),
    keys: list(text({ description: 'Column.' }), {
      description: 'Columns that form a unique key, where the table has none.',
    }).optional(),
  },
  { description: 'One table.' },
);

const count = (description: string, value?: number) =>
  integer({ description, min: 1, ...(value === undefined ? {} : { default: value }) }).optional();
const countFromZero = (description: string) => integer({ description, min: 0 }).optional();
const word = (description: string) => text({ description, empty: true }).optional();
const secretWord = (description: string) => text({ description, empty: true, secret: true }).optional();

const sink = properties(
  {
    'redis.batch.size': count('Records per pipelined write.'),
    'redis.memory.limit.mb': countFromZero('Upper bound for the stream database.'),
    'redis.buffer.fill.rate': count('Records per second assumed when memory is projected.'),
    'redis.null.key': word('Stands for a missing key.'),
    'redis.null.value': word('Stands for a missing value.'),
    'redis.message.format': choice(['extended', 'compact'], { description: 'Layout of an entry.' }).optional(),
    'redis.connection.timeout.ms': count('Client timeout.'),
    'redis.socket.timeout.ms': count('Client timeout.'),
    'redis.retry.initial.delay.ms': count('First delay after a failure.'),
    'redis.retry.max.delay.ms': count('Longest delay after failures.'),
    'redis.retry.max.attempts': count('Attempts.'),
    'redis.password': secretWord('Password of the stream database.'),
  },
  { description: 'Debezium Redis sink properties without `debezium.sink.`, or those of the Spanner collector.' },
);

const source = properties(
  {
    'record.processing.threads': count('Threads that convert records.'),
    'snapshot.max.threads': count('Threads that read the snapshot.', 1),
    'poll.interval.ms': count('Pause between polls.', 500),
    'snapshot.fetch.size': count('Rows per read of the snapshot.', 10000),
    'max.batch.size': count('Records per batch.', 2048),
    'max.queue.size': count('Records in the queue.', 8192),
    'heartbeat.interval.ms': countFromZero('Pause between heartbeats; 0 is off.'),
    'database.password': secretWord('Password.'),
    'mongodb.password': secretWord('Password.'),
    'mongodb.ssl.keystore.password': secretWord('Password of the key store.'),
    'database.ssl.keystore.password': secretWord('Password of the key store.'),
    'database.ssl.truststore.password': secretWord('Password of the trust store.'),
  },
  { description: 'Debezium connector properties without `debezium.source.`.' },
);

const riotx = group(
  {
    poll: word('Pause between polls.'),
    snapshot: choice(['INITIAL', 'NEVER'], { description: 'When rows are read.', default: 'INITIAL' }).optional(),
    streamPrefix: word('Prefix of the streams.'),
    streamLimit: count('Entries per stream.'),
    keyColumns: scalar({ description: 'Key columns.', deprecated: 'use `tables.<name>.keys`' }).optional(),
    clearOffset: flag({ description: 'Start again.', default: false }).optional(),
    count: countFromZero('Rows to read; 0 is all.'),
  },
  { description: 'Properties of the Snowflake collector.' },
);

const free = (description: string) => properties({}, { description }).optional();

const advanced = group(
  {
    sink: sink.optional(),
    source: source.optional(),
    quarkus: free('Quarkus properties without `quarkus.`.'),
    flink: free('Flink properties of the Spanner collector.'),
    resources: free('Kubernetes quantities for the collector.'),
    riotx: riotx.optional(),
    java_options: text({ description: 'Options of the Java process.' }).optional(),
  },
  { description: 'Properties handed to the collector.' },
);

const sourceEntry = group(
  {
    connection: byType([sqlConnection, mongodbConnection, spannerConnection, snowflakeConnection], {
      description: 'How the collector reaches the database. Its keys depend on its `type`.',
    }).optional(),
    name: text({ description: 'Name for people.', maxLength: 100 }).optional(),
    type: choice(['cdc', 'flink', 'riotx', 'external'], {
      description: 'Collector: `cdc` is Debezium, `flink` Spanner, `riotx` Snowflake, `external` somebody else’s.',
      default: 'cdc',
    }).optional(),
    active: flag({ description: 'Whether the collector runs.', default: true }).optional(),
    logging: logging.optional(),
    tables: map(table.nullable(), { description: 'Tables to capture, by name.', min: 1 }).optional(),
    schemas: list(text({ description: 'Schema.' }), { description: 'Schemas to capture.' }).optional(),
    databases: list(text({ description: 'Database.' }), { description: 'Databases to capture.' }).optional(),
    advanced: advanced.optional(),
  },
  { description: 'One source.' },
);

export const sources = map(sourceEntry, {
  description:
    'Databases that are captured, by id. May be left out: rdi serves every feeder that reaches its endpoint.',
  noEffect: 'rdi starts no collector, it serves every Debezium Server that reaches its endpoint',
});

export const secretProviders = map(
  group(
    {
      type: choice(['aws', 'vault'], { description: 'Where the secrets are.' }),
      parameters: group(
        {
          objects: list(opaque({ description: 'As the provider’s CSI driver takes it.' }), { description: 'Secrets.' }),
        },
        { description: 'Parameters of the provider.' },
      ),
    },
    { description: 'One provider.' },
  ),
  {
    description:
      'Secret providers, for placeholders of the form `secret:PROVIDER:PATH:FIELD` and for the names of their `objects`. Those of type `vault` are read with the address and login of `secrets.vault` in `rdi.yaml`; of those of type `aws` mount the secrets as files, and give rdi their folder as `secrets.dir`.',
  },
);

export const metadata = group(
  {
    name: text({ description: 'Name for people.', maxLength: 100, empty: true }).optional(),
    description: text({ description: 'Description.', maxLength: 500, empty: true }).optional(),
    revision: integer({ description: 'A number of yours.', min: 0 }).optional(),
    tags: list(
      text({
        description: 'Tag.',
        maxLength: 50,
        pattern: /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/,
        expects: 'at most 50 letters, digits, `.`, `-`, `_`, with a letter or digit at both ends',
      }),
      { description: 'Labels.', unique: true },
    ).optional(),
  },
  { description: 'What people call this pipeline.' },
);
