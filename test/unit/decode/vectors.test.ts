import { describe, expect, it } from 'vitest';
import { readFields } from '../../../src/decode/index.ts';
import { entryOf, rowOf, streamNamed, World } from './entries.ts';

const SOURCE = {
  version: '3.6.1.Final',
  connector: 'postgresql',
  name: 'shop',
  ts_ms: 1709214330124,
  snapshot: 'false',
  db: 'store',
  schema: 'sales',
  table: 'orders',
  lsn: 1,
};
const envelope = (more: object, source: object = SOURCE) => ({
  before: null,
  after: { id: 7 },
  source,
  transaction: null,
  op: 'c',
  ts_ms: 1,
  ...more,
});
const stringSchema = { type: 'string', optional: true };
const wrapped = (payload: unknown, name = 'x') => ({
  schema: { type: 'struct', fields: [{ ...stringSchema, field: 's' }], name },
  payload,
});

describe('envelopes', () => {
  it('carry table, key, rows, time and operation', () => {
    const event = new World().change(
      { id: 7 },
      envelope({ op: 'u', before: { id: 7, a: 'x' }, after: { id: 7, a: 'y' } }),
    );
    expect(event).toMatchObject({ kind: 'change', op: 'u', sourceMs: 1709214330124, snapshot: false });
    expect(event.table).toEqual({
      connector: 'postgresql',
      serverName: 'shop',
      db: 'store',
      schema: 'sales',
      table: 'orders',
    });
    expect([rowOf(event.key), rowOf(event.before), rowOf(event.after)]).toEqual([
      { id: 7 },
      { id: 7, a: 'x' },
      { id: 7, a: 'y' },
    ]);
  });

  it('keep integers beyond 2^53 exactly', () => {
    const world = new World();
    for (const id of ['9007199254740993', '-9007199254740993', '18446744073709551615']) {
      const event = world.change(
        `{"id":${id}}`,
        `{"op":"u","before":null,"after":{"id":${id}},"source":${JSON.stringify(SOURCE)}}`,
      );
      expect(rowOf(event.after)).toEqual({ id: { number: id } });
      expect(rowOf(event.key)).toEqual({ id: { number: id } });
    }
  });

  it.each([
    [null, false],
    ['false', false],
    [false, false],
    [undefined, false],
    ['true', false],
    ['incremental', true],
  ])('with source.snapshot %s of operation c: snapshot %s', (snapshot, expected) => {
    const world = new World();
    for (let i = 0; i < 2; i++) {
      expect(world.change({ id: 7 }, envelope({}, { ...SOURCE, snapshot })).snapshot).toBe(expected);
    }
  });

  it('with operation r are snapshot rows', () => {
    expect(new World().change({ id: 7 }, envelope({ op: 'r' })).snapshot).toBe(true);
  });

  it('need no connector: the minimum envelope is a table, an operation and a row', () => {
    const event = new World().change({ id: 1 }, { op: 'c', after: { id: 1 }, source: { table: 'orders' } });
    expect(event.table).toEqual({ connector: '', serverName: '', db: '', schema: '', table: 'orders' });
  });

  it('share one names array as long as the columns stay the same, also between before and after', () => {
    const world = new World();
    const first = world.change({ id: 1 }, envelope({ op: 'u', before: { id: 1, a: 'x' }, after: { id: 1, a: 'y' } }));
    const second = world.change({ id: 2 }, envelope({ after: { id: 2, a: 'z' } }));
    const altered = world.change({ id: 2 }, envelope({ after: { id: 2, a: 'z', b: 1 } }));
    const back = world.change({ id: 3 }, envelope({ after: { id: 3, a: 'z' } }));
    expect(second.after!.names).toBe(first.after!.names);
    expect(first.before!.names).toBe(first.after!.names);
    expect(altered.after!.names).toEqual(['id', 'a', 'b']);
    expect(back.after!.names).toBe(first.after!.names);
    expect(second.table).toBe(first.table);
  });

  it('tell tables apart that share a stream', () => {
    const world = new World();
    for (let i = 0; i < 4; i++) {
      for (const table of ['orders', 'lines', 'orders']) {
        expect(world.change({ id: 1 }, envelope({}, { ...SOURCE, table })).table.table).toBe(table);
      }
    }
  });

  it('keep the key of a delete from the record, never from before', () => {
    const event = new World().change('default', envelope({ op: 'd', before: { id: 7, note: '' }, after: null }));
    expect(event.key).toBeNull();
    expect(event.after).toBeNull();
  });

  it('of a delete need no before when the key is there', () => {
    expect(rowOf(new World().change({ id: 7 }, envelope({ op: 'd', after: null })).key)).toEqual({ id: 7 });
  });

  it.each([
    [{ op: 'c', after: null }, 'DECODE_NO_ROW'],
    [{ op: 'u', after: null }, 'DECODE_NO_ROW'],
    [{ op: 'z' }, 'DECODE_UNKNOWN_EVENT'],
  ])('%j is rejected as %s', (more, code) => {
    const decoded = new World().decode({ id: 7 }, envelope(more));
    expect(decoded).toMatchObject({ kind: 'undecodable', code });
  });

  it('of a delete with neither before nor key are rejected', () => {
    expect(new World().decode('default', envelope({ op: 'd', after: null }))).toMatchObject({ code: 'DECODE_NO_ROW' });
  });

  it('without source are rejected instead of being taken for rows', () => {
    expect(new World().decode({ id: 7 }, { op: 'c', before: null, after: { id: 7 } })).toMatchObject({
      code: 'DECODE_UNKNOWN_EVENT',
    });
  });
});

