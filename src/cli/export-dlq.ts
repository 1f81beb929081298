import { open } from 'node:fs/promises';
import type { Command } from 'commander';
import { ConfigError } from '../errors.ts';
import { count } from '../lib/plain-words.ts';
import { connectApi, withApi, withQuery } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { type SelectionOptions, selectionOf, withSelection } from './dlq-selection.ts';
import { untilInterrupted } from './interrupt.ts';
import { pipelinePath, withPipeline } from './pipeline-path.ts';
import { Progress } from './progress.ts';

export const addExportDlq: AddCommand = (program: Command, context: Context) => {
  const command = withSelection(program.command('export-dlq'))
    .summary('print rejected records as JSON lines, with everything that is kept of them')
    .description('Prints one JSON object per rejected record, oldest first: the original entry, the rows, the reason.')
    .option('--file <file>', 'write to this new file in place of standard output');
  withApi(withPipeline(command)).action(
    async (dlq: string | undefined, options: SelectionOptions & { readonly file?: string }) => {
      const { terminal } = context;
      const { ids, ...selection } = selectionOf(dlq, options);
      const api = await connectApi(context, options);
      const path = withQuery(pipelinePath(options.pipeline, 'dlqs', 'export'), { ...selection, ids: ids?.join(',') });
      const progress = new Progress(terminal);
      const sink = options.file === undefined ? undefined : await create(options.file);
      let exported = 0;
      try {
        await untilInterrupted(async (signal) => {
          for await (const record of api.lines('GET', path, undefined, signal)) {
            const line = `${JSON.stringify(record)}\n`;
            await (sink === undefined ? terminal.out(line) : sink.write(line));
            exported++;
            if (sink !== undefined) progress.update(count(exported, 'record'));
          }
        });
      } finally {
        progress.close();
        await sink?.close();
      }
      if (options.file !== undefined) terminal.out(`Wrote ${count(exported, 'record')} to ${options.file}.\n`);
    },
  );
};

/** Rejected records hold data of the source: only their owner may read them. An existing file is never replaced. */
async function create(file: string) {
  try {
    return await open(file, 'wx', 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = code === 'EEXIST' ? 'The file is there already' : `The file cannot be written: ${code}`;
    throw new ConfigError('CONFIG_INVALID', what, { where: file, fix: 'Name another one with --file.', cause: error });
  }
}
