import type { JobContext, LookupDefinition, OutputDefinition } from '../definition.ts';
import type { Draft } from './job.ts';
import { literalPrefix } from './key-prefix.ts';
import { literalsOf, mayHold, overlapOf, type Selection, strangersTo } from './selection.ts';

/** Rules between jobs. They look at drafts that may have problems of their own, so that one run shows all. */
export function checkBetween(drafts: readonly Draft[], context: JobContext): void {
  checkNames(drafts);
  checkOverlaps(drafts, context);
  checkServerNames(drafts, context);
  warnOfSameTables(drafts, context);
  for (const draft of drafts) {
    warnOfCommonKeys(draft);
    warnOfParents(draft, drafts, context);
    warnOfLookups(draft, drafts);
  }
}

function checkNames(drafts: readonly Draft[]): void {
  const known = new Map<string, Draft>();
  for (const draft of drafts) {
    const { name, findings } = draft;
    const other = known.get(name);
    if (other === undefined) known.set(name, draft);
    else
      findings.problem(
        ['name'],
        `the name \`${name}\` is that of ${other.findings.place(['name'])}, too; jobs need different ones`,
      );
  }
}

type Selecting = Draft & { readonly selection: Selection };

function checkOverlaps(drafts: readonly Draft[], { tables }: JobContext): void {
  const selecting = drafts.filter((draft): draft is Selecting => draft.selection !== null);
  for (const [index, draft] of selecting.entries()) {
    for (const other of selecting.slice(0, index)) checkOverlap(draft, other, tables);
  }
}

function checkOverlap(draft: Selecting, other: Selecting, known: readonly string[] | undefined): void {
  const { findings, selection } = draft;
  const path = ['source', 'table'];
  const place = other.findings.place(path);
  if (selection.isDefault !== other.selection.isDefault) return;
  if (selection.isDefault) {
    findings.problem(path, `a second default job: ${place} has \`table: "*"\`, too, and there can be only one`);
    return;
  }
  const overlap = overlapOf(selection, other.selection, known);
  if (overlap === 'none') return;
  const theirs = `\`${other.name}\` (${place})`;
  if (overlap === 'certain') {
    const tables = selection.entries.table?.map(({ text }) => `\`${text}\``).join(', ');
    const advice = 'each table may have one job only; put both into one file, or set different selectors';
    findings.problem(path, `selects tables of ${theirs}, too: ${tables} overlaps with them; ${advice}`);
    return;
  }
  findings.notice('warn', path, `may select the tables of ${theirs}, too; if it does, only one of the jobs is used`);
}

function checkServerNames(drafts: readonly Draft[], { sources }: JobContext): void {
  if (sources.length < 2) return;
  const list = sources.map((source) => `\`${source}\``).join(', ');
  for (const { findings, selection } of drafts) {
    if (selection === null || selection.isDefault) continue;
    if (selection.entries.server_name === undefined) {
      findings.problem(['source'], `source: with several sources \`server_name\` is needed; it is one of ${list}`);
      continue;
    }
    // A source that was there before others came goes on under the name that it had.
    for (const name of strangersTo(selection, 'server_name', [...sources, 'rdi'])) {
      const message = `source: \`server_name\` \`${name}\` is no source of config.yaml; there are ${list}`;
      findings.problem(['source', 'server_name'], message);
    }
  }
}

const PLACES_OF_TABLES = ['{server_name}', '{db}', '{schema}'];

/** The default key knows the table, but not its schema, so that two tables of the same name share keys. */
function warnOfSameTables(drafts: readonly Draft[], { keyTemplate }: JobContext): void {
  if (PLACES_OF_TABLES.some((place) => keyTemplate?.includes(place))) return;
  for (const [index, { job, selection, findings }] of drafts.entries()) {
    const tables = selection === null ? [] : literalsOf(selection, 'table');
    for (const table of tables) {
      const names = { table, server_name: null, db: null, schema: null };
      const other = drafts.slice(0, index).find((earlier) => {
        if (earlier.selection === null || earlier.selection.isDefault || !mayHold(earlier.selection, names))
          return false;
        return job?.outputs.some((output) => earlier.job?.outputs.some((one) => isSamePlace(one, output)));
      });
      if (other === undefined) continue;
      const advice = 'set `processors.key_template`, for example to `{schema}.{table}:{key}`';
      const message = `its default keys are those of the other table \`${table}\` (${other.findings.place(['source', 'table'])}), too; ${advice}`;
      findings.notice('warn', ['source', 'table'], message);
    }
  }
}

