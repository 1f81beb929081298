import { compileJmespath } from '../../expressions/jmespath.ts';
import type {
  CompiledExpression,
  MappingItem,
  OutputArgument,
  OutputDataType,
  OutputDefinition,
} from '../definition.ts';
import {
  CACHED_EXPRESSION_KEYS,
  compiling,
  EXPRESSION_KEYS,
  readExpression,
  readExpressionAt,
  withText,
} from './expression.ts';
import { parseFieldPath, unescapeDots } from './field-path.ts';
import { type ReadNest, readNest } from './nest.ts';
import { type Reading, readConnection, warnOfUnreachable, warnOfUnreachableColumn } from './reading.ts';
import { isMapping, Section, shown } from './section.ts';

export const OUTPUT_KEYS = [
  'connection',
  'data_type',
  'key',
  'mapping',
  'args',
  'on_update',
  'expire',
  'nest',
  'foreach',
  'when',
  'on_delete',
] as const;

export const DATA_TYPES = ['hash', 'json', 'set', 'sorted_set', 'stream', 'string'] as const;

/** The arguments of each data type; all of them are needed. */
export const ARGUMENTS: Readonly<Record<OutputDataType, readonly ('member' | 'score' | 'value')[]>> = {
  hash: [],
  json: [],
  set: ['member'],
  sorted_set: ['member', 'score'],
  stream: [],
  string: ['value'],
};

/** Forms of the engine inside RDI and of write-behind, which were never valid for `redis.write` in a job. */
const HINTS: Readonly<Record<string, string>> = {
  command: 'commands are chosen by `data_type`: hash, json, set, sorted_set, stream or string',
  key_field: 'write `key: {expression: <field>, language: jmespath}`',
  key_pattern: 'write `key: {expression: …, language: …}`',
  keys: 'write `key: {expression: …, language: …}`; `keys` belongs to writers of databases',
  opcode_field: 'it belongs to write-behind, which is not supported',
  load_strategy: 'it belongs to write-behind, which is not supported',
};

export interface ReadOutput {
  readonly definition: OutputDefinition;
  /** What of `nest` is spelled or left out as in 2023. */
  readonly oldForms: readonly string[];
}

/** Reads one item under `output`; null after a problem. Source: specification of jobs, section 7. */
export function readOutput(reading: Reading, value: unknown, index: number): ReadOutput | null {
  const path = ['output', index];
  const title = `output[${index}]`;
  if (!isMapping(value)) {
    reading.findings.problem(path, `${title}: an output is written {uses: redis.write, with: {…}}`);
    return null;
  }
  const outer = new Section(reading.findings, title, path, value);
  outer.allow(['uses', 'with']);
  const uses = outer.value('uses');
  if (uses === 'relational.write' || uses === 'cassandra.write') {
    return outer.problem('uses', `\`${uses}\` is write-behind, which is not supported: rdi writes to Redis only`);
  }
  if (outer.choice('uses', ['redis.write']) === null) return null;
  const named = new Section(reading.findings, `${title} redis.write`, path, value);
  const content = outer.value('with') ?? {};
  if (!isMapping(content)) return named.wrong('with', 'a map with the properties of the output');
  return new OutputReader(reading, new Section(reading.findings, named.title, [...path, 'with'], content)).read();
}

type Arguments = { readonly [name in 'member' | 'score' | 'value']?: OutputArgument | null };

class OutputReader {
  readonly #reading: Reading;
  readonly #output: Section;

  constructor(reading: Reading, output: Section) {
    this.#reading = reading;
    this.#output = output;
  }

