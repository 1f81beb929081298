/** The Grafana dashboard, put together from one line per panel. Grafana 10 and later read it (schema version 38). */

const DATASOURCE = { type: 'prometheus', uid: '$datasource' };
const COLUMNS = 24;

interface Query {
  readonly expr: string;
  readonly legend: string;
  /** Only the newest value; for tables and single figures. */
  readonly isInstant?: true;
}

interface Panel {
  readonly title: string;
  readonly type: 'stat' | 'timeseries' | 'table' | 'state-timeline';
  readonly width: number;
  readonly description: string;
  readonly queries: readonly Query[];
  readonly unit?: string;
  readonly options?: object;
  readonly defaults?: object;
  readonly transformations?: readonly object[];
}

interface Row {
  readonly title: string;
  readonly height: number;
  readonly panels: readonly Panel[];
}

const HERE = 'instance=~"$instance"';
const STREAM = `${HERE},data_source=~"$data_source"`;
const RATE = '[$__rate_interval]';
const GREEN_RED = {
  mode: 'absolute',
  steps: [
    { color: 'green', value: null },
    { color: 'red', value: 1 },
  ],
};
const RED_GREEN = {
  mode: 'absolute',
  steps: [
    { color: 'red', value: null },
    { color: 'green', value: 1 },
  ],
};
const PLACES = 'written|filtered|superseded|deduplicated|rejected|skipped';

function query(expr: string, legend: string): Query {
  return { expr, legend };
}

function quantile(share: number, metric: string, matchers: string, by = ''): string {
  return `histogram_quantile(${share}, sum by (le${by}) (rate(${metric}_bucket{${matchers}}${RATE})))`;
}

function lines(title: string, width: number, unit: string, description: string, ...queries: Query[]): Panel {
  return { title, type: 'timeseries', width, unit, description, queries };
}

/** One figure; `thresholds` colours it. */
function figure(
  title: string,
  unit: string,
  description: string,
  expr: string,
  thresholds: object = { mode: 'absolute', steps: [{ color: 'blue', value: null }] },
): Panel {
  const defaults = { thresholds, color: { mode: 'thresholds' } };
  return {
    title,
    type: 'stat',
    width: 3,
    unit,
    description,
    queries: [{ expr, legend: title, isInstant: true }],
    defaults,
  };
}

const stacked = { custom: { stacking: { mode: 'normal' }, fillOpacity: 30 } };

const STATE: Row = {
  title: 'State',
  height: 4,
  panels: [
    {
      title: 'Engine',
      type: 'stat',
      width: 3,
      description:
        'STARTED: nothing has arrived yet. IDLING: everything is settled. ERROR: data does not flow; rdi status says why.',
      queries: [{ expr: `rdi_engine_state{${HERE}}`, legend: '{{state}}', isInstant: true }],
      options: { textMode: 'name', colorMode: 'background', reduceOptions: { calcs: ['lastNotNull'] } },
      defaults: { thresholds: RED_GREEN, color: { mode: 'thresholds' } },
    },
    figure(
      'Targets away',
      'short',
      'Targets that take no writes. What is for them waits on disk; nothing is lost.',
      `count(rdi_target_connected{${HERE}} == 0) or vector(0)`,
      GREEN_RED,
    ),
    figure('Feeder connections', 'short', 'Debezium opens several.', `sum(rdi_feeder_connections{${HERE}})`, RED_GREEN),
    figure(
      'Problems',
      'short',
      'What rdi status tells as an error.',
      `sum(rdi_problems{${HERE},severity="error"})`,
      GREEN_RED,
    ),
    figure(
      'Oldest waiting',
      's',
      'Age of the oldest entry that is not in the target yet.',
      `max(rdi_oldest_pending_seconds{${HERE}})`,
      {
        mode: 'absolute',
        steps: [
          { color: 'green', value: null },
          { color: 'orange', value: 10 },
          { color: 'red', value: 60 },
        ],
      },
    ),
    figure('Rejected, kept', 'short', 'Records in the DLQs.', `sum(rdi_dlq_entries{${HERE}}) or vector(0)`, GREEN_RED),
    figure(
      'Unaccounted',
      'short',
      'Records that are in no place of the account. Anything but 0 is a bug in rdi.',
      `sum(rdi_unaccounted_records{${HERE}})`,
      GREEN_RED,
    ),
    figure('Revision', 'none', 'The deployed configuration.', `max(rdi_pipeline_revision{${HERE}})`),
  ],
};

