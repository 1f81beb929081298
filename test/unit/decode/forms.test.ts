import { describe, expect, it } from 'vitest';
import { rowOf, World } from './entries.ts';

const header = (payload: unknown) => JSON.stringify({ schema: { type: 'string', optional: true }, payload });

describe('flattened rows', () => {
  it('take operation, time and table from added fields, which are no columns', () => {
    const event = new World().change(
      { id: 1 },
      {
        id: 1,
        name: 'x',
        __deleted: 'false',
        __op: 'c',
        __source_ts_ms: 5,
        __table: 'Odd Table',
        __db: 'store',
        __schema: 'sales',
        __lsn: 7,
      },
    );
    expect(event).toMatchObject({
      op: 'c',
      sourceMs: 5,
      before: null,
      table: { table: 'Odd Table', db: 'store', schema: 'sales' },
    });
    expect(rowOf(event.after)).toEqual({ id: 1, name: 'x' });
  });

  it('take them from headers too, wrapped with schema or not', () => {
    const world = new World();
    for (const wrap of [header, JSON.stringify]) {
      const headers = {
        __OP: wrap('d'),
        __TABLE: wrap('t'),
        __SOURCE_TS_MS: wrap(9),
        '__DEBEZIUM.CONTEXT.CONNECTORLOGICALNAME': wrap('shop'),
        '__DEBEZIUM.CONTEXT.CONNECTORNAME': wrap('mysql'),
      };
      const event = world.change({ id: 1 }, { id: 1 }, headers);
      expect(event).toMatchObject({
        op: 'd',
        sourceMs: 9,
        after: null,
        table: { table: 't', serverName: 'shop', connector: 'mysql' },
      });
    }
  });

  it('without any of that are upserts of the table that ends the stream’s name', () => {
    const event = new World().change({ id: 1 }, { id: 1 }, {}, 'data:{rdi}:shop.sales.orders');
    expect(event).toMatchObject({ op: 'u', sourceMs: 0, table: { table: 'orders' } });
  });

  it.each([['true'], [true]])('with __deleted %j are deletes, keyed by the record', (deleted) => {
    const event = new World().change({ id: 1 }, { id: 1, note: '', __deleted: deleted, __op: 'u' });
    expect(event).toMatchObject({ op: 'd', after: null });
    expect(rowOf(event.key)).toEqual({ id: 1 });
  });

  it('are deleted by a JSON null with a key', () => {
    const world = new World();
    for (const value of ['null', { schema: { type: 'struct' }, payload: null }, ' null ']) {
      const event = world.change({ id: 1 }, value);
      expect(event).toMatchObject({ op: 'd', before: null, after: null, table: { table: 'orders' } });
      expect(rowOf(event.key)).toEqual({ id: 1 });
    }
  });

  it('are deleted by a tombstone, for the table of the stream’s rows', () => {
    const world = new World();
    world.change({ id: 1 }, { id: 1, __table: 'Odd Table-1' }, {}, 'shop.sales.Odd_Table-1');
    const event = world.change({ id: 1 }, 'default', {}, 'shop.sales.Odd_Table-1');
    expect(event).toMatchObject({ op: 'd', table: { table: 'Odd Table-1' } });
    expect(world.change({ id: 1 }, 'default', {}, 'shop.sales.other')).toMatchObject({
      op: 'd',
      table: { table: 'other' },
    });
  });

  it('whose delete fits several tables are rejected instead of guessed', () => {
    const world = new World();
    world.change({ id: 1 }, { id: 1, __table: 'a' });
    world.change({ id: 1 }, { id: 1, __table: 'b' });
    expect(world.decode({ id: 1 }, 'null')).toMatchObject({ kind: 'undecodable', code: 'DECODE_UNKNOWN_EVENT' });
    expect(world.change({ id: 1 }, 'null', { __TABLE: header('b') })).toMatchObject({ op: 'd', table: { table: 'b' } });
  });

  it('are not deleted by the tombstones of envelopes', () => {
    const world = new World();
    world.change({ id: 1 }, { op: 'd', before: { id: 1 }, after: null, source: { connector: 'mysql', table: 't' } });
    for (const value of ['default', 'null', ''])
      expect(world.decode({ id: 1 }, value)).toEqual({ kind: 'control', control: 'tombstone' });
  });

  it('are converted when they come with their schema', () => {
    const fields = [
      { type: 'int32', name: 'io.debezium.time.Date', field: 'd' },
      { type: 'string', optional: true, field: '__deleted' },
    ];
    const world = new World();
    for (let i = 0; i < 2; i++) {
      const event = world.change(
        { d: 1 },
        { schema: { type: 'struct', fields }, payload: { d: 1, __deleted: 'false' } },
      );
      expect(rowOf(event.after)).toEqual({ d: 86400000 });
    }
  });
});

