/**
 * A source database of a few rows, the jobs that shape it, and what the target must hold then: folded from the rows by rules
 * of its own, not by the code of the engine.
 */
import type { CaseEvent } from './job-cases.ts';
import { comparableJson, type Keyspace } from './job-keyspace.ts';

type Column = string | number | null | readonly string[];
type Row = Readonly<Record<string, Column>>;

export const TABLES = ['parent', 'child', 'member', 'visit', 'doc'] as const;
type Table = (typeof TABLES)[number];

/** What somebody does to the source; what it becomes depends on whether the row exists. */
export interface Intent {
  readonly table: Table;
  readonly id: number;
  /** `move` changes the primary key, which Debezium tells as a delete and a create. */
  readonly action: 'write' | 'remove' | 'move';
  readonly to: number;
  readonly tier: 'a' | 'b' | null;
  readonly rank: number | null;
  readonly name: string | null;
  readonly tags: readonly string[];
  /** Foreign key of a child. */
  readonly parent: number;
}

/** A change of one row, as a feeder tells it. */
export interface RowChange {
  readonly table: Table;
  readonly op: 'c' | 'u' | 'd';
  readonly id: number;
  readonly before: Row | null;
  readonly after: Row | null;
}

const jm = (expression: string) => ({ expression, language: 'jmespath' });
const write = (options: object) => ({ uses: 'redis.write', with: options });

/** One output of every data type for `parent`, children in its document, a table behind a filter, one behind a lookup. */
export const JOBS: readonly Readonly<Record<string, unknown>>[] = [
  {
    source: { table: 'parent' },
    output: [
      write({ data_type: 'json' }),
      write({ data_type: 'hash', key: jm("concat(['h:', tier, ':', id])") }),
      write({ data_type: 'json', on_update: 'merge', key: jm("concat(['j:', id])") }),
      write({ data_type: 'set', key: jm("concat(['s:', tier])"), args: { member: 'id' } }),
      write({ data_type: 'sorted_set', key: jm("'z'"), args: { member: 'id', score: 'rank' } }),
      write({ data_type: 'string', key: jm("concat(['g:', id])"), args: { value: 'name' } }),
      write({ data_type: 'stream', key: jm("'log'"), mapping: ['id'] }),
      write({ data_type: 'hash', when: jm("tier == 'a'"), key: jm("concat(['w:', id])"), mapping: ['id', 'name'] }),
      write({ data_type: 'set', foreach: 'tag: tags', key: jm("concat(['t:', tag])"), args: { member: 'id' } }),
      write({
        data_type: 'hash',
        on_update: 'replace',
        key: jm("concat(['r:', id])"),
        mapping: [{ name: 'n' }, 'tier'],
      }),
    ],
  },
  {
    source: { table: 'child' },
    output: [
      write({
        data_type: 'json',
        on_update: 'merge',
        nest: {
          parent: { table: 'parent' },
          ...{ nesting_key: 'id', parent_key: 'id', child_key: 'parent', path: '$.children' },
        },
      }),
    ],
  },
  {
    source: { table: 'member', row_format: 'full' },
    filter_removes: true,
    transform: [
      { uses: 'filter', with: { expression: "`after.tier` = 'a' OR opcode = 'd'", language: 'sql' } },
      { uses: 'add_field', with: { field: 'after.label', ...jm("concat([after.tier, '/', key.id])") } },
    ],
    output: [write({ data_type: 'hash', key: jm("concat(['m:', key.id])"), mapping: ['rank', 'label'] })],
  },
  {
    source: { table: 'visit' },
    transform: [
      {
        uses: 'redis.lookup',
        with: {
          connection: 'target',
          cmd: 'HGET',
          args: ["'tiers'", "tier || 'none'"],
          language: 'jmespath',
          field: 'label',
        },
      },
      { uses: 'remove_field', with: { fields: [{ field: 'tags' }, { field: 'name' }] } },
    ],
    output: [write({ data_type: 'hash', on_update: 'replace', key: jm("concat(['v:', id])") })],
  },
  {
    source: { table: 'doc' },
    transform: [
      { uses: 'rename_field', with: { from_field: 'body', to_field: 'text' } },
      { uses: 'add_field', with: { field: 'loud', expression: "text || '!'", language: 'sql' } },
    ],
    output: [
      write({ data_type: 'hash', key: jm("concat(['dh:', id])") }),
      write({ data_type: 'hash', on_update: 'replace', key: jm("concat(['dr:', id])") }),
      write({ data_type: 'json', key: jm("concat(['dj:', id])"), mapping: ['id', { text: 'content.text' }] }),
      write({ data_type: 'string', key: jm("concat(['ds:', id])"), args: { value: 'loud' } }),
    ],
  },
];

/** Stands for a large column that a feeder does not deliver because it did not change. */
const UNAVAILABLE = '__debezium_unavailable_value';

/** What lookups find: a key of the target that no job writes. */
export const LABELS = { a: 'first', b: 'second', none: 'no tier' };