  read(): ReadOutput | null {
    const output = this.#output;
    output.allow(OUTPUT_KEYS, HINTS);
    const before = this.#reading.findings.problems.length;
    const nest = output.has('nest') ? readNest(this.#reading, output) : null;
    const connection = readConnection(output, this.#reading.context);
    const dataType = this.#dataType();
    const definition = this.#definition(connection ?? 'target', dataType, nest);
    // Everything has been looked at, so one run shows all problems; what is left of a broken output is of no use.
    if (this.#reading.findings.problems.length > before) return null;
    return { definition, oldForms: this.#oldForms(nest) };
  }

  #definition(connection: string, dataType: OutputDataType | null, nest: ReadNest | null): OutputDefinition {
    const output = this.#output;
    // First, because it adds a field that the others may read.
    const foreach = this.#foreach();
    if (foreach !== null) this.#reading.fields.add([foreach.name]);
    const key = this.#expression('key', CACHED_EXPRESSION_KEYS);
    this.#warnOfKey(key, dataType, foreach?.name ?? null);
    const args: Arguments = dataType === null ? {} : this.#arguments(dataType);
    if (output.has('nest')) this.#checkNested();
    return {
      step: output.title,
      connection,
      dataType: dataType ?? 'json',
      key,
      mapping: this.#mapping(dataType ?? 'json'),
      member: args.member ?? null,
      score: args.score ?? null,
      value: args.value ?? null,
      onUpdate: this.#onUpdate(dataType ?? 'json'),
      expire: this.#expire(),
      nest: nest?.nest ?? null,
      foreach,
      when: this.#expression('when', EXPRESSION_KEYS),
      onDelete: (output.has('on_delete') ? output.choice('on_delete', ['delete', 'keep', 'fields']) : null) ?? 'delete',
    };
  }

  #dataType(): OutputDataType | null {
    const output = this.#output;
    if (output.has('data_type')) return output.choice('data_type', DATA_TYPES);
    return output.has('nest') ? 'json' : this.#reading.context.dataType;
  }

  #expression(name: 'key' | 'when' | 'expire', known: readonly string[]): CompiledExpression | null {
    const output = this.#output;
    if (!output.has(name)) return null;
    const strictText = name === 'key' && this.#reading.strictKeys;
    const expression = readExpressionAt(output, name, known, { strictText });
    warnOfUnreachable(this.#reading, output, [...output.at(name), 'expression'], expression);
    return expression;
  }

  #warnOfKey(key: CompiledExpression | null, dataType: OutputDataType | null, foreach: string | null): void {
    const output = this.#output;
    if (key?.isVolatile) {
      const what = `the key ${shown(key.text)} is another one each time, so that updates and deletes never find it again`;
      output.warn('key', `${what}; take columns of the row`);
      return;
    }
    if (dataType !== 'hash' && dataType !== 'json' && dataType !== 'string') return;
    if (foreach !== null && !reads(key, foreach)) {
      const what = 'every element is written to the same key, where only the last one stays';
      output.warn('foreach', `${what}; let \`key\` read \`${foreach}\``);
    } else if (key?.reads?.length === 0 && !output.has('nest')) {
      output.warn('key', `every row is written to the same key ${shown(key.text)}; take columns of the row`);
    }
  }

  /** What cannot stand beside `nest`, or only with one value. */
  #checkNested(): void {
    const output = this.#output;
    for (const key of ['key', 'args']) {
      if (output.has(key)) output.problem(key, `\`${key}\` cannot be combined with \`nest\`: the parent's key is used`);
    }
    if (output.has('foreach')) output.problem('foreach', '`foreach` cannot be combined with `nest`');
    const type = output.value('data_type');
    if (output.has('data_type') && type !== 'json' && DATA_TYPES.some((known) => known === type)) {
      output.problem('data_type', '`data_type` must be `json` with `nest`, or left out');
    }
    if (output.value('on_update') === 'replace') {
      output.problem('on_update', '`on_update` must be `merge` with `nest`, or left out');
    }
  }

  #oldForms(nest: ReadNest | null): string[] {
    if (nest === null) return [];
    const spellings = nest.oldSpellings.map((name) => `\`${name}\` is now \`${name.replace('-', '_')}\``);
    const missing = ['data_type', 'on_update'].filter((key) => !this.#output.has(key));
    if (missing.length < 2) return spellings;
    return [...spellings, 'beside `nest` stand `data_type: json` and `on_update: merge`'];
  }

