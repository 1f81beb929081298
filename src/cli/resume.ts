import type { Command } from 'commander';
import { callApi, withApiUrl } from './api-client.ts';
import type { AddCommand, Context } from './context.ts';
import { printable } from './terminal.ts';

export const addResume: AddCommand = (program: Command, { terminal }: Context) => {
  const command = program
    .command('resume')
    .summary('let a stream go on that stopped at a rejected record')
    .description(
      'With error_handling: abort a stream stops at a record that cannot be applied, and loses nothing. ' +
        'When the cause is gone, this command lets the stream try that record again and go on.',
    )
    .argument('<stream>', 'name of the stream, as status shows it');
  withApiUrl(command).action(async (stream: string, { apiUrl }: { apiUrl?: string }) => {
    const path = `/api/v2/pipelines/default/streams/${encodeURIComponent(stream)}/resume`;
    const answer = await callApi<{ stream: string }>(terminal, apiUrl, path, 'POST');
    terminal.out(`Stream ${printable(answer.stream)} goes on.\n`);
  });
};