describe('records that change no row', () => {
  it.each([
    ['heartbeat', { serverName: 'shop' }, { ts_ms: 1 }],
    ['transaction', { id: '1:2' }, { status: 'BEGIN', id: '1:2', event_count: null, data_collections: null, ts_ms: 1 }],
    [
      'transaction',
      { id: '1:2' },
      {
        status: 'END',
        id: '1:2',
        event_count: 1,
        data_collections: [{ data_collection: 'a.b', event_count: 1 }],
        ts_ms: 1,
      },
    ],
    [
      'schema-change',
      { databaseName: 's' },
      { source: SOURCE, databaseName: 's', schemaName: null, ddl: 'DROP TABLE a', tableChanges: [] },
    ],
    ['message', { prefix: 'a' }, { op: 'm', source: SOURCE, message: { prefix: 'a', content: 'aGVsbG8=' } }],
    [
      'notification',
      { id: '1' },
      { id: '1', aggregate_type: 'Initial Snapshot', type: 'STARTED', additional_data: { a: 'b' }, timestamp: 1 },
    ],
    ['truncate', 'default', envelope({ op: 't', after: null })],
    ['signal', { id: 'x' }, envelope({ after: { id: 'x', type: 'snapshot-window-open', data: '{}' } })],
    ['tombstone', { id: 1 }, 'default'],
    ['tombstone', 'default', 'default'],
    ['tombstone', 'default', ''],
    ['heartbeat', wrapped({ serverName: 'shop' }), wrapped({ ts_ms: 1 }, 'io.debezium.connector.common.Heartbeat')],
    [
      'transaction',
      wrapped({ id: '1' }),
      wrapped({ status: 'BEGIN' }, 'io.debezium.connector.common.TransactionMetadataValue'),
    ],
    [
      'schema-change',
      wrapped({ databaseName: 's' }),
      wrapped({ ddl: 'x' }, 'io.debezium.connector.mysql.SchemaChangeValue'),
    ],
  ])('%s: key %j, value %j', (kind, key, value) => {
    expect(new World().decode(key, value)).toEqual({ kind: 'control', control: kind });
  });

  it('are not confused with rows of similar columns', () => {
    const world = new World();
    for (const row of [
      { ts_ms: 5 },
      { id: 1, status: 'BEGIN', event_count: 5, place: 'x' },
      { id: 1, ddl: 'drop' },
      { id: 1, aggregate_type: 'order', type: 'created', payload: '{}' },
      { id: 1, type: 'snapshot-window-open', data: 'x', more: 1 },
      { id: 1, op: 'knee', source: 'web', before: 1, after: 2 },
      { schema: 'public', payload: 'x' },
      { id: 1, specversion: '1.0' },
    ]) {
      for (let i = 0; i < 2; i++) expect(rowOf(world.change({ id: 1 }, row).after)).toEqual(row);
    }
  });
});

