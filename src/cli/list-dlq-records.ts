import { type Command, Option } from 'commander';
import type { DlqRecord } from '../control/index.ts';
import { ConfigError } from '../errors.ts';
import { type Api, type ApiOptions, connectApi, withApi } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { formatRecord } from './dlq-record-view.ts';
import type { Dlqs } from './dlqs.ts';
import { wholeNumber } from './numbers.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { type PipelineOption, pipelinePath, withPipeline } from './pipeline-path.ts';
import { operationName } from './rehearsal-view.ts';
import { printable } from './terminal.ts';

interface RecordsOptions extends ApiOptions, PipelineOption {
  readonly output: OutputFormat;
  readonly limit: number;
  readonly offset: number;
  readonly sortOrder: 'asc' | 'desc';
  /** Of earlier versions. */
  readonly dlqName?: string;
  readonly maxRecords?: number;
  readonly oldest?: true;
}

interface RecordsPage {
  readonly stream: string;
  readonly records: readonly DlqRecord[];
}

export const addListDlqRecords: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('list-dlq-records')
    .alias('get-rejected')
    .summary('show rejected records with the reason')
    .description(
      'Shows the rejected records of a stream, or of all, each with the reason and what to do about it. ' +
        'The name may be short where only one stream fits: orders for data:{rdi}:shop.orders.',
    )
    .argument('[dlq]', 'name of the stream, as list-dlqs shows it (default: all of them)')
    .addOption(new Option('--limit <n>', 'at most so many of a stream').default(20).argParser(wholeNumber(1, 1000)))
    .addOption(new Option('--offset <n>', 'leave out the first').default(0).argParser(wholeNumber(0, 999_999_999)))
    .addOption(new Option('--sort-order <order>', 'newest or oldest first').choices(['desc', 'asc']).default('desc'))
    .addOption(new Option('--dlq-name <name>', 'the argument of earlier versions').hideHelp())
    .addOption(new Option('--max-records <n>', '--limit').argParser(wholeNumber(1, 1000)).hideHelp())
    .addOption(new Option('--oldest', '--sort-order asc').hideHelp());
  withApi(withOutput(withPipeline(command))).action(async (name: string | undefined, options: RecordsOptions) => {
    if (name !== undefined && options.dlqName !== undefined) {
      throw new ConfigError('CONFIG_INVALID', 'The DLQ is named twice', { fix: 'Leave --dlq-name out.' });
    }
    const api = await connectApi(context, options);
    const pages = await readPages(api, name ?? options.dlqName, options);
    // One stream has the shape of the API; several are a list of it.
    const result = (name ?? options.dlqName) === undefined ? pages : pages[0]!;
    await print(
      context.terminal,
      options.output,
      result,
      () => pages.map(formatPage).join('\n') || 'No record was rejected.\n',
    );
  });
};

async function readPages(api: Api, name: string | undefined, options: RecordsOptions): Promise<RecordsPage[]> {
  const { pipeline, maxRecords, oldest, offset } = options;
  const query = {
    limit: maxRecords ?? options.limit,
    offset,
    sort_order: oldest === true ? 'asc' : options.sortOrder,
  };
  const names = name === undefined ? Object.keys(await api.get<Dlqs>(pipelinePath(pipeline, 'dlqs'))) : [name];
  const pages: RecordsPage[] = [];
  for (const dlq of names) {
    const page = await api.get<RecordsPage>(pipelinePath(pipeline, 'dlqs', dlq, 'records'), query);
    const records = page.records.map((record) => ({ ...record, opcode: operationName(record.opcode) }));
    pages.push({ ...page, stream: page.stream ?? dlq, records });
  }
  return pages;
}

function formatPage({ stream, records }: RecordsPage, _index: number, pages: readonly RecordsPage[]): string {
  if (records.length === 0) return `No rejected records of ${printable(stream)} here.\n`;
  const heading = pages.length > 1 ? `${printable(stream)}\n` : '';
  return heading + records.map((record) => formatRecord(record)).join('\n');
}
