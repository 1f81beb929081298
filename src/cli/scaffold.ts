import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Command, Option } from 'commander';
import { ConfigError } from '../errors.ts';
import type { AddCommand, Context } from './context.ts';

interface ScaffoldOptions {
  readonly dbType: string;
  readonly dbFlavor?: string;
  readonly sourceName?: string;
  readonly dir?: string;
  readonly preview?: string;
  readonly force: boolean;
  readonly strategy?: string;
  readonly endpoint?: string;
  readonly endpointUser?: string;
}

const DEFAULT_ENDPOINT = '127.0.0.1:12001';

export const addScaffold: AddCommand = (program: Command, context: Context) => {
  program
    .command('scaffold')
    .summary('write the files of a new pipeline, and the settings of its Debezium Server')
    .description(
      'Writes config.yaml, an example job with tests, and application.properties for a stock Debezium Server 3 that feeds ' +
        'this endpoint without damaging data; each line with its reason. Without --dir it prints config.yaml. ' +
        'No secret is written: users and passwords are taken from variables.',
    )
    .requiredOption('--db-type <type>', 'mariadb, mongodb, mysql, oracle, postgresql, snowflake, spanner or sqlserver')
    .option('--db-flavor <flavor>', 'mongodb-replica-set, mongodb-sharded-cluster or mongodb-atlas')
    .option('--source-name <name>', 'name of the source (default: the type of the database)')
    .option('--dir <folder>', 'write all files into this folder')
    .option('--force', 'overwrite files that are there', false)
    .option('--preview <file>', 'print one of the files, for example application.properties')
    .option('--endpoint <host:port>', `where feeders reach rdi (variable RDI_LISTEN, default ${DEFAULT_ENDPOINT})`)
    .addOption(new Option('--listen <host:port>', 'the same').hideHelp())
    .option('--endpoint-user <name>', 'user of the endpoint (variable RDI_ENDPOINT_USER)')
    .addOption(
      new Option('--strategy <strategy>', 'of RDI’s first versions').choices(['ingest', 'write_behind']).hideHelp(),
    )
    .action(async (options: ScaffoldOptions & { listen?: string }) => {
      await run(context, options.listen === undefined ? options : { ...options, endpoint: options.listen });
    });
};

async function run({ terminal }: Context, options: ScaffoldOptions): Promise<void> {
  if (options.strategy === 'write_behind') {
    throw new ConfigError(
      'CONFIG_INVALID',
      'rdi has no write-behind: it brings changes of a database to Redis, not back',
      {
        where: '--strategy',
        fix: 'Leave it out',
      },
    );
  }
  const { scaffold, withoutFeeder } = await import('../scaffold/index.ts');
  const { dbType, dbFlavor, sourceName, preview, dir } = options;
  const files = scaffold(dbType, {
    ...(dbFlavor === undefined ? {} : { flavor: dbFlavor }),
    ...(sourceName === undefined ? {} : { sourceName }),
    endpoint: await endpointOf(options, terminal.env),
  });
  if (preview !== undefined) terminal.out(fileNamed(preview, files));
  else if (dir === undefined) terminal.out(files.get('config.yaml') ?? '');
  else {
    writeFiles(dir, files, options.force);
    const feeder = files.has('application.properties') ? null : withoutFeeder(dbType);
    terminal.out(nextSteps(dir, [...files.keys()], feeder));
    return;
  }
  terminal.err(`Files: ${[...files.keys()].join(', ')}. --dir FOLDER writes them, --preview FILE prints one.\n`);
}

/** The address as a feeder on this machine reaches it: an endpoint that listens everywhere is also at the loopback. */
async function endpointOf({ endpoint, endpointUser }: ScaffoldOptions, env: Context['terminal']['env']) {
  const { parseHostPort } = await import('../config/index.ts');
  const text = endpoint ?? (env['RDI_LISTEN'] || DEFAULT_ENDPOINT);
  const place = parseHostPort(text);
  if (place === undefined || place.port === 0) {
    throw new ConfigError('CONFIG_INVALID', `"${text}" is no address`, {
      where: endpoint === undefined ? 'RDI_LISTEN' : '--endpoint',
      fix: `Give host:port, for example ${DEFAULT_ENDPOINT}`,
    });
  }
  const isEverywhere = ['0.0.0.0', '::', '::1', '[::]', '[::1]', ''].includes(place.host);
  const user = endpointUser ?? env['RDI_ENDPOINT_USER'] ?? (env['RDI_ENDPOINT_PASSWORD'] ? 'default' : undefined);
  const host = isEverywhere ? '127.0.0.1' : place.host;
  return { host, port: place.port, ...(user ? { user } : {}) };
}

/** RDI's first versions called the properties `debezium/application.properties`. */
function fileNamed(name: string, files: ReadonlyMap<string, string>): string {
  const text = files.get(name.replace(/^(?:\.\/|debezium\/)/, ''));
  if (text !== undefined) return text;
  throw new ConfigError('CONFIG_INVALID', `There is no file ${name} to show`, {
    where: '--preview',
    fix: `Give one of ${[...files.keys()].join(', ')}`,
  });
}

/** Writes all or, where one is in the way or cannot be written, nothing that was there is changed. */
function writeFiles(dir: string, files: ReadonlyMap<string, string>, force: boolean): void {
  const paths = [...files].map(([name, text]) => ({ path: join(dir, name), text }));
  const there = paths.filter(({ path }) => existsSync(path)).map(({ path }) => path);
  if (there.length > 0 && !force) {
    throw new ConfigError('CONFIG_INVALID', `Already there: ${there.join(', ')}`, {
      fix: 'Nothing was written. Give another --dir, or --force to overwrite them',
    });
  }
  for (const { path, text } of paths) {
    try {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    } catch (cause) {
      throw new ConfigError('CONFIG_NOT_FOUND', `${path} cannot be written: ${(cause as NodeJS.ErrnoException).code}`, {
        fix: 'Check --dir and its permissions',
        cause,
      });
    }
  }
}

function nextSteps(dir: string, names: readonly string[], feeder: string | null): string {
  const written = names.map((name) => `  ${join(dir, name)}\n`).join('');
  const steps =
    feeder === null
      ? [
          'In application.properties edit the lines below EDIT (where the database is), in config.yaml the target.',
          `rdi validate --dir ${dir} and rdi test --dir ${dir} check the folder.`,
          `rdi run --dir ${dir} starts rdi; then start Debezium Server with application.properties in its folder config.`,
          'rdi doctor says what is wrong when nothing arrives.',
        ]
      : [
          feeder,
          `rdi validate --dir ${dir} and rdi test --dir ${dir} check the folder; rdi run --dir ${dir} starts it.`,
        ];
  return `Written:\n${written}\nNext:\n${steps.map((step, index) => `  ${index + 1}. ${step}\n`).join('')}`;
}