const ACCOUNT: Row = {
  title: 'Account: received = written + filtered + superseded + deduplicated + rejected + skipped + pending',
  height: 9,
  panels: [
    {
      ...lines(
        'Where records go',
        9,
        'cps',
        'Records per second by place, stacked; the line of what is received lies on top of the stack while nothing piles up.',
        query(
          `sum by (operation) (rate(rdi_stream_entries_total{${STREAM},operation=~"${PLACES}"}${RATE}))`,
          '{{operation}}',
        ),
        query(`sum(rate(rdi_stream_entries_total{${STREAM},operation="received"}${RATE}))`, 'received'),
      ),
      defaults: stacked,
    },
    lines(
      'Kinds of change',
      6,
      'cps',
      'Settled changes per second; rows of a snapshot count as inserted.',
      query(
        `sum by (operation) (rate(rdi_incoming_entries{${STREAM},operation=~"inserted|updated|deleted"}${RATE}))`,
        '{{operation}}',
      ),
    ),
    {
      title: 'Tables',
      type: 'table',
      width: 9,
      description: 'The account of each stream since the pipeline was made or reset.',
      queries: [
        {
          expr: `sum by (data_source, operation) (rdi_stream_entries_total{${STREAM},operation=~"received|${PLACES}"})`,
          legend: '',
          isInstant: true,
        },
        {
          expr: `sum by (data_source, operation) (rdi_incoming_entries{${STREAM},operation="pending"})`,
          legend: '',
          isInstant: true,
        },
      ],
      transformations: [
        { id: 'merge', options: {} },
        {
          id: 'groupingToMatrix',
          options: { rowField: 'data_source', columnField: 'operation', valueField: 'Value', emptyValue: 'zero' },
        },
      ],
    },
  ],
};

const LATENCY: Row = {
  title: 'Latency',
  height: 8,
  panels: [
    lines(
      'From the database to the target',
      6,
      's',
      'Live changes, from their commit. Needs clocks that agree.',
      query(quantile(0.5, 'rdi_source_to_target_latency_seconds', HERE), 'p50'),
      query(quantile(0.99, 'rdi_source_to_target_latency_seconds', HERE), 'p99'),
    ),
    lines(
      'From the endpoint to the target',
      6,
      's',
      'What rdi and the target take; one clock.',
      query(quantile(0.5, 'rdi_endpoint_to_target_latency_seconds', HERE), 'p50'),
      query(quantile(0.99, 'rdi_endpoint_to_target_latency_seconds', HERE), 'p99'),
    ),
    lines(
      'Slowest tables (p99)',
      6,
      's',
      'From the endpoint to the target, the ten slowest.',
      query(`topk(10, ${quantile(0.99, 'rdi_endpoint_to_target_latency_seconds', HERE, ', table')})`, '{{table}}'),
    ),
    lines(
      'Oldest waiting entry',
      6,
      'ms',
      'By stream, the ten oldest; 0 when nothing waits.',
      query(`topk(10, rdi_stream_event_latency_ms{${STREAM}})`, '{{data_source}}'),
    ),
  ],
};