/** Outputs of one job that write the same keys overwrite each other. */
function warnOfCommonKeys({ job, findings }: Draft): void {
  for (const [index, output] of job?.outputs.entries() ?? []) {
    if (!hasDefaultKey(output)) continue;
    const other = job!.outputs.slice(0, index).find((earlier) => isSamePlace(earlier, output));
    if (other === undefined || isMerge(output) || isMerge(other)) continue;
    const advice = 'give one of them a `key`';
    findings.notice('warn', ['output', index], `${output.step}: it writes the same keys as ${other.step}; ${advice}`);
  }
}

function hasDefaultKey({ key, nest }: OutputDefinition): boolean {
  return key === null && nest === null;
}

function isSamePlace(one: OutputDefinition, other: OutputDefinition): boolean {
  return hasDefaultKey(one) && hasDefaultKey(other) && one.connection === other.connection;
}

function isMerge({ dataType, onUpdate, mapping }: OutputDefinition): boolean {
  return dataType === 'json' && onUpdate === 'merge' && mapping !== null;
}

/** Children are written into the document that the parent has under its default key; there must be one. */
function warnOfParents(draft: Draft, drafts: readonly Draft[], context: JobContext): void {
  for (const [index, { nest, step, connection }] of draft.job?.outputs.entries() ?? []) {
    if (nest === null) continue;
    const { table, serverName, schema } = nest.parent;
    const why = troubleWithParent(
      parentsOf(drafts, { table, schema, server_name: serverName, db: null }),
      connection,
      context,
    );
    if (why === null) continue;
    const path = ['output', index, 'with', 'nest', 'parent'];
    draft.findings.notice('warn', path, `${step}: the rows of \`${table}\` ${why}`);
  }
}

type Names = Parameters<typeof mayHold>[1];

/** The jobs that write a table; the default job where there is no other. */
function parentsOf(drafts: readonly Draft[], names: Names): readonly Draft[] {
  const own = drafts.filter(({ selection }) => selection !== null && !selection.isDefault && mayHold(selection, names));
  if (own.length > 0) return own;
  return drafts.filter(({ selection }) => selection?.isDefault && mayHold(selection, names));
}

function troubleWithParent(parents: readonly Draft[], connection: string, context: JobContext): string | null {
  const asJson = 'give it `data_type: json`';
  if (parents.length === 0) {
    if (context.dataType === 'json') return null;
    return `are written as hashes, into which nothing can be nested; ${asJson} in a job of its own, or set \`processors.target_data_type: json\``;
  }
  for (const { job, findings } of parents) {
    if (job === null) continue;
    const outputs = job.outputs.filter((output) => output.connection === connection && output.nest === null);
    const atDefaultKey = outputs.filter((output) => output.key === null);
    if (atDefaultKey.some(({ dataType }) => dataType === 'json')) continue;
    const where = `(${findings.place(['output'])})`;
    const [other] = atDefaultKey;
    if (other !== undefined)
      return `are written as ${other.dataType}, into which nothing can be nested ${where}; ${asJson}`;
    if (outputs.length > 0)
      return `have a custom key ${where}, but children are nested under the default key; leave \`key\` out there`;
  }
  return null;
}

/** There is no order between tables: what another job writes may not be there yet, or be old. */
function warnOfLookups(draft: Draft, drafts: readonly Draft[]): void {
  for (const block of draft.job?.blocks ?? []) {
    if (block.uses !== 'redis.lookup') continue;
    const writer = writerOf(block, drafts);
    if (writer === null) continue;
    const index = Number(/\d+/.exec(block.step)?.[0]);
    const message = `${block.step}: it reads keys that this pipeline writes (job \`${writer}\`). There is no order between tables: the key may not be there yet, and a later change of it does not reach what was copied`;
    draft.findings.notice('warn', ['transform', index], message);
  }
}

function writerOf({ args, connection }: LookupDefinition, drafts: readonly Draft[]): string | null {
  const wanted = args[0] === undefined ? '' : literalPrefix(args[0]).toLowerCase();
  if (wanted === '') return null;
  for (const { job, selection } of drafts) {
    const tables = selection === null ? [] : literalsOf(selection, 'table');
    const outputs = job?.outputs.filter((output) => output.connection === connection) ?? [];
    const prefixes = outputs.flatMap((output) => prefixesOf(output, tables)).map((prefix) => prefix.toLowerCase());
    if (prefixes.some((prefix) => prefix !== '' && (prefix.startsWith(wanted) || wanted.startsWith(prefix))))
      return job!.name;
  }
  return null;
}

function prefixesOf({ key, nest }: OutputDefinition, tables: readonly string[]): readonly string[] {
  if (nest !== null) return [`${nest.parent.table}:`];
  return key === null ? tables.map((table) => `${table}:`) : [literalPrefix(key)];
}
