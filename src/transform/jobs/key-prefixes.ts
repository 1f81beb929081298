import type { TableIdentity } from '../../types.ts';
import { KeyTemplate } from '../default-key.ts';
import type { JobDefinition, OutputDefinition } from './definition.ts';
import { literalPrefix } from './read/key-prefix.ts';

/** Texts with which the keys of a table begin, by connection. */
export interface KeyPrefixes {
  readonly prefixes: ReadonlyMap<string, readonly string[]>;
  /** Outputs whose keys cannot be told from those of others, with the reason; with one of them the rest is of no use. */
  readonly unknown: readonly string[];
}

/** With what the keys begin that rows of a table are written under, as far as the jobs say it. */
export function keyPrefixes(jobs: readonly JobDefinition[], template: string, table: TableIdentity): KeyPrefixes {
  const before = new KeyTemplate(template).around(table)[0];
  const job =
    jobs.find(({ isDefault, matches }) => !isDefault && matches(table)) ??
    jobs.find(({ isDefault, matches }) => isDefault && matches(table));
  if (job === undefined) return withoutOverlaps(new Map([['target', [before]]]), jobs);
  const found = new Map<string, string[]>();
  const unknown: string[] = [];
  for (const output of job.outputs) {
    const prefix = output.key === null ? before : literalPrefix(output.key);
    const where = `${job.name}, ${output.step}`;
    if (output.nest !== null) unknown.push(`${where} nests its rows into documents of another table`);
    else if (prefix === '') unknown.push(`${where} has a key that does not begin with a fixed text`);
    else found.set(output.connection, [...(found.get(output.connection) ?? []), prefix]);
  }
  if (unknown.length > 0) return { prefixes: new Map(), unknown };
  return withoutOverlaps(
    found,
    jobs.filter((other) => other !== job),
  );
}

/** Keys of another job that begin alike would be deleted, too. */
function withoutOverlaps(
  prefixes: ReadonlyMap<string, readonly string[]>,
  others: readonly JobDefinition[],
): KeyPrefixes {
  const unknown = others.flatMap(({ name, outputs }) =>
    outputs.flatMap((output) => {
      const own = prefixes.get(output.connection) ?? [];
      const other = fixedPart(output);
      const isLike = other !== null && own.some((one) => one.startsWith(other) || other.startsWith(one));
      return isLike ? [`keys of ${name}, ${output.step} may begin alike`] : [];
    }),
  );
  return { prefixes, unknown };
}

/** Null for default keys, which begin with another table's name. */
function fixedPart({ key }: OutputDefinition): string | null {
  return key === null ? null : literalPrefix(key);
}
