/** The cases of `fixtures/jobs/` (its README.md says how they are written), expanded to pipeline folders and events. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isScalar, parseDocument, visit } from 'yaml';

const FOLDER = join(import.meta.dirname, '../../fixtures/jobs');

/** A number with the digits it was written with. */
export class Digits {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Mapping = Readonly<Record<string, unknown>>;
type Fixtures = ReadonlyMap<string, ReadonlyMap<string, unknown>>;

/** What a key of the target must hold. */
export interface ExpectedKey {
  readonly hash?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly set?: readonly string[];
  readonly zset?: Readonly<Record<string, Digits | string>>;
  readonly stream?: readonly Readonly<Record<string, string>>[];
  readonly string?: string;
  readonly ttl?: Digits;
}

export type ExpectedKeys = Readonly<Record<string, ExpectedKey>>;

export interface CaseEvent {
  readonly stream: string;
  readonly key: string;
  /** The envelope; `ms` makes it differ from every other event, or it would be recognised as sent again. */
  value(ms: number): string;
}

export interface JobCase {
  readonly id: string;
  readonly about: string;
  readonly group: string;
  /** Contents of the job files. */
  readonly jobs: readonly Mapping[];
  readonly processors: Mapping;
  readonly pre: readonly (readonly string[])[];
  readonly events: readonly CaseEvent[];
  readonly keys: ExpectedKeys;
  readonly other: ExpectedKeys | null;
  readonly ignore: readonly string[];
  readonly commands: readonly (readonly string[])[] | null;
  readonly rejected: number;
  readonly filtered: number;
  readonly reason: string | null;
  readonly deployError: string | null;
  readonly notice: string | null;
  readonly warning: string | null;
}

const FIELDS = new Set([
  ...['id', 'basis', 'about', 'src', 'tf', 'out', 'jobs', 'job', 'cfg', 'pre', 'ev', 'keys', 'other', 'ignore', 'cmds'],
  ...['rejected', 'filtered', 'reason', 'deploy_error', 'notice', 'warning'],
]);

const ONE = [{ data_type: 'json', key: { expression: "concat(['x:', id])", language: 'jmespath' } }];
const KIDS = {
  src: { table: 'order_line' },
  out: [
    {
      data_type: 'json',
      on_update: 'merge',
      nest: {
        parent: { table: 'orders' },
        nesting_key: 'line_no',
        parent_key: 'order_id',
        path: '$.lines',
        structure: 'map',
      },
    },
  ],
};

/** Every case of every file. Throws on a field or name that does not exist, so that no case is read as less than it says. */
export function readJobCases(): JobCase[] {
  const shared = read('fixtures.yaml') as ReadonlyMap<string, ReadonlyMap<string, unknown>>;
  const fixtures = shared.get('fixtures') as Fixtures;
  const renderings = toPlain(shared.get('renderings')) as Mapping;
  const groups = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml') && name !== 'fixtures.yaml');
  return groups.flatMap((file) => {
    const cases = toPlain(read(file)) as Mapping[];
    return cases.map((written) => expand(written, file.replace('.yaml', ''), fixtures, renderings));
  });
}

/** Writes `config.yaml` and `jobs/` of a case into a folder that holds nothing else. */
export function writePipeline(
  folder: string,
  { jobs, processors }: Pick<JobCase, 'jobs' | 'processors'>,
  targets: Mapping,
): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'jobs'), { recursive: true });
  // JSON is YAML, and the one form in which no name or text needs quoting of its own.
  writeFileSync(join(folder, 'config.yaml'), toJson({ targets, processors }));
  for (const [i, job] of jobs.entries()) writeFileSync(join(folder, 'jobs', `job-${i + 1}.yaml`), toJson(job));
}

function read(file: string): ReadonlyMap<string, unknown> {
  const document = parseDocument(readFileSync(join(FOLDER, file), 'utf8'));
  const [error] = document.errors;
  if (error) throw new Error(`${file}: ${error.message}`);
  visit(document, {
    Scalar: (place, node) => {
      if (place !== 'key' && typeof node.value === 'number') node.value = new Digits(node.source ?? String(node.value));
      // Column names are texts, also those that look like numbers.
      else if (place === 'key' && isScalar(node)) node.value = String(node.source ?? node.value);
    },
  });
  return document.toJS({ mapAsMap: true }) as ReadonlyMap<string, unknown>;
}

function expand(written: Mapping, group: string, fixtures: Fixtures, renderings: Mapping): JobCase {
  const unknown = Object.keys(written).find((name) => !FIELDS.has(name));
  if (unknown !== undefined) throw new Error(`case ${written['id']}: no field "${unknown}"`);
  const text = (name: string) => (written[name] === undefined ? null : String(written[name]));
  const keys = (name: string) => rendered(written[name] ?? {}, renderings) as ExpectedKeys;
  return {
    id: String(written['id']),
    about: String(written['about']),
    group,
    jobs: jobsOf(written).map(expandJob),
    processors: { target_data_type: 'hash', ...((written['cfg'] as Mapping | undefined) ?? {}) },
    pre: ((written['pre'] as string[] | undefined) ?? []).map((command) => command.split(' ')),
    events: ((written['ev'] as unknown[] | undefined) ?? []).map((event) => eventOf(event, fixtures)),
    keys: keys('keys'),
    other: written['other'] === undefined ? null : keys('other'),
    ignore: (written['ignore'] as string[] | undefined) ?? [],
    commands: (written['cmds'] as string[][] | undefined) ?? null,
    rejected: count(written['rejected']),
    filtered: count(written['filtered']),
    reason: text('reason'),
    deployError: text('deploy_error'),
    notice: text('notice'),
    warning: text('warning'),
  };
}

