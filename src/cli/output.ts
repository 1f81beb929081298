import { type Command, Option } from 'commander';
import type { Terminal } from './terminal.ts';

export type OutputFormat = 'table' | 'json' | 'yaml';

/** Adds `-o, --output` to a command that prints results. */
export function withOutput(command: Command): Command {
  const option = new Option('-o, --output <format>', 'how to print');
  return command.addOption(option.choices(['table', 'json', 'yaml']).default('table'));
}

/** Prints a result as the person asked: JSON and YAML hold all of it, the table what fits a screen. */
export async function print<T>(
  terminal: Terminal,
  format: OutputFormat,
  result: T,
  asTable: (result: T) => string,
): Promise<void> {
  if (format === 'table') terminal.out(asTable(result));
  else if (format === 'json') terminal.out(`${JSON.stringify(result, null, 2)}\n`);
  else terminal.out((await import('yaml')).stringify(result));
}
