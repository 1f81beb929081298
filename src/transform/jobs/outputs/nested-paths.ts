import type { TableIdentity } from '../../../types.ts';
import type { JobDefinition, NestDefinition } from '../definition.ts';

/** Names from the outside in, as `keep` of a JSON write takes them. */
export type NamePath = readonly string[];

/** What jobs nest into the documents of a table. */
export interface NestedInto {
  /** Places that a replaced document keeps; none of them lies in another one. */
  readonly keep: readonly NamePath[];
  /** True when children are entries of the document itself: it must be merged, never replaced. */
  readonly atRoot: boolean;
}

interface Nest {
  readonly connection: string;
  readonly parent: NestDefinition['parent'];
  readonly path: NamePath;
}

/**
 * Which places of which tables' documents hold rows of other tables, because some job nests them there. A parent that is
 * replaced keeps these places. Source: specification of jobs, §7.5.
 */
export class NestedPaths {
  readonly #nests: readonly Nest[];
  readonly #known = new WeakMap<TableIdentity, Map<string, NestedInto | null>>();

  constructor(jobs: readonly Pick<JobDefinition, 'outputs'>[] = []) {
    this.#nests = jobs.flatMap(({ outputs }) =>
      outputs.flatMap(({ nest, connection }) =>
        nest ? [{ connection, parent: nest.parent, path: namesOf(nest) }] : [],
      ),
    );
  }

  /** What is nested into the documents of `table` on a connection; null when nothing is. */
  into(table: TableIdentity, connection: string): NestedInto | null {
    if (this.#nests.length === 0) return null;
    let byConnection = this.#known.get(table);
    if (byConnection === undefined) {
      byConnection = new Map();
      this.#known.set(table, byConnection);
    }
    let nested = byConnection.get(connection);
    if (nested === undefined) {
      nested = this.#find(table, connection);
      byConnection.set(connection, nested);
    }
    return nested;
  }

  #find(table: TableIdentity, connection: string): NestedInto | null {
    const paths = this.#nests
      .filter((nest) => nest.connection === connection && isParent(nest.parent, table))
      .map(({ path }) => path);
    if (paths.length === 0) return null;
    return {
      keep: outermost(paths.filter((path) => path.length > 0)),
      atRoot: paths.some((path) => path.length === 0),
    };
  }
}

/** Schema and server narrow the match only where a job names them. MySQL and MariaDB call their databases schemas. */
function isParent({ table, serverName, schema }: NestDefinition['parent'], identity: TableIdentity): boolean {
  return (
    table === identity.table &&
    (serverName === null || serverName === identity.serverName) &&
    (schema === null || schema === (identity.schema || identity.db))
  );
}

/** The names before the first step that depends on a row: the place where the children's map or array is. */
function namesOf({ path }: NestDefinition): NamePath {
  const names: string[] = [];
  for (const step of path) {
    if (step.kind !== 'name') break;
    names.push(step.name);
  }
  return names;
}

function outermost(paths: readonly NamePath[]): NamePath[] {
  const kept: NamePath[] = [];
  for (const path of paths.toSorted((a, b) => a.length - b.length)) {
    if (!kept.some((outer) => outer.every((name, i) => name === path[i]))) kept.push(path);
  }
  return kept;
}
