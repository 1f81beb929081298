import type { NestDefinition, NestPathStep } from '../definition.ts';
import { type Reading, warnOfUnreachableColumn } from './reading.ts';
import type { Section } from './section.ts';

export const NEST_KEYS = [
  'parent',
  'nesting_key',
  'parent_key',
  'child_key',
  'path',
  'structure',
  'missing_parent',
] as const;
export const PARENT_KEYS = ['server_name', 'schema', 'table'];

/** How names were spelled in 2023; read like today's. */
const OLD_SPELLINGS: readonly string[] = ['nesting-key', 'parent-key', 'child-key'];

export interface ReadNest {
  readonly nest: NestDefinition;
  /** Old spellings that were used. */
  readonly oldSpellings: readonly string[];
}

/** Reads `nest` of an output; null after a problem. Source: specification of jobs, section 7.5. */
export function readNest(reading: Reading, output: Section): ReadNest | null {
  const nest = output.section('nest', 'a map {parent: …, nesting_key: …, parent_key: …, path: …}');
  if (nest === null) return null;
  nest.allow([...NEST_KEYS, ...OLD_SPELLINGS]);
  const oldSpellings = OLD_SPELLINGS.filter((name) => nest.has(name));
  const spelled = (name: string) => spellingOf(nest, name);
  const parent = readParent(nest);
  const parentKey = readParentKey(nest, spelled);
  const nestingKey = nest.text(spelled('nesting_key'));
  const structure = nest.has('structure') ? nest.choice('structure', ['map', 'array']) : 'map';
  const missingParent = nest.has('missing_parent') ? nest.choice('missing_parent', ['create', 'skip']) : 'create';
  const path = readNestPath(nest);
  if (parent === null || parentKey === null || nestingKey === null || path === null) return null;
  if (structure === null || missingParent === null) return null;
  const last: NestPathStep = { kind: structure === 'map' ? 'entry' : 'element', column: nestingKey };
  const steps = [...path, last];
  if (steps.some(({ kind }, i) => kind === 'element' && steps[i + 1]?.kind === 'element')) {
    const message = `${nest.name('path')} puts elements of an array right into an element; put a name between the two, such as \`$.orders[order_id].lines\``;
    return nest.problem('path', message);
  }
  for (const step of steps) {
    if (step.kind !== 'name') warnOfUnreachableColumn(reading, nest, nest.path, [step.column]);
  }
  for (const { child } of parentKey) warnOfUnreachableColumn(reading, nest, nest.path, [child]);
  return { nest: { parent, parentKey, path: steps, missingParent }, oldSpellings };
}

function spellingOf(nest: Section, name: string): string {
  const old = name.replace('_', '-');
  if (!nest.has(old)) return name;
  if (!nest.has(name)) return old;
  nest.problem(old, `${nest.name(old)} is the old spelling of ${nest.name(name)}; write it once`);
  return name;
}

function readParent(nest: Section): NestDefinition['parent'] | null {
  const parent = nest.section('parent', 'a map {table: <table of the parent>}');
  if (parent === null) return null;
  parent.allow(PARENT_KEYS);
  const table = parent.text('table');
  const serverName = parent.has('server_name') ? parent.text('server_name') : null;
  const schema = parent.has('schema') ? parent.text('schema') : null;
  return table === null ? null : { table, serverName, schema };
}

function readParentKey(nest: Section, spelled: (name: string) => string): NestDefinition['parentKey'] | null {
  const parentKey = spelled('parent_key');
  const childKey = spelled('child_key');
  const parents = readColumns(nest, parentKey);
  const children = nest.has(childKey) ? readColumns(nest, childKey) : parents;
  if (parents === null || children === null) return null;
  if (parents.length !== children.length) {
    const message = `${nest.name(childKey)} must name as many columns as ${nest.name(parentKey)}, in the same order`;
    return nest.problem(childKey, message);
  }
  return parents.map((parent, index) => ({ parent, child: children[index]! }));
}

/** One column, or (extension) several. */
function readColumns(nest: Section, key: string): readonly string[] | null {
  const value = nest.value(key);
  if (!Array.isArray(value)) {
    const column = nest.text(key);
    return column === null ? null : [column];
  }
  const isList = value.length > 0 && value.every((column) => typeof column === 'string' && column !== '');
  return isList ? (value as string[]) : nest.wrong(key, 'a column, or a list of columns');
}

/** One step behind the `$` of a path: `.name`, `.{column}`, `[column]`, `['name']`. */
const STEP =
  /\.\{(?<entry>[^{}]+)\}|\.(?<name>(?:\\\.|[^.[\]{}])+)|\['(?<single>[^']+)'\]|\["(?<double>[^"]+)"\]|\[(?<element>[^[\]'"]+)\]/y;

function readNestPath(nest: Section): readonly NestPathStep[] | null {
  const text = nest.text('path');
  if (text === null) return null;
  if (!text.startsWith('$')) {
    return nest.problem('path', `${nest.name('path')} must start with \`$\`, the root of the parent: \`$.${text}\``);
  }
  const steps: NestPathStep[] = [];
  STEP.lastIndex = 1;
  while (STEP.lastIndex < text.length) {
    const { lastIndex } = STEP;
    const groups = STEP.exec(text)?.groups;
    const step = groups === undefined ? null : stepOf(groups);
    if (step === null) {
      const forms = '`.name`, `.{column}` for an entry of a map, `[column]` for an element of an array';
      return nest.problem(
        'path',
        `${nest.name('path')} cannot be read from \`${text.slice(lastIndex)}\` on; a step is ${forms}`,
      );
    }
    steps.push(step);
  }
  if (steps[0]?.kind !== 'name') {
    return nest.problem('path', `${nest.name('path')} must name a field of the parent, such as \`$.lines\``);
  }
  return steps;
}

function stepOf(groups: Readonly<Record<string, string | undefined>>): NestPathStep | null {
  const { entry, element, name, single, double } = groups;
  if (entry !== undefined) return { kind: 'entry', column: entry };
  // A number, `*` or a filter would be JSONPath, of which only plain steps are known here.
  if (element !== undefined) return /^[\d*?:-]/.test(element) ? null : { kind: 'element', column: element };
  const plain = single ?? double ?? name?.replaceAll('\\.', '.');
  return plain === undefined || plain === '*' ? null : { kind: 'name', name: plain };
}
