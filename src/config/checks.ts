import type { z } from 'zod';
import { resolveConnection } from './connection.ts';
import { pathKey } from './placeholders.ts';
import { SQL_TYPES } from './schema-sources.ts';
import { type ConnectionInput, connectionSchema } from './schema-targets.ts';
import type { TargetConnection } from './types.ts';
import { formatPath, type PathProblem } from './validate.ts';

/** Rules between values. They look at content that may be wrong elsewhere, so that one run shows all problems. */

type Content = Readonly<Record<string, unknown>>;
/** `Substitution.written`: what is shown in place of a value that may be a secret. */
type Written = ReadonlyMap<string, string>;

function asMap(value: unknown): Content {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Content) : {};
}

/** Which kind of connection each collector captures. */
const COLLECTORS: Readonly<Record<string, readonly string[]>> = {
  cdc: [...SQL_TYPES, 'mongodb'],
  flink: ['spanner'],
  riotx: ['snowflake'],
  external: [],
};

/** Rules of `sources`: what belongs to which collector, and what a table's lists may hold. */
export function checkSources(content: unknown, writtenAt: Written): PathProblem[] {
  return Object.entries(asMap(asMap(content)['sources'])).flatMap(([id, source]) =>
    checkSource(['sources', id], asMap(source), writtenAt),
  );
}

function checkSource(path: readonly PropertyKey[], source: Content, writtenAt: Written): PathProblem[] {
  const problems: PathProblem[] = [];
  const collector = typeof source['type'] === 'string' ? source['type'] : 'cdc';
  const report = (key: PropertyKey, message: string) => problems.push({ path: [...path, key], message, onKey: true });
  if (collector === 'external') {
    for (const [key, value] of Object.entries(source)) {
      if (key === 'type' || key === 'name' || isEmpty(value)) continue;
      report(
        key,
        `\`${formatPath([...path, key])}\` cannot stand in a source of type \`external\`, which somebody else feeds`,
      );
    }
    return problems;
  }
  if (source['connection'] === undefined) {
    if (COLLECTORS[collector] !== undefined)
      report('connection', `\`${formatPath([...path, 'connection'])}\` is missing`);
    return problems;
  }
  const database = asMap(source['connection'])['type'];
  const known = Object.values(COLLECTORS).flat();
  if (typeof database === 'string' && known.includes(database) && COLLECTORS[collector]?.includes(database) === false) {
    problems.push({
      path: [...path, 'connection', 'type'],
      message: `a source of type \`${collector}\` does not capture \`${database}\``,
    });
  }
  problems.push(
    ...checkLists(path, source, database),
    ...checkTables([...path, 'tables'], asMap(source['tables']), database, writtenAt),
  );
  return problems;
}

const WITH_DATABASES: readonly unknown[] = ['mysql', 'mariadb', 'mongodb'];
const WITH_SCHEMAS: readonly unknown[] = ['oracle', 'postgresql', 'sqlserver', 'snowflake'];

function checkLists(path: readonly PropertyKey[], source: Content, database: unknown): PathProblem[] {
  if (typeof database !== 'string') return [];
  return (['databases', 'schemas'] as const)
    .filter((key) => !isEmpty(source[key]) && !(key === 'databases' ? WITH_DATABASES : WITH_SCHEMAS).includes(database))
    .map((key) => ({
      path: [...path, key],
      onKey: true,
      message: `\`${formatPath([...path, key])}\` does not exist for \`${database}\`; use \`${key === 'databases' ? 'schemas' : 'databases'}\``,
    }));
}

function checkTables(
  path: readonly PropertyKey[],
  tables: Content,
  database: unknown,
  writtenAt: Written,
): PathProblem[] {
  const problems: PathProblem[] = [];
  for (const [name, value] of Object.entries(tables)) {
    const table = asMap(value);
    const { columns, keys } = table;
    if (database === 'mongodb' && !isEmpty(columns)) {
      problems.push({
        path: [...path, name, 'columns'],
        onKey: true,
        message: '`columns` does not exist for `mongodb`; use `exclude_columns`',
      });
    }
    if (typeof database === 'string' && database !== 'mongodb' && !isEmpty(table['exclude_columns'])) {
      problems.push({
        path: [...path, name, 'exclude_columns'],
        onKey: true,
        message: `\`exclude_columns\` exists only for \`mongodb\`; use \`columns\``,
      });
    }
    if (!Array.isArray(columns) || columns.length === 0 || !Array.isArray(keys)) continue;
    for (const [index, key] of keys.entries()) {
      if (typeof key !== 'string' || columns.includes(key)) continue;
      const at = [...path, name, 'keys', index];
      problems.push({
        path: at,
        message: `the key column \`${writtenAt.get(pathKey(at)) ?? key}\` must be in \`columns\`, too`,
      });
    }
  }
  return problems;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** Rules of `targets`, the connections that keep them, and the files that they name. */
export function checkTargets(
  content: unknown,
  folder: string,
  writtenAt: Written,
): { problems: PathProblem[]; connections: Record<string, TargetConnection>; files: string[] } {
  const problems: PathProblem[] = [];
  const files: string[] = [];
  const connections: [string, TargetConnection][] = [];
  for (const [id, target] of Object.entries(asMap(asMap(content)['targets']))) {
    const written = asMap(target)['connection'];
    if (written === undefined || written === null || typeof written !== 'object') continue;
    const at = ['targets', id, 'connection'];
    const resolved = resolveConnection(validMembers(asMap(written)), {
      folder,
      written: Object.keys(written),
      placeholderOf: (key) => writtenAt.get(pathKey([...at, key])),
    });
    files.push(...resolved.files);
    problems.push(...resolved.problems.map((problem) => ({ ...problem, path: [...at, ...problem.path] })));
    if (resolved.connection !== undefined) connections.push([id, resolved.connection]);
  }
  return { problems, connections: Object.fromEntries(connections), files };
}

/** The keys of a connection that are right by themselves; what is wrong with the others is reported elsewhere. */
function validMembers(connection: Content): ConnectionInput {
  const shape: Record<string, z.ZodType> = connectionSchema.shape;
  const valid = Object.entries(connection).filter(([key, value]) => shape[key]?.safeParse(value).success === true);
  return Object.fromEntries(valid) as ConnectionInput;
}
