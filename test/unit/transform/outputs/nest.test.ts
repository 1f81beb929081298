import { describe, expect, it } from 'vitest';
import { KeyTemplate } from '../../../../src/transform/default-key.ts';
import { NestedPaths } from '../../../../src/transform/jobs/outputs/index.ts';
import type { Operation } from '../../../../src/types.ts';
import { image as anyImage, CUSTOMER, type ImageOptions, jm, LINES, mapping, output, world } from './world.ts';

const ORDER_LINE = { ...CUSTOMER, table: 'order_line' };
const LINE = { order_id: 501, line_no: 2, sku: 'B2', price: null };

function image(operation: Operation, columns: Record<string, unknown>, options: ImageOptions = {}) {
  return anyImage(operation, columns, { table: ORDER_LINE, ...options });
}

function nested(
  changes: Partial<typeof LINES> = {},
  options: Parameters<typeof world>[0] = {},
  template = '{table}:{key}',
) {
  const nest = { ...LINES, ...changes };
  return world({ dataType: 'json', onUpdate: 'merge', nest, ...options }, { keyTemplate: new KeyTemplate(template) });
}

const at = (key: string, entry: string, row: object | null) => ({
  kind: 'nest',
  key,
  path: ['lines', entry],
  row,
  createsParent: true,
});

describe('a nested row', () => {
  it.each(['c', 'r', 'u'] as const)('of %s is merged into its parent', (operation) => {
    expect(nested().write(image(operation, LINE))).toEqual([at('orders:order_id:501', '2', LINE)]);
  });

  it('is taken out by a delete', () => {
    expect(nested().write(image('d', LINE))).toEqual([at('orders:order_id:501', '2', null)]);
  });

  it.each([
    ['parent', { order_id: 502 }, at('orders:order_id:501', '2', null), 'orders:order_id:502', '2'],
    ['entry', { line_no: 3 }, at('orders:order_id:501', '2', null), 'orders:order_id:501', '3'],
  ] as const)('moves when its %s changes', (_, change, removal, key, entry) => {
    const now = { ...LINE, ...change };
    expect(nested().write(image('u', now), image('u', LINE))).toEqual([removal, at(key, entry, now)]);
  });

  it('stays where it is when other columns change', () => {
    expect(nested().write(image('u', { ...LINE, sku: 'C3' }), image('u', LINE))).toHaveLength(1);
  });

  it('depends on its key columns alone', () => {
    expect(nested().output.place).toEqual(['order_id', 'line_no']);
  });

  it('finds its parent by a column of another name, by several, and by the template', () => {
    const parent = { table: 'orders', serverName: 'other', schema: null };
    const parentKey = [
      { parent: 'id', child: 'order_id' },
      { parent: 'part', child: 'line_no' },
    ];
    expect(
      nested({ parent, parentKey }, {}, '{server_name}.{schema}.{table}:{key}!').write(image('c', LINE)),
    ).toMatchObject([{ key: 'other.public.orders:id:501:part:2!' }]);
    expect(nested({}, {}, '{server_name}:{db}:{table}:{key}').write(image('c', LINE))).toMatchObject([
      { key: 'rdi:shop:orders:order_id:501' },
    ]);
  });

  it('goes several levels deep, through entries and elements', () => {
    const path = [
      { kind: 'name', name: 'a' },
      { kind: 'name', name: 'lines' },
      { kind: 'entry', column: 'line_no' },
      { kind: 'name', name: 'parts' },
      { kind: 'element', column: 'sku' },
    ] as const;
    expect(nested({ path }).write(image('c', LINE))).toMatchObject([
      { path: ['a', 'lines', '2', 'parts', { field: 'sku', value: 'B2' }] },
    ]);
  });

  it('is found in its array by the name that the mapping gives it, or by a column that is added', () => {
    const path = [
      { kind: 'name', name: 'parts' },
      { kind: 'element', column: 'line_no' },
    ] as const;
    expect(nested({ path }, { mapping: mapping(['line_no', 'n'], 'sku') }).write(image('c', LINE))).toMatchObject([
      { path: ['parts', { field: 'n', value: 2 }], row: { n: 2, sku: 'B2' } },
    ]);
    expect(nested({ path }, { mapping: mapping('sku') }).write(image('c', LINE))).toMatchObject([
      { path: ['parts', { field: 'line_no', value: 2 }], row: { sku: 'B2', line_no: 2 } },
    ]);
  });

  it('is shaped by a mapping', () => {
    expect(nested({}, { mapping: mapping(['sku', 'article.id']) }).write(image('c', LINE))).toMatchObject([
      { path: ['lines', '2'], row: { article: { text: '{"id":"B2"}' } } },
    ]);
  });

  it('may be dropped when its parent is not there, and gives it a time to live', () => {
    expect(nested({ missingParent: 'skip' }, { expire: 60 }).write(image('c', LINE))).toMatchObject([
      { createsParent: false, expire: 60 },
    ]);
    expect(nested({}, { expire: jm('`0`') }).write(image('c', LINE))).toEqual([
      { kind: 'delete', key: 'orders:order_id:501' },
    ]);
  });

  it.each([
    ['c', { order_id: null }, /parent_key column order_id is null.*Filter/],
    ['c', { order_id: undefined }, /parent_key column order_id is null/],
    ['c', { line_no: null }, /nesting_key column line_no is null/],
    ['c', { line_no: [1] }, /nesting_key column line_no holds an array or object/],
    ['d', { order_id: null }, /parent_key column order_id is null.*REPLICA IDENTITY FULL/],
  ] as const)('of %s with %j is rejected', (operation, change, message) => {
    expect(() => nested().write(image(operation, { ...LINE, ...change }))).toThrow(
      expect.objectContaining({ code: 'TRANSFORM_BAD_OUTPUT', message: expect.stringMatching(message) }),
    );
  });

  it('is rejected when a delete brings only its own key', () => {
    expect(() => nested().write(image('d', { line_no: 2 }, { before: null }))).toThrow(
      /parent_key column order_id is not in the change.*REPLICA IDENTITY FULL/,
    );
  });

  it('whose earlier place is not known is only merged', () => {
    expect(nested().write(image('u', LINE), image('u', { ...LINE, order_id: null }))).toHaveLength(1);
  });
});

