import { describe, expect, it } from 'vitest';
import { DefaultMapping, type MappingSettings } from '../../../src/transform/default-mapping.ts';
import { NestedPaths } from '../../../src/transform/jobs/outputs/nested-paths.ts';
import type { ChangeEvent, Operation, Row } from '../../../src/types.ts';
import type { TargetWrite } from '../../../src/write/types.ts';
import { CUSTOMER, LINES, output } from './outputs/world.ts';

const ROW: Row = { names: ['id', 'name'], values: [7, 'Ada'], partial: false };
const KEY: Row = { names: ['id'], values: [7], partial: false };

function event(op: Operation, changes: Partial<ChangeEvent> = {}): ChangeEvent {
  const after = op === 'd' ? null : ROW;
  return {
    kind: 'change',
    op,
    table: CUSTOMER,
    key: KEY,
    before: null,
    after,
    sourceMs: 0,
    snapshot: false,
    ...changes,
  };
}

function writeOf(
  settings: Partial<MappingSettings>,
  change: ChangeEvent,
  nested?: NestedPaths,
): TargetWrite | undefined {
  const writes: TargetWrite[] = [];
  const mapping = new DefaultMapping({ dataType: 'hash', jsonUpdate: 'replace', ...settings }, nested);
  expect(mapping.apply(change, 3, writes)).toBeNull();
  return writes[0];
}

describe('a table without a job', () => {
  it.each([
    ['c', false],
    ['r', true],
    ['u', true],
  ] as const)('is written as hashes: %s removes nulls: %s', (op, removeNulls) => {
    expect(writeOf({}, event(op))).toEqual({ kind: 'hash', key: 'customer:id:7', index: 3, row: ROW, removeNulls });
  });

  it.each(['replace', 'merge'] as const)('is written as documents by %s', (mode) => {
    const settings = { dataType: 'json', jsonUpdate: mode } as const;
    expect(writeOf(settings, event('u'))).toEqual({ kind: 'json', key: 'customer:id:7', index: 3, row: ROW, mode });
  });

  it('is deleted by its key alone', () => {
    expect(writeOf({}, event('d'))).toEqual({ kind: 'delete', key: 'customer:id:7', index: 3 });
  });

  it('has keys by the template', () => {
    const keyTemplate = '{schema}/{table}/{key}';
    expect(writeOf({ keyTemplate }, event('c'))).toMatchObject({ key: 'public/customer/id:7' });
  });

  it('hands rows and their names on as they are, because encoders cache by them', () => {
    expect(writeOf({}, event('c'))).toHaveProperty('row', ROW);
  });

  it.each([
    ['TRANSFORM_NO_KEY', null],
    ['TRANSFORM_BAD_KEY', { names: ['id'], values: [null], partial: false }],
  ])('is rejected with %s where the key says no row', (code, key) => {
    const writes: TargetWrite[] = [];
    const mapping = new DefaultMapping({ dataType: 'hash', jsonUpdate: 'replace' });
    expect(mapping.apply(event('c', { key }), 0, writes)).toMatchObject({ code });
    expect(writes).toEqual([]);
  });
});

describe('a document into which a job nests', () => {
  const parent = { ...LINES.parent, table: CUSTOMER.table };
  const nesting = (path: typeof LINES.path) =>
    new NestedPaths([{ outputs: [output({ dataType: 'json', nest: { ...LINES, parent, path } })] }]);

  it('keeps what is nested when it is replaced', () => {
    expect(writeOf({ dataType: 'json' }, event('u'), nesting(LINES.path))).toMatchObject({
      mode: 'replace',
      keep: [['lines']],
    });
  });

  it('is merged when it is itself the map', () => {
    const path = [{ kind: 'entry', column: 'line_no' }] as const;
    expect(writeOf({ dataType: 'json' }, event('u'), nesting(path))).toMatchObject({ mode: 'merge' });
  });

  it('of another table is not kept', () => {
    const change = event('u', { table: { ...CUSTOMER, table: 'address' } });
    expect(writeOf({ dataType: 'json' }, change, nesting(LINES.path))).not.toHaveProperty('keep');
  });
});