const REJECTED: Row = {
  title: 'Backlog and rejected records',
  height: 7,
  panels: [
    lines(
      'Waiting entries',
      8,
      'short',
      'On disk and not settled yet, by stream.',
      query(`topk(10, rdi_incoming_entries{${STREAM},operation="pending"})`, '{{data_source}}'),
    ),
    lines(
      'Rejected records that are kept',
      8,
      'short',
      'rdi list-dlq-records says why for each; rdi retry puts them through the jobs again.',
      query(`rdi_dlq_entries{${STREAM}}`, '{{data_source}}'),
    ),
    {
      title: 'Streams that stand',
      type: 'state-timeline',
      width: 8,
      description:
        'Stopped: at a rejected record (error_handling: abort). Stalled: nothing settled for a minute without a reason.',
      queries: [
        query(`rdi_stream_stopped{${STREAM}} == 1`, '{{data_source}} stopped'),
        query(`rdi_stream_stalled{${STREAM}} == 1`, '{{data_source}} stalled'),
      ],
    },
  ],
};

const JOBS: Row = {
  title: 'Jobs and targets',
  height: 7,
  panels: [
    lines(
      'Records by job',
      6,
      'cps',
      'Records per second by job and outcome.',
      query(`sum by (job_name, outcome) (rate(rdi_job_records_total{${HERE}}${RATE}))`, '{{job_name}} {{outcome}}'),
    ),
    lines(
      'Writes by output',
      6,
      'wps',
      'Writes per second that the outputs of the jobs ask for.',
      query(
        `sum by (job_name, output, target) (rate(rdi_output_writes_total{${HERE}}${RATE}))`,
        '{{job_name}} {{output}} → {{target}}',
      ),
    ),
    lines(
      'Writes by target',
      6,
      'wps',
      'Writes per second, and how many go in one batch.',
      query(`sum by (target) (rate(rdi_target_writes_total{${HERE}}${RATE}))`, '{{target}}'),
      query(
        `sum by (target) (rate(rdi_target_writes_total{${HERE}}${RATE})) / sum by (target) (rate(rdi_target_batches_total{${HERE}}${RATE}))`,
        '{{target}} per batch',
      ),
    ),
    {
      title: 'Targets',
      type: 'state-timeline',
      width: 6,
      description: '1: takes writes.',
      queries: [query(`rdi_target_connected{${HERE}}`, '{{target}}')],
      defaults: { thresholds: RED_GREEN, color: { mode: 'thresholds' } },
    },
  ],
};

const BUFFERS: Row = {
  title: 'Buffer, back-pressure, batches',
  height: 7,
  panels: [
    {
      ...lines(
        'Disk buffer',
        6,
        'percentunit',
        'Share of disk_limit in use. From 0.8 on feeders are held back.',
        query(`rdi_buffer_bytes{${HERE}} / rdi_buffer_limit_bytes{${HERE}}`, '{{instance}}'),
      ),
      defaults: { min: 0, max: 1 },
    },
    lines(
      'Back-pressure',
      6,
      'short',
      '0 none, 1 feeders are told that memory is full, 2 answered slowly, 3 refused.',
      query(`rdi_backpressure_level{${HERE}}`, '{{instance}}'),
      query(`rdi_backpressure_active{${HERE}}`, '{{source}} active'),
    ),
    lines(
      'Disk sync',
      6,
      's',
      'How long the disk takes to make entries durable; a feeder waits for one before its answer.',
      query(quantile(0.5, 'rdi_store_sync_duration_seconds', HERE), 'p50'),
      query(quantile(0.99, 'rdi_store_sync_duration_seconds', HERE), 'p99'),
    ),
    lines(
      'Phases of a batch (p99)',
      6,
      's',
      'Where the time of a batch goes.',
      query(quantile(0.99, 'rdi_batch_phase_duration_seconds', HERE, ', phase'), '{{phase}}'),
    ),
  ],
};

