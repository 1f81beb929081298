/**
 * Scaffold: the files with which a new pipeline begins.
 *
 * **In:** the kind of a database, a name for the source, and where rdi's endpoint is. **Out:** texts: `config.yaml`, an example
 * job with tests that pass, and `application.properties` for a stock Debezium Server 3.
 *
 * **Promises:** everything validates as it stands. Each line of the properties stands below its reason. None of the settings
 * damages a value: decimals and unsigned integers keep their digits, NULL stays NULL, no change is skipped silently. No secret is
 * written: users and passwords are taken from variables.
 *
 * **Does not:** write files, reach for a database, or know what is in one. RDI's collectors for Snowflake and Spanner are not
 * Debezium: for them there is a `config.yaml` that says so, and no properties.
 */
import { ConfigError } from '../errors.ts';
import { DATABASE_TYPES, databaseOf, MONGODB_FLAVORS } from './databases.ts';
import { type EndpointAddress, propertiesText } from './properties.ts';
import { configText, jobTestText, jobText } from './templates.ts';

export { DATABASE_TYPES, MONGODB_FLAVORS };

export interface ConfigOptions {
  /** MongoDB only; `mongodb-replica-set` unless given. */
  readonly flavor?: string;
  /** Id of the source; the database's type unless given. */
  readonly sourceName?: string;
}

export interface ScaffoldOptions extends ConfigOptions {
  readonly endpoint: EndpointAddress;
}

/**
 * `config.yaml` for a kind of database.
 *
 * Throws a {@link ConfigError} for a database, flavor or name that cannot be used.
 */
export function configTemplate(type: string, options: ConfigOptions = {}): string {
  const { database, source, known } = resolve(type, options);
  return configText(known, source, database);
}

/** An example job for the table `orders`, of one source when a name is given. */
export function jobTemplate({ sourceName }: { readonly sourceName?: string } = {}): string {
  return jobText(sourceName);
}

/**
 * All files by their path in the folder, in the order in which a person reads them.
 *
 * Throws a {@link ConfigError} as {@link configTemplate}, and for an address that Debezium does not take.
 */
export function scaffold(type: string, options: ScaffoldOptions): ReadonlyMap<string, string> {
  const { database, source, known } = resolve(type, options);
  const { host } = options.endpoint;
  if (!/^[\w.-]+$/.test(host)) {
    throw new ConfigError('CONFIG_INVALID', `Debezium does not take "${host}" as the host of its sink`, {
      where: '--endpoint',
      fix: 'Give a host name or an IPv4 address, for example 127.0.0.1:12001',
    });
  }
  const files = new Map([
    ['config.yaml', configText(known, source, database)],
    ['jobs/orders.yaml', jobText(options.sourceName)],
    ['jobs/tests/orders.yaml', jobTestText(options.sourceName)],
  ]);
  if (database.debezium === null) return files;
  const names = { source, word: source.replaceAll('-', '_') };
  return files.set('application.properties', propertiesText(database, database.debezium, names, options.endpoint));
}

/** Who feeds a database that no Debezium Server reads; null for all others. */
export function withoutFeeder(type: string): string | null {
  const { debezium, server } = resolve(type, {}).database;
  return debezium === null ? server.join(' ') : null;
}

function resolve(type: string, { flavor, sourceName = type }: ConfigOptions) {
  const known = DATABASE_TYPES.find((one) => one === type);
  if (known === undefined) throw unknownType(type);
  const variant = MONGODB_FLAVORS.find((one) => one === flavor);
  if (flavor !== undefined && (variant === undefined || known !== 'mongodb')) {
    throw new ConfigError('CONFIG_INVALID', `There is no flavor ${flavor} of ${type}`, {
      where: '--db-flavor',
      fix: `Flavors are for --db-type mongodb: ${MONGODB_FLAVORS.join(', ')}`,
    });
  }
  checkSourceName(sourceName);
  return { known, database: databaseOf(known, variant), source: sourceName };
}

/** Databases of 2023 that RDI's scaffold knew, and why they are no sources here. */
const FORMER: Readonly<Record<string, string>> = {
  cassandra: 'RDI removed it in 2.0; it never worked as a managed source',
  redis: 'Redis was the source of write-behind, which RDI no longer has',
};

function unknownType(type: string): ConfigError {
  const reason = FORMER[type];
  const what = reason === undefined ? `There is no database type ${type}` : `${type} is no source any more: ${reason}`;
  return new ConfigError('CONFIG_INVALID', what, {
    where: '--db-type',
    fix: `Give one of ${DATABASE_TYPES.join(', ')}`,
  });
}

/** RDI 2.0's rule for ids of sources: they become parts of names of secrets, of streams, and here of a replication slot. */
function checkSourceName(name: string): void {
  const isReserved = name === 'rdi' || name === 'target';
  if (!isReserved && name.length <= 22 && /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/.test(name)) return;
  throw new ConfigError('CONFIG_INVALID', `"${name}" cannot be the name of a source`, {
    where: '--source-name',
    fix: 'At most 22 lower case letters, digits and -, a letter first, a letter or digit last; rdi and target are taken',
  });
}
