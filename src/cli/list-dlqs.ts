import type { Command } from 'commander';
import { callApi, withApiUrl } from './api-client.ts';
import type { AddCommand, Context } from './context.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { formatTable, left, right } from './table.ts';

type Dlqs = Readonly<Record<string, { total_count: number; evicted: number }>>;

export const addListDlqs: AddCommand = (program: Command, { terminal }: Context) => {
  const command = program
    .command('list-dlqs')
    .summary('list the streams that have rejected records')
    .description('Lists the streams that have rejected records, with how many are kept and how many were dropped.');
  withOutput(withApiUrl(command)).action(async ({ apiUrl, output }: { apiUrl?: string; output: OutputFormat }) => {
    const dlqs = await callApi<Dlqs>(terminal, apiUrl, '/api/v2/pipelines/default/dlqs');
    await print(terminal, output, dlqs, formatDlqs);
  });
};

function formatDlqs(dlqs: Dlqs): string {
  const rows = Object.entries(dlqs).map(([stream, { total_count, evicted }]) => [stream, total_count, evicted]);
  if (rows.length === 0) return 'No record was rejected.\n';
  return formatTable([left('Stream'), right('Records'), right('Dropped')], rows);
}
