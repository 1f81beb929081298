import { type Row, UNAVAILABLE, type Value } from '../../../types.ts';
import type { JobObject, JobValue } from '../../expressions/types.ts';
import type { FieldPath, MappingItem } from '../definition.ts';
import type { Image } from '../image.ts';
import { columnAt, isUndelivered, memberAt } from './evaluate.ts';
import type { NamePath } from './nested-paths.ts';
import { asValue } from './texts.ts';

/** A member of the document that a mapping builds: a column, an object of further members, or both, laid over each other. */
interface Member {
  readonly name: string;
  source: FieldPath | null;
  members: Member[];
}

/**
 * The rows that a mapping makes: only what it lists, columns that are not there as null. Aliases of several names build
 * objects; what a later entry says of a place wins. Source: specification of jobs, §7.3.
 */
export class Mapping {
  /** Top-level names, in order of their first entry; the same array for all rows. */
  readonly names: readonly string[];
  /** Aliases, each once. */
  readonly paths: readonly NamePath[];
  readonly #members: readonly Member[];

  constructor(items: readonly MappingItem[]) {
    const members: Member[] = [];
    for (const { source, alias } of items) add(members, source, alias);
    this.#members = members;
    this.names = members.map(({ name }) => name);
    this.paths = leavesOf(members, []);
  }

  /** Adds to `undelivered` the places below the top level whose column was not delivered. */
  rowOf(image: Image, undelivered: NamePath[] = []): Row {
    const values: Value[] = [];
    let partial = false;
    for (const member of this.#members) {
      if (member.members.length === 0) {
        const value = columnAt(image, member.source as FieldPath);
        if (value === UNAVAILABLE) partial = true;
        values.push(value);
      } else values.push(asValue(objectOf(member, image, undefined, [member.name], undelivered)));
    }
    return { names: this.names, values, partial };
  }
}

function add(members: Member[], source: FieldPath, alias: FieldPath): void {
  const [name, ...rest] = alias as [string, ...string[]];
  let member = members.find((known) => known.name === name);
  if (member === undefined) {
    member = { name, source: null, members: [] };
    members.push(member);
  }
  if (rest.length > 0) add(member.members, source, rest);
  else {
    member.source = source;
    member.members = [];
  }
}

function leavesOf(members: readonly Member[], above: NamePath): NamePath[] {
  return members.flatMap(({ name, members: inner, source }) => {
    const path = [...above, name];
    return source !== null || inner.length === 0 ? [path] : leavesOf(inner, path);
  });
}

/**
 * The object of a member with members of its own, laid over `below`, what an entry for a place further up has put here.
 * Leaves that were not delivered are left out, their paths added to `undelivered`.
 */
function objectOf(
  { source, members }: Member,
  image: Image,
  below: JobValue | undefined,
  path: NamePath,
  undelivered: NamePath[],
): JobObject {
  const base = source === null ? below : valueAt(image, source);
  const object: JobObject = base instanceof Map ? new Map(base) : new Map();
  for (const member of members) {
    const { name } = member;
    if (member.members.length > 0) {
      object.set(name, objectOf(member, image, object.get(name), [...path, name], undelivered));
      continue;
    }
    const value = valueAt(image, member.source as FieldPath);
    if (value === undefined) undelivered.push([...path, name]);
    else object.set(name, value);
  }
  return object;
}

/** The value for a place inside an object: null where the row has none, undefined when the column was not delivered. */
function valueAt(image: Image, path: FieldPath): JobValue | undefined {
  const { columns } = image;
  const value = memberAt(columns, path) ?? (path.length > 1 ? columns.get(path.join('.')) : undefined);
  if (value !== undefined) return value;
  const name = path[0] as string;
  if (columns.has(name)) return null;
  return isUndelivered(image, name) || isUndelivered(image, path.join('.')) ? undefined : null;
}
