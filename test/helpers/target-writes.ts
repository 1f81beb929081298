import type { Row, Value } from '../../src/types.ts';
import { UNAVAILABLE } from '../../src/types.ts';
import type { TargetWrite } from '../../src/write/index.ts';

/** A row from an object; column names of equal objects are one array, as decoders make them. */
export function rowOf(columns: Record<string, Value>): Row {
  const values = Object.values(columns);
  return { names: sharedNames(Object.keys(columns)), values, partial: values.includes(UNAVAILABLE) };
}

export function hash(key: string, columns: Record<string, Value>, index = 0, removeNulls = true): TargetWrite {
  return { kind: 'hash', key, index, row: rowOf(columns), removeNulls };
}

export function json(
  key: string,
  columns: Record<string, Value>,
  mode: 'replace' | 'merge' = 'replace',
  index = 0,
): TargetWrite {
  return { kind: 'json', key, index, row: rowOf(columns), mode };
}

export function del(key: string, index = 0): TargetWrite {
  return { kind: 'delete', key, index };
}

const shared = new Map<string, readonly string[]>();

function sharedNames(names: readonly string[]): readonly string[] {
  const known = shared.get(names.join('\n'));
  if (known) return known;
  shared.set(names.join('\n'), names);
  return names;
}
