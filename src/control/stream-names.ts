import type { StreamAccount } from './types.ts';

/**
 * The `data_source` label of each stream, in the order of `streams`: the name without `data:`, as RDI's dashboards
 * expect. Where that would name two streams alike the full name stays, and a database other than 0 is appended.
 */
export function dataSources(streams: readonly Pick<StreamAccount, 'name' | 'db'>[]): string[] {
  const full = streams.map(({ name, db }) => (db === 0 ? name : `${name}@${db}`));
  const taken = new Set(full);
  return full.map((name) => {
    const short = withoutPrefix(name);
    return taken.has(short) ? name : short;
  });
}

/** The stream's name without `data:`. */
function withoutPrefix(name: string): string {
  return name.startsWith('data:') ? name.slice('data:'.length) : name;
}

/**
 * The one name that a person means by `given`: the exact name, the name of its DLQ, the name without `data:`, or its
 * last part (`orders`, `shop.orders`) where only one stream ends so. Undefined when none or several fit.
 */
export function resolveStreamName(given: string, names: readonly string[]): string | undefined {
  const wanted = given.startsWith('dlq:') ? given.slice('dlq:'.length) : given;
  if (names.includes(wanted)) return wanted;
  if (names.includes(`data:${wanted}`)) return `data:${wanted}`;
  const ending = names.filter((name) => name.endsWith(`.${wanted}`) || name.endsWith(`:${wanted}`));
  return ending.length === 1 ? ending[0] : undefined;
}
