import type { Command } from 'commander';
import { type ApiOptions, connectApi, withApi } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { type PipelineOption, pipelinePath, withPipeline } from './pipeline-path.ts';
import { printable } from './terminal.ts';

export const addResume: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('resume')
    .summary('let a stream go on that stopped at a rejected record')
    .description(
      'With error_handling: abort a stream stops at a record that cannot be applied, and loses nothing. ' +
        'When the cause is gone, this command lets the stream try that record again and go on.',
    )
    .argument('<stream>', 'name of the stream, as status shows it');
  withApi(withPipeline(command)).action(async (stream: string, options: ApiOptions & PipelineOption) => {
    const api = await connectApi(context, options);
    const path = pipelinePath(options.pipeline, 'streams', stream, 'resume');
    const answer = await api.send<{ stream: string }>('POST', path);
    context.terminal.out(`Stream ${printable(answer.stream)} goes on.\n`);
  });
};
