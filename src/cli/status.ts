import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Status } from '../control/index.ts';
import { type Api, type ApiOptions, connectApi, withApi } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { ApiError } from './exit-codes.ts';
import { untilInterrupted } from './interrupt.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { formatStatus } from './status-view.ts';

interface StatusOptions extends ApiOptions {
  readonly output: OutputFormat;
  readonly live: boolean;
}

const LIVE_PERIOD_MS = 1000;
const CLEAR_SCREEN = '\u001b[H\u001b[2J\u001b[3J';

export const addStatus: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('status')
    .alias('describe')
    .summary('show what a running rdi is doing, problems first')
    .description(
      'Shows problems in plain words, then feeders, targets, counts per stream and the account: ' +
        'every received entry is in exactly one of the places that the account line lists.',
    )
    .option('-l, --live', 'show it again every second until Ctrl-C', false);
  withApi(withOutput(command)).action(async (options: StatusOptions) => {
    const api = await connectApi(context, options);
    await (options.live
      ? untilInterrupted((signal) => live(context, api, options, signal))
      : once(context, api, options));
  });
};

async function once({ terminal }: Context, api: Api, { output }: StatusOptions): Promise<void> {
  const status = await api.get<Status>('/api/v2/overview');
  await print(terminal, output, status, (found) => formatStatus(found, terminal));
}

async function live(context: Context, api: Api, options: StatusOptions, signal: AbortSignal): Promise<never> {
  const { terminal } = context;
  while (true) {
    try {
      const status = await api.get<Status>('/api/v2/overview');
      if (terminal.isScreen) terminal.out(CLEAR_SCREEN);
      await print(terminal, options.output, status, (found) => `${formatStatus(found, terminal)}\n`);
    } catch (error) {
      // A restart of rdi must not end the view of a person who watches it.
      if (!(error instanceof ApiError)) throw error;
      terminal.err(`${error.message}\n`);
    }
    await sleep(LIVE_PERIOD_MS, undefined, { signal });
  }
}
