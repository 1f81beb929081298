import type { Command } from 'commander';
import type { Terminal } from './terminal.ts';

/** What every command is handed: where to print, and where to leave its exit code. */
export interface Context {
  readonly terminal: Terminal;
  exitCode: number;
}

/** Adds one command to the program. */
export type AddCommand = (program: Command, context: Context) => void | Promise<void>;