describe('CloudEvents', () => {
  const attributes = {
    iodebeziumop: 'c',
    iodebeziumconnector: 'postgresql',
    iodebeziumname: 'shop',
    iodebeziumtsms: '1709214330124',
    iodebeziumsnapshot: 'false',
    iodebeziumdb: 'store',
    iodebeziumschema: 'sales',
    iodebeziumtable: 'orders',
    iodebeziumtxId: '812',
    iodebeziumtxid: null,
  };
  const cloudEvent = (data: unknown, more: object = attributes) => ({
    id: 'x',
    source: '/debezium/postgresql/shop',
    specversion: '1.0',
    type: 'io.debezium.connector.postgresql.DataChangeEvent',
    ...more,
    data,
  });

  it('carry the source block in attributes', () => {
    const event = new World().change({ id: 7 }, cloudEvent({ before: null, after: { id: 7 } }));
    expect(event).toMatchObject({
      op: 'c',
      sourceMs: 1709214330124,
      table: { connector: 'postgresql', serverName: 'shop', db: 'store', schema: 'sales', table: 'orders' },
    });
    expect(rowOf(event.after)).toEqual({ id: 7 });
  });

  it('may write attributes in any case', () => {
    const upper = Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [`ioDebezium${name.slice(10).toUpperCase()}`, value]),
    );
    expect(new World().change({ id: 7 }, cloudEvent({ before: null, after: { id: 7 } }, upper)).table.table).toBe(
      'orders',
    );
  });

  it('without attributes take the table from the stream and the operation from the rows', () => {
    const world = new World();
    expect(world.change({ id: 7 }, cloudEvent({ before: null, after: { id: 7 } }, {}))).toMatchObject({
      op: 'u',
      table: { connector: 'postgresql', serverName: 'shop', table: 'orders' },
    });
    expect(world.change({ id: 7 }, cloudEvent({ before: { id: 7 }, after: null }, {}))).toMatchObject({ op: 'd' });
  });

  it('with Avro data are rejected with the setting that helps', () => {
    expect(new World().decode({ id: 7 }, cloudEvent('AAAAAAE='))).toMatchObject({
      kind: 'undecodable',
      reason: expect.stringContaining('data.serializer.type=json'),
    });
  });
});

