import { Argument, type Command } from 'commander';
import { completionScript, SHELLS, type Shell } from './completion-scripts.ts';
import type { AddCommand, Context } from './context.ts';

export const addCompletion: AddCommand = (program: Command, { terminal }: Context) => {
  program
    .command('completion')
    .summary('print the completion script of a shell')
    .description('Prints a script that completes commands, options and values. Try it: source <(rdi completion bash)')
    .addArgument(new Argument('<shell>', 'the shell').choices([...SHELLS]))
    .action((shell: Shell) => {
      terminal.out(completionScript(program, shell));
    });
};
