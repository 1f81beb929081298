import type { Command } from 'commander';
import { ConfigError } from '../errors.ts';
import { type ApiOptions, connectApi, withApi } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { pipelinePath, withPipelineArgument } from './pipeline-path.ts';
import { withProgress } from './progress.ts';
import { printable } from './terminal.ts';
import { type WaitOptions, waitForStatus, withWait } from './wait.ts';

type ControlOptions = ApiOptions & WaitOptions & { readonly source?: string };

export const addStart: AddCommand = (program: Command, context: Context) => {
  addControl(program, context, {
    verb: 'start',
    doing: 'Starting the pipeline',
    state: 'started',
    summary: 'let a stopped pipeline go on where it stood',
    description: 'Starts writing to the targets again. Nothing that arrived in between is lost.',
  });
};

export const addStop: AddCommand = (program: Command, context: Context) => {
  addControl(program, context, {
    verb: 'stop',
    doing: 'Stopping the pipeline; what is on its way is being written',
    state: 'stopped',
    summary: 'write nothing more to the targets until the pipeline is started',
    description:
      'What is on its way is written, then nothing more. Feeders may go on sending as long as the disk limit lets them. ' +
      'A stopped pipeline stays stopped when rdi is started again.',
  });
};

interface Control {
  readonly verb: 'start' | 'stop';
  readonly doing: string;
  readonly state: string;
  readonly summary: string;
  readonly description: string;
}

function addControl(program: Command, context: Context, { verb, doing, state, summary, description }: Control): void {
  const command = withPipelineArgument(program.command(verb)).summary(summary).description(description);
  command.option('--source <name>', 'act on one source only (refused: feeders are started and stopped by themselves)');
  withApi(withWait(command)).action(async (pipeline: string, options: ControlOptions) => {
    refuseSource(options.source, verb);
    const api = await connectApi(context, options);
    const timeoutMs = options.wait ? options.timeout : undefined;
    const ask = () => api.send('POST', pipelinePath(pipeline, verb), undefined, timeoutMs);
    await withProgress(context.terminal, doing, ask);
    if (options.wait) await waitForStatus(api, context.terminal, pipeline, [state], options.timeout);
    context.terminal.out(`Pipeline ${printable(pipeline)} is ${options.wait ? state : `being ${state}`}.\n`);
  });
}

/** RDI 2.0 starts and stops single sources, which it refuses for sources that something else feeds: all of ours. */
export function refuseSource(source: string | undefined, verb: string): void {
  if (source === undefined) return;
  throw new ConfigError('CONFIG_INVALID', `Source ${source} is external: a feeder of its own sends its changes`, {
    fix: `${verb[0]!.toUpperCase()}${verb.slice(1)} that feeder (Debezium Server), or leave --source out to ${verb} the pipeline.`,
  });
}
