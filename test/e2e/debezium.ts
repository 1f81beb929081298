/** A real, unmodified Debezium Server, fetched by `./scripts/e2e` and started in a folder of its own. */
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Process } from '../helpers/processes.ts';
import { freePort } from '../helpers/redis-server.ts';
import type { Database } from './database.ts';
import { MARIADB_PASSWORD, MARIADB_USER } from './mariadb.ts';

export type DebeziumVersion = '3.6.1.Final' | '2.5.4.Final';

export interface FeederOptions {
  readonly version: DebeziumVersion;
  readonly database: Database;
  /** Where the Redis protocol is spoken: rdi's endpoint. */
  readonly sink: { readonly host: string; readonly port: number };
  readonly folder: string;
  /** Settings beyond the ones that every scenario needs. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Feeder {
  readonly process: Process;
  /** Ends it gracefully, or kills it. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again with the same settings; its offsets are in the sink's store. */
  start(): Promise<void>;
}

export async function startDebezium(options: FeederOptions): Promise<Feeder> {
  const properties = { ...(await commonSettings(options)), ...connectorSettings(options), ...options.settings };
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}`);
  return launchDebezium({ ...options, properties: `${lines.join('\n')}\n` });
}

export interface LaunchOptions {
  readonly version: DebeziumVersion;
  readonly folder: string;
  /** Content of `application.properties`. */
  readonly properties: string;
  /** Variables for the process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a Debezium Server with a complete `application.properties`. */
export function launchDebezium({ version, folder, properties, env }: LaunchOptions): Feeder {
  const dist = join(process.env['RDI_CACHE'] ?? join(homedir(), '.cache/rdi'), 'debezium', version);
  if (!existsSync(join(dist, 'run.sh'))) {
    throw new Error(`Debezium Server ${version} is not in ${dist}. Run ./scripts/e2e, which fetches it.`);
  }
  const work = join(folder, 'debezium');
  // 2.x reads its settings from conf, 3.x from config; everything else of the distribution is linked.
  const settingsFolder = version.startsWith('2') ? 'conf' : 'config';
  mkdirSync(join(work, settingsFolder), { recursive: true });
  for (const name of readdirSync(dist)) if (name !== settingsFolder) symlinkSync(join(dist, name), join(work, name));
  writeFileSync(join(work, settingsFolder, 'application.properties'), properties);

  const launch = () =>
    new Process('bash', ['run.sh'], {
      cwd: work,
      logFile: join(folder, 'debezium.log'),
      env: { ...env, JAVA_HOME: javaHome(version), JAVA_OPTS: javaOptions(version) },
    });
  const feeder = {
    process: launch(),
    end: async (signal: NodeJS.Signals) => {
      await feeder.process.end(signal, 30_000);
    },
    start: async () => {
      feeder.process = launch();
    },
  };
  return feeder;
}

async function commonSettings({ sink }: FeederOptions): Promise<Record<string, string>> {
  return {
    'debezium.sink.type': 'redis',
    'debezium.sink.redis.address': `${sink.host}:${sink.port}`,
    'debezium.sink.redis.message.format': 'extended',
    'debezium.sink.redis.socket.timeout.ms': '30000',
    'debezium.source.offset.storage': 'io.debezium.storage.redis.offset.RedisOffsetBackingStore',
    'debezium.source.offset.storage.redis.address': `${sink.host}:${sink.port}`,
    'debezium.source.offset.flush.interval.ms': '1000',
    'debezium.source.topic.prefix': 'shop',
    'debezium.source.tombstones.on.delete': 'false',
    'debezium.format.key.schemas.enable': 'false',
    'debezium.format.value.schemas.enable': 'false',
    'quarkus.log.console.json': 'false',
    'quarkus.http.port': String(await freePort()),
  };
}

function connectorSettings({ version, database, sink }: FeederOptions): Record<string, string> {
  const common = {
    'debezium.source.database.hostname': '127.0.0.1',
    'debezium.source.database.port': String(database.port),
  };
  if (database.kind === 'postgresql') {
    return {
      ...common,
      'debezium.source.connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
      'debezium.source.database.user': 'postgres',
      'debezium.source.database.password': 'unused',
      'debezium.source.database.dbname': 'shopdb',
      'debezium.source.plugin.name': 'pgoutput',
      'debezium.source.schema.include.list': 'shop',
    };
  }
  return {
    ...common,
    ...mariadbConnector(version),
    'debezium.source.database.user': MARIADB_USER,
    'debezium.source.database.password': MARIADB_PASSWORD,
    'debezium.source.database.server.id': '5401',
    'debezium.source.database.include.list': 'shop',
    // How soon a lost connection to the database is made again; a minute unless set.
    'debezium.source.connect.keep.alive.interval.ms': '10000',
    'debezium.source.schema.history.internal': 'io.debezium.storage.redis.history.RedisSchemaHistory',
    'debezium.source.schema.history.internal.redis.address': `${sink.host}:${sink.port}`,
  };
}

/** Debezium 2.5 reads MariaDB with the MySQL connector; without TLS on the server it must be told so. */
function mariadbConnector(version: DebeziumVersion): Record<string, string> {
  if (version.startsWith('3')) {
    return { 'debezium.source.connector.class': 'io.debezium.connector.mariadb.MariaDbConnector' };
  }
  return {
    'debezium.source.connector.class': 'io.debezium.connector.mysql.MySqlConnector',
    'debezium.source.connector.adapter': 'mariadb',
    'debezium.source.database.protocol': 'jdbc:mariadb',
    'debezium.source.database.jdbc.driver': 'org.mariadb.jdbc.Driver',
    'debezium.source.database.ssl.mode': 'disabled',
  };
}

function javaHome(version: DebeziumVersion): string {
  const name = version.startsWith('2') ? 'RDI_JAVA_2' : 'RDI_JAVA_3';
  const folder = process.env[name];
  if (!folder) throw new Error(`${name} does not name a Java folder. Run ./scripts/e2e, which looks for one.`);
  return folder;
}

function javaOptions(version: DebeziumVersion): string {
  return version.startsWith('2') ? '-Xmx2g' : '-Xmx1g --add-opens java.base/java.lang=ALL-UNNAMED';
}