function count(value: unknown): number {
  return value instanceof Digits ? Number(value.text) : 0;
}

function jobsOf(written: Mapping): Mapping[] {
  const { src, jobs, job, tf, out } = written;
  if (src === 'none') return [];
  if (jobs !== undefined) return (jobs as (Mapping | 'kids')[]).map((item) => (item === 'kids' ? KIDS : item));
  return [{ ...(job as Mapping | undefined), src, ...(tf ? { tf } : {}), ...(out ? { out } : {}) }];
}

function expandJob({ src, tf, out, ...rest }: Mapping): Mapping {
  return {
    ...(expressions(rest) as Mapping),
    source: src ?? { table: 'customer' },
    ...(tf === undefined ? {} : { transform: (tf as Mapping[]).map(expandBlock) }),
    ...(out === undefined
      ? {}
      : { output: outputs(out).map((item) => ({ uses: 'redis.write', with: expressions(item) })) }),
  };
}

function outputs(out: unknown): readonly unknown[] {
  return out === 'one' ? ONE : (out as unknown[]);
}

function expandBlock(item: Mapping): Mapping {
  if ('uses' in item) return item;
  const [[uses, options] = ['', {}]] = Object.entries(item);
  return { uses, with: blockOptions(uses, options) };
}

function blockOptions(uses: string, options: unknown): unknown {
  if (typeof options === 'string') return expressions(options);
  if (uses === 'redis.lookup') {
    return { connection: 'target', language: 'jmespath', ...(expressions(options) as Mapping) };
  }
  const named = options as Mapping;
  if (uses === 'add_field' && !('expression' in named || 'fields' in named)) {
    return { fields: Object.entries(named).map(([field, text]) => ({ field, ...(expressions(text) as Mapping) })) };
  }
  if (uses === 'remove_field' && Array.isArray(options)) {
    return options.length === 1 ? { field: options[0] } : { fields: options.map((field) => ({ field })) };
  }
  if (uses === 'rename_field' && !('from_field' in named || 'fields' in named)) {
    const renames = Object.entries(named).map(([from, to]) => ({ from_field: from, to_field: to }));
    return renames.length === 1 ? renames[0] : { fields: renames };
  }
  return options;
}

/** Every text `jm: …` or `sql: …` inside becomes an expression with its language. */
function expressions(value: unknown): unknown {
  if (typeof value === 'string') {
    const [, language, expression] = /^(jm|sql): (.*)$/s.exec(value) ?? [];
    return language === undefined ? value : { expression, language: language === 'jm' ? 'jmespath' : 'sql' };
  }
  if (Array.isArray(value)) return value.map(expressions);
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, expressions(inner)]));
}

function rendered(value: unknown, renderings: Mapping): unknown {
  if (typeof value === 'string' && value.startsWith('$') && value in renderings) return renderings[value];
  if (Array.isArray(value)) return value.map((item) => rendered(item, renderings));
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, rendered(inner, renderings)]));
}

/** An event by its name, or written out as a mapping with the members of a fixture, `key` and `source` optional. */
function eventOf(written: unknown, fixtures: Fixtures): CaseEvent {
  const event = typeof written === 'string' ? fixtures.get(written) : new Map(Object.entries(written as Mapping));
  if (!event) throw new Error(`no event ${String(written)} in fixtures.yaml`);
  const table = String(event.get('table'));
  const own = event.get('source');
  const source = { name: 'rdi', db: 'shop', schema: 'public', table, ...(own ? (toPlain(own) as Mapping) : {}) };
  const member = (name: string) => `"${name}":${toJson(event.get(name) ?? null)}`;
  const row = ['before', 'after', 'op', ...(event.has('message') ? ['message'] : [])].map(member).join(',');
  return {
    stream: ['data:rdi', source.schema ?? source.db, table].join('.'),
    key: toJson(event.get('key') ?? null),
    value: (ms) => `{${row},"source":${toJson(source)},"ts_ms":${ms}}`,
  };
}

/** JSON with every number as it was written, members in the order of a Map. */
export function toJson(value: unknown): string {
  if (value instanceof Digits) return value.text;
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  const members = value instanceof Map ? [...value] : isMapping(value) ? Object.entries(value) : null;
  if (!members) return JSON.stringify(value);
  const written = members.filter(([, inner]) => inner !== undefined);
  return `{${written.map(([name, inner]) => `${JSON.stringify(name)}:${toJson(inner)}`).join(',')}}`;
}

function toPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toPlain);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...value].map(([name, inner]) => [name, toPlain(inner)]));
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !(value instanceof Digits) && !(value instanceof Map);
}
