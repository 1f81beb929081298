import type { Command } from 'commander';

/** RDI's only pipeline, and ours. */
export const DEFAULT_PIPELINE = 'default';

export interface PipelineOption {
  readonly pipeline: string;
}

/** Adds `-p, --pipeline` to a command about a part of a pipeline. */
export function withPipeline(command: Command): Command {
  return command.option('-p, --pipeline <name>', 'name of the pipeline', DEFAULT_PIPELINE);
}

/** Adds `[pipeline]` to a command about a whole pipeline. */
export function withPipelineArgument(command: Command): Command {
  return command.argument('[pipeline]', 'name of the pipeline', DEFAULT_PIPELINE);
}

/** Path of a pipeline, or of a part of it, in version 2 of the API. */
export function pipelinePath(pipeline: string, ...parts: readonly string[]): string {
  return ['/api/v2/pipelines', pipeline, ...parts]
    .map((part, index) => (index === 0 ? part : encodeURIComponent(part)))
    .join('/');
}
