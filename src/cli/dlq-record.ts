import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { DlqRecordDetail } from '../control/index.ts';
import { ConfigError } from '../errors.ts';
import { type ApiOptions, connectApi, withApi } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { formatRecord } from './dlq-record-view.ts';
import { editText } from './editor.ts';
import { indentJson } from './indent-json.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { type PipelineOption, pipelinePath, withPipeline } from './pipeline-path.ts';
import { printable } from './terminal.ts';

type RecordOptions = ApiOptions & PipelineOption & { readonly output: OutputFormat };

interface EditOptions extends ApiOptions, PipelineOption {
  readonly key?: string;
  readonly value?: string;
  readonly file?: string;
}

export const addGetDlqRecord: AddCommand = (program: Command, context: Context) => {
  const command = withRecord(program.command('get-dlq-record'))
    .summary('show a rejected record with its original entry')
    .description(
      'Shows one rejected record: the reason, where in which job it failed, the rows, the entry as it came.',
    );
  withApi(withOutput(withPipeline(command))).action(async (dlq: string, id: string, options: RecordOptions) => {
    const api = await connectApi(context, options);
    const record = await api.get<DlqRecordDetail>(recordPath(options.pipeline, dlq, id));
    await print(context.terminal, options.output, record, formatDetail);
  });
};

export const addEditDlqRecord: AddCommand = (program: Command, context: Context) => {
  const command = withRecord(program.command('edit-dlq-record'))
    .summary('correct the entry of a rejected record, before it is retried')
    .description(
      'Replaces key or value of the entry that was rejected; rdi retry-dlq then applies the corrected one. Without an ' +
        'option it opens the value in the editor that VISUAL or EDITOR names.',
    )
    .option('--key <json>', 'the new key')
    .option('--value <json>', 'the new value')
    .option('--file <file>', 'take the new value from this file');
  withApi(withPipeline(command)).action(async (dlq: string, id: string, options: EditOptions) => {
    const { terminal } = context;
    const { key, value, file } = options;
    if (value !== undefined && file !== undefined) {
      throw new ConfigError('CONFIG_INVALID', '--value and --file exclude each other', {
        fix: 'Leave one of them out.',
      });
    }
    const api = await connectApi(context, options);
    const path = recordPath(options.pipeline, dlq, id);
    const isInEditor = key === undefined && value === undefined && file === undefined;
    const edited = isInEditor ? await editValue(context, await api.get(path)) : await givenValue(value, file);
    if (isInEditor && edited === undefined) {
      terminal.out('Nothing was changed.\n');
      return;
    }
    const change = { ...checked('key', key), ...checked('value', edited) };
    await api.send('PUT', path, change);
    terminal.out(
      `Record ${printable(id)} is changed. Apply it with rdi retry-dlq '${printable(dlq)}' --id ${printable(id)}.\n`,
    );
  });
};

function withRecord(command: Command): Command {
  return command
    .argument('<dlq>', 'name of the stream, as list-dlqs shows it, or its table')
    .argument('<id>', 'record id, as list-dlq-records shows it (__dlq_stream_entry_id in JSON)');
}

function recordPath(pipeline: string, dlq: string, id: string): string {
  // Without it the path would be that of the whole list.
  if (id === '') throw new ConfigError('CONFIG_INVALID', 'The id is empty', { fix: 'See rdi list-dlq-records.' });
  return pipelinePath(pipeline, 'dlqs', dlq, 'records', id);
}

/** The new value, or undefined when the person changed nothing. Numbers keep their digits: it stays a text throughout. */
async function editValue(context: Context, record: DlqRecordDetail): Promise<string | undefined> {
  const before = indentJson(record.raw_value ?? '');
  const after = await editText(context.terminal, `dlq-record-${record.__dlq_stream_entry_id}.json`, before);
  return after.trim() === before.trim() ? undefined : after.trim();
}

async function givenValue(value: string | undefined, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return value;
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    const what = `The value cannot be read: ${(cause as NodeJS.ErrnoException).code}`;
    throw new ConfigError('CONFIG_NOT_FOUND', what, { where: file, fix: 'Check --file.', cause });
  }
}

function checked<Name extends string>(name: Name, text: string | undefined): { [K in Name]?: string } {
  if (text === undefined) return {};
  try {
    JSON.parse(text);
  } catch (error) {
    throw new ConfigError('CONFIG_INVALID', `The new ${name} is no JSON: ${(error as Error).message}`, {
      fix: 'Nothing was changed. Correct it and try again.',
    });
  }
  return { [name]: text } as { [K in Name]?: string };
}

function formatDetail(record: DlqRecordDetail): string {
  const newer = record.is_superseded === null ? 'unknown' : record.is_superseded ? 'yes' : 'no';
  const heading = formatRecord(record, [
    ['stream', record.stream],
    ['attempt', record.attempt],
    ['error', record.reason_rejected.includes(record.error ?? '') ? undefined : record.error],
    ['newer value', newer],
  ]);
  const fields = record.fields.map(({ name, value }) => {
    const shown = indentJson(value).split('\n').map(printable).join('\n    ');
    return `  ${printable(name)}\n    ${shown}\n`;
  });
  return `${heading}\nEntry\n${fields.join('')}`;
}
