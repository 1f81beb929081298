/** Pure arithmetic and wording of the page: rates, quantiles, sizes, durations. Nothing here knows a browser. */
import type { AccountSums } from '../../http/api-types.ts';

/** The places where a received entry can be, in the order of the accounting line. */
export const PLACES = ['written', 'filtered', 'superseded', 'deduplicated', 'rejected', 'skipped', 'pending'] as const;

/** How many received entries are in none of the places; always 0 unless rdi has a bug. */
export function missingEntries(sums: AccountSums): number {
  return PLACES.reduce((rest, place) => rest - sums[place], sums.received);
}

/** Counts at a moment, ms since the epoch. */
export interface Moment {
  readonly at: number;
  readonly startedAt: number;
  readonly sums: AccountSums;
}

/**
 * Growth per second of one count between two moments. Null where it cannot be told: rdi was restarted or reset in
 * between, or no time has passed.
 */
export function ratePerSecond(earlier: Moment, later: Moment, count: keyof AccountSums): number | null {
  const seconds = (later.at - earlier.at) / 1000;
  const growth = later.sums[count] - earlier.sums[count];
  if (seconds <= 0 || growth < 0 || earlier.startedAt !== later.startedAt) return null;
  return growth / seconds;
}

/** Upper bounds in seconds with how many values are at or below each. */
export type Buckets = ReadonlyMap<number, number>;

/** A histogram of `/metrics`, all its series added up. Empty when it is not served. */
export function readHistogram(text: string, name: string): Buckets {
  const sums = new Map<number, number>();
  const start = `${name}_bucket{`;
  for (const line of text.split('\n')) {
    if (!line.startsWith(start)) continue;
    const bound = /[{,]le="([^"]+)"\} (\S+)/.exec(line);
    if (!bound) continue;
    const limit = bound[1] === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound[1]);
    sums.set(limit, (sums.get(limit) ?? 0) + Number(bound[2]));
  }
  return new Map([...sums].sort(([a], [b]) => a - b));
}

/** What was added to a histogram since an earlier reading; the later one itself when it was begun anew in between. */
export function bucketsSince(earlier: Buckets, later: Buckets): Buckets {
  const grown = new Map([...later].map(([limit, value]) => [limit, value - (earlier.get(limit) ?? 0)]));
  return [...grown.values()].some((value) => value < 0) ? later : grown;
}

/**
 * The value in seconds below which the part `share` lies, read between bounds in a straight line; infinite beyond the last
 * bound, null without values.
 */
export function quantile(buckets: Buckets, share: number): number | null {
  const total = buckets.get(Number.POSITIVE_INFINITY) ?? 0;
  if (total <= 0) return null;
  const wanted = total * share;
  let [lower, below] = [0, 0];
  for (const [limit, value] of buckets) {
    if (value >= wanted) {
      if (limit === Number.POSITIVE_INFINITY) return limit;
      return lower + ((limit - lower) * (wanted - below)) / Math.max(1, value - below);
    }
    [lower, below] = [limit, value];
  }
  return lower;
}

const GROUPED = new Intl.NumberFormat('en');

/** `1,234,567`. */
export function formatCount(value: number): string {
  return GROUPED.format(value);
}

/** `0`, `0.4`, `12`, `12.3k`; a dash for what is not known. */
export function formatRate(value: number | null): string {
  if (value === null) return '–';
  if (value === 0) return '0';
  if (value < 10) return value.toFixed(1);
  if (value < 10_000) return GROUPED.format(Math.round(value));
  return `${GROUPED.format(Math.round(value / 100) / 10)}k`;
}

/** `850 ms`, `12 s`, `3 min 12 s`, `2 h 5 min`, `4 d 3 h`. */
export function formatDuration(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return 'over 1 h';
  if (ms < 1) return ms <= 0 ? '0 ms' : '< 1 ms';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `512 B`, `1.5 MB`; powers of 1024. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${Number(value.toFixed(value < 10 ? 1 : 0))} ${units[unit]}`;
}

/** `12:03:59`, with the day where it is not today. */
export function formatMoment(ms: number, now = Date.now()): string {
  if (Number.isNaN(ms)) return '–';
  const time = new Date(ms);
  const clock = time.toLocaleTimeString('en-GB');
  return time.toDateString() === new Date(now).toDateString() ? clock : `${time.toISOString().slice(0, 10)} ${clock}`;
}

/** Characters that draw nothing, or turn the direction of what follows: a name must not look like another one. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** A text from outside with what cannot be seen written out (`\u202e`). */
export function visible(text: string): string {
  return text.replace(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Like {@link visible}, and line ends and tabs stay. */
export function visibleLines(text: string): string {
  return text.replace(UNSEEN, (character) => (/[\n\t]/.test(character) ? character : visible(character)));
}

/** JSON indented by two; anything else as it stands. Numbers keep their digits. */
export function prettyJson(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text === undefined ? '' : indentJson(text);
}

/** Adds line ends and blanks between the tokens of a JSON text, so that no number is read and written again. */
export function indentJson(text: string): string {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g);
  if (!tokens || !/^\s*[[{]/.test(text)) return text;
  let [depth, out] = [0, ''];
  const newLine = (): string => `\n${'  '.repeat(depth)}`;
  tokens.forEach((token, index) => {
    const isEmpty = /[{[]/.test(token) && /[}\]]/.test(tokens[index + 1] ?? '') && token.length === 1;
    if (token === '{' || token === '[') {
      depth++;
      out += isEmpty ? token : token + newLine();
    } else if (token === '}' || token === ']') {
      depth--;
      out += /[{[]/.test(tokens[index - 1] ?? '') && tokens[index - 1]?.length === 1 ? token : newLine() + token;
    } else if (token === ',') out += token + newLine();
    else out += token === ':' ? ': ' : token;
  });
  return out;
}

/** Why a text is no JSON, or null when it is. */
export function jsonMistake(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : 'This is no JSON.';
  }
}

/** A field that a block added, removed or changed. Values are JSON. */
export interface FieldChange {
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** How two records (JSON texts) differ, field by field; none where one of them is no object. */
export function changedFields(before: string | null, after: string | null): FieldChange[] {
  const [old, fresh] = [fieldsOf(before), fieldsOf(after)];
  if (!old || !fresh) return [];
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .map((name) => ({ name, before: old.get(name) ?? null, after: fresh.get(name) ?? null }))
    .filter((change) => change.before !== change.after);
}

/** Newer than the type declarations: numbers with their digits, in and out. */
type ExactJson = typeof JSON & { rawJSON?: (text: string) => unknown };

function fieldsOf(text: string | null): Map<string, string> | null {
  const exact = (JSON as ExactJson).rawJSON;
  const keepDigits = (_name: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' && exact && context?.source !== undefined ? exact(context.source) : value;
  try {
    const record: unknown = JSON.parse(text ?? '', keepDigits);
    if (typeof record !== 'object' || record === null || Array.isArray(record)) return null;
    return new Map(Object.entries(record).map(([name, value]) => [name, JSON.stringify(value)]));
  } catch {
    return null;
  }
}
