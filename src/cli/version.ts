import type { Command } from 'commander';
import { VERSION } from '../lib/version.ts';
import type { AddCommand, Context } from './context.ts';

export const addVersion: AddCommand = (program: Command, { terminal }: Context) => {
  program
    .command('version')
    .summary('print version, runtime and platform')
    .action(() => {
      terminal.out(`rdi ${VERSION} (Node.js ${process.versions.node}, ${process.platform} ${process.arch})\n`);
    });
};