describe('entries', () => {
  it('of the compact format are key text and value text', () => {
    const decoder = new World().decoder;
    const stream = streamNamed('shop.sales.orders');
    const decoded = decoder.decode(entryOf(stream, [['{"id":7}', JSON.stringify(envelope({}))]]));
    expect(decoded).toMatchObject({ kind: 'change', op: 'c' });
    expect(decoder.decode(entryOf(stream, [['default', JSON.stringify(envelope({}))]]))).toMatchObject({
      kind: 'change',
      key: null,
    });
    expect(decoder.decode(entryOf(stream, [['{"id":7}', 'default']]))).toEqual({
      kind: 'control',
      control: 'tombstone',
    });
  });

  it('may have their fields in any order and any headers', () => {
    const fields: [string, string][] = [
      ['__OP', '"c"'],
      ['value', JSON.stringify(envelope({}))],
      ['X', 'y'],
      ['key', '{"id":7}'],
    ];
    expect(new World().decoder.decode(entryOf(streamNamed('s'), fields))).toMatchObject({ kind: 'change', op: 'c' });
  });

  it('with other fields are rejected', () => {
    const decoded = new World().decoder.decode(
      entryOf(streamNamed('s'), [
        ['id', '1'],
        ['name', 'x'],
      ]),
    );
    expect(decoded).toMatchObject({ kind: 'undecodable', code: 'DECODE_UNKNOWN_EVENT' });
  });

  it('name stream, entry and what to do when they are rejected', () => {
    const decoded = new World().decoder.decode(
      entryOf(
        streamNamed('data:shop.a'),
        [
          ['key', '{"id":1}'],
          ['value', '{"id":}'],
        ],
        9,
      ),
    );
    expect(decoded).toMatchObject({ kind: 'undecodable', code: 'DECODE_NOT_JSON' });
    expect(decoded).toHaveProperty(
      'reason',
      expect.stringMatching(/data:shop\.a.*1700000000000-9.*Set `debezium\.format/),
    );
  });

  it('give their fields as texts', () => {
    const fields: [string, string][] = [
      ['key', 'default'],
      ['value', '{"näme":"🙂"}'],
      ['', ''],
    ];
    expect(readFields(entryOf(streamNamed('s'), fields))).toEqual(fields);
  });

  it('may stand for nothing with the words that are configured', () => {
    const world = new World({ nullKeys: ['NO_KEY'], nullValues: ['NIL'] });
    expect(world.change('NO_KEY', envelope({})).key).toBeNull();
    expect(world.decode({ id: 1 }, 'NIL')).toEqual({ kind: 'control', control: 'tombstone' });
    expect(world.decode({ id: 1 }, 'default')).toMatchObject({ kind: 'undecodable' });
  });
});

describe('schemas', () => {
  const columns = (types: object[]) => types.map((type, index) => ({ ...type, field: ['id', 'd'][index] }));
  const date = { type: 'int32', name: 'io.debezium.time.Date' };
  const rows = (fields: object[]) => ({
    type: 'struct',
    fields: [
      { type: 'struct', fields, field: 'before' },
      { type: 'struct', fields, field: 'after' },
    ],
  });

  it('are decided for key and value apart and for each event', () => {
    const world = new World();
    const schema = rows(columns([{ type: 'int32' }, date]));
    const value = envelope({ after: { id: 1, d: 2 } });
    const key = { schema: { type: 'struct', fields: columns([date]) }, payload: { id: 3 } };
    for (let i = 0; i < 2; i++) {
      expect(rowOf(world.change({ id: 3 }, value).after)).toEqual({ id: 1, d: 2 });
      expect(rowOf(world.change({ id: 3 }, { schema, payload: value }).after)).toEqual({ id: 1, d: 172800000 });
      const both = world.change(key, { schema, payload: value });
      expect(rowOf(both.key)).toEqual({ id: 259200000 });
      expect(rowOf(world.change(key, { schema: null, payload: value }).after)).toEqual({ id: 1, d: 2 });
    }
  });

  it('may stand behind the payload, with blanks between', () => {
    const world = new World();
    const schema = rows(columns([{ type: 'int32' }, date]));
    const value = ` {"payload" : ${JSON.stringify(envelope({ after: { id: 1, d: 2 } }))} ,\n "schema": ${JSON.stringify(schema)} } `;
    for (let i = 0; i < 2; i++) expect(rowOf(world.change('{"id":1}', value).after)).toEqual({ id: 1, d: 172800000 });
  });

  it('change between two events of a table', () => {
    const world = new World();
    const value = envelope({ after: { id: 1, d: 2 } });
    for (const [type, expected] of [
      [date, 172800000],
      [{ type: 'int32' }, 2],
      [date, 172800000],
    ] as const) {
      expect(
        rowOf(world.change({ id: 1 }, { schema: rows(columns([{ type: 'int32' }, type])), payload: value }).after),
      ).toEqual({ id: 1, d: expected });
    }
  });
});

describe('values that were not delivered', () => {
  const word = '__debezium_unavailable_value';
  it.each([
    word,
    'X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==',
    'X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ',
    '5f5f646562657a69756d5f756e617661696c61626c655f76616c7565',
    `{"${word}":"${word}"}`,
    [word],
    ['X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=='],
    [...Buffer.from(word)],
    { [word]: word },
  ])('%j is recognised and makes the row partial', (placeholder) => {
    const event = new World().change(
      { id: 1 },
      envelope({ op: 'u', before: { id: 1, body: placeholder }, after: { id: 1, body: placeholder, title: 'x' } }),
    );
    expect(rowOf(event.after)).toEqual({ id: 1, body: { unavailable: true }, title: 'x' });
    expect(event.after!.partial).toBe(true);
    expect(event.before!.partial).toBe(true);
  });

  it('follow the placeholder that is configured', () => {
    const world = new World({ unavailablePlaceholder: 'hex:4e4f' });
    expect(rowOf(world.change({ id: 1 }, envelope({ after: { a: 'NO', b: 'Tk8=', c: word } })).after)).toEqual({
      a: { unavailable: true },
      b: { unavailable: true },
      c: word,
    });
  });

  it('are not seen in texts that only look like it', () => {
    for (const text of [`${word} `, `x${word}`.slice(1, -1), [word, word], { [word]: 'x' }]) {
      expect(new World().change({ id: 1 }, envelope({ after: { a: text } })).after!.partial).toBe(false);
    }
  });
});

describe('texts', () => {
  it.each([
    ['"\\uD83D\\uDE42"', '🙂'],
    ['"\\ud83d"', '\ud83d'],
    ['"a\\"b\\\\c\\/d\\b\\f\\n\\r\\t"', 'a"b\\c/d\b\f\n\r\t'],
    ['"\\u0000"', '\u0000'],
    ['"ä€🙂"', 'ä€🙂'],
    ['"ä\\n"', 'ä\n'],
    ['""', ''],
  ])('%s is decoded', (literal, expected) => {
    const world = new World();
    for (let i = 0; i < 2; i++) {
      const event = world.change(
        '{"id":1}',
        JSON.stringify(envelope({ after: { a: 0 } })).replace('"a":0', `"a":${literal}`),
      );
      expect(event.after!.values).toEqual([expected]);
    }
  });

  it('of nested values keep their escapes and lose only blanks between tokens', () => {
    const event = new World().change(
      '{"id":1}',
      JSON.stringify(envelope({ after: { a: 0 } })).replace('"a":0', '"a":[ 1.0 , {"k" : "x \\u00e4"}\n]'),
    );
    expect(rowOf(event.after)).toEqual({ a: { json: '[1.0,{"k":"x \\u00e4"}]' } });
  });

  it('of a column that comes twice: the last counts', () => {
    expect(
      rowOf(
        new World().change('{"id":1,"id":2}', '{"source":{"table":"t"},"op":"c","after":{"a":1,"b":2,"a":3}}').after,
      ),
    ).toEqual({ a: 3, b: 2 });
  });
});
