import { type Command, Option } from 'commander';
import { ConfigError } from '../errors.ts';
import type { ApiOptions } from './api.ts';
import type { PipelineOption } from './pipeline-path.ts';
import { pointInTime, several } from './values.ts';

/** Which rejected records are meant, as the command line takes it. */
export interface SelectionOptions extends ApiOptions, PipelineOption {
  readonly all: boolean;
  readonly id?: readonly string[];
  readonly reason?: string;
  readonly job?: string;
  /** ms since the epoch. */
  readonly since?: number;
}

/** The same as the API takes it. */
export interface Selection {
  readonly table?: string;
  readonly ids?: readonly string[];
  readonly reason?: string;
  readonly job?: string;
  /** ISO 8601. */
  readonly since?: string;
}

/** Adds `[dlq]` and the conditions to a command about rejected records. */
export function withSelection(command: Command): Command {
  return command
    .argument('[dlq]', 'name of the stream, as list-dlqs shows it, or its table')
    .option('--all', 'the records of all streams', false)
    .addOption(new Option('--id <id>', 'only this record; may be given several times').argParser(several))
    .option('--reason <text>', 'only records whose reason or code contains this')
    .option('--job <name>', 'only records that this job rejected')
    .addOption(
      new Option('--since <time>', 'only records rejected since then: 30m, 2h, 2026-11-23T10:00:00Z').argParser(
        pointInTime,
      ),
    );
}

/**
 * What the arguments say.
 *
 * @throws ConfigError unless either a stream or `--all` is given
 */
export function selectionOf(dlq: string | undefined, { all, id, reason, job, since }: SelectionOptions): Selection {
  if ((dlq === undefined) === !all) {
    const what = all ? 'Both a DLQ and --all are given' : 'Neither a DLQ nor --all is given';
    throw new ConfigError('CONFIG_INVALID', what, { fix: 'Name one stream, or give --all. See rdi list-dlqs.' });
  }
  return {
    ...(dlq === undefined ? {} : { table: dlq }),
    ...(id === undefined ? {} : { ids: id }),
    ...(reason === undefined ? {} : { reason }),
    ...(job === undefined ? {} : { job: job.replace(/\.ya?ml$/, '') }),
    ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
  };
}
