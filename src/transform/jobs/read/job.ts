import { basename } from 'node:path';
import type { JobFile } from '../../../config/index.ts';
import type {
  BlockDefinition,
  CompiledExpression,
  JobContext,
  JobDefinition,
  OutputDefinition,
} from '../definition.ts';
import { readBlocks } from './blocks.ts';
import { CACHED_EXPRESSION_KEYS, readExpressionAt } from './expression.ts';
import { FieldsInReach } from './fields.ts';
import { readOutput } from './outputs.ts';
import type { Reading } from './reading.ts';
import { Findings, type Path, Section } from './section.ts';
import { compileSelection, readSelection, SELECTORS, type Selection } from './selection.ts';

export const JOB_KEYS = ['name', 'source', 'transform', 'output', 'key', 'filter_removes', 'strict_keys'] as const;
export const SOURCE_KEYS = [...SELECTORS, 'row_format', 'case_insensitive'] as const;

/** Files of the engine inside RDI look like jobs, but never were. */
const TOP_HINTS: Readonly<Record<string, string>> = {
  id: 'a job is named with `name`',
  type: 'it belongs to the engine inside RDI; a job has `source`, `transform` and `output`',
  properties: 'it belongs to the engine inside RDI; a job has `source`, `transform` and `output`',
  steps: 'it belongs to the engine inside RDI; blocks are listed under `transform`, outputs under `output`',
  input: 'it belongs to the engine inside RDI; what a job reads is said under `source`',
};

const WRITE_BEHIND = ['redis', 'keyspace', 'pattern', 'key_pattern', 'trigger', 'exclude_commands', 'exclude-commands'];

/** One file as far as it could be read. */
export interface Draft {
  readonly findings: Findings;
  readonly name: string;
  /** Null when `source` has a problem. */
  readonly selection: Selection | null;
  /** Null when the file has a problem. */
  readonly job: JobDefinition | null;
}

/** A form of 2023 that was translated. */
interface OldForm {
  readonly path: Path;
  readonly text: string;
}

/** Reads one job file by itself. Whether it fits to the others is judged elsewhere. */
export function readJob(file: JobFile, context: JobContext): Draft {
  const findings = new Findings(file);
  const top = new Section(findings, '', [], file.content);
  top.allow(JOB_KEYS, TOP_HINTS);
  const oldForms: OldForm[] = [];
  const written = hasValue(top, 'name') ? top.text('name') : null;
  const name = written ?? basename(file.file).replace(/\.ya?ml$/, '');
  const source = readSource(top, oldForms);
  const strictKeys = top.flag('strict_keys', context.strictKeys);
  const isFull = source?.rowFormat === 'full';
  const reading: Reading = { findings, context, isFull, strictKeys, fields: new FieldsInReach(isFull) };
  const blocks = readBlocks(reading, top);
  const outputs = withOldKey(reading, top, readOutputs(reading, top, oldForms), oldForms);
  warnOfDeletes(reading, blocks, outputs);
  warnOfOldForms(findings, oldForms);
  const filterRemoves = top.flag('filter_removes', context.filterRemoves);
  if (source === null || findings.problems.length > 0)
    return { findings, name, selection: source?.selection ?? null, job: null };
  const { selection, rowFormat } = source;
  const job: JobDefinition = {
    name,
    file: file.file,
    isDefault: selection.isDefault,
    matches: compileSelection(selection),
    rowFormat,
    filterRemoves,
    strictKeys,
    blocks,
    outputs,
  };
  return { findings, name, selection, job };
}

/** `transform:` with nothing behind it is like no `transform`. */
function hasValue(top: Section, key: string): boolean {
  return top.value(key) !== undefined && top.value(key) !== null;
}

interface Source {
  readonly selection: Selection;
  readonly rowFormat: 'partial' | 'full';
}