describe('the document of a parent', () => {
  const orders = { ...CUSTOMER, table: 'orders' };
  const jobs = (nest: Partial<typeof LINES>, connection = 'target') => [
    { outputs: [output({ dataType: 'json', connection, nest: { ...LINES, ...nest } })] },
  ];
  const replace = (nest: Partial<typeof LINES>, connection?: string) =>
    world({ dataType: 'json', key: jm("'k'") }, { nested: new NestedPaths(jobs(nest, connection)) }).write(
      anyImage('u', { id: 1 }, { table: orders }),
    )[0];

  it('keeps what is nested into it when it is replaced', () => {
    expect(replace({})).toMatchObject({ mode: 'replace', keep: [['lines']] });
  });

  it('keeps a place deep inside up to the first entry', () => {
    const path = [
      { kind: 'name', name: 'home' },
      { kind: 'name', name: 'lines' },
      { kind: 'entry', column: 'line_no' },
      { kind: 'name', name: 'parts' },
      { kind: 'entry', column: 'part_no' },
    ] as const;
    expect(replace({ path })).toMatchObject({ keep: [['home', 'lines']] });
  });

  it('is merged when children are entries of the document itself', () => {
    expect(replace({ path: [{ kind: 'entry', column: 'line_no' }] })).toEqual({
      kind: 'json',
      key: 'k',
      mode: 'merge',
      row: { id: 1 },
    });
  });

  it.each([
    ['another table', { parent: { ...LINES.parent, table: 'Orders' } }, 'target'],
    ['another schema', { parent: { ...LINES.parent, schema: 'private' } }, 'target'],
    ['another server', { parent: { ...LINES.parent, serverName: 'other' } }, 'target'],
    ['another connection', {}, 'second'],
  ])('is not kept for %s', (_, nest, connection) => {
    expect(replace(nest, connection)).toEqual({ kind: 'json', key: 'k', mode: 'replace', row: { id: 1 } });
  });

  it('keeps each place once, and none inside another', () => {
    const inner = { ...LINES, path: [{ kind: 'name', name: 'lines' } as const, ...LINES.path] };
    const paths = new NestedPaths([...jobs(inner), ...jobs({}), ...jobs({})]);
    expect(paths.into(orders, 'target')).toEqual({ keep: [['lines']], atRoot: false });
  });
});