const RESOURCES: Row = {
  title: 'Resources',
  height: 7,
  panels: [
    lines(
      'CPU',
      6,
      'percentunit',
      'CPU of the process, and the share of time in which its main thread is at work: at 1 it is the limit.',
      query(`rate(process_cpu_seconds_total{${HERE}}${RATE})`, 'CPU {{instance}}'),
      query(`rate(rdi_event_loop_busy_seconds_total{${HERE}}${RATE})`, 'main thread {{instance}}'),
    ),
    lines(
      'Memory',
      6,
      'bytes',
      'Of the process, and what waits in it for the target.',
      query(`process_resident_memory_bytes{${HERE}}`, 'process {{instance}}'),
      query(`process_heap_bytes{${HERE}}`, 'heap {{instance}}'),
      query(`rdi_memory_buffer_bytes{${HERE}}`, 'entries {{instance}}'),
    ),
    lines(
      'Delay of the event loop',
      6,
      's',
      'How late timers run.',
      query(quantile(0.99, 'rdi_event_loop_delay_seconds', HERE), 'p99'),
    ),
    lines(
      'On the way',
      6,
      'short',
      'Entries handed to the targets and not answered, and open files.',
      query(`rdi_pending_ack{${HERE}}`, 'entries {{instance}}'),
      query(`process_open_fds{${HERE}}`, 'files {{instance}}'),
    ),
  ],
};

const ROWS: readonly Row[] = [STATE, ACCOUNT, LATENCY, REJECTED, JOBS, BUFFERS, RESOURCES];

/** The dashboard as JSON text. */
export function dashboardText(): string {
  const dashboard = {
    description:
      'rdi: state, account, latency, rejected records, jobs, buffers. Generated by scripts/generate.ts; do not edit.',
    title: 'rdi',
    uid: 'rdi-overview',
    tags: ['rdi', 'redis', 'debezium'],
    schemaVersion: 38,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    templating: { list: variables() },
    annotations: {
      list: [
        {
          name: 'Deployments',
          datasource: DATASOURCE,
          enable: true,
          iconColor: 'blue',
          expr: `changes(rdi_pipeline_revision{${HERE}}[1m]) > 0`,
          titleFormat: 'deployment',
        },
      ],
    },
    panels: ROWS.flatMap(layOut),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

function variables(): object[] {
  const choice = (name: string, label: string, metric: string) => ({
    name,
    label,
    type: 'query',
    datasource: DATASOURCE,
    query: { query: `label_values(${metric}, ${name})`, refId: name },
    definition: `label_values(${metric}, ${name})`,
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: ['All'], value: ['$__all'] },
  });
  return [
    { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus', current: {} },
    choice('instance', 'Instance', 'rdi_version_info'),
    choice('data_source', 'Stream', 'rdi_stream_event_latency_ms'),
  ];
}

/** The heading of the row and its panels, side by side. */
function layOut(row: Row, index: number): object[] {
  const above = ROWS.slice(0, index);
  const y = above.reduce((sum, { height }) => sum + height + 1, 0);
  const firstId = above.reduce((sum, { panels }) => sum + panels.length + 1, 1);
  let x = 0;
  const panels = row.panels.map((panel, i) => {
    const gridPos = { h: row.height, w: panel.width, x, y: y + 1 };
    x += panel.width;
    return panelJson(panel, firstId + 1 + i, gridPos);
  });
  if (x !== COLUMNS) throw new Error(`The panels of "${row.title}" are ${x} columns wide, and not ${COLUMNS}.`);
  const heading = { id: firstId, type: 'row', title: row.title, collapsed: false, panels: [] };
  return [{ ...heading, gridPos: { h: 1, w: COLUMNS, x: 0, y } }, ...panels];
}

function panelJson(panel: Panel, id: number, gridPos: object): object {
  const {
    title,
    type,
    description,
    queries,
    unit = 'short',
    options = {},
    defaults = {},
    transformations = [],
  } = panel;
  return {
    id,
    title,
    type,
    description,
    datasource: DATASOURCE,
    gridPos,
    fieldConfig: { defaults: { unit, ...defaults }, overrides: [] },
    options: { ...(type === 'stat' ? { colorMode: 'background', graphMode: 'none' } : {}), ...options },
    transformations,
    targets: queries.map(({ expr, legend, isInstant = false }, i) => ({
      refId: String.fromCharCode(65 + i),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
      instant: isInstant,
      range: !isInstant,
      ...(type === 'table' ? { format: 'table' } : {}),
    })),
  };
}