describe('MongoDB', () => {
  const source = { connector: 'mongodb', name: 'shop', db: 'store', collection: 'orders', ts_ms: 5, snapshot: 'false' };
  const document = (text: string | null, more: object = {}) => ({
    before: null,
    after: text,
    updateDescription: null,
    source,
    op: 'c',
    ts_ms: 1,
    ...more,
  });
  const key = (id: string) => ({ id });

  it.each([
    ['1234', 1234],
    ['"ab"', 'ab'],
    ['{"$oid": "65e0887a1f2b3c4d5e6f7a8b"}', '65e0887a1f2b3c4d5e6f7a8b'],
    ['{"region": "EU", "no": 12}', { json: '{"region":"EU","no":12}' }],
    ['{"$binary": {"base64": "qrs=", "subType": "04"}}', 'qrs='],
    ['{"$numberLong": "9007199254740993"}', { number: '9007199254740993' }],
  ])('key %s is unwrapped', (text, id) => {
    const event = new World().change(key(text), document('{"_id":1}'));
    expect(rowOf(event.key)).toEqual({ id });
    expect(event.table).toMatchObject({ connector: 'mongodb', db: 'store', schema: '', table: 'orders' });
  });

  it.each([
    ['{"$numberLong":"1004"}', 1004],
    ['{"$numberInt":"3"}', 3],
    ['{"$numberDecimal":"9.90"}', { number: '9.90' }],
    ['{"$numberDouble":"NaN"}', 'NaN'],
    ['{"$date":1709214330123}', 1709214330123],
    ['{"$date":"2024-02-29T13:45:30.123Z"}', 1709214330123],
    ['{"$date":{"$numberLong":"1709214330123"}}', 1709214330123],
    ['{"$oid":"65e0887a1f2b3c4d5e6f7a8b"}', '65e0887a1f2b3c4d5e6f7a8b'],
    ['{"$uuid":"6f1c1d0e-1234-4abc-8def-000000000001"}', '6f1c1d0e-1234-4abc-8def-000000000001'],
    ['{"$binary":"qrs=","$type":"00"}', 'qrs='],
    ['{"$binary":{"base64":"qrs=","subType":"00"}}', 'qrs='],
    ['{"$regex":"^a","$options":"i"}', { json: '{"$regex":"^a","$options":"i"}' }],
    ['{"$timestamp":{"t":1709214330,"i":1}}', { json: '{"$timestamp":{"t":1709214330,"i":1}}' }],
    ['{"$minKey":1}', { json: '{"$minKey":1}' }],
    ['[{"$numberLong": "9007199254740993"}, 1.50, {"a": {"$date": 1}}]', { json: '[9007199254740993,1.50,{"a":1}]' }],
    ['12345678901234567890', { number: '12345678901234567890' }],
    ['true', true],
    ['null', null],
  ])('%s in a document', (text, expected) => {
    expect(rowOf(new World().change(key('1'), document(`{"_id": 1, "v": ${text}}`)).after)).toEqual({
      _id: 1,
      v: expected,
    });
  });

  it('updates without document are partial rows with what changed', () => {
    const updateDescription = {
      removedFields: ['gone', 'a.b'],
      updatedFields: '{"n": 5, "at": {"$date": "1970-01-01T00:00:01Z"}}',
      truncatedArrays: null,
    };
    const event = new World().change(key('1'), document(null, { op: 'u', updateDescription }));
    expect(rowOf(event.after)).toEqual({ n: 5, at: 1000, gone: null, 'a.b': null });
    expect(event.after!.partial).toBe(true);
  });

  it('updates that bring nothing are counted as partial updates', () => {
    expect(new World().decode(key('1'), document(null, { op: 'u' }))).toEqual({
      kind: 'control',
      control: 'partial-update',
    });
  });

  it('deletes need only the key', () => {
    const world = new World();
    for (let i = 0; i < 2; i++)
      expect(rowOf(world.change(key('{"$oid":"a"}'), document(null, { op: 'd' })).key)).toEqual({ id: 'a' });
  });

  it('documents that are no JSON are rejected', () => {
    expect(new World().decode(key('1'), document('{"_id":'))).toMatchObject({
      kind: 'undecodable',
      code: 'DECODE_BAD_VALUE',
    });
  });

  it('flattened documents and their deletes have the same key', () => {
    const world = new World();
    expect(rowOf(world.change(key('"ab"'), { _id: 'ab', n: 1 }).key)).toEqual({ id: 'ab' });
    expect(rowOf(world.change(key('"ab"'), 'null').key)).toEqual({ id: 'ab' });
    expect(rowOf(new World().change(key('{"$oid":"65"}'), 'null').key)).toEqual({ id: '65' });
  });
});