  #onUpdate(dataType: OutputDataType): 'replace' | 'merge' {
    const output = this.#output;
    const chosen = output.has('on_update') ? output.choice('on_update', ['replace', 'merge']) : null;
    if (output.has('nest')) return 'merge';
    if (dataType === 'json') return chosen ?? this.#reading.context.jsonUpdate;
    // Fields that others added to a hash stay, unless the job itself says otherwise.
    if (dataType === 'hash') return chosen ?? 'merge';
    if (chosen !== null) output.warn('on_update', `\`on_update\` has no effect on \`${dataType}\``);
    return 'replace';
  }

  #expire(): number | CompiledExpression | null {
    const output = this.#output;
    if (!output.has('expire')) return null;
    const value = output.value('expire');
    if (isMapping(value)) return this.#expression('expire', CACHED_EXPRESSION_KEYS);
    const seconds = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
    if (typeof seconds === 'number' && Number.isSafeInteger(seconds) && seconds >= 0) return seconds || null;
    return output.wrong('expire', 'whole seconds (0 for never), or a map {expression: …, language: …}');
  }

  #arguments(dataType: OutputDataType): Arguments {
    const output = this.#output;
    const needed = ARGUMENTS[dataType];
    const list = needed.map((name) => `\`${name}\``).join(' and ');
    if (!output.has('args')) {
      if (needed.length > 0) output.problem(null, `\`args\` is missing; \`${dataType}\` needs ${list}`);
      return {};
    }
    if (needed.length === 0) {
      output.problem('args', `\`args\` belongs to set, sorted_set and string; a ${dataType} takes \`mapping\``);
      return {};
    }
    const args = output.section('args', `a map with ${list}`);
    args?.allow(needed);
    return Object.fromEntries(needed.map((name) => [name, args === null ? null : this.#argument(args, name)]));
  }

  /** A column, or (extension) an expression. */
  #argument(args: Section, name: string): OutputArgument | null {
    if (isMapping(args.value(name))) {
      const inner = args.section(name)!;
      inner.allow(EXPRESSION_KEYS);
      const expression = readExpression(inner);
      warnOfUnreachable(this.#reading, this.#output, [...args.at(name), 'expression'], expression);
      return expression === null ? null : { expression };
    }
    const text = args.text(name);
    if (text === null) return null;
    const column = parseFieldPath(text);
    if (column === null) return args.wrong(name, 'the name of a column');
    warnOfUnreachableColumn(this.#reading, this.#output, args.at(name), column);
    return { column };
  }

  #mapping(dataType: OutputDataType): readonly MappingItem[] | null {
    const output = this.#output;
    if (!output.has('mapping')) return null;
    if (ARGUMENTS[dataType].length > 0) {
      return output.problem('mapping', `\`mapping\` has no place in a ${dataType}; its parts are named under \`args\``);
    }
    const content = output.list('mapping', 'a list of fields, each a name or `name: alias`');
    if (content === null) return null;
    const items = content.flatMap((item: unknown, index) => this.#mappingItem(item, index, dataType) ?? []);
    this.#warnOfAliases(items);
    return items;
  }

  #mappingItem(item: unknown, index: number, dataType: OutputDataType): MappingItem | null {
    const output = this.#output;
    const path = [...output.at('mapping'), index];
    const pair = typeof item === 'string' ? [item, item] : isMapping(item) ? Object.entries(item).flat() : [];
    const [from, to] = pair;
    const isPair = pair.length === 2 && typeof from === 'string' && typeof to === 'string' && to !== '';
    const source = isPair ? parseFieldPath(from) : null;
    const alias = !isPair ? null : dataType === 'json' ? parseFieldPath(to) : [unescapeDots(to)];
    if (source === null || alias === null) {
      const message = `\`mapping[${index}]\` must be a field, or \`field: alias\` with the alias as text`;
      output.findings.problem(path, output.told(message));
      return null;
    }
    warnOfUnreachableColumn(this.#reading, output, path, source);
    return { source, alias };
  }

  /** Of two entries for the same place, or for a place inside the other's, one would be lost. */
  #warnOfAliases(items: readonly MappingItem[]): void {
    const places = new Set<string>();
    for (const { alias } of items) {
      const place = JSON.stringify(alias);
      if (places.has(place)) this.#output.warn('mapping', `two entries of \`mapping\` write \`${alias.join('.')}\``);
      places.add(place);
    }
  }

  /** Extension: `name: <JMESPath>`, as text or as a map. */
  #foreach(): OutputDefinition['foreach'] {
    const output = this.#output;
    if (!output.has('foreach')) return null;
    const value = output.value('foreach');
    const parts = typeof value === 'string' ? /^([^:]+):([\s\S]+)$/.exec(value)?.slice(1) : pairOf(value);
    const name = parts?.[0]?.trim() ?? '';
    const text = parts?.[1]?.trim() ?? '';
    if (name === '' || text === '') return output.wrong('foreach', 'text such as "tag: tags", a name and JMESPath');
    const compiled = compiling(output, output.at('foreach'), 'jmespath', () => compileJmespath(text));
    if (compiled === null) return null;
    const expression = withText(output, compiled, text, 'jmespath', null);
    warnOfUnreachable(this.#reading, output, output.at('foreach'), expression);
    return { name, expression };
  }
}

function reads(key: CompiledExpression | null, name: string): boolean {
  return key !== null && (key.reads === null || key.reads.includes(name));
}

function pairOf(value: unknown): string[] | undefined {
  if (!isMapping(value)) return undefined;
  const [pair, ...others] = Object.entries(value);
  return others.length === 0 && typeof pair?.[1] === 'string' ? [pair[0], pair[1]] : undefined;
}
