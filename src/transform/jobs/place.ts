/**
 * On which columns does it depend where a row of a job is written? Only when one of these changes, the row before an update
 * has to be found out, so that what it left can be removed.
 *
 * The outputs name fields of the record as the last block leaves it. Going backwards through the blocks, each field is
 * replaced by what it is made of; what remains are fields of the event. The same is done for what the filters read, because
 * the old row counts only when it passed them: a lookup that neither needs is not asked for the old row.
 *
 * Names are compared without regard to case where that can only add columns, because SQL reads columns so.
 */
import type { BlockDefinition, CompiledExpression, FieldPath, MapFields } from './definition.ts';

/** First names of fields; null means any. */
export type Names = ReadonlySet<string> | null;

export interface PlaceAnalysis {
  /** Fields of the event's record on which places depend. */
  readonly reads: Names;
  /** Indexes of the lookups that finding the old place needs. */
  readonly lookups: ReadonlySet<number>;
}

/** `places` are those of the job's outputs. */
export function analysePlace(
  blocks: readonly BlockDefinition[],
  places: readonly (readonly string[] | null)[],
): PlaceAnalysis {
  let reads: Names = union(places.map((names) => names && new Set(names)));
  // What the old row needs besides: `reads`, and what the filters on the way read.
  let needs: Names = reads;
  const lookups = new Set<number>();
  for (let i = blocks.length - 1; i >= 0; i--) {
    const block = blocks[i] as BlockDefinition;
    if (block.uses === 'redis.lookup' && has(needs, block.field[0]!)) lookups.add(i);
    if (block.uses === 'filter') needs = union([needs, readsOf(block.expression)]);
    reads = throughBlock(block, reads);
    needs = throughBlock(block, needs);
  }
  return { reads, lookups };
}

/** What the fields `names` behind the block are made of before it. */
function throughBlock(block: BlockDefinition, names: Names): Names {
  if (names?.size === 0) return names;
  switch (block.uses) {
    case 'filter':
      return names;
    case 'map':
      return throughMap(block.mapping, names);
    case 'add_field':
      return block.fields.reduceRight<Names>((after, { path, expression }) => set(after, path, [expression]), names);
    case 'remove_field':
      return names;
    case 'rename_field':
      // The old name stays in: where the source is missing, the target is what it was.
      return block.renames.reduceRight<Names>(
        (after, { from, to }) => (has(after, to[0]!) ? union([after, new Set([from[0]!])]) : after),
        names,
      );
    case 'redis.lookup': {
      const made = block.when === null ? block.args : [...block.args, block.when];
      // With `when` the field may be left as it was.
      return block.when === null ? set(names, block.field, made) : overlay(names, block.field, made);
    }
  }
}

function throughMap(mapping: MapFields | CompiledExpression, names: Names): Names {
  if (!('fields' in mapping)) return readsOf(mapping);
  return union(mapping.fields.filter(({ name }) => has(names, name)).map(({ value }) => readsOfField(value)));
}

function readsOfField(value: MapFields | CompiledExpression): Names {
  if (!('fields' in value)) return readsOf(value);
  return union(value.fields.map(({ value: inner }) => readsOfField(inner)));
}

/** A field is made of `expressions`. */
function set(names: Names, path: FieldPath, expressions: readonly CompiledExpression[]): Names {
  const [name] = path as [string];
  if (!has(names, name)) return names;
  const made = overlay(names, path, expressions);
  if (made === null || path.length > 1 || isReadInAnotherCase(names as ReadonlySet<string>, name)) return made;
  if (expressions.some(({ reads }) => reads?.includes(name))) return made;
  const rest = new Set(made);
  rest.delete(name);
  return rest;
}

/** The field may be made of `expressions`, or be what it was. */
function overlay(names: Names, [name]: FieldPath, expressions: readonly CompiledExpression[]): Names {
  return has(names, name!) ? union([names, ...expressions.map(readsOf)]) : names;
}

function isReadInAnotherCase(names: ReadonlySet<string>, name: string): boolean {
  const folded = name.toLowerCase();
  for (const other of names) if (other !== name && other.toLowerCase() === folded) return true;
  return false;
}

function readsOf({ reads }: CompiledExpression): Names {
  return reads === null ? null : new Set(reads);
}

/** Whether a field is among the names, exactly, in another case, or as the first part of a name with dots. */
export function has(names: Names, name: string): boolean {
  if (names === null || names.has(name)) return true;
  const folded = name.toLowerCase();
  for (const other of names) {
    const otherFolded = other.toLowerCase();
    if (otherFolded === folded || otherFolded.startsWith(`${folded}.`)) return true;
  }
  return false;
}

function union(sets: readonly Names[]): Names {
  const all = new Set<string>();
  for (const names of sets) {
    if (names === null) return null;
    for (const name of names) all.add(name);
  }
  return all;
}
