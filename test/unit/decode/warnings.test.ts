import { describe, expect, it } from 'vitest';
import { World } from './entries.ts';

const DECIMALS = 'debezium.source.decimal.handling.mode=string';
const UNSIGNED = 'debezium.source.bigint.unsigned.handling.mode=precise';
const NULLS = 'debezium.format.value.replace.null.with.default=false';

const source = (more: object = {}) => ({
  connector: 'mysql',
  name: 'shop',
  db: 'store',
  table: 'orders',
  snapshot: 'false',
  ...more,
});
const event = (after: object, more: object = {}) => ({ before: null, after, source: source(more), op: 'c' });
const properties = (world: World) => world.warnings.map((warning) => warning.property);

function schemaChange(...columns: { name: string; typeName: string }[]): object {
  const table = { columns, primaryKeyColumnNames: ['id'] };
  return {
    source: source(),
    databaseName: 'store',
    ddl: 'CREATE …',
    tableChanges: [{ type: 'CREATE', id: '"store"."orders"', table }],
  };
}

describe('base64 decimals without schema', () => {
  it('are reported once per stream when an object shows them, naming the property', () => {
    const world = new World();
    for (let i = 0; i < 3; i++) world.change({ id: 1 }, event({ a: { scale: 9, value: 'XODppWAV/sWq36MorjmBFQ==' } }));
    expect(world.warnings).toHaveLength(1);
    expect(world.warnings[0]).toMatchObject({ stream: 'data:shop.sales.orders', property: DECIMALS });
    expect(world.warnings[0]!.message).toContain('"a"');
    world.change({ id: 1 }, event({ a: { scale: 9, value: 'XODppWAV' } }), {}, 'other');
    expect(world.warnings).toHaveLength(2);
  });

  it('are reported when a DECIMAL column known from the schema history holds no number', () => {
    const world = new World();
    world.decode({ databaseName: 'store' }, schemaChange({ name: 'price', typeName: 'DECIMAL' }), {}, 'shop');
    world.change({ id: 1 }, event({ id: 1, price: '1234' }));
    expect(properties(world)).toEqual([]);
    world.change({ id: 1 }, event({ id: 1, price: 'SZYC0g==' }));
    expect(properties(world)).toEqual([DECIMALS]);
  });

  it('are not suspected in texts, in other objects, in string mode, or with schemas', () => {
    const world = new World();
    world.decode({ databaseName: 'store' }, schemaChange({ name: 'price', typeName: 'DECIMAL' }), {}, 'shop');
    world.change(
      { id: 1 },
      event({ price: '12.34', note: 'SZYC0g==', o: { scale: 2, value: 'not base64!' }, p: { scale: 2 } }),
    );
    world.change({ id: 1 }, event({ price: null, note: 'SZYC0g==' }), {}, 'second');
    const fields = [
      { type: 'bytes', name: 'org.apache.kafka.connect.data.Decimal', parameters: { scale: '2' }, field: 'price' },
    ];
    const schema = { type: 'struct', fields: [{ type: 'struct', fields, field: 'after' }] };
    world.change({ id: 1 }, { schema, payload: event({ price: 'SZYC0g==' }) }, {}, 'third');
    expect(properties(world)).toEqual([]);
  });
});

describe('bigint unsigned as long', () => {
  it('is reported when such a column holds a whole number', () => {
    const world = new World();
    world.decode({ databaseName: 'store' }, schemaChange({ name: 'n', typeName: 'BIGINT UNSIGNED' }), {}, 'shop');
    world.change({ id: 1 }, event({ id: 1, n: -1 }));
    expect(properties(world)).toEqual([UNSIGNED]);
  });

  it.each(['"18446744073709551615"', '1.8446744073709552E19', 'null'])(
    'is not reported for %s, which other modes write',
    (literal) => {
      const world = new World();
      world.decode({ databaseName: 'store' }, schemaChange({ name: 'n', typeName: 'BIGINT UNSIGNED' }), {}, 'shop');
      world.change('{"id":1}', JSON.stringify(event({ id: 1, n: 0 })).replace('"n":0', `"n":${literal}`));
      expect(properties(world)).toEqual([]);
    },
  );

  it('is reported when the propagated source type shows it', () => {
    const parameters = { '__debezium.source.column.type': 'BIGINT UNSIGNED' };
    const fields = [{ type: 'int64', parameters, field: 'n' }];
    const world = new World();
    world.change(
      { id: 1 },
      { schema: { type: 'struct', fields: [{ type: 'struct', fields, field: 'after' }] }, payload: event({ n: 1 }) },
    );
    expect(properties(world)).toEqual([UNSIGNED]);
  });
});

describe('NULL replaced by default', () => {
  const withDefault = (fallback: unknown, optional = true) => {
    const fields = [{ type: 'string', optional, default: fallback, field: 'note' }];
    return { type: 'struct', fields: [{ type: 'struct', fields, field: 'after' }] };
  };
  const keySchema = { type: 'struct', fields: [{ type: 'int32', default: 0, field: 'id' }] };
  const key = { schema: keySchema, payload: { id: 1 } };

  it('is reported once when an optional column has a default', () => {
    const world = new World();
    for (let i = 0; i < 3; i++) world.change(key, { schema: withDefault('none'), payload: event({ note: 'none' }) });
    expect(properties(world)).toEqual([NULLS]);
  });

  it('is not reported when the event proves that nulls are kept', () => {
    const world = new World();
    world.change(key, { schema: withDefault('none'), payload: event({ note: null }) });
    world.change(key, { schema: withDefault('none'), payload: event({ note: 'x' }, { snapshot: null }) }, {}, 'other');
    expect(properties(world)).toEqual([]);
  });

  it('cannot happen to required columns or to those without default', () => {
    const world = new World();
    world.change(key, { schema: withDefault('none', false), payload: event({ note: 'x' }) });
    world.change(key, { schema: withDefault(null), payload: event({ note: 'x' }) }, {}, 'other');
    expect(properties(world)).toEqual([]);
  });
});
