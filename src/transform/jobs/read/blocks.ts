import { ExpressionError } from '../../expressions/types.ts';
import { isTrue } from '../../expressions/values.ts';
import type { BlockDefinition, CompiledExpression, FieldPath } from '../definition.ts';
import { CACHED_EXPRESSION_KEYS, readExpression } from './expression.ts';
import { formatFieldPath } from './field-path.ts';
import { LOOKUP_KEYS, readLookup } from './lookup.ts';
import { readMap } from './map.ts';
import { type Reading, readFieldPath, warnOfUnreachable } from './reading.ts';
import { isMapping, Section } from './section.ts';

/** The properties of every block, of both of its forms where it has two. */
export const BLOCK_KEYS = {
  add_field: ['field', ...CACHED_EXPRESSION_KEYS, 'fields'],
  filter: CACHED_EXPRESSION_KEYS,
  map: CACHED_EXPRESSION_KEYS,
  'redis.lookup': LOOKUP_KEYS,
  remove_field: ['field', 'fields'],
  rename_field: ['from_field', 'to_field', 'fields'],
} as const;

type BlockName = keyof typeof BLOCK_KEYS;
const BLOCKS = Object.keys(BLOCK_KEYS) as BlockName[];

/** Blocks of the engine inside RDI, and of outputs, that are no blocks of a job. */
const BLOCK_HINTS: Readonly<Record<string, string>> = {
  'redis.write': '`redis.write` belongs under `output`',
  'relational.write': '`relational.write` is write-behind, which is not supported: rdi writes to Redis only',
  'cassandra.write': '`cassandra.write` is write-behind, which is not supported: rdi writes to Redis only',
  explode: 'there is no block `explode`; an output makes several records of one, with `foreach`',
};

/** The list under `transform`, in order; blocks with problems are left out. */
export function readBlocks(reading: Reading, top: Section): BlockDefinition[] {
  const content = top.value('transform');
  if (content === undefined || content === null) return [];
  if (!Array.isArray(content)) {
    top.wrong('transform', 'a list of blocks, each beginning with `- uses:`');
    return [];
  }
  const blocks: BlockDefinition[] = [];
  let dropsAll: string | null = null;
  for (const [index, value] of content.entries()) {
    const path = ['transform', index];
    if (dropsAll !== null) {
      reading.findings.notice('warn', path, `transform[${index}]: no record gets here: ${dropsAll} keeps none`);
      dropsAll = null;
    }
    const block = readBlock(reading, value, index);
    if (block === null) continue;
    blocks.push(block);
    if (block.uses === 'filter' && keepsNothing(block.expression)) dropsAll = block.step;
  }
  if (dropsAll !== null) top.warn('transform', `nothing is ever written: ${dropsAll} keeps no record`);
  return blocks;
}

function readBlock(reading: Reading, value: unknown, index: number): BlockDefinition | null {
  const path = ['transform', index];
  if (!isMapping(value)) {
    reading.findings.problem(path, `transform[${index}]: a block is written {uses: <block>, with: {…}}`);
    return null;
  }
  const outer = new Section(reading.findings, `transform[${index}]`, path, value);
  outer.allow(['uses', 'with']);
  const uses = blockName(outer);
  if (uses === null) return null;
  const step = `transform[${index}] ${uses}`;
  const named = new Section(reading.findings, step, path, value);
  const properties = named.section('with', 'a map with the properties of the block');
  if (properties === null) return null;
  const block = new Section(reading.findings, step, properties.path, value['with'] as Record<string, unknown>);
  block.allow(BLOCK_KEYS[uses], uses === 'redis.lookup' ? { command: 'the command is named `cmd`' } : {});
  return READERS[uses](reading, block);
}

function blockName(outer: Section): BlockName | null {
  const name = outer.value('uses');
  if (typeof name === 'string' && Object.hasOwn(BLOCK_HINTS, name)) return outer.problem('uses', BLOCK_HINTS[name]!);
  return outer.choice('uses', BLOCKS);
}

const READERS: Readonly<Record<BlockName, (reading: Reading, block: Section) => BlockDefinition | null>> = {
  add_field: readAddField,
  filter: readFilter,
  map: readMap,
  'redis.lookup': readLookup,
  remove_field: readRemoveField,
  rename_field: readRenameField,
};

function readFilter(reading: Reading, block: Section): BlockDefinition | null {
  const expression = readExpression(block);
  warnOfUnreachable(reading, block, block.at('expression'), expression);
  return expression === null ? null : { uses: 'filter', step: block.title, expression };
}

/** True for a filter that gives the same for every record, and that is no. */
function keepsNothing(expression: CompiledExpression): boolean {
  if (expression.isVolatile || expression.reads === null || expression.reads.length > 0) return false;
  try {
    return !isTrue(expression.evaluate(new Map()));
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return true;
  }
}

function readAddField(reading: Reading, block: Section): BlockDefinition | null {
  const items = itemsOf(block, ['field', ...CACHED_EXPRESSION_KEYS]);
  const fields = items.map((item) => {
    const path = readFieldPath(item, 'field');
    const expression = readExpression(item);
    warnOfUnreachable(reading, item, item.at('expression'), expression);
    if (path !== null) reading.fields.add(path);
    return path === null || expression === null ? null : { path, expression };
  });
  return isComplete(fields) ? { uses: 'add_field', step: block.title, fields } : null;
}

function readRemoveField(reading: Reading, block: Section): BlockDefinition | null {
  const paths = itemsOf(block, ['field']).map((item) => readFieldPath(item, 'field'));
  for (const path of paths) if (path !== null) reading.fields.remove(path, block.title);
  return isComplete(paths) ? { uses: 'remove_field', step: block.title, paths } : null;
}

function readRenameField(reading: Reading, block: Section): BlockDefinition | null {
  const renames = itemsOf(block, ['from_field', 'to_field']).map((item) => {
    const from = readFieldPath(item, 'from_field');
    const to = readFieldPath(item, 'to_field');
    if (from === null || to === null) return null;
    if (isInside(from, to) || isInside(to, from)) {
      const why = `\`${formatFieldPath(from)}\` and \`${formatFieldPath(to)}\` lie in each other`;
      return item.problem('to_field', `a field cannot be moved into or around itself: ${why}`);
    }
    reading.fields.remove(from, block.title);
    reading.fields.add(to);
    return { from, to };
  });
  return isComplete(renames) ? { uses: 'rename_field', step: block.title, renames } : null;
}

/** True when `inner` is a path below `outer`. */
function isInside(inner: FieldPath, outer: FieldPath): boolean {
  return inner.length > outer.length && outer.every((name, index) => name === inner[index]);
}

/** The items of `fields`, or the block itself where it is about one field; empty after a problem. */
function itemsOf(block: Section, known: readonly string[]): Section[] {
  if (!block.has('fields')) return [block];
  const both = known.find((key) => block.has(key));
  if (both !== undefined) {
    block.problem(both, `${block.name(both)} and \`fields\` exclude each other; move it into an item of \`fields\``);
  }
  const expected = `a list of {${known.filter((key) => key !== 'cache').join(', ')}}`;
  const items = block.list('fields', expected) ?? [];
  return items.flatMap((value, index) => {
    const item = block.item('fields', index, value, `a map {${known[0]}: …}`);
    item?.allow(known);
    return item === null ? [] : [item];
  });
}

/** False when something is missing because it had a problem. */
function isComplete<T>(items: readonly (T | null)[]): items is readonly T[] {
  return items.length > 0 && !items.includes(null);
}
