import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { Status } from '../control/index.ts';
import { type Api, type ApiOptions, connectApi, withApi } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { ApiError } from './exit-codes.ts';
import { untilInterrupted } from './interrupt.ts';
import { LiveScreen } from './live-screen.ts';
import { wholeNumber } from './numbers.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { pipelinePath, withPipelineArgument } from './pipeline-path.ts';
import { type DescribedPipeline, formatStatus, type StatusView } from './status-view.ts';

interface StatusOptions extends ApiOptions {
  readonly output: OutputFormat;
  readonly live: boolean;
  readonly pageNumber: number;
  readonly pageSize?: number;
  readonly ingestedOnly: boolean;
}

const LIVE_PERIOD_MS = 1000;
/** How soon a key or a new size of the window is answered. */
const LOOK_MS = 100;

export const addStatus: AddCommand = (program: Command, context: Context) => {
  const command = withPipelineArgument(program.command('status'))
    .alias('describe')
    .summary('show what a running rdi is doing, problems first')
    .description(
      'Shows problems in plain words, then sources, targets, jobs, counts per stream and the account: ' +
        'every received entry is in exactly one of the places that the account line lists.',
    )
    .option('-l, --live', 'show it again every second, with rates, until q or Ctrl-C', false)
    .addOption(new Option('-p, --page-number <n>', 'page of the streams').default(1).argParser(wholeNumber(1, 1e6)))
    .addOption(new Option('-s, --page-size <n>', 'streams per page (default: all)').argParser(wholeNumber(1, 1e6)))
    .option('-i, --ingested-only', 'show the streams only', false);
  withApi(withOutput(command)).action(async (pipeline: string, options: StatusOptions) => {
    const api = await connectApi(context, options);
    const read = () => readView(api, pipeline, options);
    if (!options.live) await show(context, options, await read());
    else await untilInterrupted((signal) => live(context, options, read, signal));
  });
};

type View = Omit<StatusView, 'before'>;

async function readView(api: Api, name: string, options: StatusOptions): Promise<View> {
  const [status, pipeline] = await Promise.all([
    api.get<Status>('/api/v2/overview'),
    api.get<DescribedPipeline>(pipelinePath(name)),
  ]);
  const page = { number: options.pageNumber, size: options.pageSize };
  return { status, pipeline, page, isIngestedOnly: options.ingestedOnly };
}

/** Structured forms hold the whole overview, and what only RDI's view of the pipeline has. */
async function show({ terminal }: Context, { output }: StatusOptions, view: StatusView): Promise<void> {
  const { components, current, errors } = view.pipeline;
  await print(terminal, output, { ...view.status, current, components, errors }, () => formatStatus(view, terminal));
}

/** Until `q`, or until `signal` throws. A restart of rdi must not end the view of a person who watches it. */
async function live(
  context: Context,
  options: StatusOptions,
  read: () => Promise<View>,
  signal: AbortSignal,
): Promise<void> {
  const { terminal } = context;
  const screen = terminal.isScreen && options.output === 'table' ? new LiveScreen(terminal) : undefined;
  const keys = watchKeys(context);
  try {
    let before: Status | undefined;
    for (;;) {
      const view = await readOrFailure(read);
      const earlier = before;
      const draw = () => {
        const number = Math.max(1, options.pageNumber + keys.turned);
        const picture = (found: View) =>
          formatStatus({ ...found, before: earlier, page: { ...found.page, number } }, terminal);
        screen?.draw(typeof view === 'string' ? view : picture(view), footer(options));
      };
      draw();
      if (screen === undefined) await printPlain(context, options, view, before);
      await pause(terminal, keys, signal, draw);
      if (keys.isQuit) return;
      if (typeof view !== 'string') before = view.status;
    }
  } finally {
    keys.stop();
    screen?.close();
  }
}

function footer({ pageSize }: StatusOptions): string {
  return pageSize === undefined ? 'q quits' : 'q quits, n and p turn the page';
}

async function readOrFailure(read: () => Promise<View>): Promise<View | string> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status === 404) throw error;
    return error.message;
  }
}

async function printPlain(context: Context, options: StatusOptions, view: View | string, before: Status | undefined) {
  if (typeof view === 'string') context.terminal.err(`${view}\n`);
  else {
    await show(context, options, { ...view, before });
    if (options.output === 'table') context.terminal.out('\n');
  }
}

/** Waits for the next reading; redraws at once when the window changes its size or a page is turned. */
async function pause({ size }: Context['terminal'], keys: Keys, signal: AbortSignal, draw: () => void): Promise<void> {
  const look = () => `${JSON.stringify(size?.())} ${keys.turned}`;
  let seen = look();
  for (let waited = 0; waited < LIVE_PERIOD_MS && !keys.isQuit; waited += LOOK_MS) {
    await sleep(LOOK_MS, undefined, { signal });
    const now = look();
    if (now === seen) continue;
    seen = now;
    draw();
  }
}

interface Keys {
  readonly isQuit: boolean;
  /** Pages forward (negative: back) since the start. */
  readonly turned: number;
  stop(): void;
}

function watchKeys({ terminal }: Context): Keys {
  const keys = { isQuit: false, turned: 0, stop: () => {} };
  if (terminal.isScreen && terminal.onKey !== undefined) {
    keys.stop = terminal.onKey((key) => {
      if (key === 'q') keys.isQuit = true;
      // In raw mode the terminal sends Ctrl-C as a key.
      if (key === '\u0003') process.kill(process.pid, 'SIGINT');
      if (key === 'n') keys.turned++;
      if (key === 'p') keys.turned--;
    });
  }
  return keys;
}
