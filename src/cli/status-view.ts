import { accountingLine, type Status } from '../control/index.ts';
import { formatDuration } from '../lib/plain-words.ts';
import { formatFacts } from './dlq-record-view.ts';
import { formatJobs } from './jobs.ts';
import {
  componentsTable,
  feedersTable,
  type Page,
  performanceTable,
  sourcesTable,
  statisticsTable,
  storeLine,
  targetsTable,
} from './status-tables.ts';
import { formatTable, left } from './table.ts';
import { paint, printable, type Terminal } from './terminal.ts';
import { errorMessages, type RdiPipeline } from './wait.ts';

type Screen = Pick<Terminal, 'isScreen'>;

/** The pipeline with its configuration, as `GET /api/v2/pipelines/{name}` gives it. */
export interface DescribedPipeline extends RdiPipeline {
  readonly config?: { readonly processors?: Readonly<Record<string, unknown>> };
}

export interface StatusView {
  readonly status: Status;
  readonly pipeline: DescribedPipeline;
  /** What was shown a moment ago: then rates per second are shown, too. */
  readonly before?: Status | undefined;
  readonly page: Page;
  /** Show the data streams only. */
  readonly isIngestedOnly: boolean;
}

/** What `rdi status` prints: the head, problems first, then the sections of RDI's own status, and ours. */
export function formatStatus(view: StatusView, screen: Screen): string {
  const { status, pipeline } = view;
  const statistics = section('Statistics', statisticsTable(status, view.before, view.page), screen);
  if (view.isIngestedOnly) return [head(view, screen), statistics].join('\n');
  const sections = [
    head(view, screen),
    problems(status, screen),
    section('Sources', sourcesTable(status), screen),
    section('Targets', targetsTable(status), screen),
    section('Processor', processor(pipeline), screen),
    section('Jobs', formatJobs(status.pipeline.jobs), screen),
    section('Components', componentsTable(pipeline), screen),
    statistics,
    section('Account', `  ${accountingLine(status.totals)}\n`, screen),
    section('Performance', performanceTable(status), screen),
    section('Feeders', feedersTable(status), screen),
    section('Store', storeLine(status), screen),
    section('Errors', errors(view), screen),
    section('Notices', status.notices.map((notice) => `  ${printable(notice)}\n`).join(''), screen),
  ];
  return sections.filter((text) => text !== '').join('\n');
}

function head({ status, pipeline }: StatusView, screen: Screen): string {
  const { version, state, syncMode, startedAt, takenAt, ready, reasons } = status;
  const color = state === 'ERROR' || state === 'STOPPED' ? 'red' : 'green';
  const parts = [
    paint(screen, 'bold', `rdi ${version}`),
    paint(screen, color, state),
    `sync mode ${syncMode}`,
    `up ${formatDuration(takenAt - startedAt)}`,
  ];
  const notReady = ready ? '' : reasons.map((reason) => `  not ready: ${printable(reason)}\n`).join('');
  const columns = ['Name', 'Active', 'Status', 'Current', 'Revision'].map(left);
  const { name, active, status: pipelineState, current } = pipeline;
  const revision = status.pipeline.isDeployed ? (status.pipeline.revision ?? '-') : 'nothing deployed';
  const row = [name, active ? 'yes' : 'no', pipelineState, current === false ? 'no' : 'yes', revision];
  return `${parts.join('  ')}\n${notReady}\n${formatTable(columns, [row])}`;
}

function problems(status: Status, screen: Screen): string {
  if (status.problems.length === 0) return `${paint(screen, 'green', 'No problems.')}\n`;
  const lines = status.problems.map(({ severity, text }) => {
    const mark = severity === 'error' ? paint(screen, 'red', 'ERROR  ') : paint(screen, 'yellow', 'WARNING');
    return `  ${mark}  ${printable(text)}\n`;
  });
  return section('Problems', lines.join(''), screen);
}

/** RDI's processor section: what the configuration sets. */
function processor({ config }: DescribedPipeline): string {
  const settings = Object.entries(config?.processors ?? {});
  return settings.length === 0
    ? ''
    : formatFacts(
        settings.map(([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : String(value)]),
      );
}

/** Errors of the pipeline that no problem says already. */
function errors({ status, pipeline }: StatusView): string {
  const said = status.problems.map(({ text }) => text).join('\n');
  const failure = status.pipeline.failure === null ? [] : [status.pipeline.failure];
  const messages = new Set([...failure, ...errorMessages(pipeline)].filter((message) => !said.includes(message)));
  return [...messages].map((message) => `  ${printable(message)}\n`).join('');
}

function section(title: string, content: string, screen: Screen): string {
  return content === '' ? '' : `${paint(screen, 'bold', title)}\n${content}`;
}
