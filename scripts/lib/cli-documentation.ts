/** `docs/cli.md` from the program's own commands, so that the page cannot differ from `--help`. */
import type { Command, Help, Option } from 'commander';
import { takesApi } from '../../src/cli/api.ts';
import { buildProgram, EXAMPLES } from '../../src/cli/index.ts';

/** The page without its note. */
export async function cliDocumentation(): Promise<string> {
  const print = (): void => {};
  // Every command with all of its options, whatever the variables of this process say.
  const terminal = { out: print, err: print, env: {}, isScreen: false, isErrorScreen: false };
  const program = await buildProgram(['run'], { terminal, exitCode: 0 });
  const help = program.createHelp();
  const commands = help.visibleCommands(program).filter((command) => command.name() !== 'help');
  return [
    '# Commands',
    '',
    program.description(),
    '',
    'Every command explains itself with `--help`. What prints data takes `-o table|json|yaml`; scripts should use JSON. Results',
    'go to standard output, everything else to standard error. Options with a value may be written `--name value` or',
    '`--name=value`.',
    '',
    '```',
    EXAMPLES.trim(),
    '```',
    '',
    '## Connection options',
    '',
    'Commands that ask a running rdi take these, before or behind their name. An option is stronger than its variable, a',
    'variable stronger than the active context (`rdi use-context`).',
    '',
    ...optionTable(help.visibleOptions(program).filter(({ long }) => long !== '--help' && long !== '--version')),
    '',
    '## All commands',
    '',
    '| command | what it does |',
    '|---|---|',
    ...commands.map(
      (command) => `| [\`${command.name()}\`](#${command.name()}) | ${cell(help.subcommandDescription(command))} |`,
    ),
    '',
    ...commands.flatMap((command) => section(command, help)),
  ].join('\n');
}

function section(command: Command, help: Help): string[] {
  const words = help.visibleArguments(command).map((argument) => [argument.name(), argument.description]);
  const isConnected = takesApi(command);
  const options = help
    .visibleOptions(command)
    .filter(({ long, helpGroupHeading }) => long !== '--help' && helpGroupHeading === undefined);
  const aliases = command.aliases().map((alias) => `\`${alias}\``);
  return [
    `## ${command.name()}`,
    '',
    '```',
    `rdi ${help
      .commandUsage(command)
      .replace(/^rdi /, '')
      .replace(/\|[^ ]+/, '')}`,
    '```',
    '',
    command.description() || `${sentence(help.subcommandDescription(command))}`,
    '',
    ...(aliases.length === 0 ? [] : [`Also: ${aliases.join(', ')}.`, '']),
    ...(words.length === 0
      ? []
      : [
          '| argument | meaning |',
          '|---|---|',
          ...words.map(([name, text]) => `| \`${name}\` | ${cell(text ?? '')} |`),
          '',
        ]),
    ...(options.length === 0 ? [] : [...optionTable(options), '']),
    ...(isConnected ? ['Takes the [connection options](#connection-options).', ''] : []),
  ];
}

function optionTable(options: readonly Option[]): string[] {
  const rows = options.map((option) => `| ${code(option.flags)} | ${cell(describe(option))} |`);
  return ['| option | meaning |', '|---|---|', ...rows];
}

function describe({ description, argChoices, defaultValue, defaultValueDescription }: Option): string {
  const facts = [
    argChoices === undefined ? '' : `one of ${argChoices.join(', ')}`,
    defaultValue === undefined || defaultValue === false
      ? ''
      : `default ${defaultValueDescription ?? String(defaultValue)}`,
  ].filter((fact) => fact !== '');
  return facts.length === 0 ? description : `${description} (${facts.join('; ')})`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Text in a cell of a table. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;');
}

/** Code in a cell of a table. */
function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}
