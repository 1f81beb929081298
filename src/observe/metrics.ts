/**
 * Metrics without a registry: a family is built from values at the moment of the scrape and written as Prometheus text
 * (exposition format 0.0.4). What cannot be read off a snapshot, the spread of durations, is kept in a
 * {@link Histogram}.
 */

export type MetricType = 'counter' | 'gauge' | 'histogram';
export type Labels = Readonly<Record<string, string>>;

/** One line of a family. `value` is a number; a histogram has a snapshot instead. */
export interface Sample {
  readonly labels?: Labels;
  readonly value: number | HistogramSnapshot;
}

export interface MetricFamily {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** Counts per bucket (not cumulative) for ascending upper bounds, one more for everything above the last bound. */
export interface HistogramSnapshot {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Bounds in seconds that span a Redis round trip to a stalled disk. */
const DURATION_BOUNDS_SEC: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Counts observations in fixed buckets; constant memory, no allocation per observation. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[] = DURATION_BOUNDS_SEC) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** Adds one observation in the unit of the bounds. */
  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket++;
    this.#counts[bucket]!++;
    this.#sum += value;
  }

  snapshot(): HistogramSnapshot {
    return { bounds: this.#bounds, counts: [...this.#counts], sum: this.#sum };
  }
}

/** Lines that are written in one go: about a millisecond. */
const LINES_AT_ONCE = 1000;

/**
 * The families as Prometheus text, in pieces, so that other work can come in between: of a thousand tables there are tens of
 * thousands of lines. Families without samples still announce their name and type.
 */
export function* formatMetrics(families: readonly MetricFamily[]): Generator<string> {
  let lines: string[] = [];
  for (const family of families) {
    lines.push(`# HELP ${family.name} ${escapeHelp(family.help)}`, `# TYPE ${family.name} ${family.type}`);
    for (const { labels = {}, value } of family.samples) {
      if (typeof value === 'number') lines.push(`${family.name}${formatLabels(labels)} ${formatNumber(value)}`);
      else pushHistogram(lines, family.name, labels, value);
      if (lines.length < LINES_AT_ONCE) continue;
      yield `${lines.join('\n')}\n`;
      lines = [];
    }
  }
  if (lines.length > 0) yield `${lines.join('\n')}\n`;
}

function pushHistogram(lines: string[], name: string, labels: Labels, histogram: HistogramSnapshot): void {
  const { bounds, counts, sum } = histogram;
  // With a thousand tables these are tens of thousands of lines: what they share is put together once.
  const shared = formatPairs(labels);
  const start = `${name}_bucket{${shared}${shared === '' ? '' : ','}le="`;
  const all = shared === '' ? '' : `{${shared}}`;
  let count = 0;
  for (let i = 0; i < counts.length; i++) {
    count += counts[i] as number;
    lines.push(`${start}${bounds[i] ?? '+Inf'}"} ${count}`);
  }
  lines.push(`${name}_sum${all} ${formatNumber(sum)}`, `${name}_count${all} ${count}`);
}

function formatLabels(labels: Labels): string {
  const pairs = formatPairs(labels);
  return pairs === '' ? '' : `{${pairs}}`;
}

function formatPairs(labels: Labels): string {
  let text = '';
  for (const name in labels) text += `${text === '' ? '' : ','}${name}="${escapeLabel(labels[name] as string)}"`;
  return text;
}

function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}

// Table names come from users: a line break or quote in one must not break the lines of all others.
function escapeLabel(value: string): string {
  if (!/[\\\n"]/.test(value)) return value;
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