function readSource(top: Section, oldForms: OldForm[]): Source | null {
  const outer = top.section('source', 'a map with at least `table`');
  if (outer === null) return null;
  const source = new Section(outer.findings, 'source', outer.path, top.value('source') as Record<string, unknown>);
  const writeBehind = WRITE_BEHIND.find((key) => source.has(key));
  if (writeBehind !== undefined) {
    const what = 'belongs to write-behind, from Redis to a database, which is not supported';
    return source.problem(writeBehind, `\`${writeBehind}\` ${what}; a job reads a table: {table: …}`);
  }
  source.allow(SOURCE_KEYS);
  const format = source.has('row_format') ? source.choice('row_format', ['partial', 'full', 'data_only']) : 'partial';
  if (format === 'data_only') {
    oldForms.push({ path: source.at('row_format'), text: '`row_format: data_only` is now `partial`' });
  }
  const selection = readSelection(source);
  return selection === null ? null : { selection, rowFormat: format === 'full' ? 'full' : 'partial' };
}

/** The outputs; the implied one where none is written. */
function readOutputs(reading: Reading, top: Section, oldForms: OldForm[]): OutputDefinition[] {
  const content = hasValue(top, 'output') ? top.value('output') : [];
  if (!Array.isArray(content)) {
    top.wrong('output', 'a list, each item beginning with `- uses: redis.write`');
    return [];
  }
  const items: readonly unknown[] = content.length === 0 ? [{ uses: 'redis.write' }] : content;
  return items.flatMap((value, index) => {
    const output = readOutput(reading, value, index);
    if (output === null) return [];
    const path = ['output', index, 'with', 'nest'];
    oldForms.push(...output.oldForms.map((text) => ({ path, text })));
    if (output.definition.dataType === 'stream') {
      const message = `${output.definition.step}: a restart may write the last entries again, and a stream keeps both`;
      reading.findings.notice('info', ['output', index], message);
    }
    return [output.definition];
  });
}

/** The `key` that stood at the top in 2023 is the key of every output that has none. */
function withOldKey(
  reading: Reading,
  top: Section,
  outputs: OutputDefinition[],
  oldForms: OldForm[],
): readonly OutputDefinition[] {
  if (!top.has('key')) return outputs;
  const key: CompiledExpression | null = readExpressionAt(top, 'key', CACHED_EXPRESSION_KEYS, {
    strictText: reading.strictKeys,
  });
  oldForms.push({ path: ['key'], text: '`key` now stands in the `with` of each output' });
  return outputs.map((output) => (output.key !== null || output.nest !== null ? output : { ...output, key }));
}

/** In full format a deleted row has no `after`, so a key made of it alone never finds what to delete. */
function warnOfDeletes(
  { findings, isFull }: Reading,
  blocks: readonly BlockDefinition[],
  outputs: readonly OutputDefinition[],
): void {
  if (!isFull || blocks.some(looksAtOperation)) return;
  for (const { key, step } of outputs) {
    if (key?.reads?.includes('after') !== true || key.reads.some((name) => name === 'before' || name === 'key'))
      continue;
    const index = Number(/\d+/.exec(step)?.[0]);
    const advice = 'take `key`, or `after.id || before.id`';
    const message = `${step}: the key reads only \`after\`, which a delete has not, so that deleted rows stay; ${advice}`;
    findings.notice('warn', ['output', index, 'with', 'key'], message);
  }
}

/** A job that treats deletes apart knows what it does. */
function looksAtOperation(block: BlockDefinition): boolean {
  if (block.uses === 'map') return true;
  if (block.uses === 'filter') return block.expression.reads?.includes('opcode') === true;
  return block.uses === 'add_field' && block.fields.some(({ path }) => path[0] === 'opcode' || path[0] === 'after');
}

function warnOfOldForms(findings: Findings, oldForms: readonly OldForm[]): void {
  if (oldForms.length === 0) return;
  const texts = oldForms.map(({ text }) => text).join('; ');
  findings.notice('warn', oldForms[0]!.path, `written as in 2023, which still works: ${texts}`);
}
