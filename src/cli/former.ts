import { type Command, Option } from 'commander';
import type { Status } from '../control/index.ts';
import { formatBytes } from '../lib/plain-words.ts';
import { type ApiOptions, connectApi, withApi } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { printable } from './terminal.ts';

/** Commands of earlier versions that have nothing to do here, with what to do in their place. */
const REPLACED: Readonly<Record<string, string>> = {
  create: 'rdi needs no database of its own: it keeps its queue on disk, in the folder that rdi run --data-dir names.',
  upgrade:
    'To upgrade, stop rdi, replace the executable by the newer one, and start it again; it goes on where it stood.',
  install: 'There is nothing to install: rdi is one executable. Start it with rdi run.',
  'install-redisgears': 'rdi needs no RedisGears: the engine is part of the executable. Start it with rdi run.',
  'install-collector': 'The collector is a stock Debezium Server: rdi scaffold writes its application.properties.',
  admin: 'rdi has no separate administration tool: see rdi status, rdi doctor and rdi help.',
  'reset-internal': 'Use rdi reset.',
};

/** Explains the commands that only earlier versions had; they end with exit code 2. */
export const addReplaced: AddCommand = (program: Command, context: Context) => {
  for (const [name, sentence] of Object.entries(REPLACED)) {
    program
      .command(name, { hidden: true })
      .summary(sentence)
      .description(`A command of earlier versions. ${sentence}`)
      .allowUnknownOption()
      .argument('[words...]')
      .action(() => {
        context.terminal.err(`rdi ${name} does nothing. ${sentence}\n`);
        context.exitCode = EXIT.usage;
      });
  }
};

/** `configure`: earlier versions prepared the database for the engine. Ours prepares its store itself, so this only looks. */
export const addConfigure: AddCommand = (program: Command, context: Context) => {
  for (const name of ['configure-rdi', 'configure', 'config-rdi']) {
    const command = program
      .command(name, { hidden: name !== 'configure-rdi' })
      .summary('check the store of the running rdi, and say where its settings are')
      .description(
        'Earlier versions kept the credentials of the RDI database here. rdi keeps its store itself: this command only ' +
          'checks it. Settings of the process are in rdi.yaml, variables and flags of rdi run; see rdi run --help.',
      );
    withApi(command).action(async (options: ApiOptions) => {
      const api = await connectApi(context, options);
      const { store } = await api.get<Status>('/api/v2/overview');
      const size = `${formatBytes(store.bytes)} of ${formatBytes(store.limitBytes)}`;
      context.terminal.out(
        `The store ${printable(store.dataDir)} is ${store.state}, ${size}.\n` +
          'There is nothing to configure here: settings are in rdi.yaml, variables and flags of rdi run.\n',
      );
      if (store.message !== undefined) context.terminal.err(`${printable(store.message)}\n`);
      if (store.state !== 'ready') context.exitCode = EXIT.failed;
    });
  }
};

/** Options that earlier versions wanted with nearly every command: the connection to their database, or to its cluster. */
const FORMER_OPTIONS = [
  '--rdi-host',
  '--rdi-port',
  '--rdi-user',
  '--rdi-password',
  '--rdi-key',
  '--rdi-cert',
  '--rdi-cacert',
  '--rdi-key-password',
  '--rdi-namespace',
  '--rdi-log-level',
  '--loglevel',
  '--cluster-host',
  '--cluster-api-port',
  '--cluster-user',
  '--cluster-password',
];

/** Commands of earlier versions that took them. */
const FORMER_COMMANDS = new Set([
  'configure',
  'config-rdi',
  'configure-rdi',
  'delete',
  'deploy',
  'start',
  'stop',
  'reset',
  'status',
  'monitor',
  'trace',
  'list-dlq-records',
  'dump-support-package',
  'set-secret',
  'list-jobs',
  'describe-job',
  'set-context',
]);

/** Accepts these options where they were accepted, and says that they have no effect. To be called when all commands are there. */
export function addFormerOptions(program: Command, { terminal }: Context): void {
  for (const command of program.commands.filter((one) => FORMER_COMMANDS.has(one.name()))) {
    const own = new Set(command.options.map(({ long }) => long));
    const added = FORMER_OPTIONS.filter((flag) => !own.has(flag)).map((flag) =>
      new Option(`${flag} <value>`).hideHelp(),
    );
    for (const option of added) command.addOption(option);
    command.hook('preAction', () => {
      const given = added.filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli');
      if (given.length === 0) return;
      const names = given.map(({ long }) => long).join(', ');
      terminal.err(
        `${names}: without effect, rdi has no database of its own. --api-url says where a running rdi is.\n`,
      );
    });
  }
}