/** The rows as they are, and the documents of parents, whose content depends on the order of changes, too. */
export class SourceModel {
  readonly changes: RowChange[] = [];
  readonly #rows: Record<Table, Map<number, Row>> = {
    ...{ parent: new Map(), child: new Map(), member: new Map(), visit: new Map(), doc: new Map() },
  };
  readonly #documents = new Map<number, { row: Row | null; children: Map<number, Row> | null }>();

  /** The changes that an intent makes; none where it removes what is not there. */
  apply(intent: Intent): RowChange[] {
    const { table, id, action, to } = intent;
    const rows = this.#rows[table];
    const isThere = rows.has(id);
    if (action === 'write' && table === 'doc' && isThere && intent.tier === 'b') return [this.#touch(intent)];
    if (action === 'write') return [this.#set(table, id, rowOf(intent, id))];
    if (!isThere) return [];
    const removed = this.#set(table, id, null);
    return action === 'remove' || rows.has(to) ? [removed] : [removed, this.#set(table, to, rowOf(intent, to))];
  }

  #set(table: Table, id: number, after: Row | null): RowChange {
    const rows = this.#rows[table];
    const before = rows.get(id) ?? null;
    if (after) rows.set(id, after);
    else rows.delete(id);
    const change: RowChange = { table, op: after ? (before ? 'u' : 'c') : 'd', id, before, after };
    this.changes.push(change);
    if (table === 'parent') this.#foldParent(change);
    if (table === 'child') this.#foldChild(change);
    return change;
  }

  /** An update that leaves the large column as it is: it is delivered in the row before at most. */
  #touch({ id, rank, tags }: Intent): RowChange {
    const before = this.#rows.doc.get(id) as Row;
    const after = { ...before, rank };
    this.#rows.doc.set(id, after);
    const told = { ...after, body: UNAVAILABLE };
    const change: RowChange = { table: 'doc', op: 'u', id, before: tags.length > 1 ? before : null, after: told };
    this.changes.push(change);
    return change;
  }

  #foldParent({ id, after }: RowChange): void {
    if (after) this.#documents.set(id, { row: after, children: this.#documents.get(id)?.children ?? null });
    else this.#documents.delete(id);
  }

  #foldChild({ id, before, after }: RowChange): void {
    if (before && before['parent'] !== after?.['parent'])
      this.#documents.get(Number(before['parent']))?.children?.delete(id);
    if (!after) return;
    const parent = Number(after['parent']);
    const document = this.#documents.get(parent) ?? { row: null, children: null };
    document.children ??= new Map();
    document.children.set(id, after);
    this.#documents.set(parent, document);
  }

  /** What the target holds when every change was written once; the stream `log` apart. */
  keyspace(): Keyspace {
    const found: Keyspace = { tiers: { hash: LABELS } };
    const sets = new Map<string, string[]>();
    const scores: Record<string, number> = {};
    for (const [id, row] of this.#rows.parent) {
      const { tier, rank, name, tags } = row as unknown as Intent;
      found[`h:${tier ?? 'None'}:${id}`] = { hash: hashOf(row) };
      found[`j:${id}`] = { json: withoutNulls(row) };
      for (const key of [`s:${tier ?? 'None'}`, ...new Set(tags.map((tag) => `t:${tag}`))]) {
        sets.set(key, [...(sets.get(key) ?? []), String(id)]);
      }
      if (rank !== null) scores[id] = rank;
      if (name !== null) found[`g:${id}`] = { string: name };
      if (tier === 'a') found[`w:${id}`] = { hash: hashOf({ id, name }) };
      const part = hashOf({ n: name, tier });
      if (Object.keys(part).length > 0) found[`r:${id}`] = { hash: part };
    }
    for (const [key, members] of sets) found[key] = { set: members.sort() };
    if (Object.keys(scores).length > 0) found['z'] = { zset: scores };
    for (const [id, { row, children }] of this.#documents) {
      const nested = children && Object.fromEntries([...children].map(([child, of]) => [child, withoutNulls(of)]));
      found[`parent:id:${id}`] = { json: { ...row, ...(nested ? { children: nested } : {}) } };
    }
    for (const [id, { tier, rank }] of this.#rows.member) {
      if (tier === 'a') found[`m:${id}`] = { hash: hashOf({ rank: rank ?? null, label: `a/${id}` }) };
    }
    for (const [id, { tier, rank, parent }] of this.#rows.visit) {
      const label = LABELS[(tier as 'a' | 'b' | null) ?? 'none'];
      found[`v:${id}`] = {
        hash: hashOf({ id, tier: tier ?? null, rank: rank ?? null, parent: parent ?? null, label }),
      };
    }
    for (const [id, { rank, body }] of this.#rows.doc) {
      const text = String(body);
      const fields = { hash: hashOf({ id, rank: rank ?? null, text, loud: `${text}!` }) };
      found[`dh:${id}`] = fields;
      found[`dr:${id}`] = fields;
      found[`dj:${id}`] = { json: { id, content: { text } } };
      found[`ds:${id}`] = { string: `${text}!` };
    }
    return comparable(found);
  }

  /** What the stream `log` gets, once for each time that the changes are written. */
  log(): Record<string, string>[] {
    const changes = this.changes.filter(({ table }) => table === 'parent');
    return changes.map(({ id, op }) => ({ id: String(id), op_code: op }));
  }
}

/** The change as an event of a feeder. */
export function eventOf({ table, op, id, before, after }: RowChange): CaseEvent {
  const source = { name: 'rdi', db: 'shop', schema: 'public', table };
  const head = JSON.stringify({ before, after, op, source }).slice(0, -1);
  return { stream: `data:rdi.public.${table}`, key: JSON.stringify({ id }), value: (ms) => `${head},"ts_ms":${ms}}` };
}

function rowOf({ table, tier, rank, name, tags, parent }: Intent, id: number): Row {
  if (table === 'parent') return { id, tier, rank, name, tags };
  if (table === 'doc') return { id, rank, body: name ?? 'long text' };
  return { id, tier, rank, name, tags, parent };
}

function hashOf(row: Row): Record<string, string> {
  const text = (value: Column) => (typeof value === 'object' ? JSON.stringify(value) : String(value));
  return Object.fromEntries(Object.entries(withoutNulls(row)).map(([name, value]) => [name, text(value)]));
}

function withoutNulls(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}

/** The same form as what is read from a target. */
function comparable(keyspace: Keyspace): Keyspace {
  return comparableJson(JSON.stringify(keyspace)) as Keyspace;
}
