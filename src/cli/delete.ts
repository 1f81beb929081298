import type { Command } from 'commander';
import { type ApiOptions, connectApi, withApi } from './api.ts';
import { confirm } from './confirm.ts';
import type { AddCommand, Context } from './context.ts';
import { type PipelineOption, pipelinePath, withPipeline, withPipelineArgument } from './pipeline-path.ts';
import { withProgress } from './progress.ts';
import { printable } from './terminal.ts';
import { type WaitOptions, waitForStatus, withWait } from './wait.ts';

export const addDelete: AddCommand = (program: Command, context: Context) => {
  const command = withPipelineArgument(program.command('delete'))
    .summary('stop a pipeline, forget its configuration and all of its state')
    .description(
      'Replaces the pipeline by an empty one that is stopped, and resets it. Secrets stay, earlier revisions of the ' +
        'configuration too: rdi rollback brings one back. The target keeps its keys.',
    )
    .option('-f, --force', 'do not ask', false);
  withApi(withWait(command)).action(
    async (pipeline: string, options: ApiOptions & WaitOptions & { force: boolean }) => {
      const loss = `This stops pipeline ${pipeline} and deletes its configuration, queued entries, offsets and rejected records`;
      await confirm(context, loss, options.force);
      const api = await connectApi(context, options);
      const timeoutMs = options.wait ? options.timeout : undefined;
      await withProgress(context.terminal, 'Deleting the pipeline', () =>
        api.send('DELETE', pipelinePath(pipeline), undefined, timeoutMs),
      );
      if (options.wait) await waitForStatus(api, context.terminal, pipeline, ['stopped'], options.timeout);
      context.terminal.out(`Pipeline ${printable(pipeline)} is deleted.\n`);
    },
  );
};

export const addFlushTarget: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('flush-target')
    .summary('delete every key of a target')
    .description(
      'Deletes every key of a target Redis (FLUSHDB). Meant for a new initial sync, together with rdi reset.',
    )
    .argument('[target]', 'id of the target in config.yaml', 'target')
    .option('-f, --force', 'do not ask', false);
  withApi(withPipeline(command)).action(
    async (target: string, options: ApiOptions & PipelineOption & { force: boolean }) => {
      await confirm(context, `This deletes EVERY KEY of target ${target}, whoever wrote it`, options.force);
      const api = await connectApi(context, options);
      const path = pipelinePath(options.pipeline, 'flush-target', target);
      await withProgress(context.terminal, `Emptying target ${target}`, () => api.send('POST', path));
      context.terminal.out(`Target ${printable(target)} is empty.\n`);
    },
  );
};
